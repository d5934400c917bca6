"""How things are done: which step comes first, how long, with what, in which order, and "how do I ...?" itself.

All scenarios ask about the procedures and facts of `envs/knowledge`. Choices are answered with a letter, amounts with a
number in the plausible range, a free explanation is judged by the steps that it tells, their order and their amounts.
"""

import re
from collections.abc import Callable
from functools import cache, partial
from itertools import combinations

from envs.chance import pick
from envs.families.howto_judge import judge
from envs.families.howto_phrasings import PHRASINGS
from envs.family import Family, Plan, listed
from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.facts import FACTS
from envs.knowledge.lexicon import fold, unit_words, units
from envs.knowledge.procedure import AMOUNT, MARKS, Procedure, plain_text
from envs.knowledge.procedures import PROCEDURES
from envs.task import Constraint, Question, stable_hash

NUM_LEVELS = 3
FEW = 12  # procedures at level 0
LETTERS = "abcdef"
OPTIONS = "{options}"
ABSURD = 30  # the factor that makes an amount absurd
CLEARLY = 2  # times out of bounds, so that it is absurd


def _asked(level: int) -> tuple[Procedure, ...]:
    return PROCEDURES[:: len(PROCEDURES) // FEW] if level == 0 else PROCEDURES


def _wording(wordings: tuple[str, ...], level: int, *key: str | int) -> str:
    return wordings[0] if level == 0 else pick(wordings, *key, "wording")


def _choice(wording: str, right: str, wrong: list[str], position: int) -> Question:
    """A question with lettered options in place of `OPTIONS`, the right one at `position`."""
    options = [*wrong[:position], right, *wrong[position:]]
    listed = " ".join(f"{letter}) {option}" for letter, option in zip(LETTERS, options, strict=False))
    return Question(wording.replace(OPTIONS, listed), LETTERS[position], "choice")


def _ordered(procedure: Procedure) -> list[tuple[int, int]]:
    """Pairs of steps that cannot change places."""
    return [pair for pair in combinations(range(len(procedure.steps)), 2) if not procedure.in_order(*pair[::-1])]


def first_step(language: str, level: int) -> tuple[Plan, ...]:
    plans = []
    for item in _asked(level):
        pairs = _ordered(item)
        for earlier, later in pairs[:1] if level == 0 else pairs:
            for position in (0, 1):
                wording = _wording(PHRASINGS[language].first, level, item.name, earlier, later)
                right, wrong = item.steps[earlier].text(language), item.steps[later].text(language)
                plans.append(
                    (_choice(wording.format(options=OPTIONS, goal=item.goal_in(language)), right, [wrong], position),)
                )
    return tuple(plans)


def next_step(language: str, level: int) -> tuple[Plan, ...]:
    """The wrong options are of other procedures; at the highest level, a step that comes too late is among them."""
    plans = []
    for item in _asked(level):
        for index in range(1 if level == 0 else len(item.steps) - 1):
            for position in range(2 if level == 0 else 3):
                question = _next_question(item, index, position, language, level, PHRASINGS[language].next)
                plans.append((question,))
    return tuple(plans)


def _next_question(
    item: Procedure, index: int, position: int, language: str, level: int, wordings: tuple[str, ...]
) -> Question:
    wrong = _foreign_steps(item, index, language, number=1 if level == 0 else 2)
    late = [step for step in range(index + 2, len(item.steps)) if not item.in_order(step, index + 1)]
    if level == 2 and late:
        wrong[0] = item.steps[pick(late, item.name, index, "late")].text(language)
    wording = _wording(wordings, level, item.name, index)
    step, goal = item.steps[index].text(language), item.goal_in(language)
    return _choice(
        wording.format(options=OPTIONS, step=step, goal=goal), item.steps[index + 1].text(language), wrong, position
    )


def _foreign_steps(item: Procedure, index: int, language: str, number: int) -> list[str]:
    """Different steps of other domains that do not occur in this procedure."""
    own = {step.text(language) for step in item.steps}
    return _few([text for text in _steps_elsewhere(item.domain, language) if text not in own], number, item.name, index)


@cache
def _steps_elsewhere(domain: str, language: str) -> tuple[str, ...]:
    return tuple(sorted({step.text(language) for item in PROCEDURES if item.domain != domain for step in item.steps}))


def _few(options: list[str], number: int, *key: str | int) -> list[str]:
    """`number` different ones: neighbours from a place that the key gives."""
    start = stable_hash(*key) % len(options)
    return (options[start:] + options[:start])[:number]


def amount(language: str, level: int) -> tuple[Plan, ...]:
    plans = []
    for item in _asked(level):
        for index in range(len(item.steps)):
            question = _amount_question(item, index, language, _wording(PHRASINGS[language].amount, level, item.name))
            plans += [(question,)] if question is not None else []
    return tuple(plans)


def _amount_question(item: Procedure, index: int, language: str, wording: str) -> Question | None:
    step = item.steps[index]
    found = AMOUNT.search(step.marked(language))
    if found is None or not step.high:
        return None
    line = plain_text(step.marked(language).replace(found[0], f"___ {found[2]}"))
    text = wording.format(line=line, goal=item.goal_in(language), unit=found[2])
    bounds = (Constraint("at_least", f"{step.low:g}"), Constraint("at_most", f"{step.high:g}"))
    return Question(text, kind="amount", oracle=found[1], constraints=bounds)


def usual_amount(language: str, level: int) -> tuple[Plan, ...]:
    """The facts of `envs/knowledge/facts.py`."""
    plans, place = [], LANGUAGES.index(language)
    for fact in FACTS[:FEW] if level == 0 else FACTS:
        found = AMOUNT.search(fact.answers[place])
        assert found is not None, fact
        text = PHRASINGS[language].fact.format(line=fact.questions[place], unit=_plural(found[2], language))
        bounds = (Constraint("at_least", f"{fact.low:g}"), Constraint("at_most", f"{fact.high:g}"))
        plans.append((Question(text, kind="amount", oracle=found[1], constraints=bounds),))
    return tuple(plans)


def _plural(unit: str, language: str) -> str:
    return unit_words(language)[units(language)[fold(unit)].name]


def tool(language: str, level: int) -> tuple[Plan, ...]:
    """The wrong tools are those of other domains."""
    used = [(item, found[1]) for item in PROCEDURES for found in _tools(item, language)]
    plans = []
    for item in PROCEDURES:  # only half of them use a tool
        for found in _tools(item, language)[:1]:
            foreign = {name for other, name in used if other.domain != item.domain} - {found[1]}
            wrong = _few(sorted(foreign), 1 if level == 0 else 2, item.name, "tool")
            line = plain_text(found.string.replace(found[0], "___"))
            for position in range(len(wrong) + 1):
                wording = _wording(PHRASINGS[language].tool, level, item.name)
                plans.append(
                    (
                        _choice(
                            wording.format(options=OPTIONS, line=line, goal=item.goal_in(language)),
                            found[1],
                            wrong,
                            position,
                        ),
                    )
                )
    return tuple(plans)


def _tools(item: Procedure, language: str) -> list[re.Match[str]]:
    found = (MARKS["tool"].search(step.marked(language)) for step in item.steps)
    return [match for match in found if match is not None]


def order(language: str, level: int) -> tuple[Plan, ...]:
    """Steps with letters, to be answered with the letters in order, such as "bca"."""
    plans = []
    for item in _asked(level):
        steps = _in_one_order(item)[: level + 2]
        if len(steps) < 2:
            continue
        for turn in range(len(steps)):
            mixed = (
                steps[turn:] + steps[:turn]
                if level == 0
                else sorted(steps, key=lambda step: stable_hash(item.name, turn, step))
            )
            listed = " ".join(
                f"{LETTERS[place]}) {item.steps[step].text(language)}" for place, step in enumerate(mixed)
            )
            wording = _wording(PHRASINGS[language].order, level, item.name)
            answer = "".join(LETTERS[mixed.index(step)] for step in steps)
            plans.append((Question(wording.format(options=listed, goal=item.goal_in(language)), answer, "choice"),))
    return tuple(plans)


def _in_one_order(item: Procedure) -> list[int]:
    """Steps of which no two can change places: one answer is right."""
    chosen: list[int] = []
    for step in range(len(item.steps)):
        if all(not item.in_order(step, before) for before in chosen):
            chosen.append(step)
    return chosen


def missing_step(language: str, level: int) -> tuple[Plan, ...]:
    plans = []
    for item in _asked(level):
        for gap in range(1, 2 if level == 0 else len(item.steps)):
            wrong = _foreign_steps(item, gap, language, number=1)
            line = " ".join("___" if index == gap else step.text(language) for index, step in enumerate(item.steps))
            for position in (0, 1):
                wording = _wording(PHRASINGS[language].missing, level, item.name, gap)
                right, goal = item.steps[gap].text(language), item.goal_in(language)
                plans.append((_choice(wording.format(options=OPTIONS, line=line, goal=goal), right, wrong, position),))
    return tuple(plans)


def sensible(language: str, level: int) -> tuple[Plan, ...]:
    """A sentence with its typical amount, or with thirty times as much where that is out of all bounds."""
    place, phrasings, plans = LANGUAGES.index(language), PHRASINGS[language], []
    lines = [(fact.answers[place], fact.high) for fact in (FACTS[:FEW] if level == 0 else FACTS)]
    if level == 2:
        lines += [(step.marked(language), step.high) for item in PROCEDURES for step in item.steps if step.high]
    for line, high in lines:
        found = AMOUNT.search(line)
        assert found is not None, line
        number = float(found[1].replace(",", ".")) * ABSURD
        if number < CLEARLY * high:
            continue
        absurd = f"{number:g} {_plural(found[2], language)}"
        for text, verdict in ((line, 0), (line.replace(found[0], absurd), 1)):
            wording = _wording(phrasings.sensible, level, line)
            plans.append((Question(wording.format(line=plain_text(text)), phrasings.verdicts[verdict], "choice"),))
    return tuple(plans)


def explain(language: str, level: int) -> tuple[Plan, ...]:
    plans = []
    for item in _asked(level):
        for wording in PHRASINGS[language].explain[: level + 1]:
            oracle = " ".join(step.text(language) for step in item.steps)
            asked = (Constraint("procedure", item.name),)
            text = wording.format(goal=item.goal_in(language))
            plans.append((Question(text, kind="procedure", oracle=oracle, constraints=asked),))
    return tuple(plans)


def talk_through(language: str, level: int) -> tuple[Plan, ...]:
    """A step, "And after that?" once or twice, "And how many?"."""
    plans, phrasings = [], PHRASINGS[language]
    for item in _asked(level):
        for position in (0, 1):
            questions = [_next_question(item, 0, position, language, level, phrasings.next)]
            for index in range(1, min(level + 2, len(item.steps) - 1)):
                place = pick((0, 1), item.name, index, position, "place")
                questions.append(_next_question(item, index, place, language, level, (phrasings.after_that,)))
            amounts = (_amount_question(item, at, language, phrasings.and_amount) for at in range(len(item.steps)))
            questions += [question for question in amounts if question is not None][:1]
            plans.append(tuple(questions))
    return tuple(plans)


def family(name: str, description: str, plans: Callable[[str, int], tuple[Plan, ...]]) -> Family:
    """`plans`: language, level -> all dialogs, each as its questions; of equal openings the first one is asked."""
    return Family(name, "how-to", description, listed(partial(_distinct, plans), NUM_LEVELS), LANGUAGES, judge)


@cache
def _distinct(plans: Callable[[str, int], tuple[Plan, ...]], language: str, level: int) -> tuple[Plan, ...]:
    """The plans in a mixed order, so that the first few are varied."""
    by_opening = {plan[0].text: plan for plan in reversed(plans(language, level))}
    return tuple(sorted(by_opening.values(), key=lambda plan: stable_hash(plan[0].text)))


SCENARIOS = (
    family("howto-first-step", "Which of two steps of an everyday procedure comes first.", first_step),
    family("howto-next-step", "Which step comes next.", next_step),
    family("howto-amount", "The amount that is missing in an instruction: how long, how hot, how much.", amount),
    family("howto-usual-amount", "How tall, heavy, fast, warm or expensive everyday things are.", usual_amount),
    family("howto-tool", "What an action is done with.", tool),
    family("howto-order", "The steps of a procedure put in order.", order),
    family("howto-missing-step", "The step that is missing in a procedure.", missing_step),
    family("howto-sensible", "Is a sentence with an amount in it sensible or absurd?", sensible),
    family(
        "howto-explain", "How something is done, in free words: all steps, in order, with plausible amounts.", explain
    ),
    family("howto-dialog", "A procedure talked through step by step, with a question for an amount.", talk_through),
)

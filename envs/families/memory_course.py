"""Memory of the dialog itself: a running total, what was asked and how often, and a rule that holds until lifted."""

from collections.abc import Callable, Sequence

from envs.chance import draw, pick
from envs.families.memory_facts import NUM_VALUES, tell, vocabulary
from envs.families.memory_phrasings import PHRASINGS
from envs.families.words import WORDS
from envs.family import Family
from envs.planned import STEADY, TALKERS, Choices, planned
from envs.speech_phrasings import LANGUAGES
from envs.task import Question, Task

RULES: tuple[Callable[[str], str], ...] = (  # in the order of `Phrasings.rules`
    str.upper,
    lambda word: f"{word}!",
    lambda word: f"{word} {word}",
    lambda word: f'"{word}"',
)
NUM_EASY_RULES = 2
NUM_ADDENDS = 5
NUM_STARTS = 9


def total(task: Task, choices: Sequence[int]) -> list[Question]:
    """Numbers one by one; the total is asked for at the end."""
    language, seed, phrasings = task.language, task.seed, PHRASINGS[task.language]
    largest = (3, 9, 20)[task.level]
    result = choices[0] + 1
    texts = [phrasings.count.format(v=result)]
    for step in range((1, 2, 4)[task.level]):
        amount = pick(range(1, largest + 1), seed, step)
        lower = task.level > 0 and amount <= result and pick((True, False), seed, step, "lower")
        result += -amount if lower else amount
        texts.append((phrasings.minus if lower else phrasings.plus).format(v=amount))
    told = [tell(language, text) for text in texts[:-1]]
    return [*told, Question(f"{texts[-1]} {phrasings.total}", str(result), "integer")]


def first(task: Task, choices: Sequence[int]) -> list[Question]:
    """Two to four different sums; then the user asks for the first, second or third of them."""
    sums = [(choices[0] + 1, choices[1] + 1)]
    others = [(a, b) for a in range(1, NUM_ADDENDS + 1) for b in range(1, NUM_ADDENDS + 1) if (a, b) != sums[0]]
    sums += draw(others, (1, 2, 4)[task.level], task.seed, "sums")
    which = 0 if task.level == 0 else pick(range(3), task.seed, "which")
    a, b = sums[which]
    return [*map(_sum, sums), Question(PHRASINGS[task.language].nth[which], f"{a}+{b}", "choice")]


def count(task: Task, choices: Sequence[int]) -> list[Question]:
    """Some sums, from level 1 on with other requests between them; how many sums were there?"""
    phrasings, seed = PHRASINGS[task.language], task.seed
    length = pick(range(1, (3, 4, 6)[task.level] + 1), seed, "length")
    questions = [_sum((choices[0] + 1, choices[1] + 1))]
    num_sums = 1
    for step in range(1, length):
        if task.level > 0 and pick((True, False), seed, step, "word"):
            word = pick(WORDS[task.language].colours, seed, step)
            questions.append(Question(phrasings.say.format(v=word), word, "choice"))
        else:
            numbers = range(1, NUM_ADDENDS + 1)
            questions.append(_sum((pick(numbers, seed, step, "a"), pick(numbers, seed, step, "b"))))
            num_sums += 1
    return [*questions, Question(phrasings.how_many, str(num_sums), "integer")]


def rule(task: Task, choices: Sequence[int]) -> list[Question]:
    """A rule of form that holds for every answer, until it is lifted (level 1) or gives way to another (level 2)."""
    phrasings, colours = PHRASINGS[task.language], WORDS[task.language].colours
    number, index = choices
    words = [colours[index], *draw(colours, 4, task.seed, "words")]
    spoken = [phrasings.say.format(v=word) for word in words]
    spoken[0] = f"{phrasings.rules[number]} {spoken[0]}"
    form = RULES[number]
    due = [form(words[0]), form(words[1])]
    if task.level > 0:
        due.append(words[2])
        spoken[2] = f"{phrasings.stop} {spoken[2]}"
    if task.level > 1:
        other = pick([other for other in range(len(RULES)) if other != number], task.seed, "other")
        due += [RULES[other](word) for word in words[3:]]
        spoken[3] = f"{phrasings.rules[other]} {spoken[3]}"
    return [Question(text, answer, "exact") for text, answer in zip(spoken, due, strict=False)]


def _sum(numbers: tuple[int, int]) -> Question:
    a, b = numbers
    return Question(f"{a}+{b}?", str(a + b), "integer")


SCENARIOS = (
    Family(
        "memory-total",
        "memory",
        "A running total over several turns, asked for at the end.",
        planned(total, Choices((NUM_STARTS,)), Choices((NUM_STARTS,)), Choices((NUM_STARTS,), TALKERS)),
        LANGUAGES,
    ),
    Family(
        "memory-first",
        "memory",
        "Several sums; then the user asks which was their first, second or third question.",
        planned(
            first,
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
        ),
        LANGUAGES,
    ),
    Family(
        "memory-count",
        "memory",
        "Sums and other requests; then the user asks how many sums there were.",
        planned(
            count,  # an easygoing user: who asks again would change the number
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
            Choices((NUM_ADDENDS, NUM_ADDENDS)),
        ),
        LANGUAGES,
    ),
    Family(
        "memory-rule",
        "memory",
        "A rule of form, such as capital letters, that holds over turns until it is lifted.",
        planned(
            rule,
            Choices((NUM_EASY_RULES, NUM_VALUES)),
            Choices((len(RULES), NUM_VALUES)),
            Choices((len(RULES), NUM_VALUES), STEADY),  # a sum between would leave open whether the rule binds it
            kept=vocabulary,
        ),
        LANGUAGES,
    ),
)

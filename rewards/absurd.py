"""Sensible answers and their absurd twins, and how often the semantic dimensions tell them apart.

A pair is a question and two answers that differ in exactly one thing: an amount, its unit, the object, the tool, the
place, the order, or a sentence that denies another. Both are grammatical, in four languages.

Held out means three things. The dimensions that judge (`GENERAL`) read words, categories, ranges and general order; no
procedure and no fact that pairs are made from is visible to them, in either part. Two fifths of the procedures and
facts, drawn by the hash of their names, form the held-out part; single failures were looked at in the tuning part
alone, and of the held-out part only the shares by kind of change, twice. And the held-out part asks in other words,
exchanges other objects and tools, and has four kinds of absurdity of its own. Not held out is the vocabulary: one
lexicon of everyday words was written for both parts.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from envs.chance import pick
from envs.knowledge.amounts import LANGUAGES, UNITS
from envs.knowledge.facts import FACTS, Fact
from envs.knowledge.lexicon import fold, unit_words, units
from envs.knowledge.procedure import AMOUNT, MARKS, Lines, Procedure, plain_text
from envs.knowledge.procedures import PROCEDURES
from envs.task import Question, Task, Transcript, Turn, stable_hash
from rewards.dimension import Dimension
from rewards.dimensions import procedure, quantity, relevance, semantics
from rewards.exchange import OBJECTS, PLACES, PLACES_TOWARDS, TOOLS, WORLDS, Exchange
from rewards.score import judge

Part = Literal["tuning", "held-out"]

GENERAL: tuple[Dimension, ...] = (
    *semantics.DIMENSIONS,
    *quantity.DIMENSIONS,
    *relevance.DIMENSIONS,
    *procedure.GENERAL,
)
FLOOR = 0.05  # what one dimension at 0 leaves of the whole

QUESTIONS: dict[Part, Lines] = {
    "tuning": ("How do I {goal}?", "Wie kann man {goal}?", "Comment {goal} ?", "¿Cómo puedo {goal}?"),
    "held-out": (
        "What is the best way to {goal}?",
        "Wie geht das am besten: {goal}?",
        "Quelle est la meilleure façon de {goal} ?",
        "¿Cuál es la mejor forma de {goal}?",
    ),
}
STATEMENTS: Lines = (
    "All of that takes {amount}.",
    "Das alles dauert {amount}.",
    "Tout cela prend {amount}.",
    "Todo eso dura {amount}.",
)
DENIALS: Lines = (
    "All of that never takes {amount}.",
    "Das alles dauert nie {amount}.",
    "Tout cela ne prend jamais {amount}.",
    "Todo eso nunca dura {amount}.",
)
UNIT_TWINS = {  # another unit of the same measure
    "second": "hour",
    "minute": "day",
    "hour": "week",
    "day": "second",
    "month": "minute",
    "year": "hour",
    "millimetre": "metre",
    "centimetre": "kilometre",
    "metre": "kilometre",
    "kilometre": "centimetre",
    "gram": "tonne",
    "kilogram": "gram",
    "tonne": "gram",
    "millilitre": "litre",
    "litre": "millilitre",
}
OTHER_MEASURE = {unit.name: "minute" if unit.measure != "duration" else "kilogram" for unit in UNITS}
CLEARLY = 3.0  # an amount out of bounds by less may still be sensible
_PLACE_AT_REST = re.compile(r"^(?:im|in der|in einer|in einem|am|auf dem|auf der|unter dem|bei)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one question. `corruption` says in what the absurd one differs."""

    source: str
    domain: str
    language: str
    corruption: str
    part: Part
    question: str
    sensible: str
    absurd: str


def part_of(name: str) -> Part:
    return "held-out" if stable_hash("part", name) % 5 < 2 else "tuning"


def sense(transcript: Transcript, dimensions: Sequence[Dimension] = GENERAL) -> float:
    """How sensible the last answer is, in (0, 1]: the product of FLOOR + (1 - FLOOR) * score over those that speak."""
    product = 1.0
    for dimension in dimensions:
        score = judge(dimension, transcript)
        if score == score:  # not NaN: it speaks
            product *= FLOOR + (1.0 - FLOOR) * score
    return product


def pairs(part: Part) -> list[Pair]:
    """All pairs of a part, in a fixed order."""
    made = [pair for source in PROCEDURES for language in LANGUAGES for pair in _from_procedure(source, language)]
    made += [pair for fact in FACTS for language in LANGUAGES for pair in _from_fact(fact, language)]
    return [pair for pair in made if pair.part == part and pair.sensible != pair.absurd]


def ranked_right(pair: Pair, dimensions: Sequence[Dimension] = GENERAL) -> bool:
    """Is the sensible answer ranked above the absurd one? A tie is wrong."""
    return sense(_said(pair, pair.sensible), dimensions) > sense(_said(pair, pair.absurd), dimensions)


def accuracy(
    judged: Sequence[Pair], by: Callable[[Pair], str], dimensions: Sequence[Dimension] = GENERAL
) -> dict[str, tuple[float, int]]:
    """Share ranked right and number of pairs, by group.

    Example: `accuracy(pairs("held-out"), by=lambda pair: pair.language)`
    """
    right, number = Counter[str](), Counter[str]()
    for pair in judged:
        number[by(pair)] += 1
        right[by(pair)] += ranked_right(pair, dimensions)
    return {group: (right[group] / number[group], number[group]) for group in sorted(number)}


def _said(pair: Pair, answer: str) -> Transcript:
    turn = Turn(Question(pair.question), answer, "stop", num_tokens=len(answer) // 4 + 1)
    return Transcript(Task("absurd", pair.language, 0, 0), (turn,))


def _from_procedure(source: Procedure, language: str) -> Iterator[Pair]:
    part, place = part_of(source.name), LANGUAGES.index(language)
    marked = [step.marked(language) for step in source.steps]
    question = QUESTIONS[part][place].format(goal=source.goal_in(language))

    def pair(corruption: str, absurd: Sequence[str], sensible: Sequence[str] = marked) -> Pair:
        texts = (" ".join(plain_text(line) for line in lines) for lines in (sensible, absurd))
        return Pair(source.name, source.domain, language, corruption, part, question, *texts)

    for corruption, change in _changes(source, language, part):
        for index, line in enumerate(marked):
            changed = change(line, source.steps[index].low, source.steps[index].high)
            if changed is not None and changed != line:
                yield pair(corruption, [*marked[:index], changed, *marked[index + 1 :]])
                break  # one pair for each kind of change
    yield pair("order", marked[::-1])
    if part == "held-out":
        amount = f"20 {unit_words(language)['minute']}"
        stated, denied = (lines[place].format(amount=amount) for lines in (STATEMENTS, DENIALS))
        yield pair("denied", [*marked, stated, denied], [*marked, stated])


def _from_fact(fact: Fact, language: str) -> Iterator[Pair]:
    part, place = part_of(fact.name), LANGUAGES.index(language)
    for corruption, change in _amount_changes(language, part):
        changed = change(fact.answers[place], fact.low, fact.high)
        if changed is not None:
            answers = plain_text(fact.answers[place]), plain_text(changed)
            yield Pair(fact.name, fact.domain, language, corruption, part, fact.questions[place], *answers)


Change = Callable[[str, float, float], str | None]  # a line and the bounds of its amount


def _changes(source: Procedure, language: str, part: Part) -> Iterator[tuple[str, Change]]:
    place = LANGUAGES.index(language)
    yield from _amount_changes(language, part)
    for mark, options in (("object", OBJECTS), ("tool", TOOLS)):
        phrase = pick(_foreign(options, source, part), source.name, mark).phrases[place]
        yield mark, partial(_swapped, mark, phrase)
    if part == "held-out":
        yield "place", partial(_moved, language, source.name)


def _foreign(options: Sequence[Exchange], source: Procedure, part: Part) -> list[Exchange]:
    """What belongs to another world than the procedure; other ones in the held-out part."""
    start = 0 if part == "tuning" else 1
    return [option for option in options[start::2] if option.world not in WORLDS[source.domain]]


def _swapped(mark: str, phrase: str, line: str, low: float = 0, high: float = 0) -> str | None:
    found = MARKS[mark].search(line)
    if found is None:
        return None
    if found.start() == 0:
        phrase = phrase[:1].upper() + phrase[1:]
    return line[: found.start()] + phrase + line[found.end() :]


def _moved(language: str, name: str, line: str, low: float, high: float) -> str | None:
    found = MARKS["place"].search(line)
    if found is None:
        return None
    options = PLACES if language != "de" or _PLACE_AT_REST.match(found[1]) else PLACES_TOWARDS
    return _swapped("place", pick(options, name, "place")[LANGUAGES.index(language)], line)


def _amount_changes(language: str, part: Part) -> Iterator[tuple[str, Change]]:
    yield "times 30", partial(_scaled, language, 30.0)
    yield "a thirtieth", partial(_scaled, language, 1 / 30)
    yield "unit", partial(_in_unit, language, UNIT_TWINS)
    if part == "held-out":
        yield "times 100", partial(_scaled, language, 100.0)
        yield "measure", partial(_in_unit, language, OTHER_MEASURE)


def _scaled(language: str, factor: float, line: str, low: float, high: float) -> str | None:
    """None where there is no amount, or where the new one is not clearly out of bounds and so not absurd."""
    found = AMOUNT.search(line)
    unit = units(language).get(fold(found[2])) if found else None
    if found is None or unit is None or not high:
        return None
    number = float(found[1].replace(",", ".")) * factor
    if low / CLEARLY < number < high * CLEARLY:
        return None
    written = f"{round(number)}" if number >= 2 else f"{number:.1g}" if number < 0.95 else "1.5"
    if language != "en":
        written = written.replace(".", ",")
    return f"{line[: found.start()]}{written} {unit_words(language)[unit.name]}{line[found.end() :]}"


def _in_unit(language: str, twins: dict[str, str], line: str, low: float, high: float) -> str | None:
    """The same number of another unit; None for 1, whose unit is in the singular."""
    found = AMOUNT.search(line)
    unit = units(language).get(fold(found[2])) if found else None
    if found is None or unit is None or unit.name not in twins or float(found[1].replace(",", ".")) < 2:
        return None
    return f"{line[: found.start()]}{found[1]} {unit_words(language)[twins[unit.name]]}{line[found.end() :]}"

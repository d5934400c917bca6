"""What the semantic dimensions share: the last answer and its question as clauses, and how plausible an amount is.

They know general knowledge only: the words, categories and ranges of `envs/knowledge`, never its procedures and facts,
which scenarios ask about.
"""

import math
from collections.abc import Callable, Iterable
from functools import lru_cache

from envs.knowledge.amounts import ANYTHING, LANGUAGES, RANGES
from envs.knowledge.lexicon import Concept
from envs.knowledge.reading import MEMORY, Amount, Clause, clauses
from envs.task import Transcript

SECONDS_PER_YEAR = 31_557_600
ODD_FACTOR = 4.0  # outside its range by this factor, an amount is worth 1/e
AT_THE_EDGE = 0.8  # what an amount at the end of its range is worth
WIDEST = 1e4  # a range from 0 is read as one of four orders of magnitude
KIND_SLACK = 3.0  # a range that holds for a whole category forgives this much more, since its members differ


def answer_clauses(transcript: Transcript) -> tuple[Clause, ...]:
    """Empty where the task is in a language that this knowledge does not cover."""
    language = transcript.task.language
    return clauses(transcript.last.answer, language) if language in LANGUAGES else ()


def question_clauses(transcript: Transcript) -> tuple[Clause, ...]:
    language = transcript.task.language
    return clauses(transcript.last.question.text, language) if language in LANGUAGES else ()


def concepts_of(parts: Iterable[Clause]) -> list[Concept]:
    return [concept for part in parts for concept in part.concepts()]


def share(holds: list[bool]) -> float | None:
    """Share of the judged that hold; None where nothing was judged."""
    return sum(holds) / len(holds) if holds else None


def by_amount(judge: Callable[[Amount, Clause, Transcript], float | None]) -> Callable[[Transcript], float | None]:
    """Half the worst, half the mean of what `judge` says of the amounts; None where it says nothing."""

    def score(transcript: Transcript) -> float | None:
        said = [judge(amount, part, transcript) for part in answer_clauses(transcript) for amount in part.amounts]
        judged = [value for value in said if value is not None]
        return (min(judged) + sum(judged) / len(judged)) / 2 if judged else None

    return score


def plausible(amount: Amount, part: Clause, transcript: Transcript) -> float:
    """How well an amount fits what it is said of: by the clause, else the question, else by what is common at all."""
    here, asked = tuple(part.concepts()), tuple(concepts_of(question_clauses(transcript)))
    for concepts, by_name in ((here, True), (here, False), (asked, True), (asked, False)):
        ranges = _ranges(concepts, amount.measure, by_name, amount.unit in ("year", "month"))
        if ranges:
            slack = 1.0 if by_name else KIND_SLACK
            return max(fit(amount, low, high, slack=slack, age=age) for low, high, age in ranges)
    low, high = RANGES[ANYTHING, amount.measure]
    return fit(amount, low, high, slack=KIND_SLACK)


def unit_fits(amount: Amount, part: Clause, transcript: Transcript) -> float | None:
    """Is this measure known of anything in the clause? None where nothing is known of any measure."""
    measures = _measures(tuple(part.concepts()))
    return float(amount.measure in measures) if measures else None


@lru_cache(MEMORY)
def _measures(concepts: tuple[Concept, ...]) -> frozenset[str]:
    names = {name for concept in concepts for name in concept.categories}
    found = {measure for name, measure in RANGES if name in names}
    return frozenset(found | {"duration"} if "age" in found else found)


@lru_cache(MEMORY)
def _ranges(
    concepts: tuple[Concept, ...], measure: str, by_name: bool, may_be_age: bool
) -> tuple[tuple[float, float, bool], ...]:
    keys = [key for concept in concepts for key in ((concept.name,) if by_name else sorted(concept.kinds))]
    found = [(*RANGES[key, measure], False) for key in keys if (key, measure) in RANGES]
    if may_be_age:
        found += [(*RANGES[key, "age"], True) for key in keys if (key, "age") in RANGES]
    return tuple(found)


def fit(amount: Amount, low: float, high: float, *, slack: float = 1.0, age: bool = False) -> float:
    """1 in the middle of the range, `AT_THE_EDGE` at its ends: what is ordinary lies in the middle.

    Outside, AT_THE_EDGE * exp(-distance), in factors of `ODD_FACTOR`, or of temperatures in halves of the range.
    """
    value = amount.base / SECONDS_PER_YEAR if age else amount.base
    if amount.measure == "temperature":
        return by_distance(value, low, high, scale=slack * max(10.0, (high - low) / 2))
    if value <= 0:
        return 0.0
    low = max(low, high / WIDEST)
    return by_distance(math.log(value), math.log(low), math.log(high), scale=slack * math.log(ODD_FACTOR))


def by_distance(value: float, low: float, high: float, *, scale: float) -> float:
    half = (high - low) / 2
    distance = abs(value - (low + half))
    if distance <= half:
        return 1.0 - (1.0 - AT_THE_EDGE) * (distance / half) ** 2
    return AT_THE_EDGE * math.exp(-(distance - half) / scale)

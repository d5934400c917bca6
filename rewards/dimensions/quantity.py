"""Are the amounts in an answer possible, plausible, and in agreement with each other?

Read by `envs/knowledge/reading.py`: a number before a unit, in four languages. An answer without amounts is not judged.
"""

import math
import re
from calendar import monthrange
from itertools import combinations

from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.reading import Amount, Clause
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.sense import answer_clauses, by_amount, by_distance, plausible, share, unit_fits

ABSOLUTE_ZERO = -273.15
MAX_BASE = {"temperature": 6000.0, "speed": 3e8, "share": 1000.0}
MAX_RATIO = 20.0  # of a range's ends: "2 to 50 minutes" says nothing
TOLERANCE = 0.1  # of a conversion: "2 miles (about 3 km)" is rounded
MAX_SIGNIFICANT = 3
MAX_CHARACTERS = 2000

_TOTALS = frozenset(["total", "altogether", "overall", "insgesamt", "gesamt", "tout", "totalement", "totale"])
_DATE = re.compile(r"\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b|\b(\d{4})-(\d{2})-(\d{2})\b")
_CLOCK = re.compile(r"(?<![\d:.])(\d{1,2}):(\d{2})(?![\d:])")
_CONVERSION = re.compile(r"\(|=|\bor\b|\boder\b|\bou\b|\bo\b|that is|also|soit|es decir")
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
_LIST_NOUN = re.compile(
    r"\b(\d{1,2})\s+(?:steps|things|items|points|reasons|tips|schritte|dinge|punkte|gründe|tipps|étapes|choses|points|"
    r"raisons|conseils|pasos|cosas|puntos|razones|consejos)\b",
    re.IGNORECASE,
)


def usual(amount: Amount, part: Clause, transcript: Transcript) -> float | None:
    """Nobody says 1,200 minutes: 1 in the middle of the numbers usual with this unit, then falling."""
    low, high = amount.usual
    middle = (amount.low + amount.high) / 2
    if amount.measure == "temperature":
        return by_distance(middle, low, high, scale=100.0)
    return by_distance(math.log10(middle), math.log10(low), math.log10(high), scale=1.0) if middle > 0 else 0.0


def possible(amount: Amount, part: Clause, transcript: Transcript) -> float | None:
    """Nothing is colder than absolute zero, faster than light, or lasts less than no time."""
    least = ABSOLUTE_ZERO if amount.measure == "temperature" else -1e4 if amount.measure == "money" else 0.0
    most = MAX_BASE.get(amount.measure, math.inf)
    return float(least <= min(amount.low, amount.high) * amount.factor and amount.high * amount.factor <= most)


def ranges(amount: Amount, part: Clause, transcript: Transcript) -> float | None:
    """A range goes upwards, and not over more than a factor of twenty."""
    if amount.low == amount.high or amount.measure == "temperature":
        return None
    return float(0 <= amount.low < amount.high and amount.high <= MAX_RATIO * max(amount.low, 0.05))


def rounded(amount: Amount, part: Clause, transcript: Transcript) -> float | None:
    """Everyday amounts have at most three significant digits: nobody boils an egg for 8.4372 minutes."""
    digits = f"{amount.high:.10g}".replace(".", "").replace("-", "").strip("0")
    return min(1.0, MAX_SIGNIFICANT / max(1, len(digits))) if "e" not in digits else 0.0


def conversions(transcript: Transcript) -> float | None:
    """Two amounts of one measure in different units, the second in brackets or after "or": are they the same?"""
    if not _CONVERSION.search(transcript.last.answer[:MAX_CHARACTERS]):
        return None
    pairs = [
        (first.base, second.base)
        for part in answer_clauses(transcript)
        for first, second in zip(part.amounts, part.amounts[1:], strict=False)
        if first.measure == second.measure and first.unit != second.unit
    ]
    return share([abs(first - second) <= TOLERANCE * max(abs(first), abs(second)) for first, second in pairs])


def consistent(transcript: Transcript) -> float | None:
    """Amounts of one measure said of the very same things and actions in different clauses: within a factor of two."""
    said = [
        (frozenset(concept.name for concept in part.concepts()), amount)
        for part in answer_clauses(transcript)
        for amount in part.amounts
    ]
    pairs = [
        (first, second)
        for (about, first), (too, second) in combinations(said[:12], 2)
        if about and about == too and first.measure == second.measure
    ]
    return share([min(a.base, b.base) * 2 >= max(a.base, b.base) for a, b in pairs])


def total(transcript: Transcript) -> float | None:
    """A total is not less than the longest of its parts."""
    parts = answer_clauses(transcript)
    totals = [a.base for part in parts if _TOTALS & set(part.words) for a in part.amounts if a.measure == "duration"]
    steps = [a.base for part in parts if not _TOTALS & set(part.words) for a in part.amounts if a.measure == "duration"]
    return float(max(totals) >= max(steps)) if totals and steps else None


def percentages(transcript: Transcript) -> float | None:
    """Percentages of one clause are parts of a whole: they sum to 100 at most."""
    sums = [
        sum(amount.high for amount in part.amounts if amount.measure == "share")
        for part in answer_clauses(transcript)
        if sum(amount.measure == "share" for amount in part.amounts) > 1
    ]
    return share([sum_of_parts <= 100.5 for sum_of_parts in sums])


def list_length(transcript: Transcript) -> float | None:
    """ "3 steps" announces a list of three."""
    text = transcript.last.answer[:MAX_CHARACTERS]
    announced, items = _LIST_NOUN.search(text), len(_ITEM.findall(text))
    if announced is None or items < 2:
        return None
    return 1.0 / (1.0 + abs(int(announced[1]) - items))


def dates(transcript: Transcript) -> float | None:
    """Share of the dates and times of day that exist: no 31 February, no 25:00."""
    text = transcript.last.answer[:MAX_CHARACTERS]
    holds = [int(hour) <= 24 and int(minute) < 60 for hour, minute in _CLOCK.findall(text)]
    for first, second, year, iso_year, iso_month, iso_day in _DATE.findall(text):
        if iso_year:
            holds.append(_exists(int(iso_year), int(iso_month), int(iso_day)))
        else:
            holds.append(_exists(int(year), int(second), int(first)) or _exists(int(year), int(first), int(second)))
    return share(holds)


def _exists(year: int, month: int, day: int) -> bool:
    return year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


_EGGS = "How do I boil an egg?"

DIMENSIONS = (
    Dimension(
        "quantity.plausible",
        "quantity",
        "The amounts, the worst above all, are in or near the range plausible for what they are said of.",
        by_amount(plausible),
        passes=example(_EGGS, "Boil the egg for 8 minutes."),
        fails=example(_EGGS, "Boil the egg for 30 hours."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.usual",
        "quantity",
        "The numbers are of the size that people use with their units.",
        by_amount(usual),
        passes=example(_EGGS, "It takes 2 hours."),
        fails=example(_EGGS, "It takes 7200 seconds."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.unit_fits",
        "quantity",
        "Amounts are of a measure that the things and actions beside them have: ovens have degrees, not kilograms.",
        by_amount(unit_fits),
        passes=example(_EGGS, "Preheat the oven to 180 degrees."),
        fails=example(_EGGS, "Preheat the oven to 180 kilograms."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.possible",
        "quantity",
        "No amount is physically impossible.",
        by_amount(possible),
        passes=example("How cold is it there?", "It has -40 degrees."),
        fails=example("How cold is it there?", "It has -400 degrees."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.ranges",
        "quantity",
        "A range of amounts goes upwards and is narrow enough to say something.",
        by_amount(ranges),
        passes=example(_EGGS, "Boil it for 6 to 8 minutes."),
        fails=example(_EGGS, "Boil it for 8 to 6 minutes."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.rounded",
        "quantity",
        "Everyday amounts are given with no more digits than anybody could measure.",
        by_amount(rounded),
        passes=example(_EGGS, "Boil it for 8 minutes."),
        fails=example(_EGGS, "Boil it for 8.4372 minutes."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.conversions",
        "quantity",
        "Share of the amounts given in two units that are the same in both.",
        conversions,
        passes=example("How long is the flight?", "It takes 2 hours (120 minutes)."),
        fails=example("How long is the flight?", "It takes 2 hours (300 minutes)."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.consistent",
        "quantity",
        "The same thing is not given two very different amounts.",
        consistent,
        passes=example(_EGGS, "Boil the egg for 8 minutes. I boil my egg 9 minutes."),
        fails=example(_EGGS, "Boil the egg for 8 minutes. I boil my egg 3 hours."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.total",
        "quantity",
        "A stated total is not less than its parts.",
        total,
        passes=example(_EGGS, "Boil it for 8 minutes. In total it takes 15 minutes."),
        fails=example(_EGGS, "Boil it for 8 minutes. In total it takes 5 minutes."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.percentages",
        "quantity",
        "The percentages of one sentence do not exceed the whole.",
        percentages,
        passes=example("Who votes?", "Of them 60 percent say yes and 40 percent no."),
        fails=example("Who votes?", "Of them 60 percent say yes and 70 percent no."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.list_length",
        "quantity",
        "A list has as many items as the answer announces.",
        list_length,
        passes=example(_EGGS, "In 2 steps:\n1. Boil it.\n2. Eat it."),
        fails=example(_EGGS, "In 5 steps:\n1. Boil it.\n2. Eat it."),
    ),
    Dimension(
        "quantity.dates",
        "quantity",
        "Share of the dates and times of day that exist.",
        dates,
        passes=example("When is it?", "On 28.02.2023 at 15:30."),
        fails=example("When is it?", "On 31.02.2023 at 25:30."),
    ),
)

"""Which parts of a number are right? For numeric questions; without a number in the answer all of these are 0.

Arithmetic is learned in parts: the last digit before the first, the size before the digits. Each measure speaks of one.
"""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.equations import steps
from rewards.reading import NUMERIC_KINDS, expected_number, given_number, numbers_inside

MAX_OPERANDS = 3  # of a question whose numbers are combined
MAX_DIGITS = 40  # longer numbers are noise
MAX_MAGNITUDE = 10.0**60

_SHOWN = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]*)?")
_USUAL = re.compile(r"-?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+)(?:\.[0-9]*[1-9])?")


def _by_numbers(measure: Callable[[Fraction, Fraction], float]) -> Callable[[Transcript], float | None]:
    """`measure(given, expected)` of a numeric answer; 0 if the answer gives no number of a bearable size."""

    def score(transcript: Transcript) -> float | None:
        expected = expected_number(transcript.last.question)
        if expected is None:
            return None
        given = given_number(transcript.last)
        return 0.0 if given is None or abs(given) > MAX_MAGNITUDE else measure(given, expected)

    return score


def parity(given: Fraction, expected: Fraction) -> float:
    return float(given.denominator == expected.denominator and given.numerator % 2 == expected.numerator % 2)


def last_digit(given: Fraction, expected: Fraction) -> float:
    """1 - distance on the circle of ten digits / 5"""
    distance = (abs(given.numerator) - abs(expected.numerator)) % 10
    return 1.0 - min(distance, 10 - distance) / 5 if given.denominator == expected.denominator else 0.0


def digit_sum(given: Fraction, expected: Fraction) -> float:
    """The remainder by nine is right: the check by casting out nines."""
    return float(given.denominator == expected.denominator and (given.numerator - expected.numerator) % 9 == 0)


def relative_error(given: Fraction, expected: Fraction) -> float:
    """1 - |given - expected| / |expected|, at least 0; where zero is expected, 0 unless it is given."""
    if expected == 0:
        return float(given == 0)
    return max(0.0, float(1 - abs(given - expected) / abs(expected)))


def ratio(given: Fraction, expected: Fraction) -> float:
    """1 / (1 + |log2 (given / expected)|); 0 for the wrong sign."""
    if given * expected <= 0:
        return float(given == expected)
    return 1.0 / (1.0 + abs(math.log2(abs(given)) - math.log2(abs(expected))))


def digits_from_right(given: Fraction, expected: Fraction) -> float:
    """Digits that are right, counted from the units upwards / length of the longer number."""
    said, due = _digits(given)[::-1], _digits(expected)[::-1]
    return sum(a == b for a, b in zip(said, due, strict=False)) / max(len(said), len(due))


def digits_in_order(given: Fraction, expected: Fraction) -> float:
    """1 - insertions and deletions that make the digits right / digits of both"""
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(_digits(given), _digits(expected)))


def leading_digits(given: Fraction, expected: Fraction) -> float:
    """Significant digits that are right from the first on / significant digits: 1 for 250 where 25 is due."""
    said, due = (
        str(abs(number.numerator) * 10**9 // number.denominator).strip("0") or "0" for number in (given, expected)
    )
    common = next((i for i, (a, b) in enumerate(zip(said, due, strict=False)) if a != b), min(len(said), len(due)))
    return common / max(len(said), len(due))


def _digits(number: Fraction) -> str:
    return str(abs(int(number)))[:MAX_DIGITS]


def wholeness(transcript: Transcript) -> float | None:
    """Where a fraction may be due: a whole number is given if one is expected, and only then."""
    turn = transcript.last
    expected = expected_number(turn.question)
    if expected is None or turn.question.kind != "number":
        return None
    given = given_number(turn)
    return float(given is not None and (given.denominator == 1) == (expected.denominator == 1))


def copied_operand(transcript: Transcript) -> float | None:
    """0 if the answer is a number of the question and wrong, else 1. Answers with steps do more than copy."""
    turn = transcript.last
    expected, given = expected_number(turn.question), given_number(turn)
    asked = numbers_inside(turn.question.text)
    if expected is None or given is None or not asked or steps(turn.answer):
        return None
    return float(given == expected or given not in asked)


def made_of_operands(transcript: Transcript) -> float | None:
    """1 if the number results from the question's two or three numbers by +, -, * or /, right or wrong ones."""
    turn = transcript.last
    asked = numbers_inside(turn.question.text)
    given = given_number(turn)
    if turn.question.kind not in NUMERIC_KINDS or not 2 <= len(asked) <= MAX_OPERANDS or given is None:
        return None
    return float(given in _results(asked)) if max(map(abs, asked)) <= MAX_MAGNITUDE else None


def _results(numbers: tuple[Fraction, ...]) -> set[Fraction]:
    """All that the numbers can be made into, each used once, from left to right in any order."""
    results = set()
    for first, *others in permutations(numbers):
        values = {first}
        for other in others:
            values = {result for value in values for result in _combined(value, other)}
        results |= values
    return results


def _combined(a: Fraction, b: Fraction) -> tuple[Fraction, ...]:
    return (a + b, a - b, b - a, a * b, *((a / b,) if b else ()))


def bounded(transcript: Transcript) -> float | None:
    """1 up to what the question's numbers add up or multiply to, then bound / |number|."""
    turn = transcript.last
    asked = [abs(number) for number in numbers_inside(turn.question.text)]
    given = given_number(turn)
    if turn.question.kind not in NUMERIC_KINDS or len(asked) < 2 or given is None or max(asked) > MAX_MAGNITUDE:
        return None
    bound = max(sum(asked), math.prod(asked), 1)
    return float(min(Fraction(1), bound / abs(given))) if given else 1.0


def usual_notation(transcript: Transcript) -> float | None:
    """Share of the numbers shown without leading zeros, plus signs and idle decimals: 7, not 07, +7 or 7.0."""
    turn = transcript.last
    if turn.question.kind not in NUMERIC_KINDS:
        return None
    shown = [number.rstrip(",.") for number in _SHOWN.findall(turn.answer[:400])]
    return sum(_USUAL.fullmatch(number) is not None for number in shown) / len(shown) if shown else None


def precision(transcript: Transcript) -> float | None:
    """The smaller number of decimals / the larger, each plus one, where a decimal number is due."""
    turn = transcript.last
    if turn.question.kind != "number" or "." not in (turn.question.answer or ""):
        return None
    shown = _SHOWN.findall(turn.answer[:400])
    if not shown:
        return 0.0
    due = len((turn.question.answer or "").rpartition(".")[2]) + 1
    said = len(shown[-1].rstrip(".").partition(".")[2]) + 1
    return min(said, due) / max(said, due)


def _sum_of_47_and_38(answer: str) -> Transcript:
    return example("47 + 38 = ?", answer, expected="85", kind="integer")


def _half_of_5(answer: str) -> Transcript:
    return example("What is half of 5?", answer, expected="2.5", kind="number")


DIMENSIONS = (
    Dimension(
        "math.parity",
        "math",
        "The number is even or odd as the right one is.",
        _by_numbers(parity),
        passes=_sum_of_47_and_38("83"),
        fails=_sum_of_47_and_38("84"),
    ),
    Dimension(
        "math.last_digit",
        "math",
        "The last digit is right, or near it on the circle of ten.",
        _by_numbers(last_digit),
        passes=_sum_of_47_and_38("75"),
        fails=_sum_of_47_and_38("80"),
    ),
    Dimension(
        "math.digit_sum",
        "math",
        "The number passes the check by casting out nines.",
        _by_numbers(digit_sum),
        passes=_sum_of_47_and_38("76"),
        fails=_sum_of_47_and_38("84"),
    ),
    Dimension(
        "math.relative_error",
        "math",
        "The error is small against the right number.",
        _by_numbers(relative_error),
        passes=_sum_of_47_and_38("80"),
        fails=_sum_of_47_and_38("40"),
    ),
    Dimension(
        "math.ratio",
        "math",
        "The number is few doublings or halvings away from the right one.",
        _by_numbers(ratio),
        passes=_sum_of_47_and_38("170"),
        fails=_sum_of_47_and_38("8"),
    ),
    Dimension(
        "math.digits_from_right",
        "math",
        "Share of the digits that are right, counted from the units upwards.",
        _by_numbers(digits_from_right),
        passes=_sum_of_47_and_38("185"),
        fails=_sum_of_47_and_38("850"),
    ),
    Dimension(
        "math.digits_in_order",
        "math",
        "Few digits must be added or left out to make the number right.",
        _by_numbers(digits_in_order),
        passes=_sum_of_47_and_38("805"),
        fails=_sum_of_47_and_38("712"),
    ),
    Dimension(
        "math.leading_digits",
        "math",
        "Share of the significant digits that are right from the first on, wherever the point stands.",
        _by_numbers(leading_digits),
        passes=_sum_of_47_and_38("850"),
        fails=_sum_of_47_and_38("75"),
    ),
    Dimension(
        "math.wholeness",
        "math",
        "The number is whole if the right one is, and only then.",
        wholeness,
        passes=_half_of_5("1.5"),
        fails=_half_of_5("2"),
    ),
    Dimension(
        "math.copied_operand",
        "math",
        "A wrong answer is at least not a number copied from the question.",
        copied_operand,
        passes=_sum_of_47_and_38("86"),
        fails=_sum_of_47_and_38("47"),
    ),
    Dimension(
        "math.made_of_operands",
        "math",
        "The number results from the question's numbers, if by another operation than the due one.",
        made_of_operands,
        passes=_sum_of_47_and_38("9"),
        fails=_sum_of_47_and_38("86"),
    ),
    Dimension(
        "math.bounded",
        "math",
        "The number is not beyond what the question's numbers add up or multiply to.",
        bounded,
        passes=_sum_of_47_and_38("90"),
        fails=_sum_of_47_and_38("47000"),
    ),
    Dimension(
        "math.usual_notation",
        "math",
        "Numbers are written without leading zeros, plus signs and idle decimals.",
        usual_notation,
        passes=_sum_of_47_and_38("85"),
        fails=_sum_of_47_and_38("085"),
    ),
    Dimension(
        "math.precision",
        "math",
        "A decimal number has as many decimals as the right one.",
        precision,
        passes=_half_of_5("2.6"),
        fails=_half_of_5("2.5001"),
    ),
)

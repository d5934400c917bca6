"""Is the answer right, and if not, how far off?

The right answer is the one that the scenario gave with the question; where it gave none, these abstain. The partial
measures let a policy that starts from random bytes see progress; only `answer.correct` means right. It agrees with the
verdict of every built-in scenario that has one right answer; other people's libraries judge by rules of their own.
"""

from collections import Counter
from collections.abc import Callable
from fractions import Fraction

from envs.answers import plain
from envs.task import Transcript
from envs.verdicts import verdict
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.reading import (
    NUMERIC_KINDS,
    bare,
    expected_number,
    given_number,
    last_number,
    numbers_inside,
    words,
)

WORD_KINDS = ("text", "exact", "sequence")


def correct(transcript: Transcript) -> float | None:
    """The verdict by the kind of the question, as `envs/verdicts.py` gives it to the scenarios too."""
    return None if transcript.last.question.answer is None else verdict(transcript)


def _by_number(measure: Callable[[Fraction, Fraction], float]) -> Callable[[Transcript], float | None]:
    """`measure(given, expected)` of a numeric answer; 0 if the answer gives no number."""

    def score(transcript: Transcript) -> float | None:
        turn = transcript.last
        expected = expected_number(turn.question)
        if expected is None:
            return None
        given = given_number(turn)
        return 0.0 if given is None else measure(given, expected)

    return score


def closeness(given: Fraction, expected: Fraction) -> float:
    """1 / (1 + |given - expected|)"""
    return float(1 / (1 + abs(given - expected)))


def same_sign(given: Fraction, expected: Fraction) -> float:
    return float((given > 0) - (given < 0) == (expected > 0) - (expected < 0))


def magnitude(given: Fraction, expected: Fraction) -> float:
    """1 / (1 + difference in the number of digits before the point)"""
    return 1.0 / (1.0 + abs(_num_digits(given) - _num_digits(expected)))


def _num_digits(number: Fraction) -> int:
    return len(str(abs(int(number))))


def digits(transcript: Transcript) -> float | None:
    """Positions, counted from the left, that hold the right character / length of the longer of the two."""
    turn = transcript.last
    if turn.question.kind != "integer" or turn.question.answer is None:
        return None
    given, expected = plain(turn.answer), plain(turn.question.answer)
    matching = sum(a == b for a, b in zip(given, expected, strict=False))
    return matching / max(len(given), len(expected), 1)


def contains(transcript: Transcript) -> float | None:
    turn = transcript.last
    if turn.question.answer is None:
        return None
    if turn.question.kind in NUMERIC_KINDS:
        return float(expected_number(turn.question) in numbers_inside(turn.answer))
    expected = bare(turn.question.answer)
    return float(f" {expected} " in f" {bare(turn.answer)} ") if expected else None


def final_number(transcript: Transcript) -> float | None:
    turn = transcript.last
    expected = expected_number(turn.question)
    if expected is None:
        return None
    return float(last_number(turn.answer) == expected)


def overlap(transcript: Transcript) -> float | None:
    """F1 of the words of the answer and of the right answer, each counted as often as it occurs (SQuAD)."""
    turn = transcript.last
    if turn.question.kind not in WORD_KINDS or turn.question.answer is None:
        return None
    given, expected = Counter(words(turn.answer)), Counter(words(turn.question.answer))
    if not expected:
        return None
    return 2.0 * (given & expected).total() / (given.total() + expected.total())


def _sum_of_40_and_60(answer: str) -> Transcript:
    return example("40 + 60 = ?", answer, expected="100", kind="integer")


DIMENSIONS = (
    Dimension(
        "answer.correct",
        "answer",
        "The answer is the right one, whole and ended.",
        correct,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("8"),
    ),
    Dimension(
        "answer.closeness",
        "answer",
        "The number given is near the right one.",
        _by_number(closeness),
        passes=sum_of_3_and_4("8"),
        fails=sum_of_3_and_4("20"),
    ),
    Dimension(
        "answer.digits",
        "answer",
        "Share of the digits of a right integer that stand in their place.",
        digits,
        passes=_sum_of_40_and_60("105"),
        fails=_sum_of_40_and_60("555"),
    ),
    Dimension(
        "answer.sign",
        "answer",
        "The number given has the sign of the right one.",
        _by_number(same_sign),
        passes=sum_of_3_and_4("9"),
        fails=sum_of_3_and_4("-7"),
    ),
    Dimension(
        "answer.magnitude",
        "answer",
        "The number given has about as many digits as the right one.",
        _by_number(magnitude),
        passes=_sum_of_40_and_60("250"),
        fails=_sum_of_40_and_60("2"),
    ),
    Dimension(
        "answer.contains",
        "answer",
        "The right answer occurs somewhere; easily gained by naming many, so give it little weight.",
        contains,
        passes=sum_of_3_and_4("It is 7, I think"),
        fails=sum_of_3_and_4("It is 17, I think"),
    ),
    Dimension(
        "answer.final_number",
        "answer",
        "The last number that the answer mentions is the right one, whatever was said before it.",
        final_number,
        passes=sum_of_3_and_4("3 and 4 make 7"),
        fails=sum_of_3_and_4("7, not 8"),
    ),
    Dimension(
        "answer.overlap",
        "answer",
        "A text shares its words with the right answer.",
        overlap,
        passes=example("Where is Rome?", "Rome is in Italy.", expected="in Italy"),
        fails=example("Where is Rome?", "I do not know.", expected="in Italy"),
    ),
)

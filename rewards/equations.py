"""The arithmetic that a text states: "12 + 30 = 42" claims that two sides are equal.

Cautious on purpose. What is not plainly a claim about numbers (variables, brackets, percentages) is not read at all,
so that no true sentence is called false.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from rewards.reading import MEMORY

MAX_SIDE_LENGTH = 100  # characters; a longer calculation in one line is noise

_TIMES = re.compile(r"(?<=[0-9]) ?[x×·] ?(?=[0-9])")
_SPELLINGS = str.maketrans({"−": "-", "÷": "/"})
_RUN = re.compile(r"(?:[0-9]++(?:\.[0-9]++)?|[-+*/= \t])++")  # numbers, operators, equals signs: linear time
_FIRST = re.compile(r"\s*(-?[0-9]{1,30}(?:\.[0-9]{1,30})?)\s*")
_BEGAN_EARLIER = re.compile(r"[\w)\]%]")  # "x + 3 = 5", "(1 + 1) * 2 = 4"
_GOES_ON = re.compile(r"[\w(\[%^]|,[0-9]")  # "= 2x", "= 1,000"
_NEXT = re.compile(r"([-+*/])\s*(-?[0-9]{1,30}(?:\.[0-9]{1,30})?)\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """One claim, `left = right`. `operands` are the numbers on the left; `result` is the value claimed.

    Example: "12 + 30 = 42" has the operands 12 and 30, the result 42, and holds.
    """

    operands: tuple[Fraction, ...]
    result: Fraction
    holds: bool


@dataclass(frozen=True, slots=True)
class _Side:
    operands: tuple[Fraction, ...]
    value: Fraction | None  # None: a division by zero
    tolerance: Fraction  # half a unit of the last decimal place: "10 / 3 = 3.33" is true as written


@lru_cache(MEMORY)
def steps(text: str) -> tuple[Step, ...]:
    """The claims of a text in order. "1 + 1 = 2 = 4 - 2" makes two."""
    if "=" not in text:
        return ()
    text = _TIMES.sub("*", text).translate(_SPELLINGS)
    return tuple(step for run in _RUN.finditer(text) if "=" in run[0] for step in _claims(text, run))


def _claims(text: str, run: re.Match[str]) -> list[Step]:
    sides = [_read(side) for side in run[0].split("=")]
    before = text[max(0, run.start() - 1) : run.start()]
    attached = not run[0][0].isspace()
    if _BEGAN_EARLIER.match(before) and (attached or run[0].lstrip()[0] in "-+*/"):
        sides[0] = None
    if attached and before in (".", ","):  # "1,000 + 1 = 1001"
        sides[0] = None
    if not run[0][-1].isspace() and _GOES_ON.match(text, run.end()):
        sides[-1] = None
    return [
        Step(left.operands, right.value, _equal(left, right))
        for left, right in pairwise(sides)
        if left and right and right.value is not None and len(left.operands) + len(right.operands) > 2
    ]


def _equal(left: _Side, right: _Side) -> bool:
    if left.value is None or right.value is None:
        return False
    return abs(left.value - right.value) <= max(left.tolerance, right.tolerance)


def _read(text: str) -> _Side | None:
    """`a op b op c`, multiplication and division first; None if the text is anything else."""
    match = _FIRST.match(text) if len(text) <= MAX_SIDE_LENGTH else None
    if match is None:
        return None
    written = [match[1]]
    operators = []
    while match.end() < len(text):
        match = _NEXT.match(text, match.end())
        if match is None:
            return None
        operators.append(match[1])
        written.append(match[2])
    operands = tuple(Fraction(number) for number in written)
    return _Side(operands, _evaluate(operands, operators), _rounding(written[0]) if not operators else Fraction(0))


def _evaluate(operands: tuple[Fraction, ...], operators: list[str]) -> Fraction | None:
    total, term = Fraction(0), operands[0]
    for operator, operand in zip(operators, operands[1:], strict=True):
        if operator == "*":
            term *= operand
        elif operator == "/":
            if operand == 0:
                return None
            term /= operand
        else:
            total, term = total + term, operand if operator == "+" else -operand
    return total + term


def _rounding(number: str) -> Fraction:
    decimals = len(number.partition(".")[2])
    return Fraction(1, 2 * 10**decimals) if decimals else Fraction(0)

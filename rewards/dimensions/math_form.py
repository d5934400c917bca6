"""Is mathematics well written and consistent in itself: fractions, LaTeX, equations with an unknown, bounds?"""

import logging
import re
from collections.abc import Sequence
from fractions import Fraction
from functools import cache, lru_cache
from math import gcd
from types import ModuleType

from envs.answers import plain
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.equations import steps
from rewards.reading import MEMORY, NUMERIC_KINDS, expected_number, given_number, numbers_inside

MAX_EXPRESSION = 60  # characters that are given to sympy
MAX_CHARACTERS = 2000

_FRACTION = re.compile(
    r"(?<![\w./])([0-9]{1,15})/([0-9]{1,15})(?![\w/]|\.[0-9])|\\[dt]?frac\{([0-9]{1,15})\}\{([0-9]{1,15})\}"
)
_EXPRESSION = re.compile(r"[-0-9a-zA-Z+*/^=().,\\{}_<>\s]+")
_POWER = re.compile(r"\^|\*\*")
_GROUP_POWER = re.compile(r"[)}]\s*(?:\^|\*\*)\s*[({]?\s*(.)")
_LARGE = re.compile(r"(?:\^|\*\*)\s*[({]?\s*-?[0-9]{2}|[0-9]{16}")
_NAMES = re.compile(r"[a-zA-Z]{2,}")
_KNOWN_NAMES = {
    "frac",
    "dfrac",
    "tfrac",
    "sqrt",
    "cdot",
    "times",
    "left",
    "right",
    "pi",
    "sin",
    "cos",
    "tan",
    "log",
    "ln",
}
_COMMAND = re.compile(r"\\([a-zA-Z]+)")
_TWO_GROUPS = re.compile(r"\\[dt]?frac\s*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[0-9a-z])\s*(?:\{|[0-9a-z])")
_EQUATION = re.compile(r"(?<![\w.])([-0-9+*/. \t]*(?<![a-zA-Z])[xyz](?![a-zA-Z])[-0-9+*/. \txyz]*=[-0-9+*/. \txyz]+)")
_SOLUTION = re.compile(r"(?<![\w.*/+-])([xyz]) ?= ?(-?[0-9]{1,12}(?:\.[0-9]{1,12})?)(?![\w./])")
_PROBABILITY = re.compile(r"probabilit|wahrscheinlichkeit|probabilidad", re.IGNORECASE)
_AVERAGE = re.compile(
    r"\baverage\b|\bmean of\b|durchschnitt|mittelwert|moyenne|\bpromedio\b|\bmedia de\b", re.IGNORECASE
)


def equivalent(transcript: Transcript) -> float | None:
    """1 if math-verify finds the expression equal to the right one. Long or costly ones count as wrong unread."""
    turn = transcript.last
    if turn.question.kind != "expression" or not turn.question.answer:
        return None
    given = plain(turn.answer)
    return float(turn.finish == "stop" and _bearable(given) and _equal(given, turn.question.answer))


def _bearable(text: str) -> bool:
    """Can sympy read and expand it in bounded time?

    Short; no names but known functions; no huge numbers; at most two powers, all below ten, and at most one of a
    bracket, below five.
    """
    raised = _GROUP_POWER.findall(text)
    return (
        0 < len(text) <= MAX_EXPRESSION
        and _EXPRESSION.fullmatch(text) is not None
        and len(_POWER.findall(text)) <= 2
        and _LARGE.search(text) is None
        and (not raised or (len(raised) == 1 and raised[0] in "234"))
        and _KNOWN_NAMES.issuperset(_NAMES.findall(text))
    )


@cache
def _library() -> ModuleType:
    """math-verify, without its warning that its own time limits are off: `_bearable` stands for them."""
    import math_verify

    for part in ("parser", "grader"):
        logging.getLogger(f"math_verify.{part}").setLevel(logging.ERROR)
    return math_verify


@lru_cache(MEMORY)
def _equal(given: str, expected: str) -> bool:
    return bool(_library().verify(_read(expected), _read(given), timeout_seconds=None))


@lru_cache(MEMORY)
def _read(text: str) -> Sequence[object]:
    readings: Sequence[object] = _library().parse(text if "$" in text else f"${text}$", parsing_timeout=None)
    return readings


def _fractions(text: str) -> list[tuple[int, int]]:
    found = _FRACTION.findall(text[:MAX_CHARACTERS])
    return [(int(above or latex_above), int(below or latex_below)) for above, below, latex_above, latex_below in found]


def simplified(transcript: Transcript) -> float | None:
    """1 / the common factor that the last fraction could be reduced by"""
    turn = transcript.last
    if turn.question.kind not in (*NUMERIC_KINDS, "expression"):
        return None
    fractions = _fractions(turn.answer)
    return 1.0 / max(gcd(*fractions[-1]), 1) if fractions else None


def defined(transcript: Transcript) -> float | None:
    """Share of the fractions whose denominator is not zero."""
    fractions = _fractions(transcript.last.answer)
    return sum(below != 0 for _, below in fractions) / len(fractions) if fractions else None


def exact(transcript: Transcript) -> float | None:
    """Where the right number has no end as a decimal: 1 for a fraction, a half for a decimal, 0 for none."""
    turn = transcript.last
    expected = expected_number(turn.question)
    if expected is None or _ends(expected):
        return None
    if _fractions(turn.answer):
        return 1.0
    return 0.0 if given_number(turn) is None else 0.5


def _ends(number: Fraction) -> bool:
    """Is it a decimal number, so that only twos and fives divide its denominator?"""
    below = number.denominator
    for prime in (2, 5):
        while below % prime == 0:
            below //= prime
    return below == 1


def latex_well_formed(transcript: Transcript) -> float | None:
    r"""Share of four rules kept: \frac has two parts, \left has \right, no group is empty, nothing is cut off."""
    text = transcript.last.answer[:MAX_CHARACTERS]
    commands = _COMMAND.findall(text)
    if not commands:
        return None
    num_fractions = sum(command in ("frac", "dfrac", "tfrac") for command in commands)
    rules = (
        len(_TWO_GROUPS.findall(text)) >= num_fractions,
        commands.count("left") == commands.count("right"),
        "{}" not in text,
        not text.rstrip().endswith("\\"),
    )
    return sum(rules) / len(rules)


def solution_holds(transcript: Transcript) -> float | None:
    """Share of the question's equations in x, y or z that hold with the values that the answer gives last."""
    turn = transcript.last
    asked = turn.question.text[:MAX_CHARACTERS]
    equations = _EQUATION.findall(asked) if "=" in asked else ()
    if not equations:
        return None
    values = dict(_SOLUTION.findall(turn.answer[:MAX_CHARACTERS]))
    claims = [steps(_substituted(equation, values)) for equation in equations]
    return sum(bool(claim) and all(step.holds for step in claim) for claim in claims) / len(claims)


def _substituted(equation: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        equation = re.sub(rf"([0-9]) ?{name}", rf"\g<1>*{value}", equation).replace(name, value)
    return f" {equation.strip()} "


def probability_bounded(transcript: Transcript) -> float | None:
    """A probability lies between 0 and 1, or is given in percent."""
    turn = transcript.last
    given = given_number(turn)
    if turn.question.kind not in NUMERIC_KINDS or given is None or _PROBABILITY.search(turn.question.text) is None:
        return None
    return float(0 <= given <= (100 if "%" in turn.answer else 1))


def average_between(transcript: Transcript) -> float | None:
    """An average lies between the least and the largest of the question's numbers."""
    turn = transcript.last
    given, asked = given_number(turn), numbers_inside(turn.question.text)
    if turn.question.kind not in NUMERIC_KINDS or given is None or len(asked) < 2:
        return None
    return float(min(asked) <= given <= max(asked)) if _AVERAGE.search(turn.question.text) else None


def _share(answer: str) -> Transcript:
    return example("Which share is it?", answer, kind="expression")


def _third(answer: str) -> Transcript:
    return example("What is a third of one?", answer, expected="1/3", kind="number")


def _solve(answer: str) -> Transcript:
    return example("Solve 2x + 3 = 7.", answer, expected="2", kind="number")


def _number(question: str, answer: str, expected: str) -> Transcript:
    return example(question, answer, expected=expected, kind="number")


DIMENSIONS = (
    Dimension(
        "math.equivalent",
        "math",
        "The expression equals the right one, however it is written.",
        equivalent,
        passes=example("Expand 2(x + 1).", "2 + 2x", expected="2x + 2", kind="expression"),
        fails=example("Expand 2(x + 1).", "2x + 1", expected="2x + 2", kind="expression"),
        cost="expensive",
    ),
    Dimension(
        "math.simplified",
        "math",
        "A fraction is in its lowest terms.",
        simplified,
        passes=_share("1/3"),
        fails=_share("2/6"),
    ),
    Dimension(
        "math.defined",
        "math",
        "No fraction has zero below the line.",
        defined,
        passes=_share("2/6"),
        fails=_share("2/0"),
    ),
    Dimension(
        "math.exact",
        "math",
        "A number that no decimal can give exactly is given as a fraction.",
        exact,
        passes=_third("It is 1/3."),
        fails=_third("It is 0.33."),
    ),
    Dimension(
        "math.latex_well_formed",
        "math",
        "LaTeX is well formed: its commands have their parts.",
        latex_well_formed,
        passes=_third("\\frac{1}{3}"),
        fails=_third("\\frac{1}"),
    ),
    Dimension(
        "math.solution_holds",
        "math",
        "The values given for unknowns make the question's equations true.",
        solution_holds,
        passes=_solve("x = 2"),
        fails=_solve("x = 3"),
    ),
    Dimension(
        "math.probability_bounded",
        "math",
        "A probability lies between 0 and 1.",
        probability_bounded,
        passes=_number("What is the probability of heads?", "0.4", "0.5"),
        fails=_number("What is the probability of heads?", "5", "0.5"),
    ),
    Dimension(
        "math.average_between",
        "math",
        "An average lies between the least and the largest number.",
        average_between,
        passes=_number("What is the average of 2 and 6?", "5", "4"),
        fails=_number("What is the average of 2 and 6?", "8", "4"),
    ),
)

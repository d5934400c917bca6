"""Reading an answer: its words, its numbers, its letters. Dimensions share these, so that no two read differently.

Every reading depends on the text alone and is remembered for the dimensions that come next. The number that an answer
gives is read as the scenarios read it, by `envs/answers.py`, so that reward and success agree.
"""

import re
import unicodedata
from fractions import Fraction
from functools import lru_cache

from envs.answers import final_number, plain
from envs.task import Question, Turn

NUMERIC_KINDS = ("integer", "number")  # "integer": the bare number is due; "number": the one that the answer ends in
SHORT_KINDS = ("integer", "choice", "mention")

MAX_NUMBER_LENGTH = 300  # beyond it, a row of digits is noise, and slow to convert
MEMORY = 4096  # texts: an iteration's worth

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_NUMBER_INSIDE = re.compile(
    r"(?:(?<![\w.)])-)?(?<![\w.])(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,300})(?:\.[0-9]{1,300})?(?!\w)"
)

_IDEOGRAPHS = "\u3040-\u30ff\u3400-\u9fff"  # kana and Han, written without spaces: each character counts as a word
_PUNCTUATION = r"!-&(-,./:-@\[-`{-~«»“”„…·،؛؟।。、！？：；（）「」"
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\s{_IDEOGRAPHS}{_PUNCTUATION}]+")


def word_set(text: str) -> frozenset[str]:
    """The words of a list that is written with spaces between."""
    return frozenset(text.split())


@lru_cache(MEMORY)
def words(text: str) -> tuple[str, ...]:
    """Words in lower case without punctuation; kana and Han characters one by one."""
    return tuple(_WORD.findall(text.lower()))


@lru_cache(MEMORY)
def cased_words(text: str) -> tuple[str, ...]:
    """The same words, but in the case in which they are written."""
    return tuple(_WORD.findall(text))


@lru_cache(MEMORY)
def trigrams(text: str) -> tuple[tuple[str, str, str], ...]:
    """Every three words in a row."""
    spoken = words(text)
    return tuple(zip(spoken, spoken[1:], spoken[2:], strict=False))


@lru_cache(MEMORY)
def bare(text: str) -> str:
    """What is left for comparing texts: lower case words, one space between, no punctuation."""
    return " ".join(words(text))


@lru_cache(MEMORY)
def letters(text: str) -> str:
    return "".join(filter(str.isalpha, text))


@lru_cache(65536)
def script_of(letter: str) -> str:
    """The first word of the letter's Unicode name, such as "LATIN"; empty where it has none."""
    return unicodedata.name(letter, "").partition(" ")[0]


def given_number(turn: Turn) -> Fraction | None:
    """The number that an answer gives to a numeric question; None if it gives none."""
    return last_number(turn.answer) if turn.question.kind == "number" else whole_number(turn.answer)


def expected_number(question: Question) -> Fraction | None:
    """The right answer of a numeric question; None if the question is of another kind or has no single answer."""
    if question.kind not in NUMERIC_KINDS or question.answer is None:
        return None
    number = last_number(question.answer) if question.kind == "number" else whole_number(question.answer)
    if number is None:
        raise ValueError(f"the scenario expects {question.answer!r}, which is no {question.kind} to compare with")
    return number


@lru_cache(MEMORY)
def whole_number(text: str) -> Fraction | None:
    """The integer that the whole text is, in its usual digits, white space around it aside; None for all else."""
    body = plain(text)
    return Fraction(body) if len(body) <= MAX_NUMBER_LENGTH and _INTEGER.fullmatch(body) else None


@lru_cache(MEMORY)
def is_bare_number(text: str, kind: str) -> bool:
    """Is the text a number and nothing else? A decimal point is allowed for kind "number" only."""
    return (_DECIMAL if kind == "number" else _INTEGER).fullmatch(plain(text)) is not None


@lru_cache(MEMORY)
def last_number(text: str) -> Fraction | None:
    return final_number(text)


@lru_cache(MEMORY)
def numbers_inside(text: str) -> tuple[Fraction, ...]:
    """The numbers that a text mentions, in order: "12-5 is 7" mentions 12, 5 and 7."""
    return tuple(Fraction(number.replace(",", "")) for number in _NUMBER_INSIDE.findall(plain(text)))

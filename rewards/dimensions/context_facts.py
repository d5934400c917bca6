"""Are the facts of a dialog kept: its names, numbers, units and quotations?"""

import re
from functools import lru_cache

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.equations import steps
from rewards.reading import MEMORY, NUMERIC_KINDS, bare, numbers_inside, words

MAX_CHARACTERS = 2000
NAME_LIKENESS = 75.0  # per cent, from which a name that nobody mentioned is a known one misspelt

_NAME = re.compile(r"(?<=[a-zà-ÿ,;:] )[A-ZÀ-Þ][a-zà-ÿ]{2,}")
_CAPITALISED = re.compile(r"\b[A-ZÀ-Þ][a-zà-ÿ]{2,}")
# The kind of unit, how it is written after a number, and how before one ("(?!)" is never).
_UNITS: tuple[tuple[str, str, str], ...] = (
    (
        "length",
        r"km|cm|mm|m|miles?|feet|foot|inch(?:es)?|met(?:er|re)s?|kilomet(?:er|re)s?|Meter|Kilometer|mètres?|metros?",
        "(?!)",
    ),
    ("mass", r"kg|g|mg|lbs?|pounds?|grams?|kilos?|Gramm|Kilogramm|grammes?|gramos?|tons?", "(?!)"),
    (
        "time",
        r"s|h|min|seconds?|minutes?|hours?|days?|weeks?|years?|Sekunden?|Minuten?|Stunden?|Tagen?|Jahren?|heures?"
        r"|jours?|ans|horas?|minutos?|días?|años?",
        "(?!)",
    ),
    ("volume", r"l|ml|lit(?:er|re)s?|gallons?|cups?|Liter|litros?", "(?!)"),
    ("money", r"€|\$|£|euros?|dollars?|cents?|pounds?|Euro|dólares", r"[€$£]"),
    ("share", r"%|percent|per cent|Prozent|pour cent|por ciento", "(?!)"),
    ("heat", r"°C?|°F|degrees|Grad|degrés|grados", "(?!)"),
)
_UNIT = {kind: re.compile(rf"[0-9]\s?(?:{listed})(?!\w)|(?:{before})\s?[0-9]") for kind, listed, before in _UNITS}
_QUOTED = re.compile(r"[\"“„«]\s?([^\"“”„«»\n]{3,200}?)\s?[\"”“»]")


@lru_cache(MEMORY)
def _names(text: str) -> frozenset[str]:
    """Words with a capital inside a sentence, and the same at its beginning."""
    return frozenset(_NAME.findall(text[:MAX_CHARACTERS]))


def said_before(transcript: Transcript) -> str:
    """All that was said before the last answer."""
    earlier = "\n".join(f"{turn.question.text}\n{turn.answer}" for turn in transcript.turns[:-1])
    return f"{earlier}\n{transcript.last.question.text}"[-MAX_CHARACTERS:]


def names_mentioned(transcript: Transcript) -> float | None:
    """Share of the question's names that a text mentions; where nouns have capitals, this abstains."""
    turn = transcript.last
    asked = _names(turn.question.text)
    if turn.question.kind != "text" or transcript.task.language == "de" or not asked or len(words(turn.answer)) < 4:
        return None
    return sum(name in turn.answer for name in asked) / len(asked)


def names_spelled(transcript: Transcript) -> float | None:
    """Share of the answer's names like one of the dialog's that are spelled as there."""
    said = frozenset(_CAPITALISED.findall(transcript.last.answer[:MAX_CHARACTERS]))
    known = frozenset(_CAPITALISED.findall(said_before(transcript)))
    if not said or not known or transcript.task.language == "de":
        return None
    from rapidfuzz import fuzz, process

    spelled = []
    for name in said:
        near = process.extractOne(name, known, scorer=fuzz.ratio, score_cutoff=NAME_LIKENESS)
        if near is not None:
            spelled.append(name in known)
    return sum(spelled) / len(spelled) if spelled else None


def numbers_known(transcript: Transcript) -> float | None:
    """Share of the numbers of a text that were mentioned before or result from its steps."""
    turn = transcript.last
    said = numbers_inside(turn.answer[:MAX_CHARACTERS])
    known = set(numbers_inside(said_before(transcript)))
    if turn.question.kind in NUMERIC_KINDS or not said or not known:
        return None
    known |= {step.result for step in steps(turn.answer)}
    return sum(number in known for number in said) / len(said)


@lru_cache(MEMORY)
def _units(text: str) -> frozenset[str]:
    if not any(map(str.isdigit, text)):
        return frozenset()
    return frozenset(kind for kind, pattern in _UNIT.items() if pattern.search(text[:MAX_CHARACTERS]))


def units_kept(transcript: Transcript) -> float | None:
    """Share of the kinds of unit in the answer that the dialog used."""
    said, known = _units(transcript.last.answer), _units(said_before(transcript))
    return len(said & known) / len(said) if said and known else None


def quotes_exact(transcript: Transcript) -> float | None:
    """Share of the quotations that occur in the dialog word for word."""
    quoted = _QUOTED.findall(transcript.last.answer[:MAX_CHARACTERS])
    if not quoted or any(constraint.name == "quoted" for constraint in transcript.last.question.constraints):
        return None
    known = bare(said_before(transcript))
    return sum(bare(quotation) in known for quotation in quoted) / len(quoted)


def _anna(answer: str) -> Transcript:
    return example("My friend Anna has 12 km to walk to Rome. How far is it?", answer)


DIMENSIONS = (
    Dimension(
        "context.names_mentioned",
        "context",
        "Share of the question's names that a text mentions.",
        names_mentioned,
        passes=_anna("It is 12 km for Anna to Rome."),
        fails=_anna("It is 12 km to go there."),
    ),
    Dimension(
        "context.names_spelled",
        "context",
        "Names are spelled as the dialog spells them.",
        names_spelled,
        passes=_anna("It is 12 km for Anna."),
        fails=_anna("It is 12 km for Ana."),
    ),
    Dimension(
        "context.numbers_known",
        "context",
        "Share of a text's numbers that come from the dialog or its own steps.",
        numbers_known,
        passes=_anna("It is 12 km."),
        fails=_anna("It is 15 km."),
    ),
    Dimension(
        "context.units_kept",
        "context",
        "Share of the kinds of unit (length, mass, time, money) that the dialog used.",
        units_kept,
        passes=_anna("It is 12 km."),
        fails=_anna("It is 12 kg."),
    ),
    Dimension(
        "context.quotes_exact",
        "context",
        "Share of the quotations that occur in the dialog word for word.",
        quotes_exact,
        passes=_anna('You said "to walk to Rome".'),
        fails=_anna('You said "to run to Rome".'),
    ),
)

"""Demands on the form of an answer that a program can check, in the manner of IFEval (Zhou et al. 2023).

A check gives a degree: 1 where the demand is met, else a share in [0, 1) of it, so that a policy that starts from
random bytes sees progress. An answer without any letter or digit meets nothing.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise

from envs.constraint_phrases import PHRASES
from envs.fences import sole_block
from envs.prose import as_json, bullets, is_json, items, main_language, numbered, paragraphs, sentences, words
from envs.task import Constraint

Degree = Callable[[str, str], float]

ALMOST = 0.5  # for demands that are met or not: what the right parts without the right whole are worth at most

_ALPHANUMERIC = re.compile(r"[^\W_]")
_TITLE = re.compile(r"<<[^<>\n]{1,200}>>")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]{1,100}\](?!\()")
_HIGHLIGHT = re.compile(r"(?<!\*)\*{1,2}[^*\s](?:[^*\n]*[^*\s])?\*{1,2}(?!\*)")
_POSTSCRIPT = re.compile(r"^[ \t]*P\.? ?S\.?[ \t:]*[^\W_]", re.MULTILINE)
_VERSION_MARK = "******"
_EDGES = ' \t\r\n"“”„«»'  # a quoted answer begins inside its quotation marks
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»"}


def holds(constraint: Constraint, answer: str) -> bool:
    return degree(constraint, answer) == 1.0


def degree(constraint: Constraint, answer: str) -> float:
    """How far the answer meets the constraint, 0 to 1. Raises KeyError where the constraint is unknown."""
    return _degree(constraint.name, str(constraint.value), answer)


@lru_cache(4096)
def _degree(name: str, value: str, answer: str) -> float:
    return CHECKS[name](answer, value) if _ALPHANUMERIC.search(answer) else 0.0


def phrase(constraint: Constraint, language: str) -> str:
    """The demand in words. Raises KeyError where constraint or language is unknown."""
    first, _, rest = str(constraint.value).partition(" ")
    return PHRASES[constraint.name][language].format(value=constraint.value, first=first, rest=rest)


def joined_phrases(constraints: Iterable[Constraint], language: str) -> str:
    return " ".join(phrase(constraint, language) for constraint in constraints)


def _at_most(count: Callable[[str], int]) -> Degree:
    """limit / count, at most 1"""

    def check(answer: str, value: str) -> float:
        return min(1.0, int(value) / max(count(answer), 1))

    return check


def _at_least(count: Callable[[str], int]) -> Degree:
    def check(answer: str, value: str) -> float:
        return min(1.0, count(answer) / max(int(value), 1))

    return check


def _exactly(count: Callable[[str], int]) -> Degree:
    """The smaller of the count and the demand / the larger"""
    return lambda answer, value: _ratio(count(answer), int(value))


def _ratio(a: int, b: int) -> float:
    return min(a, b) / max(a, b) if max(a, b) else 1.0


def _of_letters(condition: Callable[[str], bool]) -> Degree:
    """Share of the letters that have a case and are right"""

    def check(answer: str, value: str) -> float:
        cased = [letter for letter in answer if letter.lower() != letter.upper()]
        return sum(map(condition, cased)) / len(cased) if cased else 0.0

    return check


def _free_of(unwanted: Callable[[str, str], int]) -> Degree:
    """1 without, then falling with the number of what is unwanted: 1 / (1 + number)"""
    return lambda answer, value: 1.0 / (1.0 + unwanted(answer, value))


def _occurrences(answer: str, phrase: str) -> int:
    return len(re.findall(rf"(?<![^\W_]){re.escape(phrase)}(?![^\W_])", answer, re.IGNORECASE))


def mentions(answer: str, value: str) -> float:
    """1 as words of their own; half at most for letters in the right order: the longest common start of the value."""
    if _occurrences(answer, value):
        return 1.0
    said, wanted = answer.lower(), value.lower()
    found = max(length for length in range(len(wanted) + 1) if wanted[:length] in said)
    return ALMOST * found / len(wanted)


def times(answer: str, value: str) -> float:
    number, _, word = value.partition(" ")
    return _ratio(_occurrences(answer, word), int(number))


def starts_with(answer: str, value: str) -> float:
    return _common_start(answer.strip(_EDGES), value) / len(value)


def ends_with(answer: str, value: str) -> float:
    return _common_start(answer.strip(_EDGES)[::-1], value[::-1]) / len(value)


def _common_start(said: str, wanted: str) -> int:
    for position, (a, b) in enumerate(zip(said, wanted, strict=False)):
        if a != b:
            return position
    return min(len(said), len(wanted))


def num_numbered(answer: str, value: str) -> float:
    listed = numbered(answer)
    in_order = sum(number == place for place, (number, _) in enumerate(listed, start=1))
    return in_order / max(len(listed), int(value))


def initials(answer: str, value: str) -> float:
    found = "".join(word[0] for word in words(answer)).lower()
    return sum(a == b for a, b in zip(found, value.lower(), strict=False)) / max(len(found), len(value))


def sorted_words(answer: str, value: str) -> float:
    spoken = [word.casefold() for word in words(answer)]
    return sum(a <= b for a, b in pairwise(spoken)) / (len(spoken) - 1) if len(spoken) > 1 else 0.0


def distinct_words(answer: str, value: str) -> float:
    spoken = [word.casefold() for word in words(answer)]
    return len(set(spoken)) / len(spoken) if spoken else 0.0


def json_keys(answer: str, value: str) -> float:
    """Keys in common / keys in all."""
    found = _json_or_none(answer)
    if not isinstance(found, dict):
        return 0.0
    wanted = {key.strip() for key in value.split(",")}
    return len(wanted & found.keys()) / len(wanted | found.keys())


def json_schema(answer: str, value: str) -> float:
    """1 if the JSON fits, half at most if it is JSON with few errors: ALMOST / number of errors."""
    if not is_json(answer):
        return 0.0
    from jsonschema import Draft202012Validator

    num_errors = sum(1 for _ in Draft202012Validator(json.loads(value)).iter_errors(as_json(answer)))
    return ALMOST / num_errors if num_errors else 1.0


def _json_or_none(answer: str) -> object:
    return as_json(answer) if is_json(answer) else None


def repeats(answer: str, value: str) -> float:
    """Common start / length of what is to be repeated; half of it where nothing follows."""
    said = answer.lstrip(_EDGES)
    share = _common_start(said, value) / len(value)
    return share if _ALPHANUMERIC.search(said[len(value) :]) else ALMOST * share


def language(answer: str, value: str) -> float:
    return float(main_language(answer) == value)


def quoted(answer: str, value: str) -> float:
    text = answer.strip()
    opened, closed = text[0] in _QUOTES, text[-1] in _QUOTES.values()
    partners = len(text) > 1 and _QUOTES.get(text[0]) == text[-1]
    return 1.0 if partners else ALMOST * (opened or closed)


def num_versions(answer: str, value: str) -> float:
    parts = {part.strip() for part in answer.split(_VERSION_MARK)}
    return _ratio(sum(1 for part in parts if words(part)), int(value))


def options(answer: str, value: str) -> float:
    """1 if the answer is one of the options; else half of the share of the answer's words that one of them has."""
    offered = [option.strip().casefold() for option in value.split("|")]
    said = answer.strip().rstrip(".").casefold()
    if said in offered:
        return 1.0
    spoken = Counter(words(said))
    shared = max((spoken & Counter(words(option))).total() for option in offered)
    return ALMOST * shared / max(spoken.total(), 1)


def _is_fenced(answer: str) -> bool:
    """Between lines of backticks, and with something between."""
    block = sole_block(answer)
    return block is not None and block.code.endswith("\n")


CHECKS: dict[str, Degree] = {
    "max_words": _at_most(lambda answer: len(words(answer))),
    "min_words": _at_least(lambda answer: len(words(answer))),
    "num_words": _exactly(lambda answer: len(words(answer))),
    "max_characters": _at_most(lambda answer: len(answer.strip())),
    "max_word_length": _at_most(lambda answer: max(map(len, words(answer)), default=0)),
    "max_sentences": _at_most(lambda answer: len(sentences(answer))),
    "num_sentences": _exactly(lambda answer: len(sentences(answer))),
    "num_paragraphs": _exactly(lambda answer: len(paragraphs(answer))),
    "num_bullets": _exactly(lambda answer: len(bullets(answer))),
    "num_numbered": num_numbered,
    "num_items": _exactly(lambda answer: len(items(answer))),
    "mentions": mentions,
    "avoids": _free_of(_occurrences),
    "times": times,
    "starts_with": starts_with,
    "ends_with": ends_with,
    "all_lower": _of_letters(str.islower),
    "all_upper": _of_letters(str.isupper),
    "capital_words": _exactly(lambda answer: sum(len(word) > 1 and word.isupper() for word in words(answer))),
    "no_commas": _free_of(lambda answer, value: answer.count(",")),
    "no_digits": _free_of(lambda answer, value: sum(map(str.isdigit, answer))),
    "without_letter": _free_of(lambda answer, value: answer.lower().count(value.lower())),
    "initials": initials,
    "sorted_words": sorted_words,
    "distinct_words": distinct_words,
    "json": lambda answer, value: float(isinstance(_json_or_none(answer), dict | list)),
    "json_keys": json_keys,
    "json_schema": json_schema,
    "title": lambda answer, value: float(_TITLE.search(answer) is not None),
    "placeholders": _at_least(lambda answer: len(_PLACEHOLDER.findall(answer))),
    "highlights": _at_least(lambda answer: len(_HIGHLIGHT.findall(answer))),
    "repeats": repeats,
    "language": language,
    "postscript": lambda answer, value: float(_POSTSCRIPT.search(answer) is not None),
    "quoted": quoted,
    "num_versions": num_versions,
    "options": options,
    "one_line": _free_of(lambda answer, value: answer.strip().count("\n")),
    "is_question": lambda answer, value: float(answer.rstrip().endswith("?")),
    "fenced": lambda answer, value: float(_is_fenced(answer)),
}

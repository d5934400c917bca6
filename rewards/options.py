"""The options among which a question lets one choose."""

import re
from functools import lru_cache

from envs.task import Question
from rewards.reading import MEMORY, bare

MAX_OPTIONS = 26

_LETTERED = re.compile(r"(?:^|[\s(])([A-Za-z])[).:]\s")
_LISTED = re.compile(r":\s*[¿¡]?\s*([^:?\n]{3,200})\?\s*$")
_OR = re.compile(r"\s*,\s*(?:or|oder|ou|o)\s+|\s+(?:or|oder|ou|o)\s+|\s*[,/|]\s*", re.IGNORECASE)


@lru_cache(MEMORY)
def offered(question: Question) -> tuple[str, ...]:
    """The options in lower case without punctuation, in their order; empty where none can be told.

    They are those of a constraint "options" or "one_of", the letters before "a) ... b) ...", or what a question of kind
    "choice" lists after a colon: "Which is a city: Rome, bread?". The right answer must be among them.
    """
    named = [str(constraint.value) for constraint in question.constraints if constraint.name in ("options", "one_of")]
    if named:
        return _distinct([option for value in named for option in value.split("|")])
    if question.kind != "choice" or question.answer is None:
        return ()
    letters = _LETTERED.findall(question.text)
    if len(letters) > 1 and bare(question.answer) in map(bare, letters):
        return _distinct(letters)
    listed = _LISTED.search(question.text)
    options = _distinct(_OR.split(listed[1])) if listed else ()
    return options if 1 < len(options) <= MAX_OPTIONS and bare(question.answer) in options else ()


def _distinct(options: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(option for option in map(bare, options) if option))

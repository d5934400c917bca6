"""Reading an everyday text: its clauses, the things, actions and amounts in them, and who does what with what.

Shallow on purpose: words, not grammar. What it does not know, it passes over.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from envs.knowledge.lexicon import Concept, Entry, compounds, fits, fold, lookup, read_number, units

Role = Literal["action", "object", "tool", "place", "of"]

MAX_CHARACTERS = 2000
MEMORY = 4096
REACH = 3  # words between a preposition and its noun

_WITH = frozenset(["with", "using", "mit", "avec", "con", "mittels"])
_PLACE = frozenset(
    [
        "in",
        "into",
        "inside",
        "on",
        "onto",
        "at",
        "to",
        "under",
        "near",
        "in",
        "im",
        "ins",
        "auf",
        "am",
        "unter",
        "bei",
        "ans",
        "aufs",
        "dans",
        "sur",
        "au",
        "aux",
        "sous",
        "en",
        "sobre",
        "bajo",
    ]
)
_OF = frozenset(["of", "de", "des", "du", "d", "del", "von", "vom", "from", "aus", "off", "for", "fur", "pour", "para"])
_NEGATIONS = frozenset(
    [
        "not",
        "never",
        "no",
        "don",
        "without",
        "cannot",
        "nicht",
        "nie",
        "niemals",
        "kein",
        "keine",
        "keinen",
        "ohne",
        "pas",
        "jamais",
        "aucun",
        "sans",
        "nunca",
        "no",
        "sin",
    ]
)
_END = re.compile(r"[!?;:\n…]+|\.(?!\d)")
_WORD = re.compile(r"-?\d+(?:[.,]\d+)*|km/h|kph|°c|[%€$]|[^\W\d_]+")
_TO = frozenset(["to", "bis", "a", "y", "et", "and", "und"])


@dataclass(frozen=True, slots=True)
class Mention:
    concept: Concept
    role: Role
    position: int


@dataclass(frozen=True, slots=True)
class Amount:
    """A number of a unit; `low` and `high` differ where a range is given."""

    low: float
    high: float
    unit: str
    measure: str
    factor: float
    usual: tuple[float, float]

    @property
    def base(self) -> float:
        """The middle, in the base unit."""
        return (self.low + self.high) / 2 * self.factor


@dataclass(frozen=True, slots=True)
class Clause:
    words: tuple[str, ...]
    mentions: tuple[Mention, ...]
    amounts: tuple[Amount, ...]

    @property
    def negated(self) -> bool:
        return any(word in _NEGATIONS for word in self.words)

    def concepts(self, *roles: Role) -> list[Concept]:
        return [mention.concept for mention in self.mentions if not roles or mention.role in roles]


@lru_cache(MEMORY)
def clauses(text: str, language: str) -> tuple[Clause, ...]:
    """The clauses of a text that hold a word, in order."""
    folded = fold(text[:MAX_CHARACTERS]).replace("º", "°")
    parts = (tuple(_WORD.findall(part)) for part in _END.split(folded))
    return tuple(Clause(words, _mentions(words, language), _amounts(words, language)) for words in parts if words)


def _mentions(words: tuple[str, ...], language: str) -> tuple[Mention, ...]:
    found: list[Mention] = []
    taken: set[int] = set()
    for position, word in enumerate(words):
        if position in taken or word.isdigit():
            continue
        for parts, concept in compounds(language).get(word, ()):
            spoken = words[position : position + len(parts)]
            if len(spoken) == len(parts) and all(map(fits, parts, spoken)):
                taken |= set(range(position, position + len(parts)))
                found.append(Mention(concept, _role(words, position, taken), position))
                break
        else:
            for concept in _meanings(words, position, language):
                role: Role = "action" if concept.is_action else _role(words, position, taken)
                found.append(Mention(concept, role, position))
            if found and found[-1].position == position:
                taken.add(position)
    return tuple(found)


def _meanings(words: tuple[str, ...], position: int, language: str) -> list[Concept]:
    """At most one action and one thing; an action of two words before one of one."""
    listed = [entry for entry in lookup(words[position], language) if _holds(entry, words, position)]
    if len(listed) < 2:
        return [entry.concept for entry in listed if entry.concept.is_action or entry.then is None]
    actions = sorted((entry for entry in listed if entry.concept.is_action), key=lambda entry: entry.then is None)
    things = [entry for entry in listed if not entry.concept.is_action and entry.then is None]
    if actions and actions[0].then is not None:
        things = []
    return [entry.concept for entry in (*actions[:1], *things[:1])]


def _holds(entry: Entry, words: tuple[str, ...], position: int) -> bool:
    if entry.then is None:
        return True
    if entry.then == "":
        return position == 0
    return any(fits(entry.then, word) for word in words[position + 1 :])


def _role(words: tuple[str, ...], position: int, taken: set[int]) -> Role:
    for before in range(position - 1, max(-1, position - 1 - REACH), -1):
        if words[before] in _WITH:
            return "tool"
        if words[before] in _PLACE:
            return "place"
        if words[before] in _OF:
            return "of"
        if before in taken:
            break
    return "object"


def _amounts(words: tuple[str, ...], language: str) -> tuple[Amount, ...]:
    known, found = units(language), []
    for position, word in enumerate(words):
        unit = known.get(word)
        if unit is None or position == 0:
            continue
        high = read_number(words[position - 1].removeprefix("-"), language)
        if high is None:
            continue
        low = high
        if words[position - 1].startswith("-"):
            before = read_number(words[position - 2], language) if position >= 2 else None
            low, high = (before, high) if before is not None else (-high, -high)
        elif position >= 3 and words[position - 2] in _TO:
            before = read_number(words[position - 3], language)
            low = low if before is None else before
        found.append(Amount(low, high, unit.name, unit.measure, unit.factor, unit.usual))
    return tuple(found)

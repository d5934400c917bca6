"""The words of everyday things and actions, looked up in any of their forms."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from envs.knowledge.actions import ACTIONS
from envs.knowledge.amounts import LANGUAGES, UNITS, Unit
from envs.knowledge.things import THINGS

MAX_ENDING = 4  # letters that a final * stands for
MIN_STEM = 2


@dataclass(frozen=True, slots=True)
class Concept:
    """A thing or an action. `phase`, `objects` and `tools` are of actions, `fields` and `kinds` of things."""

    name: str
    is_action: bool
    fields: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    phase: int | None = None
    objects: frozenset[str] = frozenset()
    tools: frozenset[str] = frozenset()

    @property
    def categories(self) -> frozenset[str]:
        return self.kinds | {self.name}


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to say a concept. `then`: the pattern of a word that must follow in the clause; "" asks for the start."""

    concept: Concept
    pattern: str
    then: str | None = None


def fold(text: str) -> str:
    """Lower case without accents, so that "Töpfe" and "topfe" are one."""
    text = text.casefold()
    if text.isascii():
        return text
    text = text.replace("œ", "oe").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))


def fits(pattern: str, word: str) -> bool:
    if pattern.startswith("*"):
        return word.endswith(pattern[1:])
    if pattern.endswith("*"):
        return word.startswith(pattern[:-1]) and len(word) - len(pattern) + 1 <= MAX_ENDING
    return word == pattern


@cache
def concepts() -> dict[str, Concept]:
    """Every thing and action by name; their words are in `entries`."""
    return {concept.name: concept for concept, _ in _rows()}


@cache
def _rows() -> list[tuple[Concept, list[str]]]:
    rows = []
    for line in THINGS.strip().splitlines():
        name, fields, kinds, *words = (cell.strip() for cell in line.split("|"))
        rows.append((Concept(name, False, frozenset(fields.split()), frozenset(kinds.split())), words))
    for line in ACTIONS.strip().splitlines():
        name, phase, objects, tools, *words = (cell.strip() for cell in line.split("|"))
        number = None if phase == "-" else int(phase)
        concept = Concept(name, True, phase=number, objects=_names(objects), tools=_names(tools))
        rows.append((concept, words))
    return rows


def _names(cell: str) -> frozenset[str]:
    return frozenset() if cell == "-" else frozenset(cell.split())


@cache
def entries(language: str) -> dict[str, list[Entry]]:
    """Entries by a key of their pattern: the word, "stem*" or "*ending"."""
    found: dict[str, list[Entry]] = {}
    for concept, words in _rows():
        for word in fold(words[LANGUAGES.index(language)]).split():
            head, plus, tail = word.partition("+")
            entry = Entry(concept, head, tail if plus else None)
            found.setdefault(head, []).append(entry)
    return found


@cache
def compounds(language: str) -> dict[str, list[tuple[tuple[str, ...], Concept]]]:
    """Words of several parts ("washing-machine") by their first part."""
    found: dict[str, list[tuple[tuple[str, ...], Concept]]] = {}
    for key, listed in entries(language).items():
        parts = tuple(key.split("-"))
        for entry in listed:
            if len(parts) > 1 and entry.then is None:
                found.setdefault(parts[0], []).append((parts, entry.concept))
    return found


@lru_cache(65536)
def lookup(word: str, language: str) -> tuple[Entry, ...]:
    """What a folded word may mean, the longest patterns first."""
    table = entries(language)
    keys = [word]
    keys += [word[:end] + "*" for end in range(len(word), max(MIN_STEM, len(word) - MAX_ENDING) - 1, -1)]
    keys += ["*" + word[start:] for start in range(1, len(word) - 2)]
    return tuple(entry for key in keys if key in table for entry in table[key])


@cache
def units(language: str) -> dict[str, Unit]:
    place = LANGUAGES.index(language)
    return {fold(word): unit for unit in UNITS for word in unit.words[place].split()}


@cache
def unit_words(language: str) -> dict[str, str]:
    """The plural of every unit by its name, as one writes it."""
    return {unit.name: unit.words[LANGUAGES.index(language)].split()[0] for unit in UNITS}


_NUMBERS = {
    "en": "zero one two three four five six seven eight nine ten eleven twelve",
    "de": "null zwei drei vier fünf sechs sieben acht neun zehn elf zwölf",
    "fr": "zéro deux trois quatre cinq six sept huit neuf dix onze douze",
    "es": "cero dos tres cuatro cinco seis siete ocho nueve diez once doce",
}
_ONES = {"en": "a an", "de": "ein eine einen einer einem", "fr": "un une", "es": "un una"}
_TENS = {
    "en": "fifteen twenty thirty forty fifty sixty ninety hundred",
    "de": "fünfzehn zwanzig dreißig vierzig fünfzig sechzig neunzig hundert",
    "fr": "quinze vingt trente quarante cinquante soixante quatre-vingt-dix cent",
    "es": "quince veinte treinta cuarenta cincuenta sesenta noventa cien",
}


@cache
def number_words(language: str) -> dict[str, float]:
    """Small numbers in words; "a" counts as one before a unit."""
    small = fold(_NUMBERS[language]).split()
    if language != "en":
        small.insert(1, "")
    values = {word: float(number) for number, word in enumerate(small) if word}
    values |= dict.fromkeys(fold(_ONES[language]).split(), 1.0)
    return values | dict(
        zip(fold(_TENS[language]).split(), (15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 90.0, 100.0), strict=True)
    )


_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")


def read_number(word: str, language: str) -> float | None:
    """12, 1,200, 2.5 or 2,5, or a small number in words; None for all else."""
    if not word[:1].isascii() or not _DIGITS.fullmatch(word):
        return number_words(language).get(word)
    if len(word) > 15:
        return None
    groups = re.split("[.,]", word)
    if len(groups) > 1 and all(len(group) == 3 for group in groups[1:]) and groups[0] != "0":
        return float("".join(groups))
    return float(".".join(groups[:2]))

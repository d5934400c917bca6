"""Is the answer written with the letters of its language, and built of its words, below what identifies a language?"""

import re
import unicodedata
from statistics import fmean

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.dimensions.language import MIN_BYTES, SCRIPTS, identifier
from rewards.lexicon import LANGUAGES, accented, alphabet, common_words, letter_likelihood, without_accents
from rewards.prose import prose, read_prose, within
from rewards.reading import letters, script_of, word_set, words

NUM_FUNCTION_WORDS = 60
FUNCTION_WORD_SHARES = (0.0, 0.2, 0.75, 1.0)  # of all words; prose of the languages here has 0.25 to 0.6
MAX_WORDS = 100
WINDOW = 100  # characters at the start and at the end whose languages are compared
ACCENTED_LANGUAGES = tuple(sorted(word_set("ca cs da de el es fi fr hr hu is it lt lv no pl pt ro sk sl sv tr vi")))
EXTRA_LETTERS = {"de": "ß", "el": "ς"}  # which case folding takes away

_NATIVE_DIGITS = {"ar": "ARABIC-INDIC", "fa": "EXTENDED ARABIC-INDIC", "ur": "EXTENDED ARABIC-INDIC"}
_NATIVE_DIGITS |= {"hi": "DEVANAGARI", "mr": "DEVANAGARI", "ne": "DEVANAGARI", "bn": "BENGALI", "ta": "TAMIL"}
_DIGIT = re.compile(r"\d")


def letters_in_order(transcript: Transcript) -> float | None:
    """Mean log P(letter | letter before) of the words, scaled: 1 as in running text, 0 as for letters at random."""
    text = read_prose(transcript, LANGUAGES, min_words=2)
    if text is None:
        return None
    language = transcript.task.language
    likelihoods = [letter_likelihood(language, word.casefold()) for word in words(text)[:MAX_WORDS]]
    return min(1.0, max(0.0, fmean(likelihoods)))


def own_letters(transcript: Transcript) -> float | None:
    """Share of the letters that the language uses in running text."""
    if transcript.task.language not in LANGUAGES:
        return None
    text = letters(prose(transcript.last.answer))
    if not text:
        return None
    known = alphabet(transcript.task.language) | set(EXTRA_LETTERS.get(transcript.task.language, ""))
    return sum(letter in known for letter in text.lower()) / len(text.lower())


def function_words(transcript: Transcript) -> float | None:
    """1 where the share of the language's most frequent words is that of prose, less in lists and in word salad."""
    text = read_prose(transcript, LANGUAGES, min_words=8)
    if text is None:
        return None
    frequent = common_words(transcript.task.language, NUM_FUNCTION_WORDS)
    spoken = words(text)[:MAX_WORDS]
    return within(sum(word.casefold() in frequent for word in spoken) / len(spoken), *FUNCTION_WORD_SHARES)


def accents(transcript: Transcript) -> float | None:
    """written / due: of the words that bear accents, those that the answer writes with them."""
    text = read_prose(transcript, ACCENTED_LANGUAGES, min_words=3)
    if text is None:
        return None
    due = accented(transcript.task.language)
    spoken = [word.casefold() for word in words(text)[:MAX_WORDS]]
    num_missing = sum(word in due for word in spoken)
    num_written = sum(due.get(without_accents(word)) == word for word in spoken)
    return num_written / (num_written + num_missing) if num_written + num_missing else None


def unmixed_words(transcript: Transcript) -> float | None:
    """Share of words whose letters are of one script: "Rоme" with a Cyrillic о is of two."""
    text = prose(transcript.last.answer)
    spoken = words(text)[:MAX_WORDS]
    if len(spoken) < 2:
        return None
    if text.isascii():
        return 1.0
    return sum(len({script_of(letter) for letter in word if letter.isalpha()}) <= 1 for word in spoken) / len(spoken)


def steady(transcript: Transcript) -> float | None:
    """Whether the start and the end of a longer text are recognised as one language, by confidence in the end's."""
    text = read_prose(transcript, SCRIPTS)
    if text is None or len(text) < 2 * WINDOW or len(letters(text[-WINDOW:]).encode()) < 2 * MIN_BYTES:
        return None
    start, _ = identifier().classify(text[:WINDOW])
    end, confidence = identifier().classify(text[-WINDOW:])
    return 1.0 if start == end else 1.0 - min(1.0, confidence)


def digits(transcript: Transcript) -> float | None:
    """Share of digits that are ASCII or the language's own."""
    found = _DIGIT.findall(prose(transcript.last.answer))
    if not found:
        return None
    own = _NATIVE_DIGITS.get(transcript.task.language)
    return sum(digit.isascii() or (own is not None and _digit_script(digit) == own) for digit in found) / len(found)


def _digit_script(digit: str) -> str:
    return unicodedata.name(digit, "").partition(" DIGIT")[0]


DIMENSIONS = (
    Dimension(
        "language.letters_in_order",
        "language",
        "Letters follow each other as they do in the words of the task's language.",
        letters_in_order,
        passes=example("Where is Rome?", "Rome is a city in Italy."),
        fails=example("Where is Rome?", "Rxme qs k cbty xn Jtqly."),
        languages=LANGUAGES,
    ),
    Dimension(
        "language.own_letters",
        "language",
        "Share of letters that the task's language is written with, accents included.",
        own_letters,
        passes=example("Wo liegt Rom?", "Rom liegt natürlich in Italien.", language="de"),
        fails=example("Wo liegt Rom?", "Røm liegt natűrlich iñ Italien.", language="de"),
        languages=LANGUAGES,
    ),
    Dimension(
        "language.function_words",
        "language",
        "The small words of the language are as frequent as they are in its prose.",
        function_words,
        passes=example("Where is Rome?", "Rome is a city on the Tiber in the middle of Italy."),
        fails=example("Where is Rome?", "Rome city Tiber middle Italy capital river bank hill."),
        languages=LANGUAGES,
    ),
    Dimension(
        "language.accents",
        "language",
        "Words that bear accents or umlauts are written with them.",
        accents,
        passes=example("Wo ist Anna?", "Das Mädchen möchte natürlich später kommen.", language="de"),
        fails=example("Wo ist Anna?", "Das Madchen mochte naturlich spater kommen.", language="de"),
        languages=ACCENTED_LANGUAGES,
    ),
    Dimension(
        "language.unmixed_words",
        "language",
        "No word mixes letters of two scripts.",
        unmixed_words,
        passes=example("Where is Rome?", "Rome is called Рим in Russia."),
        fails=example("Where is Rome?", "Rоmе is саlled Рim in Russia."),
    ),
    Dimension(
        "language.steady",
        "language",
        "A longer text ends in the language in which it began.",
        steady,
        passes=example(
            "Tell me about Rome.",
            "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages on "
            "seven hills into the capital of an empire, and later it became the capital of the whole country.",
        ),
        fails=example(
            "Tell me about Rome.",
            "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages on "
            "seven hills, und später wurde daraus die Hauptstadt eines Reiches, das vom Norden bis nach Afrika ging.",
        ),
        languages=tuple(sorted(SCRIPTS)),
        cost="moderate",
    ),
    Dimension(
        "language.digits",
        "language",
        "Numbers are written with the digits that readers of the language know.",
        digits,
        passes=example("كم عمرك؟", "عمري ٤٢ سنة", language="ar"),
        fails=example("How old are you?", "I am ٤2 years old."),
    ),
)

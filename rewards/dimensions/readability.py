"""Can the answer be read with ease? Sentences and words of a usual length and frequency."""

import math
from statistics import fmean, pstdev

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.lexicon import LANGUAGES, frequencies
from rewards.prose import falling, prose, read_prose, sentences, within
from rewards.reading import words

SENTENCE_WORDS = (0.0, 5.0, 25.0, 60.0)
FLESCH = (-20.0, 40.0, 100.0, 130.0)  # reading ease: 40 is a newspaper of quality, 100 a children's book
COMMON = -5.0  # log10 of the share of text: where a word unknown to the list is put
FAMILIAR = (-5.0, -3.2)  # mean log10 share of the words of a text: none known, and usual prose
LONGEST = (30.0, 90.0)  # words in the longest sentence: still read with ease, and not at all
NATURAL_SPREAD = 0.3  # standard deviation / mean of the lengths of sentences


def _lengths(text: str) -> list[int]:
    return [len(words(part)) for part in sentences(text)]


def sentence_length(transcript: Transcript) -> float | None:
    text = read_prose(transcript)
    return None if text is None else within(fmean(_lengths(text)), *SENTENCE_WORDS)


def longest_sentence(transcript: Transcript) -> float | None:
    text = read_prose(transcript, min_words=12)
    return None if text is None else falling(max(_lengths(text)), *LONGEST)


def sentence_variety(transcript: Transcript) -> float | None:
    """min(1, standard deviation / mean of the lengths / `NATURAL_SPREAD`) of three or more sentences."""
    lengths = _lengths(prose(transcript.last.answer))
    return min(1.0, pstdev(lengths) / fmean(lengths) / NATURAL_SPREAD) if len(lengths) >= 3 else None


def reading_ease(transcript: Transcript) -> float | None:
    """Flesch reading ease of an English text (textstat), 1 between a newspaper and a children's book."""
    text = read_prose(transcript, ("en",), min_words=8)
    if text is None:
        return None
    import textstat

    return within(float(textstat.flesch_reading_ease(text)), *FLESCH)


def familiar_words(transcript: Transcript) -> float | None:
    text = read_prose(transcript, LANGUAGES, min_words=5)
    if text is None:
        return None
    known = frequencies(transcript.task.language)
    logs = [math.log10(known[word]) if word in known else COMMON for word in map(str.casefold, words(text)[:100])]
    low, high = FAMILIAR
    return min(1.0, max(0.0, (fmean(logs) - low) / (high - low)))


_SHORT = "Rome is in Italy. It is old, and many people visit it in spring. Go there."
_LONG = "Rome is in Italy and it is old and many people visit it " * 6

DIMENSIONS = (
    Dimension(
        "readability.sentence_length",
        "readability",
        "Sentences have between five and twenty-five words on average.",
        sentence_length,
        passes=example("Tell me about Rome.", _SHORT),
        fails=example("Tell me about Rome.", _LONG),
    ),
    Dimension(
        "readability.longest_sentence",
        "readability",
        "No sentence is so long that its beginning is forgotten at its end.",
        longest_sentence,
        passes=example("Tell me about Rome.", _SHORT),
        fails=example("Tell me about Rome.", _LONG),
    ),
    Dimension(
        "readability.sentence_variety",
        "readability",
        "Short and long sentences take turns.",
        sentence_variety,
        passes=example("Tell me about Rome.", _SHORT),
        fails=example("Tell me about Rome.", "Rome is old. Rome is large. Rome is nice."),
    ),
    Dimension(
        "readability.reading_ease",
        "readability",
        "An English text is as easy as a newspaper or a children's book, by the Flesch formula.",
        reading_ease,
        passes=example("Tell me about Rome.", _SHORT),
        fails=example(
            "Tell me.",
            "Internationalisation necessitates organisational interdisciplinarity notwithstanding "
            "institutional incompatibilities, undeniably exacerbating misunderstandings.",
        ),
        languages=("en",),
        cost="moderate",
    ),
    Dimension(
        "readability.familiar_words",
        "readability",
        "Words are frequent in the task's language.",
        familiar_words,
        passes=example("Tell me about Rome.", _SHORT),
        fails=example("Tell me.", "Obfuscatory perspicacity vitiates eleemosynary sesquipedalian verbiage."),
        languages=LANGUAGES,
    ),
)

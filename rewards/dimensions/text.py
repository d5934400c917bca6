"""Does the answer have the statistics of text? Two measures that need no language knowledge."""

import zlib

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import words

MIN_BYTES = 100  # below, zlib's own overhead is what one would measure
NATURAL_RATIO = (0.35, 0.85)  # compressed / raw bytes of prose of 100 to 2,000 bytes
MAX_BYTES = 2000

MIN_WORDS = 10
MAX_WORDS = 100  # the share of distinct words falls with length in any text, so only these are looked at
NATURAL_DISTINCT = 0.5

_PROSE = (
    "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages "
    "on seven hills into the capital of an empire, and later of Italy."
)
_LOOP = "Rome is a city in Italy and " * 8


def compressibility(transcript: Transcript) -> float | None:
    """1 where the compression ratio is natural, falling linearly to 0 at a ratio of 0 and of 1.2 (noise)."""
    data = transcript.last.answer.encode("utf-8", "surrogatepass")[:MAX_BYTES]
    if len(data) < MIN_BYTES:
        return None
    ratio = len(zlib.compress(data, 6)) / len(data)
    low, high = NATURAL_RATIO
    if ratio < low:
        return ratio / low
    return min(1.0, max(0.0, (1.2 - ratio) / (1.2 - high)))


def distinct_words(transcript: Transcript) -> float | None:
    """distinct / all of the first words, over the share that prose reaches easily; at most 1."""
    spoken = words(transcript.last.answer)[:MAX_WORDS]
    if len(spoken) < MIN_WORDS:
        return None
    return min(1.0, len(set(spoken)) / len(spoken) / NATURAL_DISTINCT)


DIMENSIONS = (
    Dimension(
        "text.compressibility",
        "text",
        "A longer text is neither a loop nor noise: it compresses like prose.",
        compressibility,
        passes=example("Tell me about Rome.", _PROSE),
        fails=example("Tell me about Rome.", _LOOP),
    ),
    Dimension(
        "text.distinct_words",
        "text",
        "A text of several words uses different ones.",
        distinct_words,
        passes=example("Tell me about Rome.", _PROSE),
        fails=example("Tell me about Rome.", "very " * 12),
    ),
)

"""Is the tone of the text bearable?"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import letters

MIN_LETTERS = 10  # "OK", "NATO" and "A" are no shouting
FREE_SHARE = 0.3  # of capitals, as names and acronyms need


def no_shouting(transcript: Transcript) -> float | None:
    """1 up to the free share of capital letters, then linearly down to 0 where all are capitals."""
    text = transcript.last.answer
    if len(text) < MIN_LETTERS:
        return None
    capital = sum(map(str.isupper, letters(text)))
    small = sum(map(str.islower, letters(text)))
    if capital + small < MIN_LETTERS:
        return None
    return min(1.0, small / (capital + small) / (1.0 - FREE_SHARE))


DIMENSIONS = (
    Dimension(
        "style.no_shouting",
        "style",
        "The text is not written in capitals.",
        no_shouting,
        passes=example("Where is Rome?", "Rome is in Italy."),
        fails=example("Where is Rome?", "ROME IS IN ITALY."),
    ),
)

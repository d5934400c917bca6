"""Does the answer say things once? Small policies trained by RL tend to loop; these notice it at every scale.

An answer too short to repeat anything repeats nothing and scores 1; an empty one is not judged.
"""

import re
from itertools import pairwise

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import trigrams, words

FREE_RUN = 3  # equal characters in a row that are normal: "..."
_LONG_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)  # longer than that
LOOP_WINDOW = 400  # characters at the end in which a loop is looked for
MIN_LOOP = 12  # characters; shorter ones are left to `repetition.characters`
MIN_ROUNDS = 3


def repeated_words(transcript: Transcript) -> float | None:
    spoken = words(transcript.last.answer)
    if not spoken:
        return None
    return 1.0 - sum(a == b for a, b in pairwise(spoken)) / len(spoken)


def repeated_characters(transcript: Transcript) -> float | None:
    """free / longest run of one character, at most 1. A right answer such as 10000 widens the free run."""
    turn = transcript.last
    text = turn.answer.strip()
    if not text:
        return None
    free = longest_run(turn.question.answer or "")
    return free / max(free, longest_run(text))


def longest_run(text: str) -> int:
    """The length of the longest row of one character; `FREE_RUN` if none is longer than that."""
    return max((len(run[0]) for run in _LONG_RUN.finditer(text)), default=FREE_RUN)


def repeated_ngrams(transcript: Transcript) -> float | None:
    """distinct / all word trigrams."""
    text = transcript.last.answer
    if not words(text):
        return None
    said = trigrams(text)
    return len(set(said)) / len(said) if said else 1.0


def loops(transcript: Transcript) -> float | None:
    text = transcript.last.answer.strip()
    if not text:
        return None
    if len(text) < MIN_LOOP:
        return 1.0
    tail = text[-LOOP_WINDOW:]
    return 1.0 - looping_end(tail) / len(tail)


def looping_end(text: str) -> int:
    """How many characters at the end are one unit said `MIN_ROUNDS` times or more; 0 if under `MIN_LOOP`.

    With the text reversed, a unit of length p loops as far as the text equals itself shifted by p. The shortest unit
    counts.
    """
    backwards = text[::-1]
    for period in range(1, len(text) // MIN_ROUNDS + 1):
        span = (MIN_ROUNDS - 1) * period
        if backwards[0] != backwards[period] or backwards[:span] != backwards[period : period + span]:
            continue
        while span + period < len(text) and backwards[span] == backwards[span + period]:
            span += 1
        if span + period >= MIN_LOOP:
            return span + period
    return 0


DIMENSIONS = (
    Dimension(
        "repetition.words",
        "repetition",
        "Share of words that do not repeat the word just before them.",
        repeated_words,
        passes=example("Where is Rome?", "It is in Italy."),
        fails=example("Where is Rome?", "It it is is in in Italy."),
    ),
    Dimension(
        "repetition.characters",
        "repetition",
        "No character is repeated many times in a row.",
        repeated_characters,
        passes=example("Where is Rome?", "It is in Italy..."),
        fails=example("Where is Rome?", "It is in Italyyyyyyyyyy"),
    ),
    Dimension(
        "repetition.ngrams",
        "repetition",
        "Share of three-word sequences that are said for the first time.",
        repeated_ngrams,
        passes=example("Where is Rome?", "Rome is in Italy, on the river Tiber."),
        fails=example("Where is Rome?", "Rome is in Italy. Rome is in Italy. Rome is in Italy."),
    ),
    Dimension(
        "repetition.loops",
        "repetition",
        "The answer does not end in a loop of one unit said over and over.",
        loops,
        passes=example("Where is Rome?", "It is in Italy, on the river Tiber."),
        fails=example("Where is Rome?", "It is in, in, in, in, in, in, in,"),
    ),
)

"""Reading an answer as prose: its sentences and its phrases. The dimensions of language and manner share it.

Prose is judged by its first `MAX_CHARACTERS`, so that the cost of a vector has a bound; code blocks are left out.
"""

from collections.abc import Iterable
from functools import lru_cache

from envs.fences import without_blocks
from envs.prose import sentences as sentences_of_line
from envs.task import Transcript
from rewards.reading import MEMORY, SHORT_KINDS, bare, words

MAX_CHARACTERS = 1200  # two hundred words
MIN_WORDS = 4  # fewer are a name or a number, not prose
NOT_PROSE = frozenset((*SHORT_KINDS, "code"))


@lru_cache(MEMORY)
def prose(text: str) -> str:
    """The text without code blocks, cut between two words where it is longer than `MAX_CHARACTERS`."""
    if len(text) > 4 * MAX_CHARACTERS:
        text = text[: 4 * MAX_CHARACTERS]
    text = without_blocks(text)
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS].rpartition(" ")[0] or text[:MAX_CHARACTERS]
    return text.strip()


def read_prose(transcript: Transcript, languages: Iterable[str] = (), min_words: int = MIN_WORDS) -> str | None:
    """The prose of the last answer. None where a dimension of prose abstains: a number, a choice or code is due, the
    task's language is none of `languages` (where they are given), or there are fewer than `min_words`."""
    turn = transcript.last
    if turn.question.kind in NOT_PROSE or (languages and transcript.task.language not in languages):
        return None
    text = prose(turn.answer)
    return text if len(words(text)) >= min_words else None


@lru_cache(MEMORY)
def sentences(text: str) -> tuple[str, ...]:
    """The sentences of all lines: in an answer, unlike in a text to be counted, a title or an item is one too."""
    return tuple(sentence for line in text.split("\n") for sentence in sentences_of_line(line))


@lru_cache(MEMORY)
def spaced(text: str) -> str:
    """The words with one space around each, and straight apostrophes: whole phrases are found in it by `in`."""
    return " " + bare(text.replace("’", "'")) + " "


def count_phrases(text: str, phrases: Iterable[str]) -> int:
    """How often the text uses any of the phrases, as whole words in any case."""
    said = spaced(text)
    return sum(said.count(spaced(phrase)) for phrase in phrases)


def uses(text: str, phrases: Iterable[str]) -> bool:
    said = spaced(text)
    return any(spaced(phrase) in said for phrase in phrases)


def falling(value: float, free: float, worst: float) -> float:
    """1 up to `free`, then linearly down to 0 at `worst`."""
    return min(1.0, max(0.0, (worst - value) / (worst - free)))


def within(value: float, lowest: float, low: float, high: float, highest: float) -> float:
    """1 in [low, high], falling linearly to 0 at `lowest` on one side and at `highest` on the other."""
    return min(1.0, max(0.0, min((value - lowest) / (low - lowest), (highest - value) / (highest - high))))

"""How near does an answer come to the right one, as a text? Numbers are another matter, see `math_value.py`.

Partial measures, so that a policy that starts from random bytes sees progress: each looks at another part of the text.
"""

from collections import Counter
from functools import cache
from typing import Protocol

from envs.answers import plain
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import words

MAX_CHARACTERS = 400  # of an answer and of the right one that are compared
MAX_CHRF = 200  # of both, for the costliest measure
MIN_WORDS = 3  # of the right answer, for measures of its inner order


class Metric(Protocol):
    def sentence_score(self, hypothesis: str, references: list[str]) -> "Score": ...


class Score(Protocol):
    score: float


def compared(transcript: Transcript) -> tuple[str, str] | None:
    """What was said and what was due, within bounds; None where there is no right text."""
    turn = transcript.last
    expected = plain(turn.question.answer or "")
    if turn.question.kind in ("integer", "number") or not expected:
        return None
    return plain(turn.answer)[:MAX_CHARACTERS], expected[:MAX_CHARACTERS]


def edit_similarity(transcript: Transcript) -> float | None:
    """1 - (insertions and deletions) / (length of both), case apart (rapidfuzz)."""
    pair = compared(transcript)
    if pair is None:
        return None
    from rapidfuzz.distance import Indel

    return float(Indel.normalized_similarity(pair[0].lower(), pair[1].lower()))


def prefix(transcript: Transcript) -> float | None:
    """Characters that are right from the start, case apart / length of the right answer."""
    pair = compared(transcript)
    if pair is None:
        return None
    from rapidfuzz.distance import Prefix

    return float(Prefix.similarity(pair[0].lower(), pair[1].lower()) / len(pair[1]))


def ending(transcript: Transcript) -> float | None:
    """Characters that are right from the end, case apart / length of the right answer."""
    pair = compared(transcript)
    if pair is None:
        return None
    from rapidfuzz.distance import Postfix

    return float(Postfix.similarity(pair[0].lower(), pair[1].lower()) / len(pair[1]))


def first_character(transcript: Transcript) -> float | None:
    pair = compared(transcript)
    return None if pair is None else float(pair[0][:1].lower() == pair[1][:1].lower())


def characters(transcript: Transcript) -> float | None:
    """Share of the answer's letters and digits that the right answer has too, each as often as it occurs there."""
    pair = compared(transcript)
    if pair is None:
        return None
    said, due = (Counter(filter(str.isalnum, text.lower())) for text in pair)
    return (said & due).total() / said.total() if said else 0.0


def length_ratio(transcript: Transcript) -> float | None:
    """The shorter of answer and right answer / the longer, in characters."""
    turn = transcript.last
    if compared(transcript) is None:
        return None
    said, due = len(plain(turn.answer)), len(plain(turn.question.answer or ""))
    return min(said, due) / max(said, due)


def case_kept(transcript: Transcript) -> float | None:
    """Share of the letters in the right case, where the answer is right apart from case."""
    pair = compared(transcript)
    if pair is None or pair[0].lower() != pair[1].lower() or len(pair[0]) != len(pair[1]):
        return None
    cased = [(a, b) for a, b in zip(*pair, strict=True) if b.lower() != b.upper()]
    return sum(a == b for a, b in cased) / len(cased) if cased else None


def first_word(transcript: Transcript) -> float | None:
    pair = compared(transcript)
    if pair is None or not words(pair[1]):
        return None
    return float(words(pair[0])[:1] == words(pair[1])[:1])


def last_word(transcript: Transcript) -> float | None:
    pair = compared(transcript)
    if pair is None or len(words(pair[1])) < MIN_WORDS:
        return None
    return float(words(pair[0])[-1:] == words(pair[1])[-1:])


def word_precision(transcript: Transcript) -> float | None:
    """Share of the answer's words that the right answer has."""
    pair = compared(transcript)
    if pair is None or len(words(pair[1])) < MIN_WORDS or not words(pair[0]):
        return None
    said, due = Counter(words(pair[0])), Counter(words(pair[1]))
    return (said & due).total() / said.total()


def word_order(transcript: Transcript) -> float | None:
    """Longest common run with gaps of the words / words of the right answer (the recall of ROUGE-L)."""
    pair = compared(transcript)
    if pair is None or len(words(pair[1])) < MIN_WORDS:
        return None
    from rapidfuzz.distance import LCSseq

    return float(LCSseq.similarity(words(pair[0]), words(pair[1])) / len(words(pair[1])))


@cache
def _chrf() -> Metric:
    from sacrebleu.metrics import CHRF

    metric: Metric = CHRF()
    return metric


def chrf(transcript: Transcript) -> float | None:
    """chrF (Popović 2015) of the beginnings of texts of several words, case apart, as a share."""
    pair = compared(transcript)
    if pair is None or len(words(pair[1])) < MIN_WORDS:
        return None
    said, due = (text.lower()[:MAX_CHRF] for text in pair)
    return min(1.0, max(0.0, _chrf().sentence_score(said, [due]).score / 100.0))


def _colours(answer: str) -> Transcript:
    return example("Sort: red, blue, green", answer, expected="blue, green, red")


def _choice(answer: str) -> Transcript:
    return example("Which is a city: Rome, bread?", answer, expected="Rome", kind="choice")


DIMENSIONS = (
    Dimension(
        "task.edit_similarity",
        "task",
        "Few letters must be added or left out to make the answer right.",
        edit_similarity,
        passes=_choice("Rom"),
        fails=_choice("bread"),
    ),
    Dimension(
        "task.prefix",
        "task",
        "Share of the right answer that is said before the first wrong character.",
        prefix,
        passes=_choice("Rob"),
        fails=_choice("bread"),
    ),
    Dimension(
        "task.ending",
        "task",
        "Share of the right answer that is said after the last wrong character.",
        ending,
        passes=_choice("Some"),
        fails=_choice("bread"),
    ),
    Dimension(
        "task.first_character",
        "task",
        "The answer begins with the right letter.",
        first_character,
        passes=_choice("Red"),
        fails=_choice("bread"),
    ),
    Dimension(
        "task.characters",
        "task",
        "Share of the answer's letters that the right answer has too.",
        characters,
        passes=_choice("more"),
        fails=_choice("bread"),
    ),
    Dimension(
        "task.length_ratio",
        "task",
        "The answer is about as long as the right one.",
        length_ratio,
        passes=_choice("Oslo"),
        fails=_choice("It is Rome, I think"),
    ),
    Dimension(
        "task.case_kept",
        "task",
        "Of an answer that is right apart from case, the share of letters in the right case.",
        case_kept,
        passes=_choice("Rome"),
        fails=_choice("rome"),
    ),
    Dimension(
        "task.first_word",
        "task",
        "The answer begins with the right word.",
        first_word,
        passes=_choice("Rome, I think"),
        fails=_choice("I think Rome"),
    ),
    Dimension(
        "task.last_word",
        "task",
        "The answer ends with the right word.",
        last_word,
        passes=_colours("green, blue, red"),
        fails=_colours("red, green, blue"),
    ),
    Dimension(
        "task.word_precision",
        "task",
        "Share of the answer's words that the right answer has.",
        word_precision,
        passes=_colours("blue, red"),
        fails=_colours("It is blue, red and so on"),
    ),
    Dimension(
        "task.word_order",
        "task",
        "The words of the right answer occur in their order.",
        word_order,
        passes=_colours("blue, then green, then red"),
        fails=_colours("red, green, blue"),
    ),
    Dimension(
        "task.chrf",
        "task",
        "The answer shares its short runs of characters with the right one (chrF).",
        chrf,
        passes=_colours("blue, red, green"),
        fails=_colours("I do not know"),
        cost="moderate",
    ),
)

"""Does the answer go on to something new, sentence by sentence? Repetition above the scale of single words."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.prose import prose, read_prose, sentences
from rewards.reading import bare, trigrams, words

MIN_SENTENCES = 2
FREE_DOMINANCE = 0.15  # of all words, that the most frequent one may take: "the" takes 0.06 of English
MTLD_FACTOR = 0.72  # type-token ratio that ends a segment (McCarthy and Jarvis 2010)
MTLD_NATURAL = 40.0  # mean words per segment; prose of adults has 50 to 120
MIN_WORDS = 20  # for statistics of words

_ITEM = re.compile(r"^[ \t]{0,8}(?:[-*+•]|\d{1,3}[.)])[ \t]+.{1,400}", re.MULTILINE)
_MARK_RUN = re.compile(r"([!?,;:.-])\1+")
_MARK = re.compile(r"[!?,;:.-]")


def _share_distinct(parts: Sequence[str], minimum: int = MIN_SENTENCES) -> float | None:
    return len(set(parts)) / len(parts) if len(parts) >= minimum else None


def distinct_sentences(transcript: Transcript) -> float | None:
    return _share_distinct([bare(sentence) for sentence in sentences(prose(transcript.last.answer))])


def distinct_openings(transcript: Transcript) -> float | None:
    """Share of sentences, from the second on, that begin with another word than the one before."""
    firsts = [words(sentence)[0] for sentence in sentences(prose(transcript.last.answer))]
    if len(firsts) < 3:
        return None
    return sum(a != b for a, b in pairwise(firsts)) / (len(firsts) - 1)


def distinct_lines(transcript: Transcript) -> float | None:
    """distinct / all lines that hold a word and are no item of a list."""
    lines = _ITEM.sub("", prose(transcript.last.answer)).split("\n")
    return _share_distinct([line.strip() for line in lines if words(line)], minimum=3)


def alternation(transcript: Transcript) -> float | None:
    """Share of words, from the third on, that differ from the one two places before; rows of one word aside."""
    spoken = words(prose(transcript.last.answer))
    if len(spoken) < 4:
        return None
    alternating = sum(a == c != b for a, b, c in zip(spoken, spoken[1:], spoken[2:], strict=False))
    return 1.0 - alternating / (len(spoken) - 2)


def no_dominant_word(transcript: Transcript) -> float | None:
    """1 up to the free share of the most frequent word, then linearly down to 0 where there is no other word."""
    text = read_prose(transcript, min_words=MIN_WORDS)
    if text is None:
        return None
    spoken = words(text)
    share = Counter(spoken).most_common(1)[0][1] / len(spoken)
    return min(1.0, (1.0 - share) / (1.0 - FREE_DOMINANCE))


def lexical_diversity(transcript: Transcript) -> float | None:
    """min(1, MTLD / `MTLD_NATURAL`): the mean length of segments whose type-token ratio stays above `MTLD_FACTOR`."""
    text = read_prose(transcript, min_words=MIN_WORDS)
    if text is None:
        return None
    spoken = words(text)
    return min(1.0, mtld(spoken) / MTLD_NATURAL)


def mtld(spoken: Sequence[str]) -> float:
    """Words per segment; the segment at the end counts by how far its ratio has fallen towards the factor."""
    num_segments, seen, length = 0.0, set[str](), 0
    for word in spoken:
        seen.add(word)
        length += 1
        if len(seen) / length < MTLD_FACTOR:
            num_segments, seen, length = num_segments + 1.0, set(), 0
    if length:
        num_segments += (1.0 - len(seen) / length) / (1.0 - MTLD_FACTOR)
    return len(spoken) / num_segments if num_segments else float("inf")


def single_marks(transcript: Transcript) -> float | None:
    """1 - the share of punctuation marks in rows of one mark; "..." and "--" are one mark."""
    text = prose(transcript.last.answer).replace("...", ".").replace("--", "-")
    num_marks = len(_MARK.findall(text))
    if not num_marks:
        return None
    return 1.0 - sum(len(run[0]) for run in _MARK_RUN.finditer(text)) / num_marks


def nothing_from_earlier_answers(transcript: Transcript) -> float | None:
    """1 - the share of three-word sequences that an earlier answer of the policy to another question holds too."""
    last = transcript.last
    earlier = [turn.answer for turn in transcript.turns[:-1] if turn.question.text != last.question.text]
    said = trigrams(prose(last.answer))
    if not said or not earlier:
        return None
    known = {trigram for answer in earlier for trigram in trigrams(prose(answer))}
    return 1.0 - sum(trigram in known for trigram in said) / len(said)


_ROME = example("Where is Rome?", "Rome is in the middle of Italy.")
_PROSE = (
    "Rome lies on the banks of the Tiber, some twenty kilometres from the sea. It grew from a few villages "
    "on seven hills into the capital of an empire, and later of Italy."
)
_POOR = "The city is a good city and the people of the city are good people of the good old city."

DIMENSIONS = (
    Dimension(
        "repetition.sentences",
        "repetition",
        "Share of sentences that are said for the first time.",
        distinct_sentences,
        passes=example("Where is Rome?", "Rome is in Italy. It lies on the Tiber."),
        fails=example("Where is Rome?", "Rome is in Italy. Rome is in Italy!"),
    ),
    Dimension(
        "repetition.openings",
        "repetition",
        "Sentences do not all begin with the same word.",
        distinct_openings,
        passes=example("Where is Rome?", "It is in Italy. The Tiber runs through it. You can go there by train."),
        fails=example("Where is Rome?", "It is in Italy. It is old. It is large."),
    ),
    Dimension(
        "repetition.lines",
        "repetition",
        "Share of the lines, outside lists, that are there once.",
        distinct_lines,
        passes=example("Write three lines.", "The sun is up\nThe birds are loud\nI would rather sleep"),
        fails=example("Write three lines.", "The sun is up\nThe birds are loud\nThe sun is up"),
    ),
    Dimension(
        "repetition.alternation",
        "repetition",
        "Words do not take turns, as in 'to be to be to'.",
        alternation,
        passes=example("Where is Rome?", "It is in Italy, near the sea."),
        fails=example("Where is Rome?", "It is it is it is in Italy."),
    ),
    Dimension(
        "repetition.dominant_word",
        "repetition",
        "No single word makes up much of a longer text.",
        no_dominant_word,
        passes=example("Tell me about Rome.", _PROSE),
        fails=example("Tell me about Rome.", "Rome and Rome or Rome is Rome the Rome of Rome to Rome by Rome " * 2),
    ),
    Dimension(
        "repetition.lexical_diversity",
        "repetition",
        "New words keep coming at the rate of prose, measured by MTLD.",
        lexical_diversity,
        passes=example("Tell me about Rome.", _PROSE),
        fails=example("Tell me about Rome.", _POOR),
    ),
    Dimension(
        "repetition.marks",
        "repetition",
        "Punctuation marks stand alone and not in rows.",
        single_marks,
        passes=example("Where is Rome?", "In Italy, of course!"),
        fails=example("Where is Rome?", "In Italy,,, of course!!!!"),
    ),
    Dimension(
        "repetition.earlier_answers",
        "repetition",
        "The answer does not serve an earlier answer up again to another question.",
        nothing_from_earlier_answers,
        passes=example("And Paris?", "Paris is the capital of France.", earlier=_ROME),
        fails=example("And Paris?", "Rome is in the middle of Italy.", earlier=_ROME),
    ),
)

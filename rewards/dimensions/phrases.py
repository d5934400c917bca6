"""How dimensions judge an answer by the phrases that give its manner away."""

from collections.abc import Callable

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.prose import NOT_PROSE, count_phrases, prose, read_prose, uses

Judge = Callable[[Transcript], float | None]


def phrase_list(text: str) -> tuple[str, ...]:
    """Phrases that are written with commas between."""
    return tuple(phrase.strip() for phrase in text.split(","))


def answers(said: tuple[str, ...], due: tuple[str, ...]) -> Judge:
    """Where the user says one of `said`, whether the answer holds one of `due`."""

    def score(transcript: Transcript) -> float | None:
        turn = transcript.last
        if turn.question.kind in NOT_PROSE or not uses(prose(turn.question.text), said):
            return None
        return float(uses(prose(turn.answer), due))

    return score


def few(phrases: tuple[str, ...], free: int = 0, languages: tuple[str, ...] = ()) -> Judge:
    """1 / (1 + uses of the phrases beyond the free ones)"""

    def score(transcript: Transcript) -> float | None:
        text = read_prose(transcript, languages)
        return None if text is None else 1.0 / (1.0 + max(0, count_phrases(text, phrases) - free))

    return score


def manner(
    name: str,
    description: str,
    score: Judge,
    question: str,
    passes: str,
    fails: str,
    languages: tuple[str, ...] = (),
) -> Dimension:
    """A dimension that two answers to one question show. `name` holds its family, as in "style.few_fillers"."""
    return Dimension(
        name,
        name.partition(".")[0],
        description,
        score,
        passes=example(question, passes),
        fails=example(question, fails),
        languages=languages,
    )

"""Families that are a drawing function and a check: all that such a scenario needs besides.

Level 0 asks a fixed set of openings, each of which a policy with random weights meets again and again; the levels above
it draw without end.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from envs.answers import plain
from envs.task import Dialog, Question, Task, Transcript, Turn
from envs.users import SimulatedUser

NUM_LISTED = 300  # draws, among which level 0 finds its openings

Draw = Callable[[str, int, int], tuple[Question, ...]]


def same_words(turn: Turn) -> bool:
    """Whether the answer is the right one: case, white space and a final full stop aside."""
    assert turn.question.answer is not None, turn.question
    return reading(turn.answer) == reading(turn.question.answer)


def same_text(turn: Turn) -> bool:
    """Whether the answer is the right one to the letter, white space around it aside."""
    return plain(turn.answer) == turn.question.answer


def reading(answer: str) -> str:
    """An answer in words as they are compared."""
    return " ".join(answer.strip().casefold().removesuffix(".").split())


@dataclass(frozen=True, slots=True)
class Drawn:
    """A scenario whose questions are a function of (language, level, number).

    Attributes:
        draw: the opening question and those that follow it, whatever the policy answers. Equal numbers, equal dialogs.
        is_right: whether a turn that was ended answers its question.

    Example: `Drawn("echo", "copying", "A digit to repeat.", ("en",), 1, lambda *key: (Question(...),))`
    """

    name: str
    domain: str
    description: str
    languages: tuple[str, ...]
    num_levels: int
    draw: Draw
    is_right: Callable[[Turn], bool] = same_words

    def size(self, language: str, level: int) -> int | None:
        return len(_openings(self.draw, language)) if level == 0 else None

    def dialog(self, task: Task) -> Dialog:
        number = task.seed
        if task.level == 0:
            openings = _openings(self.draw, task.language)
            number = openings[task.seed % len(openings)]
        return SimulatedUser(self.draw(task.language, task.level, number))

    def verify(self, transcript: Transcript) -> float:
        turn = transcript.last
        return float(turn.finish == "stop" and self.is_right(turn))


@lru_cache(1024)
def _openings(draw: Draw, language: str) -> tuple[int, ...]:
    """Of the first numbers of level 0, those that ask what none before them asks."""
    first: dict[str, int] = {}
    for number in range(NUM_LISTED):
        first.setdefault(draw(language, 0, number)[0].text, number)
    return tuple(first.values())

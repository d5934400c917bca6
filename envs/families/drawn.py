"""Levels that draw their questions from a number: the lowest one asks a fixed set of openings, the others have no end.

A policy with random weights meets each of the openings of level 0 again and again.
"""

from collections.abc import Callable
from functools import lru_cache

from envs.family import Level, asking
from envs.task import Question, Task

NUM_DRAWN = 300  # draws, among which level 0 finds its openings

Draw = Callable[[str, int, int], tuple[Question, ...]]


def drawn(draw: Draw, num_levels: int) -> tuple[Level, ...]:
    """`draw`: language, level, number -> the questions of a dialog."""

    def lowest(task: Task, number: int) -> tuple[Question, ...]:
        return draw(task.language, 0, _openings(draw, task.language)[number])

    def higher(task: Task, number: int) -> tuple[Question, ...]:
        return draw(task.language, task.level, number)

    return (
        Level(asking(lowest), lambda language: len(_openings(draw, language))),
        *(Level(asking(higher)) for _ in range(1, num_levels)),
    )


@lru_cache(1024)
def _openings(draw: Draw, language: str) -> tuple[int, ...]:
    """Of the first numbers of level 0, those that ask what none before them asks."""
    first: dict[str, int] = {}
    for number in range(NUM_DRAWN):
        first.setdefault(draw(language, 0, number)[0].text, number)
    return tuple(first.values())

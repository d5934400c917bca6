"""What all writing families share: how a dialog is planned, and how its demands are put in words."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from envs.chance import pick
from envs.constraint_examples import example
from envs.constraints import joined_phrases
from envs.families.writing_phrasings import WORDINGS
from envs.family import Family, Level, asking
from envs.task import Constraint, Question

T = TypeVar("T")


def writing(name: str, description: str, *levels: Level) -> Family:
    """A family of writing tasks; `description` says what is to be written."""
    return Family(name, "writing", description, levels, tuple(WORDINGS))


def level(plan: Callable[[str, int], tuple[Question, ...]], num_openings: int | None = None) -> Level:
    """`plan`: language, number -> the questions of a dialog. None: openings without end."""
    start = asking(lambda task, number: plan(task.language, number))
    return Level(start, None if num_openings is None else lambda language: num_openings)


def wording(language: str, ask: str, *key: str | int, **places: str) -> str:
    """One of the wordings for `ask` with its places filled; without a key the plainest."""
    wordings = WORDINGS[language][ask]
    return (pick(wordings, *key, "wording") if key else wordings[0]).format(**places)


def demanding(text: str, constraints: Sequence[Constraint], language: str) -> Question:
    """`text` with the demands in words after it. Raises ValueError where no answer is known that meets them."""
    demands = tuple(constraints)
    oracle = example(demands, language)
    return Question(f"{text} {joined_phrases(demands, language)}", oracle=oracle, constraints=demands)


def arrangement(pool: Sequence[T], number: int, count: int) -> list[T]:
    """`count` different ones of `pool` in some order; another one for each number below the number of them."""
    left = list(pool)
    chosen = []
    for _ in range(count):
        number, index = divmod(number, len(left))
        chosen.append(left.pop(index))
    return chosen


def num_arrangements(size: int, count: int) -> int:
    product = 1
    for taken in range(count):
        product *= size - taken
    return product

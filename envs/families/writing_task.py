"""What all writing families share: how a dialog is planned, and how an answer is judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from envs.answers import plain
from envs.chance import pick
from envs.constraint_examples import example
from envs.constraints import holds, joined_phrases
from envs.families.writing_phrasings import WORDINGS
from envs.prose import as_json, is_json
from envs.task import Constraint, Dialog, Question, Task, Transcript
from envs.users import SimulatedUser

T = TypeVar("T")
Plan = Callable[[str, int], tuple[Question, ...]]


@dataclass(frozen=True, slots=True)
class Level:
    """What one level asks.

    Attributes:
        plan: language, number -> the questions of a dialog. Each number below `size` gives another opening.
        size: None: too many openings to list; any number may be drawn.
    """

    plan: Plan
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Writing:
    """A family of writing tasks; `description` says what is to be written."""

    name: str
    description: str
    levels: tuple[Level, ...]
    domain: str = "writing"
    languages: tuple[str, ...] = tuple(WORDINGS)

    @property
    def num_levels(self) -> int:
        return len(self.levels)

    def size(self, language: str, level: int) -> int | None:
        return self.levels[level].size

    def dialog(self, task: Task) -> Dialog:
        level = self.levels[task.level]
        return SimulatedUser(level.plan(task.language, task.seed % level.size if level.size else task.seed))

    def verify(self, transcript: Transcript) -> float:
        return verify_writing(transcript)


def verify_writing(transcript: Transcript) -> float:
    """1 if the answer is the right one, or, where there are many, meets every demand of the question."""
    turn = transcript.last
    if turn.finish != "stop":
        return 0.0
    expected = turn.question.answer
    if expected is None:
        return float(all(holds(constraint, turn.answer) for constraint in turn.question.constraints))
    if turn.question.kind == "json":
        return float(is_json(turn.answer) and as_json(turn.answer) == as_json(expected))
    return float(plain(turn.answer) == expected)


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

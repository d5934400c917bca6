"""The one way to be a built-in scenario: a family of dialogs, level by level, and how an answer in it is judged.

A level says how a dialog starts; the modules in `envs/families/` make levels out of tables of facts, plans of questions
and goals. What all families owe to `envs.task.Scenario` is here: seeds are read modulo the number of openings, openings
are listed where they are few, and an answer that was cut off is never right.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envs.task import Dialog, PlayedDialog, Question, Task, Transcript
from envs.users import SimulatedUser
from envs.verdicts import verdict

MAX_LISTED = 10_000  # openings; levels with more are drawn from, not listed

Start = Callable[[Task, int], Dialog]
Plan = tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """What one level asks.

    Attributes:
        start: task, number -> the dialog. Each number below `num_openings` opens with another question.
        num_openings: by language; None: there is no end to them, and the number is the seed.
        is_varied: the opening depends on more of the task than the number, so that openings cannot be listed.
    """

    start: Start
    num_openings: Callable[[str], int] | None = None
    is_varied: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A `Scenario` with a `Level` for each of its levels.

    Attributes:
        judge: success of the last turn, 0 to 1, if it was ended; by the kind of its question where not said otherwise.

    Example: `Family("echo", "copying", "A digit to repeat.", listed(digits, num_levels=1), ("en",))`
    """

    name: str
    domain: str
    description: str
    levels: tuple[Level, ...]
    languages: tuple[str, ...]
    judge: Callable[[Transcript], float] = verdict

    @property
    def num_levels(self) -> int:
        return len(self.levels)

    def size(self, language: str, level: int) -> int | None:
        rule = self.levels[level]
        if rule.num_openings is None or rule.is_varied:
            return None
        size = rule.num_openings(language)
        return size if size <= MAX_LISTED else None

    def dialog(self, task: Task) -> Dialog:
        rule = self.levels[task.level]
        return rule.start(task, task.seed % rule.num_openings(task.language) if rule.num_openings else task.seed)

    def verify(self, transcript: Transcript) -> float:
        return self.judge(transcript) if transcript.last.finish == "stop" else 0.0


@dataclass(frozen=True, slots=True)
class PlayedFamily:
    """A family whose users may be played by a model, see `envs.task.Played`.

    Attributes:
        family: all that it is as a `Scenario`.
        player: task -> the conversation as the user's player has it.
        judge_user: success of the user's last turn, 0 to 1, if it was ended.
    """

    family: Family
    player: Callable[[Task], PlayedDialog]
    judge_user: Callable[[Transcript], float]

    @property
    def name(self) -> str:
        return self.family.name

    @property
    def domain(self) -> str:
        return self.family.domain

    @property
    def description(self) -> str:
        return self.family.description

    @property
    def languages(self) -> tuple[str, ...]:
        return self.family.languages

    @property
    def num_levels(self) -> int:
        return self.family.num_levels

    def size(self, language: str, level: int) -> int | None:
        return self.family.size(language, level)

    def dialog(self, task: Task) -> Dialog:
        return self.family.dialog(task)

    def verify(self, transcript: Transcript) -> float:
        return self.family.verify(transcript)

    def played(self, task: Task) -> PlayedDialog:
        return self.player(task)

    def verify_user(self, transcript: Transcript) -> float:
        return self.judge_user(transcript) if transcript.last.finish == "stop" else 0.0


def asking(plan: Callable[[Task, int], Sequence[Question]]) -> Start:
    """The start of a dialog with an easygoing user, who asks the planned questions whatever is answered."""
    return lambda task, number: SimulatedUser(plan(task, number))


def listed(plans: Callable[[str, int], Sequence[Plan]], num_levels: int) -> tuple[Level, ...]:
    """Levels whose dialogs are all in a list: language, level -> the questions of each."""

    def one(level: int) -> Level:
        return Level(
            asking(lambda task, number: plans(task.language, level)[number]),
            lambda language: len(plans(language, level)),
        )

    return tuple(map(one, range(num_levels)))

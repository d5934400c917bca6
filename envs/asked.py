"""The scenario `asked`: a question that somebody else has put into the task, such as one of a benchmark's files.

So an actor that talks through such dialogs reads no files, and a task is its own dialog on any machine. Whoever asks
judges the answer.
"""

from dataclasses import dataclass

from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser

NAME = "asked"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, that of the task."""

    name: str = NAME
    domain: str = "asked"
    languages: tuple[str, ...] = ("en",)
    num_levels: int = 1

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([Question(task.given)])

    def verify(self, transcript: Transcript) -> float:
        raise NotImplementedError(f"{transcript.task.id}: judged by whoever asked")


def asked(text: str, number: int) -> Task:
    """The task that asks `text`; `number` tells equal ones apart."""
    return Task(NAME, "en", 0, number, given=text)

"""A small library of scenarios that only have a name, a domain and languages."""

from dataclasses import dataclass

from envs.library import Library
from envs.mix import MixLine
from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser


@dataclass(frozen=True)
class Topic:
    """Asks for the number of the task."""

    name: str
    domain: str
    languages: tuple[str, ...] = ("en", "de", "fr")
    num_levels: int = 2

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([Question(f"{self.name}: {task.seed}?", str(task.seed))])

    def verify(self, transcript: Transcript) -> float:
        return float(transcript.last.answer == transcript.last.question.answer)


LIBRARY = Library(
    (
        Topic("sums", "math"),
        Topic("products", "math"),
        Topic("roots", "math", ("en", "de"), 3),
        Topic("riddles", "logic"),
        Topic("verses", "words", ("fr",), 1),
    )
)
LINES = tuple(MixLine(name) for name in ("sums", "products", "roots", "riddles"))

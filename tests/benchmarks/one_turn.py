"""A scenario for the benchmarks, named in `tasks.files` as a user's own: one fixed question, and the dialog is over."""

from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser

QUESTION = Question("Tell me a story that never ends, about a lighthouse and the sea.")


class OneTurn:
    """One question, one answer as long as the limit allows."""

    name = "one-turn"
    domain = "benchmark"
    languages: tuple[str, ...] = ("en",)
    num_levels = 1

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([QUESTION])

    def verify(self, transcript: Transcript) -> float:
        return float(transcript.last.finish == "length")


SCENARIOS = [OneTurn()]

"""The simulated user: walks a plan of questions, and minds when an answer makes no sense.

What a user does next depends on the plan, the persona and the policy's answers alone. A scenario derives the first two
from the task's seed, so a dialog can be held again exactly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from envs.task import Question


@dataclass(frozen=True, slots=True)
class Persona:
    """How a user takes answers that make no sense.

    Attributes:
        patience: how many times in a dialog they ask again before they leave; None: they never mind and just go on.
    """

    name: str
    patience: int | None


EASYGOING = Persona("easygoing", patience=None)
PATIENT = Persona("patient", patience=2)
IMPATIENT = Persona("impatient", patience=1)


def _always(answer: str) -> bool:
    return True


class SimulatedUser:
    """A `Dialog` that asks the questions of `plan` in order.

    Args:
        plan: the questions, the first of which opens the dialog. They do not depend on the policy's answers.
        understands: whether the user can make sense of an answer, right or wrong.
        complaints: wordings for asking again, with a place for `{question}`; taken in turn.

    Example: `SimulatedUser([Question("3+4=?", "7")])` asks once and leaves.
    """

    def __init__(
        self,
        plan: Sequence[Question],
        persona: Persona = EASYGOING,
        understands: Callable[[str], bool] = _always,
        complaints: Sequence[str] = ("{question}",),
    ) -> None:
        self.plan = tuple(plan)
        self.persona = persona
        self.understands = understands
        self.complaints = tuple(complaints)
        self.position = 0
        self.num_complaints = 0

    def open(self) -> Question:
        return self.plan[0]

    def reply(self, answer: str) -> Question | None:
        if self.persona.patience is None or self.understands(answer):
            self.position += 1
            return self.plan[self.position] if self.position < len(self.plan) else None
        if self.num_complaints == self.persona.patience:
            return None
        return self._ask_again()

    def _ask_again(self) -> Question:
        question = self.plan[self.position]
        complaint = self.complaints[self.num_complaints % len(self.complaints)]
        self.num_complaints += 1
        return replace(question, text=complaint.format(question=question.text))

"""The simulated user: walks a plan of questions in a manner of their own, and minds when an answer makes no sense.

What a user does next depends on the plan, the persona and the policy's answers alone. A scenario derives the first two
from the task's seed, so a dialog can be held again exactly. A user whose next words depend on what the policy said is
`envs.goals.GoalUser`; how a persona words things is `envs.speech`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from envs.task import Question

Voice = Callable[[str, int], str]  # how the user puts a text that is their n-th (0-based) in the dialog


@dataclass(frozen=True, slots=True)
class Persona:
    """How a user speaks, and how they take answers that make no sense.

    Attributes:
        patience: how many times in a dialog they ask again before they leave; None: they never mind and just go on.
        typos: share of the longer words that they misspell, 0 to 1.
        small_talk: share of their turns that begin with a remark about something else, 0 to 1.
        terse: they say no more than they must, and end no sentence.
        changes_topic: once in a dialog they ask about something else, and come back.
        corrects_itself: once in a dialog they say something wrong, and put it right in their next turn.
    """

    name: str
    patience: int | None
    typos: float = 0.0
    small_talk: float = 0.0
    terse: bool = False
    changes_topic: bool = False
    corrects_itself: bool = False


EASYGOING = Persona("easygoing", patience=None)
PATIENT = Persona("patient", patience=2)
IMPATIENT = Persona("impatient", patience=1)
TERSE = Persona("terse", patience=1, terse=True)
CHATTY = Persona("chatty", patience=2, small_talk=0.6)
SLOPPY = Persona("sloppy", patience=2, typos=0.3)
RAMBLING = Persona("rambling", patience=2, changes_topic=True)
WAVERING = Persona("wavering", patience=2, corrects_itself=True)

CROWD = (PATIENT, IMPATIENT, TERSE, CHATTY, SLOPPY, RAMBLING, WAVERING)


def _always(answer: str) -> bool:
    return True


def _plainly(text: str, turn: int) -> str:
    return text


class SimulatedUser:
    """A `Dialog` that asks the questions of `plan` in order.

    Args:
        plan: the questions, the first of which opens the dialog. They do not depend on the policy's answers.
        understands: whether the user can make sense of an answer, right or wrong.
        complaints: wordings for asking again, with a place for `{question}`; taken in turn.
        voice: how the user puts what they say.

    Example: `SimulatedUser([Question("3+4=?", "7")])` asks once and leaves.
    """

    def __init__(
        self,
        plan: Sequence[Question],
        persona: Persona = EASYGOING,
        understands: Callable[[str], bool] = _always,
        complaints: Sequence[str] = ("{question}",),
        voice: Voice = _plainly,
    ) -> None:
        self.plan = tuple(plan)
        self.persona = persona
        self.understands = understands
        self.complaints = tuple(complaints)
        self.voice = voice
        self.position = 0
        self.num_complaints = 0

    def open(self) -> Question:
        return self._ask(self.plan[0].text)

    def reply(self, answer: str) -> Question | None:
        if self.persona.patience is None or self.understands(answer):
            self.position += 1
            return self._ask(self.plan[self.position].text) if self.position < len(self.plan) else None
        if self.num_complaints == self.persona.patience:
            return None
        complaint = self.complaints[self.num_complaints % len(self.complaints)]
        self.num_complaints += 1
        return self._ask(complaint.format(question=self.plan[self.position].text))

    def _ask(self, text: str) -> Question:
        return replace(self.plan[self.position], text=self.voice(text, self.position + self.num_complaints))

"""The one scenario class of the how-to family: dialogs listed by a function, and how their answers are judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from envs.answers import final_number, plain
from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.matching import success
from envs.knowledge.procedures import PROCEDURES
from envs.task import Dialog, Question, Task, Transcript, stable_hash
from envs.users import SimulatedUser

NUM_LEVELS = 3

Plan = tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class HowTo:
    """Questions about everyday procedures: steps, their order, tools and amounts.

    Attributes:
        plans: all dialogs of a language and a level, each as its questions; the openings differ.
    """

    name: str
    description: str
    plans: Callable[[str, int], tuple[Plan, ...]]
    domain: str = "how-to"
    languages: tuple[str, ...] = LANGUAGES
    num_levels: int = NUM_LEVELS

    def size(self, language: str, level: int) -> int | None:
        return len(_distinct(self.plans, language, level))

    def dialog(self, task: Task) -> Dialog:
        plans = _distinct(self.plans, task.language, task.level)
        return SimulatedUser(plans[task.seed % len(plans)])

    def verify(self, transcript: Transcript) -> float:
        return verify(transcript)


def verify(transcript: Transcript) -> float:
    """Success of the last turn, 0 to 1; only an explanation can be right in part."""
    turn = transcript.last
    if turn.finish != "stop":
        return 0.0
    match turn.question.kind:
        case "amount":
            number = final_number(turn.answer)
            low, high = (float(constraint.value) for constraint in turn.question.constraints)
            return float(number is not None and low <= number <= high)
        case "procedure":
            asked = next(item for item in PROCEDURES if item.name == turn.question.constraints[0].value)
            return success(asked, turn.answer, transcript.task.language)
    return float(plain(turn.answer).casefold() == turn.question.answer)


@cache
def _distinct(build: Callable[[str, int], tuple[Plan, ...]], language: str, level: int) -> tuple[Plan, ...]:
    """The plans in a mixed order, so that the first few are varied; of equal openings the first one."""
    by_opening = {plan[0].text: plan for plan in reversed(build(language, level))}
    return tuple(sorted(by_opening.values(), key=lambda plan: stable_hash(plan[0].text)))

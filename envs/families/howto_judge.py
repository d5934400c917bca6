"""How answers about everyday procedures are judged: amounts, and explanations in free words."""

from envs.answers import final_number
from envs.knowledge.matching import success
from envs.knowledge.procedures import PROCEDURES
from envs.task import Transcript
from envs.verdicts import verdict


def judge(transcript: Transcript) -> float:
    """Success of the last turn, 0 to 1; only an explanation can be right in part."""
    turn = transcript.last
    match turn.question.kind:
        case "amount":
            number = final_number(turn.answer)
            low, high = (float(constraint.value) for constraint in turn.question.constraints)
            return float(number is not None and low <= number <= high)
        case "procedure":
            asked = next(item for item in PROCEDURES if item.name == turn.question.constraints[0].value)
            return success(asked, turn.answer, transcript.task.language)
    return verdict(transcript)

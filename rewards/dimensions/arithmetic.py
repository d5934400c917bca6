"""Do the calculations that an answer shows hold, and do they lead to what it says? Right or wrong as a whole is
another matter, see `answer.py`."""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.equations import steps
from rewards.reading import last_number, numbers_inside


def steps_hold(transcript: Transcript) -> float | None:
    stated = steps(transcript.last.answer)
    return sum(step.holds for step in stated) / len(stated) if stated else None


def step_leads_to_answer(transcript: Transcript) -> float | None:
    text = transcript.last.answer
    stated = steps(text)
    if not stated:
        return None
    final = last_number(text)
    return float(any(step.result == final for step in stated))


def uses_given_numbers(transcript: Transcript) -> float | None:
    stated = steps(transcript.last.answer)
    if not stated:
        return None
    given = {abs(number) for number in numbers_inside(transcript.last.question.text)}
    used = {abs(operand) for step in stated for operand in step.operands}
    return len(given & used) / len(given) if given else None


def _sum_of_12_and_30(answer: str) -> Transcript:
    return example("What is 12 + 30?", answer, expected="42", kind="integer")


DIMENSIONS = (
    Dimension(
        "arithmetic.steps_hold",
        "arithmetic",
        "Share of the equations stated in the answer that are true.",
        steps_hold,
        passes=_sum_of_12_and_30("12 + 30 = 42"),
        fails=_sum_of_12_and_30("12 + 30 = 43"),
    ),
    Dimension(
        "arithmetic.step_leads_to_answer",
        "arithmetic",
        "The number that the answer ends in is the result of a step that it states.",
        step_leads_to_answer,
        passes=_sum_of_12_and_30("12 + 30 = 42. So it is 42."),
        fails=_sum_of_12_and_30("12 + 30 = 42. So it is 40."),
    ),
    Dimension(
        "arithmetic.uses_given_numbers",
        "arithmetic",
        "Share of the question's numbers that the stated steps calculate with.",
        uses_given_numbers,
        passes=_sum_of_12_and_30("12 + 30 = 42"),
        fails=_sum_of_12_and_30("40 + 2 = 42"),
    ),
)

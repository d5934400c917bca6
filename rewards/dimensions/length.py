"""Is the answer as long as it needs to be?"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.reading import SHORT_KINDS

ENOUGH_CHARACTERS = 400  # for a free text, a paragraph
ENOUGH_CHARACTERS_SHORT = 4  # for a number or a choice whose right answer is shorter or unknown
BUDGET_TOKENS = 256
BUDGET_TOKENS_SHORT = 16


def concise(transcript: Transcript) -> float | None:
    """min(1, allowance / length): an answer of twice the length that is due gets one half."""
    turn = transcript.last
    length = len(turn.answer.strip())
    if not length:
        return None
    enough = ENOUGH_CHARACTERS_SHORT if turn.question.kind in SHORT_KINDS else ENOUGH_CHARACTERS
    allowance = max(enough, len(turn.question.answer or ""))
    return min(1.0, allowance / length)


def within_budget(transcript: Transcript) -> float:
    """1 up to the budget, then linearly down to 0 at twice the budget (soft overlong punishment, DAPO, eq. 13)."""
    turn = transcript.last
    budget = BUDGET_TOKENS_SHORT if turn.question.kind in SHORT_KINDS else BUDGET_TOKENS
    return min(1.0, max(0.0, 2.0 - turn.num_tokens / budget))


DIMENSIONS = (
    Dimension(
        "length.concise",
        "length",
        "The answer is not longer, in characters, than its kind of question calls for.",
        concise,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("777 777 777"),
    ),
    Dimension(
        "length.within_budget",
        "length",
        "The answer stays within the tokens that its kind of question calls for.",
        within_budget,
        passes=example("Name a colour.", "Red.", num_tokens=3),
        fails=example("Name a colour.", "Red or blue " * 120, num_tokens=400),
    ),
)

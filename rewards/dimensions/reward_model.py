"""What a trained reward model says of a dialog, as a dimension beside the rules.

It needs torch and a model, which reward workers do without: here it abstains, and workers of its own fill in its column
(`cluster/model_rewards.py`). So it is weighed, normalised, gated, stored and reported as any other.
"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import sum_of_3_and_4

MODEL_REWARD = "model.reward"
LARGEST = 1000.0  # a reward model that says more than that is broken


def abstain(transcript: Transcript) -> float | None:
    return None


REWARD_MODEL = Dimension(
    MODEL_REWARD,
    "model",
    "A reward model, trained on which of two answers is preferred, gives the dialog up to this answer a high score.",
    abstain,
    passes=sum_of_3_and_4("7"),
    fails=sum_of_3_and_4("no"),
    low=-LARGEST,
    high=LARGEST,
    cost="expensive",
)

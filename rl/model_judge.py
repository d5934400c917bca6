"""A reward model as a judge of transcripts: what its workers run. Rules are judged elsewhere, see `rewards.score`."""

from collections.abc import Sequence

import numpy as np
import torch

from envs.task import Transcript
from models.reward_model import RewardModel, is_reward_model
from models.tokenizer import ModelError
from rewards.dimensions.reward_model import LARGEST, MODEL_REWARD, REWARD_MODEL
from rewards.score import SUCCESS, DialogScore, RewardError
from rl.config import RewardServiceConfig


class ModelJudge:
    """Judges dialogs in the one dimension `model.reward`; whether they succeed is not its to say, and is NaN.

    The score of a turn is that of the dialog up to its answer. It does not depend on what else is judged beside it.
    """

    columns = (MODEL_REWARD, SUCCESS)

    def __init__(self, model: RewardModel) -> None:
        self._model = model

    def warm_up(self) -> None:
        self.try_score([REWARD_MODEL.passes])

    def try_score(self, transcripts: Sequence[Transcript]) -> list[DialogScore | RewardError]:
        """All dialogs together; one whose score is no number gets the error in its place."""
        dialogs = [[(turn.question.text, turn.answer) for turn in transcript.turns] for transcript in transcripts]
        return [_checked(t, scores) for t, scores in zip(transcripts, self._model.score(dialogs), strict=True)]

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        """The last turn, as `try_score` judges it. Raises RewardError."""
        if name == SUCCESS:
            return float("nan")
        [outcome] = self.try_score([transcript])
        if isinstance(outcome, RewardError):
            raise outcome
        return float(outcome.vector[-1, 0])


def build_model_judge(service: RewardServiceConfig) -> ModelJudge:
    """Raises `models.tokenizer.ModelError` where the folder holds no reward model."""
    model = RewardModel(
        service.name_or_path,
        max_length=service.max_length,
        micro_batch_tokens=service.micro_batch_tokens,
        device="cuda" if service.num_gpus else "cpu",
        dtype=torch.bfloat16 if service.dtype == "bfloat16" else torch.float32,
    )
    return ModelJudge(model)


def require_reward_model(service: RewardServiceConfig) -> None:
    """Look before anything is started. Raises ModelError."""
    if service.name_or_path and not is_reward_model(service.name_or_path):
        raise ModelError(
            f"rewards.model.name_or_path = {service.name_or_path}: is no reward model; a stage of kind reward_model "
            "makes one"
        )


def with_model_reward(rules: DialogScore, model: DialogScore | None, column: int) -> DialogScore:
    """The judgement of the rules with the reward model's in its column; None: it was not asked, and abstains."""
    vector = rules.vector.copy()
    vector[:, column] = np.nan if model is None else model.vector[:, 0]
    return DialogScore(vector, rules.success)


def _checked(transcript: Transcript, scores: np.ndarray) -> DialogScore | RewardError:
    wrong = np.flatnonzero(~(np.abs(scores) <= LARGEST))  # NaN too
    if len(wrong):
        cause = f"the score is {scores[wrong[0]]:g}, outside [{-LARGEST:g}, {LARGEST:g}]"
        return RewardError(MODEL_REWARD, transcript.task.id, int(wrong[0]), cause)
    return DialogScore(scores[:, None], np.full(len(scores), np.nan, np.float32))

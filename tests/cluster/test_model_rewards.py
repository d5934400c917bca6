"""Rules and reward model side by side: the column, roles, errors of either; and the real actor."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from cluster.model_rewards import RulesAndModel, start_reward_models
from cluster.placement import Bundle, Demand, Placement
from cluster.rewards import RewardFleet
from models.policy import random_policy, save_model_folder
from models.reward_model import RewardModel, with_head
from models.tokenizer import train_tokenizer
from rewards.score import DialogScore, RewardError
from rl.config import RewardServiceConfig
from rl.trajectory import Trajectory
from tests.models.ranks import tiny_config
from tests.rl.builders import request, trajectory


class Judges:
    """Judges by the length of answers in `depth` columns; an answer "broken" is an error."""

    def __init__(self, depth: int) -> None:
        self.depth, self.asked = depth, list[str]()

    async def score(self, trajectories: Sequence[Trajectory]) -> list[DialogScore | RewardError]:
        self.asked += [t.request.id for t in trajectories]
        return [self._judge(t) for t in trajectories]

    def _judge(self, dialog: Trajectory) -> DialogScore | RewardError:
        lengths = np.array([len(turn.answer) for turn in dialog.turns], np.float32)
        if any(turn.answer == "broken" for turn in dialog.turns):
            return RewardError(f"of {self.depth}", dialog.request.task.id, 0, "broken", dialog.request.id)
        return DialogScore(np.repeat(lengths[:, None], self.depth, axis=1), lengths)


def both() -> tuple[RulesAndModel, Judges]:
    model = Judges(1)
    return RulesAndModel(cast(RewardFleet, Judges(3)), cast(RewardFleet, model), column=2), model


async def test_every_dialog_gets_both() -> None:
    rewards, _ = both()
    outcomes = await rewards.score([trajectory(request(0, n), ["x" * n, "yy"]) for n in (1, 3)])
    assert [o.vector.tolist() for o in outcomes if isinstance(o, DialogScore)] == [
        [[1, 1, 1], [2, 2, 2]],
        [[3, 3, 3], [2, 2, 2]],
    ]


async def test_the_model_abstains_from_other_roles() -> None:
    rewards, model = both()
    user = trajectory(replace(request(0, 1), role="user"), ["abc"])
    assistant, said = await rewards.score([trajectory(request(0, 1), ["abc"]), user])
    assert isinstance(assistant, DialogScore) and isinstance(said, DialogScore)
    assert assistant.vector.tolist() == [[3, 3, 3]]
    assert said.vector[0, :2].tolist() == [3, 3] and np.isnan(said.vector[0, 2])
    assert model.asked == ["train-0-1-0"]


async def test_what_one_of_them_cannot_judge_is_an_error() -> None:
    rewards, _ = both()
    fine, error = await rewards.score([trajectory(request(0, 0), ["a"]), trajectory(request(0, 1), ["broken"])])
    assert isinstance(fine, DialogScore) and isinstance(error, RewardError)
    assert error.dimension == "of 3"


@pytest.mark.e2e
@pytest.mark.usefixtures("ray_cluster")
async def test_real_workers_say_what_the_model_says(tmp_path: Path) -> None:
    tokenizer = train_tokenizer([""], vocab_size=262)
    policy = random_policy(tiny_config(vocab_size=262), seed=1)
    save_model_folder(with_head(policy, seed=2, pad_token_id=0), tokenizer, tmp_path / "model")
    dialogs = [trajectory(request(0, n), ["x" * n, "and more"]) for n in range(1, 6)]
    placement = Placement((Demand("reward model", Bundle(cpus=1.0), 2),), {})
    service = RewardServiceConfig(name_or_path=str(tmp_path / "model"), num_workers=2)
    members = start_reward_models(service, placement)
    fleet = RewardFleet(members, timeout_seconds=60.0, max_retries=1)
    outcomes = await fleet.score(dialogs)
    fleet.stop()
    texts = [[(turn.question.text, turn.answer) for turn in dialog.turns] for dialog in dialogs]
    expected = RewardModel(tmp_path / "model").score(texts)
    for outcome, scores in zip(outcomes, expected, strict=True):
        assert isinstance(outcome, DialogScore)
        assert outcome.vector[:, 0].tolist() == scores.tolist()

"""Baselines by role, with numbers worked by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rl.baselines import Baselines
from rl.batch import Advantages, Annotations, Batch, pack
from rl.checkpoint import RunState
from rl.config import PPOConfig
from rl.role_advantages import estimate_roles
from rl.trajectory import ROLES
from tests.rl.builders import request, scored, trajectory

PROPOSER, USER = ROLES.index("proposer"), ROLES.index("user")
PPO = PPOConfig(advantage_estimator="dr_grpo", turn_gamma=0.0)


def batch(*rewards: tuple[float, ...], roles: tuple[int, ...]) -> Batch:
    """A dialog a row, a token of the policy for each reward."""
    rows = [
        scored(trajectory(replace(request(group=i), role=ROLES[role]), ["7"] * len(turns)), turns)
        for i, (turns, role) in enumerate(zip(rewards, roles, strict=True))
    ]
    return pack(rows, reward_clip=10.0)


def per_turn(found: Batch, advantages: np.ndarray) -> list[list[float]]:
    return [pytest.approx(row[mask].tolist()) for row, mask in zip(advantages, found.action_mask, strict=True)]


def estimate(found: Batch, baselines: Baselines, ppo: PPOConfig = PPO, half_life: int = 2):
    nothing = np.zeros(found.tokens.shape, np.float32)
    whole = Advantages(np.where(found.action_mask, np.float32(9.0), np.float32(0.0)), nothing)
    return estimate_roles(whole, found, Annotations(nothing, None, None), ppo, 0.0, baselines, half_life=half_life)


def test_the_first_batch_is_compared_with_its_own_mean() -> None:
    found = batch((1.0, 0.0), (0.0, 1.0), (2.0,), roles=(PROPOSER, PROPOSER, PROPOSER))
    advantages, after = estimate(found, Baselines())
    assert per_turn(found, advantages.advantages) == [[0.0, -0.5], [-1.0, 0.5], [1.0]]
    assert after.means == {"proposer": (1.0, 0.5)}


def test_later_ones_with_the_mean_of_those_before() -> None:
    """Two dialogs at a half-life of two: the old mean counts half."""
    found = batch((4.0, 1.0), (2.0, 1.0), roles=(PROPOSER, PROPOSER))
    advantages, after = estimate(found, Baselines({"proposer": (1.0, 0.5)}))
    assert per_turn(found, advantages.advantages) == [[3.0, 0.5], [1.0, 0.5]]
    assert after.means["proposer"] == pytest.approx((0.5 * 1.0 + 0.5 * 3.0, 0.5 * 0.5 + 0.5 * 1.0))


def test_roles_do_not_mix_and_the_assistant_keeps_its_own_advantages() -> None:
    found = batch((1.0,), (5.0,), (3.0,), roles=(PROPOSER, USER, 0))
    advantages, after = estimate(found, Baselines({"proposer": (0.0,), "user": (4.0,)}), half_life=1)
    assert per_turn(found, advantages.advantages) == [[1.0], [1.0], [9.0]]
    assert after.means == {"proposer": (0.5,), "user": (4.5,)}


def test_later_turns_count_by_the_discount() -> None:
    found = batch((1.0, 2.0), roles=(PROPOSER,))
    ppo = PPO.model_copy(update={"turn_gamma": 0.5, "negative_advantage_scale": 0.1})
    advantages, _ = estimate(found, Baselines({"proposer": (3.0, 1.0)}), ppo)
    assert per_turn(found, advantages.advantages) == [[0.1 * (1.0 + 0.5 * 2.0 - 3.0), 1.0]]


def test_a_turn_that_nobody_reached_keeps_its_mean() -> None:
    _, after = estimate(batch((1.0,), roles=(PROPOSER,)), Baselines({"proposer": (0.0, 7.0)}), half_life=1)
    assert after.means == {"proposer": (0.5, 7.0)}


def test_a_checkpoint_keeps_them_to_the_last_bit() -> None:
    baselines = Baselines({"proposer": (1 / 3, None, 0.1 + 0.2), "user": (np.nextafter(1.0, 2.0),)})
    state = RunState.model_validate_json(RunState(step=1, baselines=baselines).model_dump_json(indent=1))
    assert state.baselines == baselines
    assert "proposer" in json.loads(state.model_dump_json())["baselines"]["means"]

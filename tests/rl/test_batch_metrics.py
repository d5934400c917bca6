"""Numbers worked by hand."""

from dataclasses import replace

import numpy as np
import pytest

from rl.batch import Advantages, Annotations, Batch, pack
from rl.batch_metrics import (
    MismatchError,
    mismatch_metrics,
    reward_metrics,
    rollout_metrics,
    staleness_metrics,
    user_metrics,
    value_metrics,
)
from rl.trajectory import Score, Scored
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory


def judged(vector: list[list[float]], scalar: list[float], success: list[float]) -> Scored:
    answers = ["7"] * len(scalar)
    return Scored(trajectory(request(), answers), Score(*(np.array(x, np.float32) for x in (vector, scalar, success))))


def test_rewards_are_means_over_turns_and_over_what_a_dimension_judged() -> None:
    nan = float("nan")
    rows = [
        judged([[1.0, nan, nan], [0.0, 4.0, nan]], scalar=[1.0, 2.0], success=[1.0, 0.0]),
        lost(),
        judged([[0.5, nan, nan]], scalar=[6.0], success=[1.0]),
    ]
    metrics = reward_metrics(rows, DIMENSIONS)
    assert metrics == {
        "reward/math.correct": 0.5,
        "reward/format.short": 4.0,
        # language.english judged nothing, and says nothing
        "reward/mean": 3.0,
        "success/mean": pytest.approx(2 / 3),
    }


def test_users_are_measured_apart_from_their_assistants() -> None:
    assistant, user = judged([[1.0, 0.0, 0.0]], [2.0], [1.0]), judged([[3.0, 0.0, 0.0]] * 2, [4.0, 8.0], [0.0, 1.0])
    user = replace(user, trajectory=replace(user.trajectory, request=replace(request(), role="user")))
    assert reward_metrics([assistant, user], DIMENSIONS)["reward/math.correct"] == 1.0
    assert reward_metrics([assistant, user], DIMENSIONS)["reward/mean"] == 2.0
    assert user_metrics([assistant, user]) == {"selfplay/reward_user": 6.0, "selfplay/success_user": 0.5}
    past = replace(user.trajectory, request=replace(user.trajectory.request, opponent="opponents/step-000001"))
    assert user_metrics([assistant, replace(user, trajectory=past)]) == {}
    assert user_metrics([assistant]) == {}


def test_an_iteration_whose_users_asked_nothing_has_numbers_too() -> None:
    silent = Scored(trajectory(request(), ()), Score(np.zeros((0, 3), np.float32), np.zeros(0), np.zeros(0)))
    metrics = reward_metrics([silent], DIMENSIONS)
    assert metrics.keys() == {"reward/mean", "success/mean"}
    assert np.isnan(list(metrics.values())).all()
    assert rollout_metrics([silent]) == {
        "episodes/ok": 1.0,
        "episodes/truncated": 0.0,
        "episodes/failed": 0.0,
        "episodes/stale": 0.0,
    }


def test_lengths_and_statuses() -> None:
    rows = [
        scored(trajectory(request(0, 0), ("12", "3456"))),
        scored(trajectory(request(0, 1), ("123456",), status="truncated", finish="length")),
        scored(trajectory(request(0, 2), ("",), status="stale")),
        lost(),
    ]
    assert rollout_metrics(rows) == {
        "response_length/mean": 3.0,  # 2, 4, 6 and 0
        "response_length/max": 6.0,
        "response_length/clip_ratio": 0.25,
        "rollout/turns_per_episode": 4 / 3,  # the lost one never spoke
        "episodes/ok": 1.0,
        "episodes/truncated": 1.0,
        "episodes/failed": 1.0,
        "episodes/stale": 1.0,
    }


def notes_beside(batch: Batch, *differences: float) -> Annotations:
    """What a learner says that differs from the sampler by so much, action token by action token."""
    logprobs = batch.sampler_logprobs.copy()
    logprobs[batch.action_mask] -= np.array(differences, np.float32)
    logprobs[~batch.action_mask] = 99.0  # is not looked at
    return Annotations(logprobs, None, None)


def test_mismatch_is_sampler_minus_learner_over_action_tokens() -> None:
    batch = pack([scored(trajectory(request(), ("12", "3"), version=4))], reward_clip=10.0)
    metrics = mismatch_metrics(batch, notes_beside(batch, 0.25, -0.5, 0.0), version=4, limit=0.5)
    assert metrics == pytest.approx({"mismatch/kl": -0.25 / 3, "mismatch/max_logprob_gap": 0.5}, abs=1e-6)


def test_mismatch_looks_at_rows_of_the_current_weights_only() -> None:
    old = scored(trajectory(request(0, 0), ("1",), version=3))
    mixed = trajectory(request(0, 1), ("12",), version=4)
    mixed.versions[np.flatnonzero(mixed.action_mask)[0]] = 3
    new = scored(trajectory(request(0, 2), ("1",), version=4))
    batch = pack([old, scored(mixed), new], reward_clip=10.0)
    metrics = mismatch_metrics(batch, notes_beside(batch, 8.0, 8.0, 8.0, 0.125), version=4, limit=0.5)
    assert metrics == pytest.approx({"mismatch/kl": 0.125, "mismatch/max_logprob_gap": 0.125}, abs=1e-6)
    assert mismatch_metrics(batch, notes_beside(batch, 8.0, 8.0, 8.0, 8.0), version=5, limit=0.5) == {}


@pytest.mark.parametrize("difference", [0.51, -0.51, float("nan"), float("inf")])
def test_a_gap_above_the_limit_or_no_number_is_an_error(difference: float) -> None:
    batch = pack([scored(trajectory(request(), ("12",)))], reward_clip=10.0)
    with pytest.raises(MismatchError, match=r"more than rollout\.max_logprob_gap = 0\.5: they do not run the same"):
        mismatch_metrics(batch, notes_beside(batch, 0.0, difference), version=0, limit=0.5)


def test_explained_variance() -> None:
    """Returns 1, 2, 3 (variance 2/3) and values 1, 2, 2: errors 0, 0, 1 have variance 2/9, so 2/3 is explained."""
    batch = pack([scored(trajectory(request(), ("123",), questions=("?",)))], reward_clip=10.0)
    assert batch.action_mask.tolist() == [[False, True, True, True]]
    returns = np.array([[50.0, 1.0, 2.0, 3.0]], np.float32)
    values = np.array([[50.0, 1.0, 2.0, 2.0, 50.0]], np.float32)  # one column more, of the whole dialog
    advantages = np.array([[50.0, -1.0, 0.0, 1.0]], np.float32)
    notes = Annotations(np.zeros_like(returns), None, values)
    metrics = value_metrics(batch, notes, Advantages(advantages, returns))
    assert metrics == pytest.approx({"advantages/std": np.sqrt(2 / 3), "critic/vf_explained_var": 2 / 3}, abs=1e-6)
    without = value_metrics(batch, replace(notes, values=None), Advantages(advantages, returns))
    assert without.keys() == {"advantages/std"}


def test_a_critic_as_good_as_a_constant_explains_nothing() -> None:
    batch = pack([scored(trajectory(request(), ("123",), questions=("?",)))], reward_clip=10.0)
    returns = np.array([[0.0, 1.0, 2.0, 3.0]], np.float32)
    notes = Annotations(np.zeros_like(returns), None, np.full((1, 5), 7.0, np.float32))
    metrics = value_metrics(batch, notes, Advantages(returns, returns))
    assert metrics["critic/vf_explained_var"] == pytest.approx(0.0, abs=1e-6)


def test_the_share_that_is_too_old():
    mixed = trajectory(request(0, 0), ("one two three",), version=3)
    mixed.versions[np.flatnonzero(mixed.action_mask)[0]] = 1
    batch = pack([scored(mixed)], reward_clip=10)
    share = staleness_metrics(batch, 2)["rollout/stale_tokens"]
    assert share == pytest.approx(1 / batch.num_action_tokens)
    assert staleness_metrics(batch, 1) == {"rollout/stale_tokens": 0.0}

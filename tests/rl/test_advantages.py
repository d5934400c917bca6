"""Rows are drawn as text: "q" is a token of the user, "A", "B", "C" of the policy in its turns 0, 1, 2, "." padding."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from rl.advantages import (
    ESTIMATORS,
    dr_grpo,
    estimate,
    gae,
    grpo,
    reinforce_plus_plus,
    rloo,
    scale_negative,
    turn_returns,
    whiten,
)
from rl.batch import Annotations, Batch
from rl.config import PPOConfig


def t(x) -> torch.Tensor:
    return torch.tensor(x, dtype=torch.float64)


def batch_of(*rows: str, rewards=None, truncated=None, groups=None) -> Batch:
    turns = np.array([["ABC".find(c) for c in row] for row in rows], np.int32)
    mask = turns >= 0
    return Batch(
        tokens=np.zeros_like(turns),
        lengths=np.array([len(row.rstrip(".")) for row in rows], np.int32),
        action_mask=mask,
        turn_index=turns,
        sampler_logprobs=np.zeros(mask.shape, np.float32),
        rewards=np.zeros(mask.shape, np.float32) if rewards is None else np.array(rewards, np.float32),
        truncated=np.zeros(len(rows), bool) if truncated is None else np.array(truncated),
        groups=np.arange(len(rows), dtype=np.int32) if groups is None else np.array(groups, np.int32),
        versions=np.where(mask, 0, -1).astype(np.int32),
        roles=np.zeros(len(rows), np.int8),
    )


def random_batch(rng: np.random.Generator) -> tuple[Batch, Annotations]:
    rows = ["qAAqqBBqC..", "qqA........", "qAqBB......", "qAqqqBBBBCq", "qqq........", "AAAA......."]
    batch = batch_of(*rows, truncated=[False, True, True, False, True, False], groups=[0, 0, 0, 1, 1, 1])
    batch = replace(
        batch, rewards=np.where(batch.action_mask, rng.normal(size=batch.action_mask.shape), 0).astype("f4")
    )
    logprobs, ref_logprobs = rng.normal(size=(2, *batch.rewards.shape)).astype(np.float32)
    values = rng.normal(size=(len(rows), len(rows[0]) + 1)).astype(np.float32)
    return batch, Annotations(logprobs, ref_logprobs, values)


def run_gae(batch: Batch, values, *, gamma: float, lam: float) -> tuple[np.ndarray, np.ndarray]:
    mask, truncated, lengths = (torch.tensor(x) for x in (batch.action_mask, batch.truncated, batch.lengths))
    advantages, returns = gae(t(batch.rewards), t(values), mask, truncated, lengths, gamma=gamma, lam=lam)
    return advantages.numpy(), returns.numpy()


# --- GAE


def test_gae_by_hand():
    batch = batch_of("qAA", rewards=[[99, 0, 1]])
    advantages, returns = run_gae(batch, [[9.0, 0.5, 0.6, 9.0]], gamma=0.9, lam=0.8)
    # delta_2 = 1 - 0.6 = 0.4;    delta_1 = 0.9 * 0.6 - 0.5 = 0.04;    A_1 = 0.04 + 0.72 * 0.4 = 0.328
    np.testing.assert_allclose(advantages, [[0, 0.328, 0.4]])
    np.testing.assert_allclose(returns, [[0, 0.828, 1.0]])


def test_gae_bootstraps_a_truncated_row_from_the_value_of_the_whole_dialog():
    batch = batch_of("qAAq.", "qAAq.", truncated=[True, False])
    values = [[9.0, 0.5, 0.6, 9.0, 2.0, 9.0]] * 2
    advantages, _ = run_gae(batch, values, gamma=0.9, lam=0.8)
    # cut off: delta_2 = 0.9 * V(4 tokens) - 0.6 = 1.2;    ended: delta_2 = -0.6
    np.testing.assert_allclose(advantages[:, 2], [1.2, -0.6])


def test_gae_carries_through_what_the_policy_did_not_write():
    plain = run_gae(batch_of("AB", rewards=[[1, 2]]), [[0.1, 0.2, 9.0]], gamma=0.9, lam=0.5)
    mixed = run_gae(
        batch_of("qqAqqqB", rewards=[[0, 0, 1, 0, 0, 0, 2]]), [[9, 9, 0.1, 9, 9, 9, 0.2, 9]], gamma=0.9, lam=0.5
    )
    for with_gaps, without in zip(mixed, plain, strict=True):
        np.testing.assert_allclose(with_gaps[:, [2, 6]], without)


@pytest.mark.parametrize(("gamma", "lam"), [(1.0, 0.95), (0.9, 0.7), (0.99, 0.0), (1.0, 1.0)])
def test_gae_agrees_with_rllib_on_the_actions_alone(gamma, lam):
    from ray.rllib.utils.postprocessing.value_predictions import compute_value_targets

    batch, annotations = random_batch(np.random.default_rng(0))
    _, returns = run_gae(batch, annotations.values, gamma=gamma, lam=lam)
    for row, mask in enumerate(batch.action_mask):
        end = np.zeros(mask.sum() + 1)
        end[-2:-1] = 1.0
        targets = compute_value_targets(
            values=np.append(annotations.values[row, :-1][mask], annotations.values[row, batch.lengths[row]]),
            rewards=np.append(batch.rewards[row, mask], 0.0),
            terminateds=end * (not batch.truncated[row]),
            truncateds=end * batch.truncated[row],
            gamma=gamma,
            lambda_=lam,
        )
        np.testing.assert_allclose(returns[row, mask], targets[:-1], rtol=1e-5, atol=1e-6)


# --- turns and groups


def test_turn_returns_by_hand():
    batch = batch_of("qAAqBqC", "qA.....", rewards=[[99, 1, 2, 99, 4, 99, 8], [0, 5, 99, 0, 0, 0, 0]])
    mask, turns = torch.tensor(batch.action_mask), torch.tensor(batch.turn_index)
    paid, returns, written = turn_returns(t(batch.rewards), mask, turns, turn_gamma=0.5)
    assert paid.tolist() == [[3, 4, 8], [5, 0, 0]]
    assert returns.tolist() == [[3 + 2 + 2, 4 + 4, 8], [5, 0, 0]]
    assert written.tolist() == [[True, True, True], [True, False, False]]


RETURNS = t([[1, 4], [2, 8], [6, 99], [7, 5]])
WRITTEN = torch.tensor([[True, True], [True, True], [True, False], [True, True]])
GROUPS = torch.tensor([2, 2, 2, 5])


def test_dr_grpo_by_hand():
    # turn 0 of the group: mean 3;  turn 1: mean 6 of the two that have it;  the group of one: 0
    assert dr_grpo(RETURNS, WRITTEN, GROUPS).tolist() == [[-2, -2], [-1, 2], [3, 0], [0, 0]]


def test_grpo_by_hand():
    # sample standard deviations: sqrt((4 + 1 + 9) / 2) and sqrt((4 + 4) / 1)
    expected = t([[-2 / 7**0.5, -2 / 8**0.5], [-1 / 7**0.5, 2 / 8**0.5], [3 / 7**0.5, 0], [0, 0]])
    torch.testing.assert_close(grpo(RETURNS, WRITTEN, GROUPS), expected, rtol=1e-5, atol=0)


def test_rloo_by_hand():
    # 1 - (2 + 6) / 2,  2 - (1 + 6) / 2,  6 - (1 + 2) / 2
    torch.testing.assert_close(rloo(RETURNS, WRITTEN, GROUPS), t([[-3, -4], [-1.5, 4], [4.5, 0], [0, 0]]))


@pytest.mark.parametrize("compare", [grpo, dr_grpo, rloo])
def test_equal_returns_teach_nothing(compare):
    returns, written = torch.full((3, 1), 0.1, dtype=torch.float64), torch.ones(3, 1, dtype=torch.bool)
    torch.testing.assert_close(
        compare(returns, written, torch.zeros(3).int()), torch.zeros(3, 1).double(), atol=1e-9, rtol=0
    )


def test_reinforce_plus_plus_by_hand():
    batch = batch_of("AqAB", "qA..", rewards=[[-1, 99, 3, 4], [99, 7, 0, 0]])
    mask, turns = torch.tensor(batch.action_mask), torch.tensor(batch.turn_index)
    advantages, returns = reinforce_plus_plus(t(batch.rewards), mask, turns, turn_gamma=0.5)
    assert returns.tolist() == [[-1 + 3 + 2, 0, 3 + 2, 4], [0, 7, 0, 0]]
    # mean 5 and variance (1 + 0 + 1 + 4) / 4 over the four actions
    torch.testing.assert_close(advantages, t([[-1, 0, 0, -1], [0, 2, 0, 0]]) / 1.5**0.5, rtol=1e-5, atol=0)


# --- after the returns


def test_whiten_over_the_mask_alone():
    x, mask = t([[1, 100], [3, float("nan")]]), torch.tensor([[True, False], [True, False]])
    torch.testing.assert_close(whiten(x, mask), t([[-1, 0], [1, 0]]), rtol=1e-5, atol=0)
    assert whiten(x, torch.zeros_like(mask)).tolist() == [[0, 0], [0, 0]]
    assert whiten(t([[5, 5]]), torch.tensor([[True, True]])).tolist() == [[0, 0]]


def test_scale_negative():
    assert scale_negative(t([-2, 0, 3]), 0.5).tolist() == [-1, 0, 3]


# --- estimate


def test_estimate_puts_the_clamped_kl_on_actions():
    batch = batch_of("qAA", rewards=[[0, 0, 1]])
    annotations = Annotations(np.array([[5, 1, 50]], "f4"), np.array([[0, 0.5, 0]], "f4"), np.zeros((1, 4), "f4"))
    ppo = PPOConfig(lam=1.0, whiten_advantages=False)
    result = estimate(batch, annotations, ppo, kl_coef=0.1)
    np.testing.assert_allclose(result.advantages, [[0, -0.05 + 1 - 1.0, 1 - 1.0]], atol=1e-6)
    unpunished = estimate(batch, annotations, ppo.model_copy(update={"kl_in": "loss"}), kl_coef=0.1)
    np.testing.assert_allclose(unpunished.advantages, [[0, 1, 1]])


def test_estimate_whitens_advantages_but_not_returns():
    batch, annotations = random_batch(np.random.default_rng(1))
    white = estimate(batch, annotations, PPOConfig(), kl_coef=0.0)
    raw = estimate(batch, annotations, PPOConfig(whiten_advantages=False), kl_coef=0.0)
    actions = white.advantages[batch.action_mask]
    assert actions.mean() == pytest.approx(0, abs=1e-6) and actions.std() == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(white.returns, raw.returns)
    np.testing.assert_allclose(
        raw.returns[batch.action_mask], (raw.advantages + annotations.values[:, :-1])[batch.action_mask], rtol=1e-5
    )


def test_estimate_whitens_each_role_by_itself():
    """Rewards of 1 and 3 for the one role, of 10 and 30 for the other."""
    batch = batch_of("A", "A", "A", "A", rewards=[[1], [3], [10], [30]])
    batch = replace(batch, roles=np.array([0, 0, 2, 2], np.int8))
    nothing = np.zeros((4, 1), np.float32)
    result = estimate(batch, Annotations(nothing, None, np.zeros((4, 2), np.float32)), PPOConfig(), kl_coef=0.0)
    np.testing.assert_allclose(result.advantages, [[-1], [1], [-1], [1]], rtol=1e-5)


def test_estimate_drops_negative_advantages():
    batch, annotations = random_batch(np.random.default_rng(1))
    assert estimate(batch, annotations, PPOConfig(), kl_coef=0.0).advantages.min() < 0
    assert estimate(batch, annotations, PPOConfig(negative_advantage_scale=0.0), kl_coef=0.0).advantages.min() == 0


@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_estimates_do_not_depend_on_order_padding_or_what_is_off_the_actions(estimator):
    rng = np.random.default_rng(2)
    batch, annotations = random_batch(rng)
    ppo = PPOConfig(advantage_estimator=estimator, gamma=0.9, lam=0.8, turn_gamma=0.7)
    before = estimate(batch, annotations, ppo, kl_coef=0.1)

    order, width = rng.permutation(len(batch)), batch.tokens.shape[1]

    def shuffle(x: np.ndarray, fill: float) -> np.ndarray:
        return np.pad(x[order], ((0, 0), (0, 3)), constant_values=fill)

    used = np.pad(batch.action_mask, ((0, 0), (0, 1)))
    used[np.arange(len(batch)), batch.lengths] = True
    moved = Batch(
        tokens=shuffle(batch.tokens, 0),
        lengths=batch.lengths[order],
        action_mask=shuffle(batch.action_mask, False),
        turn_index=shuffle(batch.turn_index, -1),
        sampler_logprobs=shuffle(batch.sampler_logprobs, 0),
        rewards=shuffle(batch.rewards, 0),
        truncated=batch.truncated[order],
        groups=batch.groups[order] + 40,
        versions=shuffle(batch.versions, -1),
        roles=batch.roles[order],
    )
    garbage = Annotations(
        logprobs=shuffle(np.where(batch.action_mask, annotations.logprobs, np.nan), 1e9),
        ref_logprobs=shuffle(np.where(batch.action_mask, annotations.ref_logprobs, -np.inf), np.nan),
        values=shuffle(np.where(used, annotations.values, np.nan), np.inf),
    )
    after = estimate(moved, garbage, ppo, kl_coef=0.1)
    assert before.advantages[batch.action_mask].any()
    for x, y in ((before.advantages, after.advantages), (before.returns, after.returns)):
        np.testing.assert_allclose(y[:, :width], x[order], rtol=1e-5, atol=1e-6)
        assert not x[~batch.action_mask].any() and not y[:, width:].any()


@pytest.mark.parametrize("estimator", list(ESTIMATORS))
def test_a_batch_without_actions_is_harmless(estimator):
    batch, annotations = batch_of("qq", "q."), Annotations(np.zeros((2, 2), "f4"), None, np.ones((2, 3), "f4"))
    result = estimate(batch, annotations, PPOConfig(advantage_estimator=estimator), kl_coef=0.0)
    assert not result.advantages.any() and not result.returns.any()


def test_critic_free_estimators_need_no_critic():
    batch, annotations = random_batch(np.random.default_rng(3))
    result = estimate(batch, replace(annotations, values=None), PPOConfig(advantage_estimator="grpo"), kl_coef=0.0)
    assert result.advantages.any()


def test_what_is_missing_or_broken_is_named():
    batch, good = random_batch(np.random.default_rng(4))
    broken, no_end = good.values.copy(), good.values.copy()
    broken[0, 2] = np.nan
    no_end[1, 3] = np.inf  # of the truncated "qqA"
    for annotations, message in [
        (replace(good, values=None), "values: missing"),
        (replace(good, values=good.values[:, :-1]), r"values: shape \(6, 11\), but the batch asks for \(6, 12\)"),
        (replace(good, values=broken), "values: nan at row 0, token 2"),
        (replace(good, values=no_end), "values: inf at row 1, token 3"),
        (replace(good, ref_logprobs=None), "ref_logprobs: missing"),
    ]:
        with pytest.raises(ValueError, match=message):
            estimate(batch, annotations, PPOConfig(), kl_coef=0.1)
    with pytest.raises(ValueError, match="rewards: not 0"):
        estimate(replace(batch, rewards=np.ones_like(batch.rewards)), good, PPOConfig(), kl_coef=0.0)

"""How much better each action was than expected: from rewards to what PPO learns from.

`gae` asks a critic; the others compare dialogs with each other, turn by turn. All are pure functions over the whole
batch, so they run once per iteration, before it is cut into minibatches.

A truncated dialog is bootstrapped from the critic by `gae`; the critic-free family has nothing to bootstrap from and
takes the rewards that were paid.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rl.batch import Advantages, Annotations, Batch
from rl.config import PPOConfig
from rl.losses import kl_estimate

EPS = 1e-6  # in standard deviations: equal returns give 0, not 0 / 0


def gae(
    rewards: Tensor,
    values: Tensor,
    action_mask: Tensor,
    truncated: Tensor,
    lengths: Tensor,
    *,
    gamma: float,
    lam: float,
) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimation over the tokens that the policy wrote (Schulman et al. 2016, 1506.02438).

        delta_t = r_t + gamma * V(next action) - V(t);    A_t = delta_t + gamma * lam * A(next action)
        return_t = A_t + V(t)

    A token that somebody else wrote is no decision: it neither discounts nor bootstraps, and hands the next value and
    the running advantage on unchanged. The value after the last action is 0, or of the whole dialog if it was cut off.

    Args:
        rewards, action_mask: [B, T].
        values: [B, T+1], column t is the value of the prefix of t tokens.
        truncated, lengths: [B].

    Returns:
        Advantages and returns, [B, T], 0 off the actions.
    """
    advantages = torch.zeros_like(rewards)
    last_value = values.gather(1, lengths.long()[:, None]).squeeze(1)
    next_value = torch.where(truncated, last_value, 0.0)
    running = torch.zeros_like(next_value)
    for t in reversed(range(rewards.shape[1])):
        acts, value = action_mask[:, t], values[:, t]
        delta = rewards[:, t] + gamma * next_value - value
        running = torch.where(acts, delta + gamma * lam * running, running)
        next_value = torch.where(acts, value, next_value)
        advantages[:, t] = running
    returns = advantages + values[:, :-1]
    return torch.where(action_mask, advantages, 0.0), torch.where(action_mask, returns, 0.0)


def turn_returns(
    rewards: Tensor, action_mask: Tensor, turn_index: Tensor, *, turn_gamma: float
) -> tuple[Tensor, Tensor, Tensor]:
    """What each of N turns earned, and what came after it: return_n = reward_n + turn_gamma * return_{n+1}.

    Args:
        rewards, action_mask, turn_index: [B, T], `turn_index` 0-based on the actions.

    Returns:
        Per turn, [B, N]: the sum of the rewards on its tokens, its return, and whether the policy wrote any of it.
    """
    num_turns = int(turn_index.max().clamp(min=0)) + 1
    turn = turn_index.clamp(min=0).long()
    empty = rewards.new_zeros(len(rewards), num_turns)
    paid = empty.scatter_add(1, turn, torch.where(action_mask, rewards, 0.0))
    written = empty.scatter_add(1, turn, action_mask.to(rewards.dtype)) > 0
    returns = paid.clone()
    for n in reversed(range(num_turns - 1)):
        returns[:, n] += turn_gamma * returns[:, n + 1]
    return paid, returns, written


def _group_sum(x: Tensor, groups: Tensor) -> Tensor:
    """The sum over all rows of a group, given to each of them. [B, N], [B] -> [B, N]."""
    unique, group = torch.unique(groups, return_inverse=True)
    return x.new_zeros(len(unique), x.shape[1]).index_add(0, group, x)[group]


def _peers(returns: Tensor, written: Tensor, groups: Tensor) -> tuple[Tensor, Tensor]:
    """Of each turn and the same turn of the other dialogs of its group: how many there are, and return minus mean.

    Dialogs that ended before that turn are not in its mean. Shapes: [B, N], [B, N], [B] -> [B, N], [B, N].
    """
    count = _group_sum(written.to(returns.dtype), groups).clamp(min=1.0)
    mean = _group_sum(torch.where(written, returns, 0.0), groups) / count
    return count, torch.where(written, returns - mean, 0.0)


def dr_grpo(returns: Tensor, written: Tensor, groups: Tensor) -> Tensor:
    """Return minus the group's mean (Liu et al. 2025, 2503.20783). [B, N], [B, N], [B] -> [B, N]."""
    return _peers(returns, written, groups)[1]


def grpo(returns: Tensor, written: Tensor, groups: Tensor) -> Tensor:
    """(return - mean) / (std + eps) of the group (Shao et al. 2024, 2402.03300). [B, N], [B, N], [B] -> [B, N].

    The standard deviation is the sample's (n - 1), as in TRL and verl.
    """
    count, centred = _peers(returns, written, groups)
    variance = _group_sum(centred.square(), groups) / (count - 1.0).clamp(min=1.0)
    return centred / (variance.sqrt() + EPS)


def rloo(returns: Tensor, written: Tensor, groups: Tensor) -> Tensor:
    """Return minus the mean of the others' (Ahmadian et al. 2024, 2402.14740). [B, N], [B, N], [B] -> [B, N].

        A_i = R_i - mean(R_j, j != i) = n / (n - 1) * (R_i - mean(R))

    Alone, there is nobody to compare with and the advantage is 0, not an error: in dialogs of unequal length, a turn
    that one sample of a group reaches alone is no mistake.
    """
    count, centred = _peers(returns, written, groups)
    return centred * count / (count - 1.0).clamp(min=1.0)


def reinforce_plus_plus(
    rewards: Tensor, action_mask: Tensor, turn_index: Tensor, *, turn_gamma: float
) -> tuple[Tensor, Tensor]:
    """REINFORCE++ (Hu et al. 2025, 2501.03262): reward still to come, normalised over the whole batch.

        A_t = sum of the turn's rewards from t on + turn_gamma * return of the next turn;    whitened over all actions

    With the KL penalty in the reward, a token answers only for the KL of itself and of what follows, as theirs does.
    Shapes: [B, T] each -> advantages and unwhitened returns, [B, T].
    """
    rewards = torch.where(action_mask, rewards, 0.0)
    paid, returns, _ = turn_returns(rewards, action_mask, turn_index, turn_gamma=turn_gamma)
    paid_before = rewards.cumsum(1) - rewards - broadcast(paid.cumsum(1) - paid, turn_index, action_mask)
    to_go = torch.where(action_mask, broadcast(returns, turn_index, action_mask) - paid_before, 0.0)
    return whiten(to_go, action_mask), to_go


def broadcast(per_turn: Tensor, turn_index: Tensor, action_mask: Tensor) -> Tensor:
    """Give every action token the number of its turn: [B, N] -> [B, T], 0 elsewhere."""
    return torch.where(action_mask, per_turn.gather(1, turn_index.clamp(min=0).long()), 0.0)


def whiten(x: Tensor, mask: Tensor) -> Tensor:
    """(x - mean) / (std + eps) over the True positions of `mask`, 0 elsewhere. [B, T], [B, T] -> [B, T]."""
    count = mask.sum().clamp(min=1)
    centred = torch.where(mask, x - torch.where(mask, x, 0.0).sum() / count, 0.0)
    return centred / ((centred.square().sum() / count).sqrt() + EPS)


def scale_negative(advantages: Tensor, factor: float) -> Tensor:
    """Weigh what went worse than expected by `factor`; 0 learns from the good actions only. Any shape."""
    return torch.where(advantages < 0, advantages * factor, advantages)


@dataclass(frozen=True, slots=True)
class Inputs:
    """All that an estimator may read: tensors as in `Batch` and `Annotations`, discounts as in `PPOConfig`."""

    rewards: Tensor
    values: Tensor
    action_mask: Tensor
    turn_index: Tensor
    truncated: Tensor
    lengths: Tensor
    groups: Tensor
    gamma: float
    lam: float
    turn_gamma: float


def _by_group(x: Inputs, compare: Callable[[Tensor, Tensor, Tensor], Tensor]) -> tuple[Tensor, Tensor]:
    """Advantages and returns of turns, both given to every action token of the turn."""
    _, returns, written = turn_returns(x.rewards, x.action_mask, x.turn_index, turn_gamma=x.turn_gamma)
    advantages = compare(returns, written, x.groups)
    return broadcast(advantages, x.turn_index, x.action_mask), broadcast(returns, x.turn_index, x.action_mask)


ESTIMATORS: dict[str, Callable[[Inputs], tuple[Tensor, Tensor]]] = {
    "gae": lambda x: gae(x.rewards, x.values, x.action_mask, x.truncated, x.lengths, gamma=x.gamma, lam=x.lam),
    "grpo": lambda x: _by_group(x, grpo),
    "dr_grpo": lambda x: _by_group(x, dr_grpo),
    "rloo": lambda x: _by_group(x, rloo),
    "reinforce++": lambda x: reinforce_plus_plus(x.rewards, x.action_mask, x.turn_index, turn_gamma=x.turn_gamma),
}


def estimate(batch: Batch, annotations: Annotations, ppo: PPOConfig, kl_coef: float) -> Advantages:
    """The advantages of a whole batch; a critic's targets with them.

    With `kl_in: reward`, every action token pays kl_coef * k1, clamped. `whiten_advantages` applies to `gae`, to each
    role of self-play by itself: REINFORCE++ is whitened by definition, and whitening the group estimators would hand
    an advantage to groups whose answers were all alike.

    Raises:
        ValueError: what an estimator needs is missing, of another shape than the batch, or not finite.
    """
    _check(batch, annotations, ppo, kl_coef)
    mask = torch.tensor(batch.action_mask)
    rewards = penalized_rewards(batch, annotations, ppo, kl_coef)
    values = np.zeros((len(batch), 0)) if annotations.values is None else annotations.values
    inputs = Inputs(
        rewards=rewards,
        values=torch.tensor(values, dtype=torch.float64),
        action_mask=mask,
        turn_index=torch.tensor(batch.turn_index),
        truncated=torch.tensor(batch.truncated),
        lengths=torch.tensor(batch.lengths),
        groups=torch.tensor(batch.groups),
        gamma=ppo.gamma,
        lam=ppo.lam,
        turn_gamma=ppo.turn_gamma,
    )
    advantages, returns = ESTIMATORS[ppo.advantage_estimator](inputs)
    if ppo.advantage_estimator == "gae" and ppo.whiten_advantages:
        by_role = [torch.tensor(batch.roles == role)[:, None] & mask for role in np.unique(batch.roles)]
        advantages = torch.stack([whiten(advantages, rows) for rows in by_role]).sum(0)
    advantages = scale_negative(advantages, ppo.negative_advantage_scale)
    return Advantages(advantages.float().numpy(), returns.float().numpy())


def penalized_rewards(batch: Batch, annotations: Annotations, ppo: PPOConfig, kl_coef: float) -> Tensor:
    """The rewards less what each action token pays for its KL, where `ppo.kl_in` says so. [B, T] float64."""
    rewards = torch.tensor(batch.rewards, dtype=torch.float64)
    if ppo.kl_in == "loss" or kl_coef == 0:
        return rewards
    kl = kl_estimate(torch.tensor(annotations.logprobs), torch.tensor(annotations.ref_logprobs), "k1")
    return torch.where(torch.tensor(batch.action_mask), rewards - kl_coef * kl, 0.0)


def _check(batch: Batch, annotations: Annotations, ppo: PPOConfig, kl_coef: float) -> None:
    num_rows, num_tokens = batch.action_mask.shape
    shape, actions = (num_rows, num_tokens), batch.action_mask
    _check_array("rewards", batch.rewards, shape, np.ones(shape, bool))
    if np.any(batch.rewards[~actions]):
        raise ValueError("rewards: not 0 on tokens that the policy did not write")
    if ppo.advantage_estimator == "gae":
        used = np.concatenate([actions, np.zeros((num_rows, 1), bool)], axis=1)
        used[np.flatnonzero(batch.truncated), batch.lengths[batch.truncated]] = True
        _check_array("values", annotations.values, (num_rows, num_tokens + 1), used)
    if ppo.kl_in == "reward" and kl_coef > 0:
        _check_array("logprobs", annotations.logprobs, shape, actions)
        _check_array("ref_logprobs", annotations.ref_logprobs, shape, actions)


def _check_array(name: str, x: np.ndarray | None, shape: tuple[int, int], used: np.ndarray) -> None:
    if x is None:
        raise ValueError(f"{name}: missing, but this configuration of `ppo` needs them")
    if x.shape != shape:
        raise ValueError(f"{name}: shape {x.shape}, but the batch asks for {shape}")
    broken = np.argwhere(used & ~np.isfinite(x))
    if len(broken):
        row, column = broken[0]
        raise ValueError(f"{name}: {x[row, column]} at row {row}, token {column} ({len(broken)} such positions)")

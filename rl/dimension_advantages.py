"""Advantages dimension by dimension: each is compared within its group, and only then are they weighed together.

In a sum of rewards, a dimension that varies widely hides one that varies little, and different vectors with the same
sum get the same advantage (GDPO, Liu et al. 2026, 2601.05242). Compared first, each counts by its weight.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rewards.signal import Moments, Signal
from rl.advantages import EPS, broadcast, dr_grpo, estimate, grpo, rloo, scale_negative
from rl.batch import Advantages, Annotations, Batch, usable
from rl.config import PPOConfig
from rl.trajectory import Scored

COMPARE: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {"grpo": grpo, "dr_grpo": dr_grpo, "rloo": rloo}


def estimate_by_dimension(
    batch: Batch,
    notes: Annotations,
    scored: list[Scored],
    signal: Signal,
    moments: Moments,
    ppo: PPOConfig,
    kl_coef: float,
) -> Advantages:
    """As `rl.advantages.estimate`, with the group's comparison made in each weighted dimension by itself.

    `scored` are the dialogs that `batch` was packed from. The returns stay those of the scalar reward.
    """
    whole = estimate(batch, notes, ppo, kl_coef)
    columns = np.flatnonzero(signal.weights)
    values = turn_values(scored, signal, moments)[:, :, columns]
    combined = combine(
        torch.tensor(values),
        torch.tensor(written_turns(batch, values.shape[1])),
        torch.tensor(batch.groups),
        torch.tensor(np.abs(signal.weights[columns]), dtype=torch.float64),
        compare=COMPARE[ppo.advantage_estimator],
        turn_gamma=ppo.turn_gamma,
    )
    action_mask = torch.tensor(batch.action_mask)
    advantages = broadcast(combined, torch.tensor(batch.turn_index), action_mask)
    if ppo.advantage_estimator == "grpo":  # as in GDPO, or many dimensions would add up to large ones
        advantages = advantages / (advantages[action_mask].square().mean().sqrt() + EPS)
    return replace(whole, advantages=scale_negative(advantages, ppo.negative_advantage_scale).float().numpy())


def combine(
    values: Tensor,
    written: Tensor,
    groups: Tensor,
    weights: Tensor,
    *,
    compare: Callable[[Tensor, Tensor, Tensor], Tensor],
    turn_gamma: float,
) -> Tensor:
    """Sum over d of weights[d] * compare(returns of dimension d), over the dialogs of a group that were judged in d.

        return_nd = value_nd + turn_gamma * return_{n+1, d}, an abstention adding nothing

    Where a dimension abstains from a turn and from all that `turn_gamma` lets count for it, its advantage is 0.

    Args:
        values: [B, N, D], NaN for an abstention and past the end of a dialog.
        written: [B, N], whether the policy wrote any of the turn.
        groups: [B]. weights: [D].

    Returns:
        [B, N].
    """
    judged = ~values.isnan() & written[:, :, None]
    returns = torch.where(judged, values, 0.0)
    for n in reversed(range(values.shape[1] - 1)):
        returns[:, n] += turn_gamma * returns[:, n + 1]
        if turn_gamma > 0:
            judged[:, n] |= judged[:, n + 1] & written[:, n, None]
    # a turn of a dimension is compared with the same turn of the same dimension: they may as well be turns
    return compare(returns.flatten(1), judged.flatten(1), groups).view_as(returns) @ weights


def turn_values(scored: list[Scored], signal: Signal, moments: Moments) -> np.ndarray:
    """What each dimension brings to each turn, over the size of its weight: [B, N, D] float64, NaN if it abstains."""
    rows = [s.score for s in usable(scored) if s.score is not None]
    values = np.full((len(rows), max(len(row.success) for row in rows), len(signal.names)), np.nan)
    size = np.where(signal.weights == 0, 1.0, np.abs(signal.weights))
    for row, score in zip(values, rows, strict=True):
        row[: len(score.success)] = signal.contributions(score.vector, score.success, moments) / size
    return values


def written_turns(batch: Batch, num_turns: int) -> np.ndarray:
    """Whether the policy wrote any token of each turn: [B, N] bool."""
    rows, columns = np.nonzero(batch.action_mask)
    written = np.zeros((len(batch), num_turns), bool)
    written[rows, batch.turn_index[rows, columns]] = True
    return written

"""Advantages of the roles of self-play: each turn against what its role usually earns there (`rl/baselines.py`)."""

from dataclasses import replace

import numpy as np
import torch

from rl.advantages import broadcast, penalized_rewards, scale_negative, turn_returns
from rl.baselines import Baselines
from rl.batch import Advantages, Annotations, Batch
from rl.config import PPOConfig
from rl.trajectory import ROLES


def estimate_roles(
    whole: Advantages,
    batch: Batch,
    annotations: Annotations,
    ppo: PPOConfig,
    kl_coef: float,
    baselines: Baselines,
    *,
    half_life: int,
) -> tuple[Advantages, Baselines]:
    """`whole` with other advantages in the rows that are not the assistant's, and the baselines after this batch.

        A_n = R_n - mean of earlier R_n of the role, given to every action token of turn n

    A turn that none of the role's dialogs has reached before is compared with the mean of the batch itself.
    """
    if not batch.roles.any():  # the assistant alone, as in most runs
        return whole, baselines
    mask, turn_index = torch.tensor(batch.action_mask), torch.tensor(batch.turn_index)
    rewards = penalized_rewards(batch, annotations, ppo, kl_coef)
    _, returns, written = turn_returns(rewards, mask, turn_index, turn_gamma=ppo.turn_gamma)
    following = baselines.after(returns.numpy(), written.numpy(), batch.roles, half_life=half_life)
    expected = torch.zeros_like(returns)
    for row, turn in np.argwhere(written.numpy() & (batch.roles > 0)[:, None]):
        role = ROLES[batch.roles[row]]
        known = baselines.expected(role, turn)
        mean = following.expected(role, turn) if known is None else known
        assert mean is not None, "the batch itself holds this turn"
        expected[row, turn] = mean
    own = broadcast(returns - expected, turn_index, mask)
    scaled = scale_negative(own, ppo.negative_advantage_scale).float().numpy()
    advantages = np.where((batch.roles > 0)[:, None], scaled, whole.advantages)
    return replace(whole, advantages=advantages), following

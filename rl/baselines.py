"""What each role of self-play usually earns, turn by turn: with what its next dialogs are compared.

The assistant is compared with the other answers to the same prompt. A proposer or a user has no such siblings: every
one of them says something else. They are compared with the running mean of their own role, the baseline of REINFORCE
(Williams 1992), one for each role as in Absolute Zero (Zhao et al. 2025, 2505.03335), so that neither role's luck is
the other's lesson. It is the mean of earlier updates, so what a dialog earns does not move what it is compared with.

Left out: Absolute Zero's division by the standard deviation. It would make a role's advantages as large where hardly
anything differs between its dialogs, and the group's comparison here (`dr_grpo`) leaves it out for that reason too.
"""

from dataclasses import dataclass, field, replace

import numpy as np
import torch

from rl.advantages import broadcast, penalized_rewards, scale_negative, turn_returns
from rl.batch import Advantages, Annotations, Batch
from rl.config import PPOConfig
from rl.trajectory import ROLES, Role


@dataclass(frozen=True, slots=True)
class Baselines:
    """Immutable: `after` returns the next ones.

    Attributes:
        means: role -> mean return by turn number; None for a turn that no dialog has reached yet.
    """

    means: dict[Role, tuple[float | None, ...]] = field(default_factory=dict)

    def expected(self, role: Role, turn: int) -> float | None:
        means = self.means.get(role, ())
        return means[turn] if turn < len(means) else None

    def after(self, returns: np.ndarray, written: np.ndarray, roles: np.ndarray, *, half_life: int) -> "Baselines":
        """With a batch in the means. A dialog counts half as much after `half_life` more; the first ones start a mean.

        Args:
            returns, written: [B, N], what each turn earned with what came after it, and whether there was one.
            roles: [B], index into `ROLES`; the assistant's rows do not matter.
        """
        means = dict(self.means)
        for index, role in enumerate(ROLES[1:], start=1):
            rows = roles == index
            if not rows.any():
                continue
            num_turns = max(len(means.get(role, ())), returns.shape[1])
            columns = [returns[rows & written[:, n], n] if n < returns.shape[1] else [] for n in range(num_turns)]
            means[role] = tuple(
                _moved(self.expected(role, n), np.asarray(column, float), half_life) for n, column in enumerate(columns)
            )
        return Baselines(means)


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

    In the first update of a role its mean is that of the batch itself.
    """
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
    own = scale_negative(own, ppo.negative_advantage_scale).float().numpy()
    advantages = np.where((batch.roles > 0)[:, None], own, whole.advantages)
    return replace(whole, advantages=advantages), following


def _moved(mean: float | None, values: np.ndarray, half_life: int) -> float | None:
    """The moving mean with these values in it, all of which count alike."""
    if not len(values):
        return mean
    kept = 0.0 if mean is None else 0.5 ** (len(values) / half_life)
    return kept * (mean or 0.0) + (1.0 - kept) * float(values.mean())

"""What each role of self-play usually earns, turn by turn: with what its next dialogs are compared.

The assistant is compared with the other samples of its prompt, which have the same task; where models play the users,
these may have asked for it in other words. A proposer has no such siblings, and a user none after its first turn. They
are compared with the running mean of their own role, the baseline of REINFORCE (Williams 1992), one for each role as in
Absolute Zero (Zhao et al. 2025, 2505.03335), so that neither role's luck is the other's lesson. It is the mean of
earlier updates, so what a dialog earns does not move what it is compared with; the first update alone, which has none
before it, is compared with its own.

Left out: Absolute Zero's division by the standard deviation. It would make a role's advantages as large where hardly
anything differs between its dialogs, and the group's comparison here (`dr_grpo`) leaves it out for that reason too.
"""

from dataclasses import dataclass, field

import numpy as np

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


def _moved(mean: float | None, values: np.ndarray, half_life: int) -> float | None:
    """The moving mean with these values in it, all of which count alike."""
    if not len(values):
        return mean
    kept = 0.0 if mean is None else 0.5 ** (len(values) / half_life)
    return kept * (mean or 0.0) + (1.0 - kept) * float(values.mean())

"""The curriculum of supervised stages: easy documents first, the share of every level a function of the step alone.

Levels open one after the other, and within `full_at` of the training all are open, each with its own share of the
tokens: the linear competence of Platanios et al. (2019, 1903.09848), in levels instead of a sorted corpus. Nothing is
measured on the way, so a batch is still found from its step, and a resumed stage needs no state.

PPO has another curriculum (`rl/curriculum.py`), which follows what the policy can do.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Pacing:
    """How far each of L levels is open. The lowest `start_levels` are from the start, all from `full_step` on.

    Example: `Pacing(3, 1, 100).opened(25)` is [1, 0.5, 0]: a quarter of the way from one level to three.
    """

    num_levels: int
    start_levels: int
    full_step: int

    def opened(self, step: int) -> np.ndarray:
        """[L] from 0, closed, to 1."""
        start = min(self.start_levels, self.num_levels)
        way = min(1.0, step / self.full_step) if self.full_step else 1.0
        return np.clip(start + way * (self.num_levels - start) - np.arange(self.num_levels), 0.0, 1.0)


def bands(lengths: np.ndarray, num_bands: int) -> np.ndarray:
    """[D] the band of each of D documents by its length: 0 holds the shortest. All bands have about as many tokens."""
    order = np.argsort(lengths, kind="stable")
    before = np.cumsum(lengths[order]) - lengths[order]
    found = np.zeros(len(lengths), np.int32)
    found[order] = before * num_bands // max(1, int(lengths.sum()))
    return found


def paced_shares(shares: np.ndarray, tokens: np.ndarray, opened: np.ndarray) -> np.ndarray:
    """[G, L] probabilities of a row of each group and level.

    A group keeps its share among the groups that have anything open, and divides it among its open levels by their
    tokens.

    Args:
        shares: [G] of the groups.
        tokens: [G, L]
        opened: [L], see `Pacing`; of the levels that are open, some group has tokens.
    """
    weights = tokens * opened
    totals = weights.sum(1, keepdims=True)
    inside = np.divide(weights, totals, out=np.zeros_like(weights, dtype=np.float64), where=totals > 0)
    found = shares[:, None] * inside
    return found / found.sum()

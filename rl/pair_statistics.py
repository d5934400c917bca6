"""How good a reward model is, from its scores of P held-out pairs. Pure functions of arrays."""

from dataclasses import dataclass

import numpy as np

NUM_RESAMPLES = 1000
NUM_BINS = 10


def accuracy(margins: np.ndarray) -> float:
    """Share of pairs whose better dialog has the higher score, a tie counting half. margins [P], r_chosen - r_rejected;
    NaN of none.
    """
    return float(np.mean((margins > 0) + 0.5 * (margins == 0))) if len(margins) else float("nan")


def bootstrap_interval(values: np.ndarray, *, level: float = 0.95, seed: int = 0) -> tuple[float, float]:
    """Percentile interval of the mean of `values` [P] over resamples with replacement (Efron and Tibshirani 1993)."""
    rows = np.random.default_rng(seed).integers(0, len(values), (NUM_RESAMPLES, len(values)))
    low, high = np.quantile(values[rows].mean(1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Bin:
    """Pairs whose predicted probability lies in [low, high): how many, what was predicted, what held."""

    low: float
    high: float
    num_pairs: int
    predicted: float
    observed: float


def reliability(margins: np.ndarray, num_bins: int = NUM_BINS) -> list[Bin]:
    """The reliability table of p = sigmoid(r_chosen - r_rejected), in bins of equal width; empty ones are left out.

    The better dialog of a pair is known, so each pair is looked at from both sides: predicted p, came true; predicted
    1 - p, did not. That makes the table symmetric about 1/2, and its upper half holds all there is to know: there a
    prediction max(p, 1 - p) came true where the margin is positive.
    """
    confidence, right = _confidence(margins)
    place = np.clip(((confidence - 0.5) * 2 * num_bins).astype(int), 0, num_bins - 1)
    edges = 0.5 + np.arange(num_bins + 1) / (2 * num_bins)
    return [
        Bin(
            float(edges[index]),
            float(edges[index + 1]),
            int(inside.sum()),
            float(confidence[inside].mean()),
            float(right[inside].mean()),
        )
        for index in range(num_bins)
        if (inside := place == index).any()
    ]


def expected_calibration_error(margins: np.ndarray, num_bins: int = NUM_BINS) -> float:
    """sum over bins of (share of pairs) |observed - predicted| (Guo et al. 2017, 1706.04599)."""
    bins = reliability(margins, num_bins)
    return sum(part.num_pairs * abs(part.observed - part.predicted) for part in bins) / max(len(margins), 1)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's: the correlation of ranks, equal values sharing theirs. [N], [N]; NaN where one does not vary."""
    ranks = [_ranks(values) for values in (first, second)]
    deviations = [rank - rank.mean() for rank in ranks]
    scale = float(np.sqrt(np.square(deviations[0]).sum() * np.square(deviations[1]).sum()))
    return float((deviations[0] * deviations[1]).sum()) / scale if scale else float("nan")


def _confidence(margins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """max(p, 1 - p), and whether the likelier side is the better one, a tie counting half."""
    size = np.abs(margins.astype(np.float64))
    return 1.0 / (1.0 + np.exp(-size)), (margins > 0) + 0.5 * (margins == 0)


def _ranks(values: np.ndarray) -> np.ndarray:
    """From 0; equal values get the mean of their places."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    return ((last - counts + 1 + last) / 2.0)[inverse]

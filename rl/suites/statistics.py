"""The numbers that benchmarks are told by: pass@k, maj@k, and intervals by the bootstrap."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

LEVEL = 0.95  # of the intervals


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean with its bootstrap interval of `LEVEL`."""

    value: float
    low: float
    high: float


def pass_at_k(num_samples: int, num_correct: int, k: int) -> float:
    """Probability that one of k answers is right, out of the n that were drawn: 1 - C(n - c, k) / C(n, k).

    The unbiased estimator of Chen et al. 2021 (2107.03374, equation 1). Raises ValueError for k above n.

    Example: `pass_at_k(4, 1, 2) == 0.5`
    """
    if not 0 <= num_correct <= num_samples or not 1 <= k <= num_samples:
        raise ValueError(f"pass@{k} of {num_correct} right answers among {num_samples}")
    return 1.0 - comb(num_samples - num_correct, k) / comb(num_samples, k)


def majority(answers: Sequence[str | None]) -> str | None:
    """The answer given most often, the first of those that tie; None where nobody answered.

    Self-consistency (Wang et al. 2022, 2203.11171).
    """
    given = Counter(answer for answer in answers if answer is not None)
    return given.most_common(1)[0][0] if given else None


def estimate(values: Sequence[float], *, seed: int, num_resamples: int) -> Estimate:
    """Mean of values, one per item, with the percentile bootstrap interval (Efron 1979) over items.

    Raises ValueError without values.
    """
    if not values:
        raise ValueError("no values to take the mean of")
    numbers = np.asarray(values, np.float64)
    generator = np.random.default_rng(seed)
    # a row at a time: all draws at once would be a gigabyte for large suites
    means = [numbers[generator.integers(0, len(numbers), len(numbers))].mean() for _ in range(num_resamples)]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(float(numbers.mean()), float(low), float(high))

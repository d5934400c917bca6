"""What one rank counts during an update, and how the ranks' counts become the metrics of the run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from torch import Tensor


@dataclass
class Tally:
    """Names are `role/metric`, the role being "actor" or "critic".

    Attributes:
        sums: over action tokens; divided by the role's `counts` in the end.
        maxima: largest value seen; NaN where one was NaN.
        shared: numbers that every rank knows alike, such as a gradient norm.
    """

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, float] = field(default_factory=dict)
    maxima: dict[str, float] = field(default_factory=dict)
    shared: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, values: Tensor) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + float(values.sum())

    def count(self, role: str, weights: Tensor) -> None:
        self.counts[role] = self.counts.get(role, 0.0) + float(weights.sum())

    def largest(self, name: str, value: float) -> None:
        self.maxima[name] = float(np.maximum(self.maxima.get(name, value), value))


def merge(tallies: Sequence[Tally]) -> dict[str, float]:
    """The metrics of an update from all ranks: means over the action tokens that were trained on, maxima, shared."""
    metrics = dict(tallies[0].shared)
    for name in tallies[0].sums:
        role = name.partition("/")[0]
        tokens = sum(tally.counts.get(role, 0.0) for tally in tallies)
        metrics[name] = sum(tally.sums.get(name, 0.0) for tally in tallies) / max(tokens, 1.0)
    for name in tallies[0].maxima:
        metrics[name] = float(np.max([tally.maxima[name] for tally in tallies if name in tally.maxima]))
    return metrics

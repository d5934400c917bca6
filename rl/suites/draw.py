"""Which items of a benchmark are asked, where there are more than the limit."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from rl.suites.config import SuitesConfig

T = TypeVar("T")


def draw_items(items: Sequence[T], config: SuitesConfig) -> list[T]:
    """At most `limit` of them in their order: all have the same chance, and the same seed draws the same."""
    if len(items) <= config.limit:
        return list(items)
    chosen = np.random.default_rng(config.seed).permutation(len(items))[: config.limit]
    return [items[index] for index in sorted(chosen.tolist())]

"""Choices without a random generator: functions of a key, so they need no state and are equal on every machine."""

from collections.abc import Sequence
from typing import TypeVar

from envs.task import stable_hash

T = TypeVar("T")


def pick(options: Sequence[T], *key: str | int) -> T:
    """One of `options`, each equally likely over many keys.

    Example: `pick(range(1, 4), seed, "operand")`
    """
    return options[stable_hash(*key) % len(options)]


def uniform(*key: str | int) -> float:
    """A number in [0, 1), evenly spread over many keys."""
    return (stable_hash(*key) >> 10) / 2**53  # 53 bits: what a float holds, so that it cannot round up to 1

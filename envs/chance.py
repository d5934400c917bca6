"""Choices without a random generator: functions of a key, so they need no state and are equal on every machine."""

from collections.abc import Sequence
from math import gcd
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


def draw(options: Sequence[T], count: int, *key: str | int) -> list[T]:
    """`count` different ones of `options`, in random order."""
    number, left, drawn = stable_hash(*key), list(options), []
    for _ in range(count):
        number, index = divmod(number, len(left))
        drawn.append(left.pop(index))
    return drawn


def digits(number: int, *bases: int) -> list[int]:
    """The digits of `number` in mixed bases, the lowest first: a different list for each number below their product."""
    found = []
    for base in bases:
        number, digit = divmod(number, base)
        found.append(digit)
    return found


def scatter(index: int, size: int) -> int:
    """A permutation of `range(size)` in golden-ratio steps, so that any first few are spread over the whole range."""
    step = round(size * 0.618)
    while gcd(step, size) != 1:
        step += 1
    return index * step % size

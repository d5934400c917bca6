"""All dimensions together on the reference corpus."""

import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import rankdata

from rewards.score import judge
from rewards.table import TABLE

sys.path.append(str(Path(__file__).parent))
from corpus import build_corpus

MIN_SHARED = 30
MAX_CORRELATION = 0.98
NAMES = tuple(dimension.name for dimension in TABLE)


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """[N, D] float64, NaN where a dimension abstains."""
    return np.array([[judge(dimension, transcript) for dimension in TABLE] for transcript in build_corpus()])


def redundant(scores: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Pairs of columns whose Spearman correlation on the rows that both judge is beyond `MAX_CORRELATION`."""
    for a, b in combinations(range(scores.shape[1]), 2):
        both = scores[~np.isnan(scores[:, [a, b]]).any(axis=1)][:, [a, b]]
        if len(both) < MIN_SHARED or (both == both[0]).all(axis=0).any():
            continue
        correlation = np.corrcoef(rankdata(both[:, 0]), rankdata(both[:, 1]))[0, 1]
        if correlation > MAX_CORRELATION:
            yield a, b, float(correlation)


def test_every_dimension_is_alive(scores: np.ndarray) -> None:
    alive = [bool(np.nanmin(column) < np.nanmax(column)) for column in scores.T]
    assert sum(alive) == len(TABLE), [name for name, lives in zip(NAMES, alive, strict=True) if not lives]


def test_no_two_dimensions_say_the_same(scores: np.ndarray) -> None:
    assert [(NAMES[a], NAMES[b], correlation) for a, b, correlation in redundant(scores)] == []


def test_a_copy_is_found_redundant() -> None:
    column = np.arange(40.0)
    noise = column[::-1] % 7
    assert [(a, b) for a, b, _ in redundant(np.stack([column, noise, column**3], axis=1))] == [(0, 2)]

"""All dimensions together on the reference corpus."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from envs.sandbox import NoSandbox, find_sandbox
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions import code_run
from rewards.score import TASK_SUCCESS, judge
from rewards.table import TABLE
from tests.rewards.corpus import build_corpus

MIN_SHARED = 30
MIN_TELLING = 3  # rows that differ from the usual score; one that is unusual twice is chance
MAX_CORRELATION = 0.98
RUN_KINDS = ("code", "expression")  # of the questions whose answers the expensive dimensions run or expand
MAX_RUN = 40  # beside the dimensions' own examples
NAMES = tuple(dimension.name for dimension in TABLE)


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    """[N, D] float64, NaN where a dimension abstains."""
    corpus = build_corpus()
    num_examples = 2 * len(TABLE)
    to_run = [row for row, said in enumerate(corpus) if said.last.question.kind in RUN_KINDS and row >= num_examples]
    bearable = frozenset((*range(num_examples), *to_run[:: len(to_run) // MAX_RUN + 1]))
    return np.stack([_column(dimension, corpus, bearable) for dimension in TABLE], axis=1)


def _column(dimension: Dimension, corpus: list[Transcript], bearable: frozenset[int]) -> np.ndarray:
    """Scores of one dimension: [N]; an expensive one sees the bearable rows only."""
    everything = dimension.cost != "expensive"
    judged = (judge(dimension, said) if everything or row in bearable else np.nan for row, said in enumerate(corpus))
    return np.fromiter(judged, float, len(corpus))


def redundant(scores: np.ndarray) -> Iterator[tuple[int, int, float]]:
    """Pairs of columns whose Spearman correlation on the rows that both judge is above `MAX_CORRELATION`."""
    judged = ~np.isnan(scores)
    places = [np.unique(column, return_inverse=True)[1] for column in scores.T]  # of each value among the column's
    for a, b in combinations(range(scores.shape[1]), 2):
        both = np.flatnonzero(judged[:, a] & judged[:, b])
        if len(both) < MIN_SHARED:
            continue
        at_a, at_b = places[a][both], places[b][both]
        if len(both) - max(np.bincount(at_a).max(), np.bincount(at_b).max()) < MIN_TELLING:
            continue
        first, second = _ranks(at_a), _ranks(at_b)
        correlation = float(first @ second) / float(np.linalg.norm(first) * np.linalg.norm(second))
        if correlation > MAX_CORRELATION:
            yield a, b, correlation


def _ranks(places: np.ndarray) -> np.ndarray:
    """The rank of each of N small integers, less the mean rank; equal ones share the middle of theirs: [N] -> [N]."""
    counts = np.bincount(places)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0
    return ranks[places] - (len(places) + 1) / 2.0


def test_every_dimension_is_alive(scores: np.ndarray) -> None:
    dead = {name for name, column in zip(NAMES, scores.T, strict=True) if not np.nanmin(column) < np.nanmax(column)}
    if isinstance(find_sandbox(), NoSandbox):
        dead -= {dimension.name for dimension in code_run.DIMENSIONS}
    assert dead == set()
    assert len(NAMES) >= 200


def test_no_two_dimensions_say_the_same(scores: np.ndarray) -> None:
    """But the scenario's verdict, which others measure in part: where one answer is right, `answer.correct` is it."""
    said = [(NAMES[a], NAMES[b], correlation) for a, b, correlation in redundant(scores)]
    assert [pair for pair in said if TASK_SUCCESS not in pair] == []


def test_a_copy_is_found_redundant() -> None:
    column = np.arange(40.0)
    noise = column[::-1] % 7
    assert [(a, b) for a, b, _ in redundant(np.stack([column, noise, column**3], axis=1))] == [(0, 2)]


def test_the_correlation_is_spearmans() -> None:
    shared = [(0, 1), (0, 2), (1, 3), (2, 2), (3, 5), (3, 4)] * 6
    columns = np.array(shared, float)
    expected = float(spearmanr(columns).statistic)
    first, second = _ranks(columns[:, 0].astype(int)), _ranks(columns[:, 1].astype(int))
    assert first @ second / np.linalg.norm(first) / np.linalg.norm(second) == pytest.approx(expected)

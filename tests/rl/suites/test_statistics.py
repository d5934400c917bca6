"""pass@k, majorities and intervals, against numbers worked by hand."""

from itertools import combinations

import numpy as np
import pytest

from rl.suites.statistics import estimate, majority, pass_at_k


@pytest.mark.parametrize(
    ("drawn", "right", "k", "expected"),
    [(4, 1, 2, 0.5), (5, 0, 3, 0.0), (5, 5, 1, 1.0), (5, 2, 1, 0.4), (6, 5, 2, 1.0)],
)
def test_pass_at_k_by_hand(drawn: int, right: int, k: int, expected: float) -> None:
    assert pass_at_k(drawn, right, k) == pytest.approx(expected)


def test_pass_at_k_is_the_mean_over_all_choices_of_k() -> None:
    answers = [1, 0, 0, 1, 0, 0, 0]
    for k in range(1, 8):
        counted = np.mean([any(chosen) for chosen in combinations(answers, k)])
        assert pass_at_k(7, 2, k) == pytest.approx(counted)


@pytest.mark.parametrize(("drawn", "right", "k"), [(4, 5, 1), (4, 1, 5), (4, 1, 0)])
def test_pass_at_k_refuses_what_cannot_be(drawn: int, right: int, k: int) -> None:
    with pytest.raises(ValueError, match="pass@"):
        pass_at_k(drawn, right, k)


def test_majority() -> None:
    assert majority(["7", "8", "8", None, None, None]) == "8"
    assert majority(["7", "8"]) == "7"
    assert majority([None]) is None


def test_interval_is_that_of_the_binomial() -> None:
    found = estimate([1.0] * 50 + [0.0] * 50, seed=1, num_resamples=4000)
    assert found.value == 0.5
    # 1.96 sqrt(0.25 / 100) = 0.098
    assert found.low == pytest.approx(0.402, abs=0.015)
    assert found.high == pytest.approx(0.598, abs=0.015)


def test_interval_is_the_same_for_the_same_seed_and_none_where_all_agree() -> None:
    values = [0.0, 1.0, 1.0, 0.5]
    assert estimate(values, seed=3, num_resamples=50) == estimate(values, seed=3, num_resamples=50)
    assert estimate(values, seed=3, num_resamples=50) != estimate(values, seed=4, num_resamples=50)
    same = estimate([0.25] * 9, seed=0, num_resamples=50)
    assert (same.value, same.low, same.high) == (0.25, 0.25, 0.25)
    with pytest.raises(ValueError, match="no values"):
        estimate([], seed=0, num_resamples=10)

"""Figures of a reward model, worked by hand."""

import math

import numpy as np
import pytest

from rl.pair_statistics import (
    accuracy,
    bootstrap_interval,
    expected_calibration_error,
    rank_correlation,
    reliability,
)

LN3 = math.log(3.0)  # sigmoid: 3/4


def test_a_tie_is_half_right() -> None:
    assert accuracy(np.array([2.0, -1.0, 0.0, 0.5])) == pytest.approx(2.5 / 4)
    assert math.isnan(accuracy(np.array([])))


def test_the_interval_holds_the_mean_and_narrows_with_more_pairs() -> None:
    few, many = np.arange(40) % 4 > 0, np.arange(4000) % 4 > 0
    (low, high), (nearer, further) = bootstrap_interval(few), bootstrap_interval(many)
    assert low < 0.75 < high
    # a binomial's: 1.96 sqrt(0.75 * 0.25 / n)
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(0.1875 / 40), rel=0.15)
    assert further - nearer == pytest.approx((high - low) / 10, rel=0.15)
    assert bootstrap_interval(few) == (low, high)
    assert bootstrap_interval(np.ones(5)) == (1.0, 1.0)


def test_three_right_of_four_at_three_quarters_is_calibrated() -> None:
    [part] = reliability(np.array([LN3, LN3, LN3, -LN3]))
    assert (part.low, part.high, part.num_pairs) == (0.75, 0.8, 4)
    assert (part.predicted, part.observed) == pytest.approx((0.75, 0.75))
    assert expected_calibration_error(np.array([LN3, LN3, LN3, -LN3])) == pytest.approx(0.0)


def test_overconfidence_by_hand() -> None:
    # two at 3/4, one of them right; two at 1/2, ties: (2 * |1/2 - 3/4| + 2 * 0) / 4
    margins = np.array([LN3, -LN3, 0.0, 0.0])
    assert expected_calibration_error(margins) == pytest.approx(0.125)
    assert [part.num_pairs for part in reliability(margins)] == [2, 2]


def test_a_certain_model_is_in_the_last_bin() -> None:
    [part] = reliability(np.array([800.0, -800.0]))
    assert (part.low, part.high, part.predicted, part.observed) == (0.95, 1.0, 1.0, 0.5)


def test_rank_correlation_by_hand() -> None:
    assert rank_correlation(np.array([1.0, 10.0, 100.0]), np.array([2, 4, 5])) == pytest.approx(1.0)
    assert rank_correlation(np.array([1.0, 2.0, 3.0]), np.array([5, 4, 2])) == pytest.approx(-1.0)
    # ranks 0 1 2 3 and 0.5 0.5 2 3: deviations give 4.5 / sqrt(5 * 4.5)
    assert rank_correlation(np.array([1, 2, 3, 4]), np.array([7, 7, 8, 9])) == pytest.approx(4.5 / math.sqrt(22.5))
    assert math.isnan(rank_correlation(np.array([1.0, 2.0]), np.array([3, 3])))

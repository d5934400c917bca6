"""The rate by hand; then, that as many arrive as it says."""

from itertools import pairwise
from math import sqrt

import pytest

from envs.load import Load


def test_the_rate_swings_about_its_mean() -> None:
    load = Load(2.0, period_seconds=100.0, amplitude=0.5, peak_seconds=25.0)
    assert [load.rate(0, seconds) for seconds in (0, 25, 50, 75, 125)] == pytest.approx([2.0, 3.0, 2.0, 1.0, 3.0])


def test_bursts_come_in_every_period_at_times_of_their_own() -> None:
    load = Load(1.0, period_seconds=100.0, bursts_per_period=1, burst_seconds=10.0, burst_factor=5.0)
    rates = [load.rate(7, seconds) for seconds in range(100, 1100)]
    assert set(rates) == {1.0, 5.0}
    assert 80 <= rates.count(5.0) <= 100  # ten of them; two may overlap
    starts = [i % 100 for i, (before, after) in enumerate(pairwise(rates)) if (before, after) == (1.0, 5.0)]
    assert len(set(starts)) > 5
    assert rates != [load.rate(8, seconds) for seconds in range(100, 1100)]


def test_as_many_arrive_as_the_rate_says() -> None:
    load = Load(4.0, period_seconds=1000.0, amplitude=1.0, peak_seconds=250.0)
    times = list(load.arrival_times(3, until=1000.0))
    assert times == sorted(times) == list(load.arrival_times(3, until=1000.0))
    assert min(times) > 0.0
    assert max(times) < 1000.0
    assert abs(len(times) - 4000) < 3 * sqrt(4000)
    day = sum(time < 500.0 for time in times)  # 1 + cos over half a period about its peak: 1/2 + 1/pi
    assert abs(day / len(times) - 0.818) < 3 * sqrt(0.818 * 0.182 / len(times))


def test_gaps_are_exponential() -> None:
    times = [0.0, *Load(2.0).arrival_times(5, until=1000.0)]
    gaps = sorted(after - before for before, after in pairwise(times))
    assert gaps[len(gaps) // 2] == pytest.approx(0.3466, rel=0.1)  # the median: log 2 / 2


def test_another_seed_gives_other_arrivals() -> None:
    assert list(Load().arrival_times(1, 50.0)) != list(Load().arrival_times(2, 50.0))

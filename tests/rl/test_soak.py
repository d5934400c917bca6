"""What counts as growth in a soak: a slope after the warm-up, and files that stay open."""

from collections.abc import Callable

import pytest

from tests.benchmarks.soak import Sample, growth


def samples(rss_mb: Callable[[float], float], handles: Callable[[float], int] = lambda minute: 40) -> list[Sample]:
    """An hour of them, one every 10 seconds."""
    times = [10.0 * number for number in range(360)]
    return [Sample(t, "driver", 1, int(rss_mb(t / 60) * 1e6), handles(t / 60)) for t in times]


def test_the_warm_up_does_not_count() -> None:
    found = growth(samples(lambda minute: 500 + 30 * min(minute, 10)), warmup_seconds=600)
    assert found.mb_per_minute == pytest.approx(0.0, abs=1e-6)
    assert found.is_flat
    assert not growth(samples(lambda minute: 500 + 30 * min(minute, 10)), warmup_seconds=0).is_flat


@pytest.mark.parametrize(("slope", "is_flat"), [(-3.0, True), (0.9, True), (1.1, False)])
def test_the_slope_is_per_minute(slope: float, is_flat: bool) -> None:
    found = growth(samples(lambda minute: 500 + slope * minute), warmup_seconds=600)
    assert found.mb_per_minute == pytest.approx(slope, abs=1e-3)
    assert found.is_flat == is_flat


def test_a_file_that_is_open_now_and_then_is_no_growth_and_one_that_stays_is() -> None:
    flat = growth(samples(lambda minute: 500, lambda minute: 40 + (int(minute * 6) % 5 == 0)), warmup_seconds=600)
    leaking = growth(samples(lambda minute: 500, lambda minute: 40 + int(minute / 20)), warmup_seconds=600)
    assert (flat.handles, flat.is_flat) == (0, True)
    assert (leaking.handles, leaking.is_flat) == (2, False)


def test_too_few_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="5 samples after the warm-up"):
        growth(samples(lambda minute: 500)[:5], warmup_seconds=0)

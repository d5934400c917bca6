"""Predicted limits, worked by hand."""

import pytest

from tests.benchmarks.limits import Cluster, Costs, predict

COSTS = Costs(
    episode_seconds=0.5e-3, call_seconds=0.25e-3, check_bytes_per_second=1e9, store_episodes_per_second=10_000.0
)


def test_loads_and_seconds_by_hand() -> None:
    found = predict(COSTS, Cluster(64, tokens_per_second=2000.0, tokens_per_episode=500.0), slice_seconds=0.25)
    assert found.episodes_per_second == 256.0
    assert found.driver_load == pytest.approx(256 * 0.5e-3 + 64 * 4 * 0.25e-3)
    assert found.store_load == pytest.approx(0.0256)
    assert found.fan_out_seconds == pytest.approx(14 * 4 / 12.5 + 14.0 + 64 * 0.25e-3)  # 8 nodes: 4 rounds
    assert found.first_to_break == "nothing"


def test_the_driver_breaks_before_the_store_and_longer_slices_spare_it() -> None:
    large = Cluster(4096)
    assert predict(COSTS, large).first_to_break == "driver"
    assert predict(COSTS, large).store_load > 1.0
    assert predict(COSTS, large, slice_seconds=4.0).driver_load < predict(COSTS, large).driver_load

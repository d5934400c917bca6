"""The scaling policy against sums worked by hand."""

import pytest

from cluster.autoscale import Autoscaler, wanted
from rl.config import AutoscaleConfig

HALF = AutoscaleConfig(min=1, max=8, wait_share=0.5, patience=3)


@pytest.mark.parametrize(
    ("num_workers", "waiting", "other", "expected"),
    [
        (2, 10.0, 10.0, 2),  # half of the iteration, as it may be
        (2, 15.0, 10.0, 3),  # 30 worker-seconds: 3 workers take 10
        (2, 15.1, 10.0, 4),
        (4, 5.0, 10.0, 2),  # 20 worker-seconds: 2 take 10
        (4, 0.1, 10.0, 1),
        (2, 90.0, 10.0, 4),  # 18 would be needed: not more than twice as many at once
        (6, 90.0, 10.0, 8),  # and not more than max
        (2, 10.0, 0.0, 4),  # nothing but waiting
    ],
)
def test_the_fewest_workers_that_keep_the_learner_from_waiting_too_long(
    num_workers: int, waiting: float, other: float, expected: int
) -> None:
    assert wanted(HALF, num_workers, waiting_seconds=waiting, other_seconds=other) == expected


def test_a_smaller_share_wants_more() -> None:
    """At most a fifth: 20 worker-seconds beside 10 s may take 2.5 s, which is 8 workers."""
    policy = AutoscaleConfig(min=1, max=100, wait_share=0.2)
    assert wanted(policy, 5, waiting_seconds=4.0, other_seconds=10.0) == 8


def test_min_is_kept() -> None:
    policy = AutoscaleConfig(min=3, max=8)
    assert wanted(policy, 4, waiting_seconds=0.0, other_seconds=10.0) == 3


def decisions(scaler: Autoscaler, *iterations: tuple[int, float]) -> list[int]:
    """With the number of workers, and the seconds of waiting, of each iteration of which 10 s were something else."""
    return [scaler.decide(workers, waiting_seconds=waiting, other_seconds=10.0) for workers, waiting in iterations]


def test_a_change_takes_patience() -> None:
    assert decisions(Autoscaler(HALF), (2, 15.0), (2, 20.0), (2, 15.0)) == [2, 2, 3]


def test_one_slow_iteration_changes_nothing() -> None:
    assert decisions(Autoscaler(HALF), *[(2, 10.0), (2, 40.0), (2, 10.0)] * 3) == [2] * 9


def test_after_a_change_it_measures_anew() -> None:
    scaler = Autoscaler(HALF)
    assert decisions(scaler, (2, 20.0), (2, 20.0), (2, 20.0)) == [2, 2, 4]
    assert decisions(scaler, (4, 1.0), (4, 1.0), (4, 1.0)) == [4, 4, 1]


def test_it_settles() -> None:
    """A world that obeys the model, 60 worker-seconds beside 10: from either side it comes to 6, and stays."""
    for start in (1, 8):
        scaler, workers, history = Autoscaler(HALF), start, []
        for _ in range(20):
            workers = scaler.decide(workers, waiting_seconds=60.0 / workers, other_seconds=10.0)
            history.append(workers)
        assert history[-8:] == [6] * 8

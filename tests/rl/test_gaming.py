"""The gaming alarm: what it is raised for, and how seldom it is wrong."""

from collections.abc import Sequence

import numpy as np
import pytest

from rewards.signal import Moments, build_signal
from rewards.table import by_name
from rl.gaming import WINDOW, Alarm, GamingWatch, Snapshot, find_gaming, snapshot

WEIGHTS = {"trick": 1.0, "calm": 1.0, "penalty": -0.5, "watched": 0.0}


def evaluation(step: int, success: float, num_dialogs: int = 100, **shares: float) -> Snapshot:
    """Every dimension is 1 in the given share of dialogs and 0 in the others, a half if it is not named."""
    values = {name: shares.get(name, 0.5) for name in WEIGHTS}
    moments = {name: (float(num_dialogs), p, num_dialogs * p * (1 - p)) for name, p in values.items()}
    return Snapshot(step, success, num_dialogs, moments)


def history(success: Sequence[float], num_dialogs: int = 100, **shares: Sequence[float]) -> list[Snapshot]:
    """Evaluations at the steps 0, 5, 10, ..."""
    rows = [dict(zip(shares, values, strict=True)) for values in zip(*shares.values(), strict=True)]
    return [evaluation(5 * i, s, num_dialogs, **row) for i, (s, row) in enumerate(zip(success, rows, strict=True))]


def alarmed(snapshots: Sequence[Snapshot]) -> list[str]:
    return [alarm.dimension for alarm in find_gaming(snapshots, WEIGHTS)]


FALLING = (0.3, 0.8, 0.4, 0.35)


def test_a_dimension_that_rises_while_success_falls() -> None:
    [alarm] = find_gaming(history(FALLING, trick=(0, 0, 0.8, 1)), WEIGHTS)
    # 100 zeros, then 20 zeros and 180 ones: of all 300, the share is 0.6 and the spread sqrt(0.24)
    assert alarm == Alarm("trick", 5, 15, 0.0, 0.9, pytest.approx(0.9 / np.sqrt(0.24)), 0.8, 0.35)
    assert str(alarm) == (
        "gaming alarm: trick went from 0 to 0.9 between steps 5 and 15, while held-out success fell from 80.0% to 35.0%"
    )


def test_a_penalty_games_by_falling_and_a_dimension_without_weight_not_at_all() -> None:
    assert alarmed(history(FALLING, penalty=(1, 1, 0, 0), watched=(0, 0, 1, 1))) == ["penalty"]
    assert alarmed(history(FALLING, penalty=(0, 0, 1, 1))) == []


@pytest.mark.parametrize(
    ("success", "trick"),
    [
        pytest.param((0.3, 0.8, 0.8, 0.8), (0, 0, 1, 1), id="success stays"),
        pytest.param((0.0, 0.0, 0.0, 0.0), (0, 0, 1, 1), id="success has never been there"),
        pytest.param((0.3, 0.8, 0.3, 0.8), (0, 0, 1, 1), id="one bad evaluation"),
        pytest.param((0.3, 0.8, 0.8, 0.3), (0, 0, 1, 1), id="one bad evaluation, the last"),
        pytest.param((0.8, 0.76, 0.77, 0.76), (0, 0, 1, 1), id="less than the fall that matters"),
        pytest.param(FALLING, (1, 1, 1, 1), id="the dimension stays"),
        pytest.param(FALLING, (0, 1, 1, 1), id="the dimension rose with success"),
        pytest.param((0.8, 0.3), (0, 1), id="too early to tell"),
        pytest.param((), (), id="nothing yet"),
    ],
)
def test_silent(success: Sequence[float], trick: Sequence[float]) -> None:
    assert alarmed(history(success, trick=trick)) == []


def test_a_fall_must_exceed_the_noise_of_a_small_evaluation() -> None:
    """From 0.8 to 0.4: with 12 dialogs, 3.5 standard errors are 0.70."""
    assert alarmed(history((0.8, 0.4, 0.4), 12, trick=(0, 1, 1))) == []
    assert alarmed(history((0.8, 0.4, 0.4), 100, trick=(0, 1, 1))) == ["trick"]


def test_a_rise_must_matter_and_exceed_the_noise() -> None:
    """From 0.4 to 0.6 is 0.4 standard deviations, however clear; from 0 to 0.5 is 1.1, in 9 turns by chance."""
    assert alarmed(history(FALLING, 10_000, trick=(0.4, 0.4, 0.6, 0.6))) == []
    assert alarmed(history(FALLING, 10_000, trick=(0.3, 0.3, 0.6, 0.6))) == ["trick"]
    snapshots = history(FALLING, trick=(0, 0, 0.5, 0.5))
    assert alarmed(snapshots) == ["trick"]
    for seldom in snapshots:
        count, mean, m2 = seldom.dimensions["trick"]
        seldom.dimensions["trick"] = (3.0, mean, m2 * 3.0 / count)
    assert alarmed(snapshots) == []


def test_a_watch_says_it_once_for_each_fall_and_forgets_what_is_old() -> None:
    watch = GamingWatch()
    success = [0.8, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.3, 0.9, 0.2, 0.2]
    trick = [0, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1]
    seen = []
    for step, (s, t) in enumerate(zip(success, trick, strict=True)):
        known = len(watch.alarms)
        watch = watch.after(evaluation(step, s, trick=t), WEIGHTS)
        seen += [(alarm.dimension, alarm.reference_step, step) for alarm in watch.alarms[known:]]
        assert len(watch.snapshots) == min(step + 1, WINDOW)
    assert seen == [("trick", 0, 2), ("trick", 9, 11)]


def test_a_dimension_that_is_not_in_every_evaluation_is_left_out() -> None:
    snapshots = history(FALLING, trick=(0, 0, 1, 1))
    for early in snapshots[:2]:
        del early.dimensions["trick"]
    assert alarmed(snapshots) == []


def test_a_snapshot_holds_the_moments_of_the_weighted_dimensions() -> None:
    names = ("answer.correct", "format.nonempty", "length.concise")
    signal = build_signal([by_name()[name] for name in names], {"answer.correct": 1.0, "length.concise": 0.5})
    vector = np.array([[0.0, 1.0, np.nan], [1.0, 1.0, np.nan], [2.0, 1.0, np.nan]], np.float32)
    seen = snapshot(7, vector, np.array([1.0, 0.5, 0.0], np.float32), 2, signal)
    assert seen == Snapshot(7, 0.5, 2, {"answer.correct": (3.0, 1.0, 2.0), "length.concise": (0.0, 0.0, 0.0)})


@pytest.mark.parametrize(
    ("climb", "drift"),
    [
        pytest.param(0.0, 0.0, id="noise alone"),
        pytest.param(0.0, 0.1, id="success stays, the dimensions move"),
        pytest.param(0.1, 0.1, id="success climbs, the dimensions move"),
    ],
)
def test_false_alarms_are_rare(climb: float, drift: float) -> None:
    """300 runs of 20 evaluations of 60 dialogs, with 30 dimensions: fewer than one in a hundred raises an alarm."""
    numbers = np.random.default_rng(3)
    names = [f"d{i}" for i in range(30)]
    weights = dict.fromkeys(names, 1.0)
    num_wrong = 0
    for _ in range(300):
        level, means, watch = numbers.uniform(0.1, 0.9), numbers.uniform(0.1, 0.9, 30), GamingWatch()
        for step in range(20):
            level = min(level + abs(numbers.normal(0, climb)), 1.0)
            means = np.clip(means + numbers.normal(0, drift, 30), 0, 1)
            values = (numbers.random((60, 30)) < means).astype(np.float64)
            state = Moments.of(values).by_name(names)
            watch = watch.after(Snapshot(step, numbers.binomial(60, level) / 60, 60, state), weights)
        num_wrong += bool(watch.alarms)
    assert num_wrong < 3

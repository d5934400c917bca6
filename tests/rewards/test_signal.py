"""The way from vector to reward, with numbers worked by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rewards.dimension import Dimension
from rewards.resolve import RewardConfigError
from rewards.score import weighted_sum
from rewards.signal import EPS, MAX_DEVIATION, Gate, Moments, Signal, Transform, build_signal
from rewards.table import by_name

NAN = math.nan
RIGHT = by_name()["answer.correct"]
BRIEF = by_name()["length.concise"]
LIVELY = replace(BRIEF, name="style.lively", family="style", low=-2.0, high=6.0)
POLITE = replace(BRIEF, name="style.polite", family="style")
DIMENSIONS = (RIGHT, BRIEF, LIVELY, POLITE)
WEIGHTS = {"answer.correct": 1.0, "length.concise": 0.5, "style.lively": 0.25, "style.polite": -1.0}
NONE = Moments.none(4)
VECTOR = np.array([[1.0, 0.5, 2.0, 1.0], [0.0, NAN, 4.0, 0.5], [NAN, 1.0, -1.0, NAN]], np.float32)
SUCCESS = np.array([1.0, 0.0, 1.0], np.float32)


def signal(transforms: dict[str, Transform] | None = None, *gates: Gate, normalize: bool = False) -> Signal:
    return build_signal(DIMENSIONS, WEIGHTS, transforms, gates, normalize=normalize)


def test_the_default_is_the_weighted_sum_bit_for_bit() -> None:
    numbers = np.random.default_rng(0)
    vector = numbers.random((50, 4), np.float32)
    vector[numbers.random((50, 4)) < 0.2] = NAN
    plain = signal()
    scalar = plain.scalar(vector, SUCCESS, NONE)
    assert scalar.dtype == np.float32
    assert scalar.tobytes() == (np.nan_to_num(vector, nan=0.0) @ plain.weights).tobytes()
    assert plain.values(vector, NONE) is vector


def test_an_abstention_and_a_dimension_without_weight_bring_nothing() -> None:
    watched = build_signal(DIMENSIONS, {"answer.correct": 2.0})
    np.testing.assert_array_equal(watched.scalar(VECTOR, SUCCESS, NONE), [2.0, 0.0, 0.0])
    np.testing.assert_array_equal(signal().scalar(VECTOR, SUCCESS, NONE), [0.75, 0.5, 0.25])


@pytest.mark.parametrize(
    ("transform", "x", "wanted"),
    [
        (Transform("center"), -2.0, -1.0),
        (Transform("center"), 4.0, 0.5),
        (Transform("log1p"), math.e - 1, 1.0),
        (Transform("log1p"), 1 - math.e, -1.0),
        (Transform("sigmoid"), 0.0, 0.5),
        (Transform("sigmoid"), math.log(3), 0.75),
        (Transform("sigmoid"), -1e4, 0.0),
        (Transform("clip", -1.0, 2.0), 5.0, 2.0),
        (Transform("clip", -1.0, 2.0), -1.5, -1.0),
        (Transform("power", exponent=2.0), 3.0, 9.0),
        (Transform("power", exponent=0.5), -4.0, -2.0),
    ],
)
def test_transforms(transform: Transform, x: float, wanted: float) -> None:
    shaped = signal({"style.lively": transform}).transformed(np.array([[0.25, NAN, x, 0.5], [NAN, 1.0, NAN, 0.0]]))
    np.testing.assert_allclose(shaped, [[0.25, NAN, wanted, 0.5], [NAN, 1.0, NAN, 0.0]], atol=1e-12)


def test_a_transform_counts_in_the_reward() -> None:
    centred = signal({"answer.correct": Transform("center")})
    np.testing.assert_array_equal(centred.scalar(VECTOR, SUCCESS, NONE), [0.75, -0.5, 0.25])


# -- moments --------------------------------------------------------------------------------------------------------


def test_moments_leave_abstentions_out() -> None:
    moments = Moments.of(VECTOR.astype(np.float64))
    np.testing.assert_array_equal(moments.count, [2, 2, 3, 2])
    np.testing.assert_allclose(moments.mean, [0.5, 0.75, 5 / 3, 0.75])
    np.testing.assert_allclose(moments.std, [0.5, 0.25, np.std([2, 4, -1]), 0.25])


def test_merged_moments_are_those_of_all_values_in_whatever_parts() -> None:
    values = np.random.default_rng(1).normal(5, 2, (60, 3))
    values[:20, 1] = NAN  # judges nothing in the first part
    values[:, 2] = NAN  # judges nothing at all
    whole = Moments.of(values)
    for cuts in ([20], [7, 20, 33]):
        merged = Moments.none(3)
        for part in np.split(values, cuts):
            merged = merged.merge(Moments.of(part))
        for field in ("count", "mean", "m2"):
            np.testing.assert_allclose(getattr(merged, field), getattr(whole, field), rtol=1e-12)
    assert whole.std[2] == 0.0


def test_moments_survive_a_checkpoint_and_a_change_of_dimensions() -> None:
    moments = Moments.of(VECTOR.astype(np.float64))
    state = moments.by_name(("a", "b", "c", "d"))
    again = Moments.from_names(state, ("d", "new", "a"))
    np.testing.assert_array_equal(again.m2, [moments.m2[3], 0.0, moments.m2[0]])
    np.testing.assert_array_equal(again.count, [2, 0, 2])
    assert Moments.from_names({}, ("a", "b")).count.tolist() == [0, 0]


def test_normalised_values_are_deviations_within_a_bound() -> None:
    before = Moments(np.array([9.0, 1.0, 4.0, 9.0]), np.array([0.5, 0.5, 2.0, 0.0]), np.array([2.25, 0.0, 16.0, 0.0]))
    values = signal(normalize=True).values(VECTOR, before)
    std = 0.5 + EPS
    np.testing.assert_allclose(values[:, 0], [0.5 / std, -0.5 / std, NAN])
    np.testing.assert_array_equal(values[:, 1], [0.5, NAN, 1.0])  # judged once: nothing to compare with yet
    np.testing.assert_allclose(values[:, 2], [0.0, 2 / (2 + EPS), -3 / (2 + EPS)])
    np.testing.assert_array_equal(values[:, 3], [MAX_DEVIATION, MAX_DEVIATION, NAN])  # was always 0 until now


def test_normalised_rewards_do_not_depend_on_the_unit_of_a_dimension() -> None:
    numbers = np.random.default_rng(2).normal(size=(40, 4))
    scaled = numbers * [1000.0, 1.0, 0.001, 1.0]
    ours, theirs = (
        signal(normalize=True).scalar(values[20:], np.ones(20), Moments.of(values[:20])) for values in (numbers, scaled)
    )
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


# -- gates ----------------------------------------------------------------------------------------------------------


def test_a_wrong_answer_caps_what_style_brings() -> None:
    gated = signal(None, Gate("answer.correct", cap=("style", "length.concise")))
    brought = gated.contributions(VECTOR, SUCCESS, NONE)
    np.testing.assert_allclose(
        brought,
        [
            [1.0, 0.25, 0.5, -1.0],
            [0.0, NAN, 0.0, -0.5],  # wrong: lively is capped, the penalty for politeness stays
            [NAN, 0.5, -0.25, NAN],  # nobody knows whether it is right: nothing is shut
        ],
    )
    np.testing.assert_allclose(gated.scalar(VECTOR, SUCCESS, NONE), [0.75, -0.5, 0.25])
    assert gated.scalar(VECTOR, SUCCESS, NONE).dtype == np.float32


def test_a_gate_on_success_with_bounds_of_its_own() -> None:
    gated = signal(None, Gate("success", cap=("style.lively",), below=1.0, at=0.375))
    np.testing.assert_allclose(gated.contributions(VECTOR, SUCCESS, NONE)[:, 2], [0.5, 0.375, -0.25])


def test_a_gate_looks_at_what_was_judged_and_caps_what_counts() -> None:
    """`when` is compared before, the cap applied after transform and normalisation."""
    moments = Moments(np.full(4, 4.0), np.array([0.9, 0.0, 3.0, 0.0]), np.full(4, 4.0))
    gated = signal({"answer.correct": Transform("center")}, Gate("answer.correct", cap=("style",)), normalize=True)
    lively = gated.contributions(VECTOR, SUCCESS, moments)[:, 2]
    np.testing.assert_allclose(lively, [-0.25, 0.0, -1.0], atol=1e-6)


@pytest.mark.parametrize(
    ("transforms", "gate", "message"),
    [
        ({"style.livly": Transform("center")}, None, "rewards.transforms: style.livly is not scored"),
        ({}, Gate("answer.contains", cap=("style",)), "rewards.gates: when names answer.contains, which is not scored"),
        ({}, Gate("success", cap=("stile",)), "rewards.gates: cap names stile, which is no dimension or family"),
    ],
)
def test_names_that_are_not_scored_are_refused(
    transforms: dict[str, Transform], gate: Gate | None, message: str
) -> None:
    with pytest.raises(RewardConfigError, match=message):
        signal(transforms, *([gate] if gate else []))


def test_a_weight_without_its_dimension_is_refused() -> None:
    only: tuple[Dimension, ...] = (RIGHT,)
    with pytest.raises(RewardConfigError, match=r"rewards\.weights: length\.concise is not scored"):
        build_signal(only, {"answer.correct": 1.0, "length.concise": 1.0})


def test_weighted_sum_takes_an_abstention_for_nothing() -> None:
    np.testing.assert_array_equal(weighted_sum(np.array([[1.0, NAN], [2.0, 3.0]]), np.array([2.0, -1.0])), [2.0, 1.0])

import math

import numpy as np
import pytest

from rl.feedback_fit import Pairs, agrees, fit, held_out, improvement_z, logistic

RNG = np.random.default_rng(7)


def pairs(values: np.ndarray, prior: np.ndarray, ties: np.ndarray | None = None) -> Pairs:
    ties = np.zeros(len(values), bool) if ties is None else ties
    return Pairs(values, values @ prior, ties, np.arange(len(values)) % 5)


def judged(values: np.ndarray, likes: np.ndarray) -> np.ndarray:
    """The differences turned so that what is better by `likes` comes first."""
    return values * np.where(values @ likes >= 0, 1.0, -1.0)[:, None]


def test_logistic_by_hand() -> None:
    """Three of four say yes of the same thing: without a penalty, sigmoid(t) = 3/4, t = log 3."""
    columns, target = np.ones((4, 1)), np.array([1.0, 1.0, 1.0, 0.0])
    assert logistic(columns, target, np.array([1e-9])) == pytest.approx([math.log(3)], abs=1e-6)
    # with penalty p the gradient 4 sigmoid(t) - 3 + p t vanishes: at t = 0, of p without end, and in between at t = 1/2
    p = (3 - 4 / (1 + math.exp(-0.5))) / 0.5
    assert logistic(columns, target, np.array([p])) == pytest.approx([0.5])


def test_without_evidence_the_recipe_stays() -> None:
    """What people say follows the recipe, so its direction is kept, and its scale always is."""
    prior = np.array([1.0, -0.5, 0.25])
    values = judged(RNG.normal(size=(400, 3)), prior)
    weights = fit(pairs(values, prior), prior, strength=1e6)
    assert weights == pytest.approx(prior, abs=1e-4)


def test_what_people_like_is_found_against_the_recipe() -> None:
    prior, likes = np.array([1.0, 1.0, 0.5]), np.array([1.0, -1.0, 0.5])
    values = judged(RNG.normal(size=(300, 3)), likes)
    weights = fit(pairs(values, prior), prior, strength=1.0)
    cosine = weights @ likes / np.linalg.norm(weights) / np.linalg.norm(likes)
    assert cosine > 0.98
    sizes = [np.sqrt(np.mean((values @ w) ** 2)) for w in (weights, prior)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)  # rewards differ as much as before


def test_the_unit_of_a_value_does_not_matter() -> None:
    prior, likes = np.array([1.0, 1.0]), np.array([1.0, -2.0])
    values, unit = judged(RNG.normal(size=(200, 2)), likes), np.array([1.0, 1000.0])
    plain, scaled = (fit(pairs(v, p), p, strength=1.0) for v, p in ((values, prior), (values * unit, prior / unit)))
    assert scaled * unit == pytest.approx(plain)


def test_the_order_of_pairs_does_not_matter() -> None:
    prior = np.array([1.0, 1.0])
    values = judged(RNG.normal(size=(100, 2)), np.array([1.0, -1.0]))
    found = pairs(values, prior)
    assert fit(found[np.arange(100)[::-1]], prior, strength=1.0) == pytest.approx(fit(found, prior, strength=1.0))


def test_what_nobody_was_asked_about_keeps_its_weight() -> None:
    """A dimension that never differs, and all the more one that differs in three pairs than in three hundred."""
    prior = np.array([1.0, 2.0])
    others, weights = -np.abs(RNG.normal(size=300)), []
    for num_pairs in (0, 3, 300):
        second = np.where(np.arange(300) < num_pairs, -1.0, 0.0)
        weights.append(fit(pairs(np.column_stack([others, second]), prior), prior, strength=1.0)[1])
    assert weights[0] == 2.0
    assert weights[0] > weights[1] > 1.0 > 0.0 > weights[2]


def test_held_out_pairs_are_not_fitted_to() -> None:
    """Coin tosses cannot be foretold, however many dimensions there are to explain them with."""
    prior = np.ones(80)
    values = RNG.normal(size=(300, 80))
    found = pairs(values, prior)
    inside = agrees(values @ fit(found, prior, strength=1e-3), found.ties).mean()
    outside = agrees(held_out(found, prior, strength=1e-3), found.ties).mean()
    assert inside > 0.7
    assert 0.4 < outside < 0.6


def test_agreement_counts_equal_rewards_half_and_ties_not() -> None:
    assert agrees(np.array([1.0, 0.0, -1.0, 5.0]), np.array([False, False, False, True])).tolist() == [1.0, 0.5, 0.0]


def test_improvement_in_standard_errors() -> None:
    """9 pairs gained and 1 lost: 8 / sqrt(10)."""
    before = np.array([0.0] * 9 + [1.0] + [1.0] * 30)
    after = np.array([1.0] * 9 + [0.0] + [1.0] * 30)
    assert improvement_z(before, after) == pytest.approx(8 / math.sqrt(10))
    assert improvement_z(before, before) == 0.0

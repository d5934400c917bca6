"""The payments of self-play, by hand."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from envs.task import Outcome
from rewards.dimensions.example import example
from rewards.dimensions.selfplay import DIMENSIONS

INVALID = Outcome(valid=False, new=False, proposed=True)
DUPLICATE = Outcome(new=False, proposed=True)
NAMES = [dimension.name.removeprefix("selfplay.") for dimension in DIMENSIONS]


def scores(outcome: Outcome | None) -> dict[str, float | None]:
    said = replace(example("Write a calculation.", "3+4"), outcome=outcome)
    return dict(zip(NAMES, [dimension.score(said) for dimension in DIMENSIONS], strict=True))


def proposal(success: float | None) -> Outcome:
    return Outcome(success=success, proposed=True)


def test_a_task_of_the_right_difficulty_is_worth_most() -> None:
    learnable = [scores(proposal(p))["learnable"] for p in (0.0, 0.125, 0.25, 0.5, 0.75, 1.0)]
    assert learnable == [0.0, 0.4375, 0.75, 1.0, 0.75, 0.0]
    hard = [scores(proposal(p))["hard"] for p in (0.0, 0.25, 0.5, 1.0)]
    assert hard == [0.0, 0.75, 0.5, 0.0]


@pytest.mark.parametrize("outcome", [INVALID, DUPLICATE, proposal(1.0)])
def test_invalid_duplicate_and_trivial_tasks_earn_nothing_for_difficulty(outcome: Outcome) -> None:
    assert scores(outcome)["learnable"] == scores(outcome)["hard"] == 0.0


def test_validity_and_novelty_are_told_apart() -> None:
    assert [(scores(o)["valid_task"], scores(o)["new_task"]) for o in (INVALID, DUPLICATE, proposal(None))] == [
        (0.0, None),
        (1.0, 0.0),
        (1.0, 1.0),
    ]


def test_what_nobody_tried_is_not_judged_by_its_solvers() -> None:
    tried = scores(proposal(None))
    assert tried["learnable"] is tried["hard"] is tried["solved_by_some"] is None


def test_everybody_else_abstains() -> None:
    assert set(scores(None).values()) == {None}
    of_user = scores(Outcome(success=0.75))
    assert of_user.pop("user_understood") == 0.75
    assert set(of_user.values()) == {None}
    assert scores(proposal(0.75))["user_understood"] is None


def test_no_two_say_the_same_of_proposals() -> None:
    """The corpus of all dimensions has few outcomes, so here are many."""
    outcomes = [*[INVALID] * 5, *[DUPLICATE] * 5, *(proposal(k / 8) for k in range(9) for _ in range(4))]
    columns = [[scores(outcome)[name] for outcome in outcomes] for name in NAMES if name != "user_understood"]
    table = np.array(columns, float)
    for a, b in combinations(table, 2):
        both = ~np.isnan(a) & ~np.isnan(b)
        if np.ptp(a[both]) > 0 and np.ptp(b[both]) > 0:
            assert spearmanr(a[both], b[both]).statistic < 0.98

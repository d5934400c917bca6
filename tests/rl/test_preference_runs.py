"""Pairs from the store of a run: answers to one question, ranked."""

from pathlib import Path

import pytest

from rl.preference_runs import from_runs
from rl.preferences import Preference
from rl.rows import DataFileError
from rl.stage_config import PairRunConfig
from rl.store import TrajectoryStore
from rl.trajectory import Scored
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory

QUESTIONS = ("2+2=?", "And then?")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two iterations of one question, and a failed dialog."""
    store = TrajectoryStore(tmp_path / "mine", DIMENSIONS)
    dialogs: list[Scored] = [
        answered(0, 0, ("4", "5"), (1.0, 0.5)),
        answered(0, 1, ("7", "5"), (0.25, 0.75)),
        answered(0, 2, ("4", "9"), (1.0, 0.125)),
        answered(0, 3, ("x", "5"), (0.0, 0.75)),
        answered(1, 0, ("4", "1"), (1.0, 1.0)),
        answered(1, 1, ("3", "1"), (0.9375, 1.0)),
        lost(request(1, 0, 2)),
    ]
    store.write(dialogs)
    return tmp_path / "mine"


def answered(iteration: int, sample: int, answers: tuple[str, str], rewards: tuple[float, float]) -> Scored:
    return scored(trajectory(request(iteration, 0, sample), answers, questions=QUESTIONS), rewards)


def pairs(run: Path, **settings: object) -> list[Preference]:
    return list(from_runs([PairRunConfig.model_validate({"run": str(run), **settings})]))


def test_answers_to_the_same_question_are_compared_best_against_worst(run: Path) -> None:
    first, second = pairs(run)
    # 4 (1.0), 7 (0.25) and x (0.0) in the first iteration; 3 and 4 in the second are too close
    assert (first.chosen, first.rejected) == ((("2+2=?", "4"),), (("2+2=?", "x"),))
    # a follow-up has the same context only where the answer before was the same
    assert second.chosen == (("2+2=?", "4"), ("And then?", "5"))
    assert second.rejected == (("2+2=?", "4"), ("And then?", "9"))
    assert first.source == "run/mine"


def test_the_margin_and_the_iterations_choose(run: Path) -> None:
    assert len(pairs(run, min_margin=0.05)) == 3
    assert len(pairs(run, min_margin=0.05, first=1)) == 1
    assert len(pairs(run, min_margin=0.05, last=0)) == 2
    assert len(pairs(run, min_margin=0.05, num_pairs=1)) == 1


def test_named_dimensions_rank_instead_of_the_reward(run: Path) -> None:
    upside_down = pairs(run, weights={"math.correct": -1.0})
    assert upside_down[0].chosen[-1][1] == "x"
    assert pairs(run, weights={"format.short": 1.0}) == []  # 0 for everything


def test_what_is_missing_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match=r"mine: its dialogs were not judged in 'style.nice'; they were in math"):
        pairs(run, weights={"style.nice": 1.0})
    with pytest.raises(DataFileError, match="is not a run directory"):
        pairs(tmp_path / "nothing")

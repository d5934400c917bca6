"""Runs read back from their directories."""

from pathlib import Path

import pytest

from rl.load_config import load_config
from rl.runs import Milestone, RunError, different_keys, read_report, read_run
from tests.rl.hand_made_runs import evaluation, make_run, write_checkpoint


def test_every_evaluation_with_what_it_had_cost(tmp_path: Path) -> None:
    run = read_run(make_run(tmp_path / "a", {0: 0.0, 2: 0.5, 3: 0.25}, "run.seed=7"))
    assert run.milestones == (Milestone(0, 0, 0.0, 0.0), Milestone(2, 200, 4.0, 0.5), Milestone(3, 300, 6.0, 0.25))
    assert (run.best, run.last.accuracy, run.config.run.seed) == (0.5, 0.25, 7)


def test_updates_after_the_last_evaluation_cost_nothing_yet(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {0: 0.0, 4: 0.5}, finished=False)
    write_checkpoint(folder, 5, [evaluation(0, 0.0), evaluation(2, 0.25)])
    assert read_run(folder).milestones[-1] == Milestone(2, 200, 4.0, 0.25)


def test_a_run_without_a_report_is_read_from_its_newest_readable_checkpoint(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {0: 0.0, 2: 0.5}, finished=False)
    damaged = folder / "checkpoints" / "step-000003"
    damaged.mkdir()
    (damaged / "state.json").write_text("{")
    assert [m.accuracy for m in read_run(folder).milestones] == [0.0, 0.5]


def test_a_finished_run_that_goes_on_is_read_from_its_checkpoint(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {0: 0.0, 2: 0.5})
    write_checkpoint(folder, 4, [evaluation(0, 0.0), evaluation(2, 0.5), evaluation(4, 0.75)])
    assert read_run(folder).last.accuracy == 0.75


@pytest.mark.parametrize("finished", [True, False])
def test_a_run_without_evaluations_is_refused(finished: bool, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {}, finished=finished)
    with pytest.raises(RunError, match="a has no evaluations"):
        read_run(folder)


@pytest.mark.parametrize("text", ["", "{", '{"step": 2}', '{"step": 2, "eval": [{"step": 0}]}', "[]"])
def test_a_damaged_report_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(RunError, match=r"report\.json is damaged, or not the report of a run"):
        read_report(tmp_path)


def test_keys_that_differ() -> None:
    first = load_config("r1_zero_smoke", ["ppo.clip_ratio=0.1", "rewards.weights.answer.correct=2.0"])
    second = load_config("r1_zero_smoke", ["tasks.mix.0.levels=[0, 1]", "run.name=x"])
    assert sorted(different_keys(first, second)) == [
        "ppo.clip_ratio",
        "rewards.weights.answer.correct",
        "run.name",
        "tasks.mix",
    ]
    assert different_keys(first, first) == []

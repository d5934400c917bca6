"""The reward's way through the real loop: gaming alarms, running normalisation, dialogs that cannot be judged."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rewards.signal import Moments
from rl.load_config import save_config
from rl.metrics import read_metrics
from rl.report import write_report
from rl.reward_report import report_rewards
from rl.store import Query, read
from tests.rl.fakes import KilledError, Run, Scripted, Trap, small_config
from tests.rl.test_loop import assert_same_run, stop

OWN = """
from dataclasses import replace

from rewards.dimension import Dimension
from rewards.dimensions.example import example


def trick(transcript):
    return float("9" in transcript.last.answer)


def moody(transcript):
    if transcript.task.scenario == "scripted" and transcript.task.seed % 3 == 0:
        return float("nan")
    return float(len(transcript.last.answer) > 1)


DIMENSIONS = [
    Dimension("my.trick", "my", "Says the magic word.", trick, example("?", "9"), example("?", "1")),
    Dimension("my.moody", "my", "Fails now and then.", moody, example("?", "12"), example("?", "1")),
]
"""
ONSET = 5  # the first weights that know the trick


@pytest.fixture
def own(tmp_path: Path) -> str:
    path = tmp_path / "own.py"
    path.write_text(OWN)
    return f"rewards.files=[{path}]"


def learns(version: int, number: float) -> str:
    """Right (7) more and more often."""
    return "7" if number < 0.3 + 0.05 * version else "1"


def games(version: int, number: float) -> str:
    """The same, until it finds what else pays."""
    return learns(version, number) if version < ONSET or number > 0.9 else "9"


def gaming_run(folder: Path, own: str, says: Callable[[int, float], str], trap: Trap | None = None) -> Run:
    folder.mkdir(exist_ok=True)
    weights = "rewards.weights={my.trick: 0.5, answer.correct: 1.0, termination.ended: 0.25}"
    config = small_config(
        own, weights, "run.num_iterations=15", "eval.every=3", "eval.num_tasks=48", "checkpoint.every=4"
    )
    return Run(folder, config, scenario=Scripted(), says=says, trap=trap)


def test_an_exploit_raises_the_alarm_within_ten_iterations(tmp_path: Path, own: str) -> None:
    run = gaming_run(tmp_path / "run", own, games)
    summary = run.train()
    [alarm] = summary.alarms
    assert alarm.dimension == "my.trick"
    assert ONSET < alarm.step <= ONSET + 10
    assert alarm.reference_step < ONSET
    assert alarm.success_before > alarm.success_after + 0.2
    assert f"warning: {alarm}" in run.said
    counts = {line.step + 1: line.values["alarm/gaming"] for line in read_metrics(run.run_dir)}
    assert counts == {step: float(step > alarm.step) for step in range(1, 16)}
    write_report(run.run_dir, summary)
    report = json.loads((run.run_dir / "report.json").read_text())
    assert [entry["dimension"] for entry in report["alarms"]] == ["my.trick"]
    assert f"- {alarm}" in (run.run_dir / "report.md").read_text()


def test_the_rewards_report_finds_the_alarms_that_the_run_has_raised(tmp_path: Path, own: str) -> None:
    run = gaming_run(tmp_path / "run", own, games)
    summary = run.train()
    save_config(run.config, run.run_dir / "config.yaml")
    report = report_rewards(run.run_dir)
    assert [(a.dimension, a.reference_step, a.step) for a in report.alarms] == [
        (a.dimension, a.reference_step, a.step) for a in summary.alarms
    ]
    np.testing.assert_allclose([success for _, success in report.evaluations], [e.accuracy for e in summary.evals])
    trick = report.lines[0]
    assert (trick.name, trick.drift is not None and trick.drift > 1.0) == ("my.trick", True)
    assert ("my.trick", "answer.correct") in {(pair.first, pair.second) for pair in report.conflicts}


def test_a_clean_run_is_silent(tmp_path: Path, own: str) -> None:
    run = gaming_run(tmp_path / "run", own, learns)
    summary = run.train()
    assert summary.evals[-1].accuracy > summary.evals[0].accuracy + 0.3
    assert summary.alarms == ()
    assert not [line for line in run.said if line.startswith("warning")]
    assert {line.values["alarm/gaming"] for line in read_metrics(run.run_dir)} == {0.0}
    write_report(run.run_dir, summary)
    assert "alarm" not in (run.run_dir / "report.md").read_text()


@pytest.mark.parametrize("visit", [9, 13])
def test_the_alarm_survives_a_kill(tmp_path: Path, own: str, visit: int) -> None:
    whole = gaming_run(tmp_path / "whole", own, games)
    summary = whole.train()
    assert isinstance(stop(gaming_run(tmp_path / "run", own, games, Trap("update", visit))), KilledError)
    resumed = gaming_run(tmp_path / "run", own, games)
    assert_same_run(resumed, resumed.train(), whole, summary)


# -- normalisation ----------------------------------------------------------------------------------------------------

NORMALIZED = ("rewards.normalize=running", "rewards.monitor=[repetition.loops]", "eval.every=0")


def test_rewards_are_normalised_by_what_came_before_their_iteration(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config(*NORMALIZED))
    run.train()
    weights = np.array([run.config.rewards.weights.get(name, 0.0) for name in run.scorer.names])
    moments = Moments.none(len(weights))
    for iteration in range(5):
        scores = [r.scored.score for r in read(tmp_path, Query("train", iteration, iteration))]
        vector = np.concatenate([score.vector for score in scores if score]).astype(np.float64)
        scalar = np.concatenate([score.scalar for score in scores if score])
        deviation = np.clip((vector - moments.mean) / (moments.std + 1e-6), -5, 5)
        wanted = np.nansum(np.where(moments.count >= 2, deviation, vector) * weights, axis=1)
        np.testing.assert_allclose(scalar, wanted, atol=1e-5)
        moments = moments.merge(Moments.of(vector))
    state = json.loads((tmp_path / "checkpoints" / "step-000005" / "state.json").read_text())
    stored = Moments.from_names(state["moments"], run.scorer.names)
    np.testing.assert_array_equal(stored.count, moments.count)
    np.testing.assert_allclose(stored.mean, moments.mean, rtol=1e-9)


def test_normalised_runs_do_not_depend_on_workers_or_kills(tmp_path: Path) -> None:
    for name in ("whole", "killed", "three"):
        (tmp_path / name).mkdir()
    whole = Run(tmp_path / "whole", small_config(*NORMALIZED))
    summary = whole.train()
    assert Run(tmp_path / "three", small_config(*NORMALIZED), num_workers=3).train() == summary
    stop(Run(tmp_path / "killed", small_config(*NORMALIZED), trap=Trap("update", 4)))
    resumed = Run(tmp_path / "killed", small_config(*NORMALIZED))
    assert_same_run(resumed, resumed.train(), whole, summary)


def test_transforms_gates_and_dimensions_apart_change_what_is_learned(tmp_path: Path) -> None:
    settings: dict[str, tuple[str, ...]] = {
        "plain": ("ppo.advantage_estimator=grpo",),
        "transform": ("ppo.advantage_estimator=grpo", "rewards.transforms.answer.correct={kind: center}"),
        "gate": ("ppo.advantage_estimator=grpo", "rewards.gates=[{when: success, cap: [termination]}]"),
        "apart": ("ppo.advantage_estimator=grpo", "ppo.advantage_combine=per_dimension"),
    }
    hashes = set()
    for name, overrides in settings.items():
        (tmp_path / name).mkdir()
        run = Run(tmp_path / name, small_config("run.num_iterations=1", "eval.every=0", "ppo.kl_in=loss",
                                                "ppo.kl_estimator=k3", *overrides))  # fmt: skip
        hashes.add(run.train().final_weights_sha256)
    assert len(hashes) == len(settings)


# -- dialogs that cannot be judged ------------------------------------------------------------------------------------

MOODY = "rewards.weights={my.moody: 0.5, termination.ended: 0.25}"


def test_what_cannot_be_judged_is_set_aside_with_its_error_and_is_no_zero(tmp_path: Path, own: str) -> None:
    (tmp_path / "run").mkdir()
    run = Run(tmp_path / "run", small_config(own, MOODY, "rewards.on_error=exclude"), scenario=Scripted())
    summary = run.train()
    records = list(read(run.run_dir))
    unjudged = [r for r in records if r.trajectory.request.task.seed % 3 == 0]
    assert 0 < len(unjudged) < len(records)
    for record in records:
        assert (record.trajectory.status == "failed") == (record.scored.score is None) == (record in unjudged)
    for record in unjudged:
        assert record.trajectory.error.startswith("my.moody failed on turn 0 of task scripted/en/0/")
        assert record.trajectory.error.endswith("nan is outside [0.0, 1.0]")
        assert record.trajectory.turns, "what was said is kept"
    train = [r for r in unjudged if r.trajectory.request.purpose == "train"]
    assert summary.episodes["failed"] == len(train)
    for step, batch in run.learner.batches.items():
        num_failed = sum(r.trajectory.request.iteration == step for r in train)
        assert len(batch) == 8 - num_failed


def test_by_default_it_stops_the_run(tmp_path: Path, own: str) -> None:
    (tmp_path / "run").mkdir()
    run = Run(tmp_path / "run", small_config(own, MOODY), scenario=Scripted())
    assert str(stop(run)).startswith("my.moody failed on turn 0 of task scripted/en/0/")
    assert run.learner.batches == {}

"""A run is asked how it is, to scale and to stop through its directory; and nobody is asked where nobody runs."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster import ask, cli
from cluster.ask import NotRunningError
from rl.control import Answer, Control, RunStatus, ScaleRequest, WorkerStatus
from rl.files import RunLock


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    run_dir = tmp_path / "runs" / "mine"
    run_dir.mkdir(parents=True)
    Control(run_dir).clear()
    return run_dir


@pytest.fixture
def running(run_dir: Path) -> Iterator[Path]:
    worker = WorkerStatus(name="rollout-0", state="ready", version=3, num_dialogs=8)
    with RunLock(run_dir):
        Control(run_dir).publish(RunStatus(time=time.time(), host="here", pid=7, rollout=(worker,)))
        yield run_dir


def answering(run_dir: Path, answer: Answer) -> list[ScaleRequest]:
    """Answer the next request, as the driver would; returns what was asked."""
    asked: list[ScaleRequest] = []

    def serve() -> None:
        control = Control(run_dir)
        while not asked:
            for request in control.open_requests():
                asked.append(request)
                control.answer(request, answer)
            time.sleep(0.01)

    threading.Thread(target=serve, daemon=True).start()
    return asked


@pytest.mark.parametrize(("outcome", "code"), [("done", 0), ("refused", 2)])
def test_scale(
    outcome: str, code: int, running: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(running.parents[1])
    asked = answering(running, Answer.model_validate({"outcome": outcome, "text": "rollout 1 -> 3"}))
    assert cli.main(["scale", "mine", "--rollout", "3"]) == code
    assert (asked[0].rollout, asked[0].reward) == (3, None)
    printed = capsys.readouterr()
    assert "rollout 1 -> 3" in (printed.out if code == 0 else printed.err)


def test_scale_says_what_it_lacks(running: Path, capsys: pytest.CaptureFixture) -> None:
    for arguments in (["scale", str(running)], ["scale", str(running), "--rollout", "0"]):
        with pytest.raises(SystemExit) as exit_:
            cli.main(arguments)
        assert exit_.value.code == 2


def test_a_run_that_does_not_answer(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ask, "ANSWER_SECONDS", 0.1)
    with pytest.raises(TimeoutError, match=r"has not answered within 0\.1 s"):
        ask.scale(running, rollout=2, reward=None)


def test_nobody_is_asked_where_nobody_runs(run_dir: Path) -> None:
    with pytest.raises(NotRunningError, match="is not running"):
        ask.scale(run_dir, rollout=2, reward=None)
    with pytest.raises(NotRunningError, match="is not running"):
        ask.stop(run_dir)
    assert ask.describe(run_dir) == f"{run_dir}: not running"
    assert not Control(run_dir).is_stop_asked


def test_stop(running: Path) -> None:
    assert "will stop after its update" in ask.stop(running)
    assert Control(running).is_stop_asked


def test_status(running: Path) -> None:
    assert ask.describe(running).splitlines() == [
        f"{running}: running",
        "driver: here, process 7",
        "rollout-0: ready, weights 3, 8 dialogs",
    ]


def test_of_a_pipeline_the_stage_that_runs_is_meant(tmp_path: Path) -> None:
    stages = [tmp_path / "stages" / name for name in ("first", "second")]
    for stage in stages:
        stage.mkdir(parents=True)
        Control(stage).clear()
    with RunLock(tmp_path), RunLock(stages[1]):
        ask.stop(tmp_path)
    assert [Control(stage).is_stop_asked for stage in stages] == [False, True]

"""Workers that come and go while a run trains, and a run that is submitted to a cluster of two nodes from outside."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rl.checkpoint import newest_state
from rl.control import Control
from rl.metrics import FILE
from rl.store import read
from tests.e2e.conftest import FOUR
from tests.e2e.runs import COMMAND, SMOKE, TIMEOUT_SECONDS, Finished, Run, users_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"no {what} within {TIMEOUT_SECONDS:g} s"
        time.sleep(0.2)


def ask(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=TIMEOUT_SECONDS)


def test_scaling_in_mid_run_changes_nothing(smoke: Finished, tmp_path: Path) -> None:
    """One rollout worker, then two, then one; one reward worker, then two."""
    with Run(tmp_path, FOUR) as run:
        control = Control(run.run_dir)
        run.wait_for(lambda: control.status() is not None, "status")
        up = ask("scale", run.run_dir, "--rollout", "2", "--reward", "2")
        assert up.returncode == 0, up.stderr
        assert up.stdout == "scaled: rollout 1 -> 2, reward 1 -> 2\n"
        run.wait_for(lambda: _states(control) == ["ready", "ready"], "second worker that serves")
        shown = ask("status", run.run_dir)
        assert "rollout-1: ready" in shown.stdout
        refused = ask("scale", run.run_dir, "--rollout", "500")
        assert refused.returncode == 2
        assert "are missing" in refused.stderr
        down = ask("scale", run.run_dir, "--rollout", "1")
        assert down.returncode == 0, down.stderr
        done = run.wait()
    assert done.code == 0, done.errors
    assert done.left_behind == ()
    assert "scaled: rollout 2 -> 1" in done.output
    assert done.report()["final_weights_sha256"] == smoke.report()["final_weights_sha256"]
    ids = sorted(record.trajectory.request.id for record in read(done.run_dir))
    assert ids == sorted(record.trajectory.request.id for record in read(smoke.run_dir))


def _states(control: Control) -> list[str]:
    status = control.status()
    return [worker.state for worker in status.rollout] if status else []


def test_a_worker_that_joins_has_served_before_the_run_ends(tmp_path: Path) -> None:
    """Otherwise the test above would say nothing: both workers have held dialogs that were trained on."""
    with Run(tmp_path, "run.num_iterations=12") as run:
        control = Control(run.run_dir)
        run.wait_for(lambda: control.status() is not None, "status")
        assert ask("scale", run.run_dir, "--rollout", "2").returncode == 0
        done = run.wait()
    assert {record.trajectory.worker for record in read(done.run_dir)} == {"rollout-0", "rollout-1"}


# -- a cluster ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TwoNodes:
    """Started by `docker/ray-start.sh`, with a token of their own."""

    url: str
    environment: dict[str, str]
    shared: Path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """From outside: with the token, and in a folder of no meaning."""
        return subprocess.run(
            [COMMAND, *arguments, "--address", self.url],
            env=self.environment,
            cwd=self.shared,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def cluster() -> Iterator[TwoNodes]:
    folder = Path(tempfile.mkdtemp(prefix="cl-"))  # a short path, for Ray's sockets are to be in there
    port, dashboard = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    environment |= {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_AUTH_MODE": "token",
    }
    script = [str(ROOT / "docker" / "ray-start.sh")]
    limits = ["--object-store-memory=200000000", "--dashboard-agent-listen-port=0"]
    head = [f"--port={port}", f"--dashboard-port={dashboard}", f"--temp-dir={folder}/r", "--num-cpus=0"]
    processes = []
    with (folder / "out").open("wb") as out:
        for arguments in (["head", *head], ["worker", f"127.0.0.1:{port}", "--num-cpus=6"]):
            command = [*script, *arguments, *limits]
            process = subprocess.Popen(
                command, env=environment, cwd=folder, stdout=out, stderr=out, start_new_session=True
            )
            processes.append(process)
            wait_for(lambda: _answers(dashboard), "dashboard")
    (folder / "shared").mkdir()
    try:
        yield TwoNodes(f"http://127.0.0.1:{dashboard}", environment, folder / "shared")
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait(60)
        for process in users_of(folder):
            process.kill()
        shutil.rmtree(folder, ignore_errors=True)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_wrong_recipe_is_refused_before_anything_is_sent(cluster: TwoNodes) -> None:
    done = cluster.command("submit", SMOKE, "ppo.clip_ratoi=1", f"run.folder={cluster.shared}")
    assert done.returncode == 2
    assert "did you mean ppo.clip_ratio?" in done.stderr
    relative = cluster.command("submit", SMOKE)
    assert relative.returncode == 2
    assert "name an absolute one that all nodes see" in relative.stderr
    assert SMOKE not in cluster.command("jobs").stdout


def test_nobody_gets_in_without_the_token(cluster: TwoNodes, tmp_path: Path) -> None:
    for token in ({}, {"RAY_AUTH_TOKEN": "0" * 64}):
        without = {**cluster.environment, "HOME": str(tmp_path), **token}
        done = subprocess.run(
            [COMMAND, "jobs", "--address", cluster.url], env=without, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 2, done.stdout
        assert "Traceback" not in done.stderr


def test_a_model_that_the_nodes_do_not_have_is_refused_by_the_preflight(cluster: TwoNodes) -> None:
    done = cluster.command(
        "submit", SMOKE, f"run.folder={cluster.shared}", "run.name=none", "model.name_or_path=/no/model", "--follow"
    )
    assert done.returncode == 1
    assert done.stdout.count("/no/model (model.name_or_path) is not there") == 2  # a line for each node
    assert not (cluster.shared / "none" / "model").exists()


def test_submit_watch_scale_and_stop_from_outside(cluster: TwoNodes) -> None:
    submitted = cluster.command(
        "submit", SMOKE, "run.num_iterations=500", f"run.folder={cluster.shared}", "run.name=far"
    )
    assert submitted.returncode == 0, submitted.stderr
    assert "package: " in submitted.stdout
    job = submitted.stdout.split()[-1]
    run_dir = cluster.shared / "far"
    wait_for(lambda: (run_dir / FILE).exists() and (run_dir / FILE).read_text().count("\n") >= 1, "first iteration")

    assert "RUNNING" in next(line for line in cluster.command("jobs").stdout.splitlines() if line.startswith(job))
    logs = cluster.command("logs", job)
    assert "learner: 1 x (2 CPU, " in logs.stdout
    assert "iteration 1/500" in logs.stdout
    scaled = cluster.command("scale", job, "--rollout", "2")
    assert (scaled.returncode, scaled.stdout) == (0, "scaled: rollout 1 -> 2\n"), scaled.stderr
    status = cluster.command("status", job)
    assert "rollout-1: " in status.stdout

    stopped = cluster.command("stop", job)
    assert stopped.returncode == 0, stopped.stderr
    wait_for(lambda: "STOPPED" in cluster.command("status", job).stdout, "end")
    state = newest_state(run_dir)
    assert state is not None
    assert f"stopped after iteration {state.step} of 500, with a checkpoint" in cluster.command("logs", job).stdout
    assert list(cluster.shared.glob(".preflight-*")) == []

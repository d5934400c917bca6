"""The driver of a job, with a small process in place of the training: killed, started again, let go. No Ray."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import ray.exceptions

from cluster.driver import MAX_RESTARTS, Driver
from cluster.failures import CLUSTER_LOST, is_lost_cluster

# Does what its turn says: a number is its exit code, a name a signal to itself. Notes its arguments.
TRAINING = """
import os, signal, sys, time
from pathlib import Path
folder, *turns = sys.argv[1].split(",")
notes = Path(folder, "notes")
with notes.open("a") as file:
    file.write(" ".join(sys.argv[2:]) + "\\n")
turn = turns[min(len(notes.read_text().splitlines()), len(turns)) - 1]
Path(folder, "metrics.jsonl").touch() if turn != "SIGSEGV" else None
if turn == "wait":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    Path(folder, "waits").touch()
    time.sleep(60)
if turn.isdigit():
    sys.exit(int(turn))
os.kill(os.getpid(), signal.Signals[turn])
"""


def train(folder: Path, turns: Sequence[str], *arguments: str) -> tuple[int, list[str], list[str], list[float]]:
    """Exit code, the arguments of each process, what was said, and the pauses."""
    said, pauses = list[str](), list[float]()
    command = [sys.executable, "-c", TRAINING, ",".join([str(folder), *turns]), *arguments]
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = Driver(command, folder, said.append, pause=pauses.append).run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return code, (folder / "notes").read_text().splitlines(), said, pauses


def test_a_killed_driver_finds_its_run_again(tmp_path: Path) -> None:
    code, started, said, pauses = train(tmp_path, ["SIGKILL", "SIGABRT", str(CLUSTER_LOST), "0"], "r1_zero")
    assert code == 0
    assert started == ["r1_zero", *["r1_zero --resume"] * 3]
    assert pauses == [5.0, 10.0, 20.0]
    assert said == [
        "driver: the training process was killed by SIGKILL; started again in 5 s (1 of 5)",
        "driver: the training process was killed by SIGABRT; started again in 10 s (2 of 5)",
        "driver: the training process has lost its cluster; started again in 20 s (3 of 5)",
    ]


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_what_ends_by_itself_is_not_started_again(tmp_path: Path, code: int) -> None:
    assert train(tmp_path, [str(code)]) == (code, [""], [], [])


def test_a_run_that_had_not_begun_is_begun(tmp_path: Path) -> None:
    assert train(tmp_path, ["SIGSEGV", "0"])[:2] == (0, ["", ""])


def test_resume_is_said_once(tmp_path: Path) -> None:
    assert train(tmp_path, ["SIGKILL", "0"], "--resume")[1] == ["--resume", "--resume"]


def test_enough_is_enough(tmp_path: Path) -> None:
    code, started, said, _ = train(tmp_path, ["SIGKILL"])
    assert code == 128 + signal.SIGKILL
    assert len(started) == 1 + MAX_RESTARTS
    assert said[-1].endswith("it was started again 5 times, which is enough")


def test_a_stop_reaches_both_and_ends_both(tmp_path: Path) -> None:
    """As Ray does it: the signal goes to every process of the job."""
    program = (
        "import sys; from pathlib import Path; from cluster.driver import Driver\n"
        "sys.exit(Driver(sys.argv[2:], Path(sys.argv[1]), print).run())"
    )
    training = [sys.executable, "-c", TRAINING, f"{tmp_path},wait"]
    command = [sys.executable, "-c", program, str(tmp_path), *training]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2], start_new_session=True, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (tmp_path / "waits").exists():
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (130, b"")
    assert (tmp_path / "notes").read_text() == "\n"


def test_a_lost_cluster_is_told_from_other_failures() -> None:
    lost = ray.exceptions.RpcError("the control service does not answer")
    assert is_lost_cluster(ExceptionGroup("", [ExceptionGroup("", [lost])]))
    assert is_lost_cluster(ConnectionError("no cluster here"))
    assert not is_lost_cluster(RuntimeError("the loss is not a number"))

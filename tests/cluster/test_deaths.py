"""Why a worker is gone, in one line: from what Ray says, how it ended, and its last words."""

import json
from pathlib import Path

import pytest

from cluster.deaths import NUM_LAST_LINES, Death, describe, last_lines, node_in, pid_in, record, what_ray_says
from cluster.exits import Exit

KILLED = """The actor died unexpectedly before finishing this task.
\tclass_name: Player
\tactor_id: 01524b775119aba083339edf01000000
\tpid: 22615
\tnamespace: 63a48bef
\tip: 192.0.2.2
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit detail: Worker \
unexpectedly exits with a connection error code 2. End of file. Some common causes include: (1) the process was killed \
by the OOM killer due to high memory usage, (2) ray stop --force was called."""
OUT_OF_MEMORY = """Task was killed due to the node running low on memory.
Memory on the node (IP: 192.0.2.2, ID: 3b92) was 30.5GB / 32GB (0.953), which exceeds the memory usage threshold.
To adjust the eviction threshold, set the environment variable."""


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KILLED, "Worker unexpectedly exits with a connection error code 2. End of file."),
        (OUT_OF_MEMORY, "out of memory: Ray ended it, because its node ran low"),
        ("Traceback\n  File x\nOSError: no engine on this machine", "OSError: no engine on this machine"),
        ("The node died.", "The node died."),
    ],
)
def test_what_ray_says_in_one_line(error: str, words: str) -> None:
    assert what_ray_says(error) == words


def test_whom_it_speaks_of() -> None:
    assert (pid_in(KILLED), node_in(KILLED)) == (22615, "192.0.2.2")
    assert (pid_in("The node died."), node_in("The node died.")) == (0, "")


@pytest.mark.parametrize(
    ("exit", "lines", "num_oom_kills", "words"),
    [
        (None, (), 0, "gone"),
        (Exit(3 << 8), ("bye",), 0, "gone; exit code 3"),
        (Exit(9), (), 0, "gone; signal 9 (SIGKILL)"),
        (Exit(9), (), 1, "gone; signal 9 (SIGKILL); out of memory: the kernel has just killed for it"),
        (Exit(15), (), 1, "gone; signal 15 (SIGTERM)"),
        (
            Exit(11),
            ("Fatal Python error: Segmentation fault", "  File x"),
            0,
            "gone; signal 11 (SIGSEGV); Fatal Python error: Segmentation fault",
        ),
    ],
)
def test_the_cause_in_one_line(exit: Exit | None, lines: tuple[str, ...], num_oom_kills: int, words: str) -> None:
    assert describe("gone", exit, lines, num_oom_kills=num_oom_kills) == words


def test_last_lines_are_those_of_the_process(tmp_path: Path) -> None:
    wanted = [f"line {n}" for n in range(100)]
    (tmp_path / "worker-a-01000000-7.err").write_text("\n".join([":job_id:01", *wanted, "", ":actor_name:A"]))
    (tmp_path / "worker-b-01000000-77.err").write_text("another")
    assert last_lines(tmp_path, 7) == tuple(wanted[-NUM_LAST_LINES:])
    assert last_lines(tmp_path, 8) == ()
    assert last_lines(tmp_path / "none", 7) == ()


def test_every_death_is_a_line(tmp_path: Path) -> None:
    for number in range(2):
        record(tmp_path, Death(1.5, "rollout", f"rollout-{number}", 7, "192.0.2.2", "signal 9", ("été", "bye")))
    rows = [json.loads(line) for line in (tmp_path / "deaths.jsonl").read_text().splitlines()]
    assert [row["name"] for row in rows] == ["rollout-0", "rollout-1"]
    assert rows[0] == {
        "time": 1.5,
        "role": "rollout",
        "name": "rollout-0",
        "pid": 7,
        "node": "192.0.2.2",
        "cause": "signal 9",
        "last_lines": ["été", "bye"],
    }

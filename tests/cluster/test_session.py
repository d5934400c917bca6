"""A Ray session of our own, in a process of its own: closed to others while it is there, and gone afterwards."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil
import pytest

from tests.e2e.runs import LINGERING, users_of

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]

SCRIPT = """
import os, sys, tempfile
from pathlib import Path
import ray
from cluster.session import ray_session

with ray_session(num_cpus=1, object_store_bytes=100 * 1024**2, logs=Path(sys.argv[1])):
    [folder] = Path(tempfile.gettempdir()).glob("z2o-*")
    token = Path.home() / ".ray" / "auth_token"
    print(*(oct(path.stat().st_mode & 0o777) for path in (folder, token.parent, token)))
    print(ray.get(ray.remote(lambda: 6 * 7).remote()), flush=True)
    if sys.argv[2] == "spill":
        kept = [ray.put(bytes(40 * 1024**2)) for _ in range(4)]  # more than the object store holds
        print(any("spill" in str(path.parent) for path in folder.rglob("*") if path.is_file()))
    if sys.argv[2] == "raise":
        raise RuntimeError("in the session")
    if sys.argv[2] == "die":
        os.kill(os.getpid(), 9)
"""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Short, because Ray's sockets live in there."""
    with tempfile.TemporaryDirectory(prefix="s-") as folder:
        yield Path(folder)


def session(temporary: Path, logs: Path, end: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TMPDIR": str(temporary), "HOME": str(temporary / "home")}
    (temporary / "home").mkdir(exist_ok=True)
    command = [sys.executable, "-c", SCRIPT, str(logs), end]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)


def left(temporary: Path, besides: Sequence[str] = ()) -> list[psutil.Process]:
    """Processes of the session that are there even after a few seconds."""
    return psutil.wait_procs(users_of(temporary, besides=besides), timeout=15.0)[1]


def test_it_is_closed_to_others_and_leaves_nothing(temporary: Path, tmp_path: Path) -> None:
    done = session(temporary, tmp_path / "logs", "well")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == ["0o700 0o700 0o600", "42"]
    assert left(temporary) == []
    assert list(temporary.glob("z2o-*")) == []
    assert not (tmp_path / "logs").exists()


def test_spilled_objects_lie_where_nobody_else_may_enter(temporary: Path, tmp_path: Path) -> None:
    done = session(temporary, tmp_path / "logs", "spill")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == ["0o700 0o700 0o600", "42", "True"]
    assert list(temporary.glob("z2o-*")) == []


def test_an_error_leaves_the_logs(temporary: Path, tmp_path: Path) -> None:
    done = session(temporary, tmp_path / "logs", "raise")
    assert "RuntimeError: in the session" in done.stderr
    assert (tmp_path / "logs" / "raylet.out").exists()
    assert left(temporary) == []
    assert list(temporary.glob("z2o-*")) == []


def test_a_killed_driver_takes_its_processes_along_and_the_next_one_clears_up(temporary: Path, tmp_path: Path) -> None:
    assert session(temporary, tmp_path / "logs", "die").returncode == -9
    assert left(temporary, besides=LINGERING) == []
    assert len(list(temporary.glob("z2o-*"))) == 1
    assert session(temporary, tmp_path / "logs", "well").returncode == 0
    assert list(temporary.glob("z2o-*")) == []

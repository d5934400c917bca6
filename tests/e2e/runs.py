"""Runs of the real command, watched from outside: what they print, what they leave behind, and how they take a kill."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from rl.metrics import FILE, MetricsLine, read_metrics

COMMAND = Path(sys.executable).with_name("zero2one")
SMOKE = "r1_zero_smoke"
TIMEOUT_SECONDS = 500.0
SHARED_MEMORY = Path("/dev/shm")
# When a driver is killed, these try for a minute to tell Ray's control service, which has died with it.
LINGERING = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")


@dataclass(frozen=True)
class Finished:
    """A run that has ended. `left_behind` lists what outlived it: nothing, if all is well."""

    code: int
    output: str
    errors: str
    run_dir: Path
    left_behind: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        return json.loads((self.run_dir / "report.json").read_bytes())

    def metrics(self) -> list[MetricsLine]:
        return read_metrics(self.run_dir)


class Run:
    """`zero2one train` as a process, with a folder of its own for temporary files.

    Example: `with Run(folder, "run.seed=1") as run: done = run.wait()`
    """

    def __init__(self, folder: Path, *arguments: str, recipe: str = SMOKE) -> None:
        self.run_dir = folder / "run"
        self._temporary = Path(tempfile.mkdtemp(prefix="e2e-"))  # a short path, for Ray's sockets are to be in there
        self._segments: set[Path] = set()  # of shared memory, that its processes were seen to use
        self._output, self._errors = self._temporary / "stdout", self._temporary / "stderr"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [COMMAND, "train", recipe, f"run.folder={folder}", "run.name=run", *arguments],
                env={**os.environ, "TMPDIR": str(self._temporary)},
                stdout=output,
                stderr=errors,
            )

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in users_of(self._temporary):
            process.kill()
        self._process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def wait(self, timeout_seconds: float = TIMEOUT_SECONDS) -> Finished:
        deadline = time.monotonic() + timeout_seconds
        while self.is_running():
            assert time.monotonic() < deadline, f"no end within {timeout_seconds:g} s: {self._output.read_text()}"
            time.sleep(0.5)
        output, errors, left_behind = self._output.read_text(), self._errors.read_text(), self._left_behind()
        return Finished(self._process.returncode, output, errors, self.run_dir, left_behind)

    def is_running(self) -> bool:
        """Notes by the way which shared memory its processes use."""
        self._segments |= {segment for process in users_of(self._temporary) for segment in _segments(process)}
        return self._process.poll() is None

    @property
    def num_iterations(self) -> int:
        """Lines of metrics that are written."""
        path = self.run_dir / FILE
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def wait_for_iterations(self, count: int) -> None:
        self.wait_for(lambda: self.num_iterations >= count, f"iteration {count}")

    def processes(self, title: str) -> list[psutil.Process]:
        """Those under a title that begins so, such as "ray::RolloutActor"; Ray adds the method while one runs."""
        return [process for process in users_of(self._temporary) if _title(process).startswith(title)]

    @property
    def driver(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def kill(self) -> Finished:
        """SIGKILL to the driver alone."""
        self._process.kill()
        return self.wait()

    def terminate(self) -> Finished:
        self._process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill_worker(self, title: str) -> None:
        """SIGKILL to the first process of the run that is seen under this title, such as "ray::RolloutActor.advance",
        which Ray gives it while it runs that method.
        """
        found: list[psutil.Process] = []

        def look() -> bool:
            found.extend(self.processes(title))
            return bool(found)

        self.wait_for(look, title)
        found[0].kill()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            ended = self._process.poll()
            assert ended is None, f"ended with code {ended} before {what}: {self._errors.read_text()}"
            assert time.monotonic() < deadline, f"no {what} within {TIMEOUT_SECONDS:g} s"
            time.sleep(0.01)

    def _left_behind(self) -> tuple[str, ...]:
        """Processes get a few seconds to follow their driver; one that was killed cannot clear its folder away."""
        killed = self._process.returncode < 0
        _, alive = psutil.wait_procs(users_of(self._temporary, besides=LINGERING if killed else ()), timeout=15.0)
        folders = [] if killed else self._temporary.glob("z2o-*")
        segments = [segment for segment in self._segments if segment.exists()]
        return (*map(_title, alive), *map(str, folders), *map(str, segments))


def train(folder: Path, *arguments: str, recipe: str = SMOKE) -> Finished:
    """A run that must end well and leave nothing behind."""
    with Run(folder, *arguments, recipe=recipe) as run:
        done = run.wait()
    assert done.code == 0, done.errors
    assert "Traceback" not in done.errors, done.errors
    assert done.left_behind == (), done.left_behind
    return done


def command(*arguments: str | Path, timeout_seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Any other command of `zero2one`."""
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=timeout_seconds)


def single_message(errors: str) -> Sequence[str]:
    """The lines of stderr from the error message on, which must be the last thing there."""
    lines = errors.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("error: ")) :]


def users_of(folder: Path, *, besides: Sequence[str] = ()) -> list[psutil.Process]:
    """Processes with an open file in the folder, as all of a run have for their output, by other titles than these.

    Neither parents nor environments tell whose a process is: Ray's outlive their parent and write over the latter.
    """
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            process = psutil.Process(int(entry.name))
            if any(os.readlink(file).startswith(f"{folder}/") for file in (entry / "fd").iterdir()):
                found.append(process)
        except (OSError, psutil.Error):
            continue  # it has ended
    return [process for process in found if not _title(process).startswith(tuple(besides))]


def _segments(process: psutil.Process) -> set[Path]:
    """Files in shared memory that the process maps, unless they have lost their name already."""
    try:
        maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
    except OSError:
        return set()  # it has ended
    names = [line.split(maxsplit=5)[5] for line in maps if f" {SHARED_MEMORY}/" in line]
    return {Path(name) for name in names if not name.endswith(" (deleted)")}


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""

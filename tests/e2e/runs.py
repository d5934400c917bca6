"""Runs of the real command, watched from outside: what they print, what they leave behind, and how they take a kill."""

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
from uuid import uuid4

import psutil

from rl.metrics import FILE, MetricsLine, read_metrics

COMMAND = Path(sys.executable).with_name("zero2one")
MARK = "ZERO2ONE_TEST_RUN"  # in the environment of every process of a run, which they all inherit
SMOKE = "r1_zero_smoke"
TIMEOUT_SECONDS = 500.0
SHARED_MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Finished:
    """A run that has ended. `left_behind` lists what outlived it: nothing, if all is well."""

    code: int
    output: str
    errors: str
    run_dir: Path
    left_behind: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        import json

        return json.loads((self.run_dir / "report.json").read_bytes())

    def metrics(self) -> list[MetricsLine]:
        return read_metrics(self.run_dir)


class Run:
    """`zero2one train` as a process, with a folder of its own for temporary files.

    Example: `with Run(folder, "run.seed=1") as run: done = run.wait()`
    """

    def __init__(self, folder: Path, *arguments: str, recipe: str = SMOKE, before: Callable[[], None] | None = None):
        self.run_dir = folder / "run"
        self._mark = uuid4().hex
        self._temporary = Path(tempfile.mkdtemp(prefix="e2e-"))  # a short path, for Ray's sockets are to be in there
        self._shared_memory = _shared_memory()
        self._output, self._errors = self._temporary / "stdout", self._temporary / "stderr"
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [COMMAND, "train", recipe, f"run.folder={folder}", "run.name=run", *arguments],
                env={**os.environ, MARK: self._mark, "TMPDIR": str(self._temporary)},
                stdout=output,
                stderr=errors,
                preexec_fn=before,
            )

    def __enter__(self) -> "Run":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self.processes():
            process.kill()
        self._process.wait()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def wait(self) -> Finished:
        code = self._process.wait(TIMEOUT_SECONDS)
        left_behind = self._left_behind()
        return Finished(code, self._output.read_text(), self._errors.read_text(), self.run_dir, left_behind)

    def wait_for_iterations(self, count: int) -> None:
        """Until so many lines of metrics are written."""
        path = self.run_dir / FILE
        self._until(lambda: path.exists() and path.read_bytes().count(b"\n") >= count, f"iteration {count}")

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
            found.extend(process for process in self.processes() if _title(process).startswith(title))
            return bool(found)

        self._until(look, title)
        found[0].kill()

    def processes(self) -> list[psutil.Process]:
        """All that live of this run."""
        return [process for process in psutil.process_iter() if _environment(process).get(MARK) == self._mark]

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not condition():
            ended = self._process.poll()
            assert ended is None, f"ended with code {ended} before {what}: {self._errors.read_text()}"
            assert time.monotonic() < deadline, f"no {what} within {TIMEOUT_SECONDS:g} s"
            time.sleep(0.01)

    def _left_behind(self) -> tuple[str, ...]:
        """Processes get a few seconds to follow their driver."""
        psutil.wait_procs(self.processes(), timeout=15.0)
        folders = () if self._process.returncode < 0 else self._temporary.glob("z2o-*")  # the killed clear nothing up
        segments = _shared_memory() - self._shared_memory - _mapped()
        return (*(_title(process) for process in self.processes()), *map(str, folders), *sorted(segments))


def train(folder: Path, *arguments: str, recipe: str = SMOKE) -> Finished:
    """A run that must end well and leave nothing behind."""
    with Run(folder, *arguments, recipe=recipe) as run:
        done = run.wait()
    assert done.code == 0, done.errors
    assert "Traceback" not in done.errors
    assert done.left_behind == ()
    return done


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Any other command of `zero2one`."""
    return subprocess.run([COMMAND, *arguments], capture_output=True, text=True, timeout=120)


def _shared_memory() -> set[str]:
    return {str(path) for path in SHARED_MEMORY.glob("*")}


def _mapped() -> set[str]:
    """Segments that somebody uses: those of other programs that started meanwhile are none of our business."""
    mapped: set[str] = set()
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            mapped |= {
                line.split(maxsplit=5)[-1] for line in maps.read_text().splitlines() if str(SHARED_MEMORY) in line
            }
        except OSError:
            continue  # it has ended
    return mapped


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return {} if process.status() == psutil.STATUS_ZOMBIE else process.environ()
    except psutil.Error:
        return {}


def single_message(errors: str) -> Sequence[str]:
    """The lines of stderr from the error message on, which must be the last thing there."""
    lines = errors.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("error: ")) :]

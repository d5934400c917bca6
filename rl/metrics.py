"""The numbers of a run, one record per iteration: `metrics.jsonl`, TensorBoard and, where asked for, Weights & Biases.

`metrics.jsonl` is the source of truth: reports are made from it, and a resumed run continues it without repeating a
step. Losing less than one line is the worst that a power cut can do.
"""

import json
import math
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from rl.files import write_whole

FILE = "metrics.jsonl"
Phase = Literal["learner", "sync", "reward", "rollout"]


class MetricsError(RuntimeError):
    """A record of metrics cannot be written or read."""


@dataclass(frozen=True, slots=True)
class MetricsLine:
    """One iteration. `values` holds the finite numbers, `nonfinite` the names of those that were NaN or infinite;
    `wall_time` is in seconds since 1970.
    """

    step: int
    wall_time: float
    values: dict[str, float]
    nonfinite: tuple[str, ...] = ()


class MetricsLog:
    """Where the loop writes its metrics. `resume_step` is the first step to come: lines from there on are dropped."""

    def __init__(
        self,
        run_dir: Path,
        *,
        resume_step: int = 0,
        wandb_project: str = "",
        config: Mapping[str, object] | None = None,
    ) -> None:
        self._wandb = _start_wandb(run_dir, wandb_project, config or {}) if wandb_project else None
        self._path = run_dir / FILE
        try:
            kept = [line for line in read_metrics(run_dir) if line.step < resume_step] if self._path.exists() else []
            write_whole(self._path, "".join(_dump(line) for line in kept).encode())
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise MetricsError(f"cannot write {self._path}: {error.strerror or error}") from error
        self._tensorboard = _start_tensorboard(run_dir / "tensorboard", resume_step)

    def write(self, step: int, metrics: Mapping[str, float]) -> None:
        numbers = {name: float(value) for name, value in metrics.items()}
        finite = {name: value for name, value in numbers.items() if math.isfinite(value)}
        line = MetricsLine(step, time.time(), finite, tuple(name for name in numbers if name not in finite))
        try:
            self._file.write(_dump(line))
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise MetricsError(
                f"cannot write step {step} to {self._path}: {error.strerror or error}; make room, then resume the run"
            ) from error
        self._write_tensorboard(step, line.wall_time, numbers)
        if self._wandb is not None:
            self._wandb.log(numbers, step=step)

    def close(self) -> None:
        self._file.close()
        self._tensorboard.close()
        if self._wandb is not None:
            self._wandb.finish()

    def _write_tensorboard(self, step: int, wall_time: float, numbers: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        values = [Summary.Value(tag=name, simple_value=value) for name, value in numbers.items()]
        self._tensorboard.add_event(Event(wall_time=wall_time, step=step, summary=Summary(value=values)))
        self._tensorboard.flush()


class PhaseTimer:
    """Divides the wall time of an iteration into what the run waited for.

    Phases may overlap, as rollouts go on in the background: each moment counts for the first open phase in the order
    learner, sync, reward, rollout, and for "other" where none is open. So the parts always add up to the wall time.

    Example: `with timer.phase("learner"): ...` and, once per iteration, `metrics |= timer.lap()`
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._mark = clock()
        self._open: dict[str, int] = dict.fromkeys(get_args(Phase), 0)
        self._seconds: dict[str, float] = dict.fromkeys([*get_args(Phase), "other"], 0.0)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        self._charge()
        self._open[name] += 1
        try:
            yield
        finally:
            self._charge()
            self._open[name] -= 1

    def lap(self) -> dict[str, float]:
        """Seconds since the last lap as `timing_s/<phase>`, with `timing_s/step` for all of them; starts the next."""
        self._charge()
        lap = {f"timing_s/{name}": seconds for name, seconds in self._seconds.items()}
        self._seconds = dict.fromkeys(self._seconds, 0.0)
        return lap | {"timing_s/step": sum(lap.values())}

    def _charge(self) -> None:
        now = self._clock()
        current = next((name for name, count in self._open.items() if count), "other")
        self._seconds[current] += now - self._mark
        self._mark = now


def read_metrics(run_dir: Path) -> list[MetricsLine]:
    """All records in order. A last line that a power cut tore is left out; any other damage raises MetricsError."""
    path = run_dir / FILE
    try:
        texts = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        raise MetricsError(f"{run_dir} is not a run directory: it has no {FILE}") from None
    lines = []
    for number, text in enumerate(texts, start=1):
        if number == len(texts) and not text.endswith("\n"):
            break
        try:
            lines.append(_parse(json.loads(text)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise MetricsError(f"{path}, line {number}: not a record of metrics ({error})") from error
    return lines


def series(lines: Sequence[MetricsLine], name: str) -> tuple[list[int], list[float]]:
    """Steps and values of one metric, where it is known and finite."""
    known = [(line.step, line.values[name]) for line in lines if name in line.values]
    return [step for step, _ in known], [value for _, value in known]


def peak_rss_bytes() -> int:
    """Most memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _dump(line: MetricsLine) -> str:
    record = {"step": line.step, "wall_time": line.wall_time} | line.values | dict.fromkeys(line.nonfinite)
    return json.dumps(record | ({"nonfinite": line.nonfinite} if line.nonfinite else {}), allow_nan=False) + "\n"


def _parse(record: dict[str, Any]) -> MetricsLine:
    step, wall_time, nonfinite = record.pop("step"), record.pop("wall_time"), tuple(record.pop("nonfinite", ()))
    values = {name: float(value) for name, value in record.items() if value is not None}
    return MetricsLine(int(step), float(wall_time), values, nonfinite)


def _start_tensorboard(folder: Path, resume_step: int) -> Any:
    """TensorBoard's own writer, which needs no torch. The start event hides what it knew of the steps to come."""
    from tensorboard.compat.proto.event_pb2 import Event, SessionLog
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(folder))
    start = SessionLog(status=SessionLog.START)
    writer.add_event(Event(wall_time=time.time(), step=resume_step, session_log=start))
    return writer


def _start_wandb(run_dir: Path, project: str, config: Mapping[str, object]) -> Any:
    try:
        import wandb
    except ImportError:
        raise MetricsError(
            f"run.wandb_project is {project!r}, but Weights & Biases is not installed: "
            "pip install 'zero2one[wandb]', or leave run.wandb_project empty"
        ) from None
    return wandb.init(
        project=project, name=run_dir.name, id=run_dir.name, resume="allow", dir=str(run_dir), config=dict(config)
    )

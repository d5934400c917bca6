"""A run is asked something through its directory: how it is, to scale, to stop. Light: neither Ray nor torch."""

import time
from pathlib import Path

from rl.control import Control, RunStatus, ScaleRequest, WorkerStatus
from rl.files import is_locked
from rl.metrics import FILE, read_metrics

ANSWER_SECONDS = 60.0
POLL_SECONDS = 0.2


class NotRunningError(ValueError):
    """A run that nobody trains now, so nobody would answer."""


def scale(run_dir: Path, *, rollout: int | None, reward: int | None) -> tuple[bool, str]:
    """Whether it was done, and what was. Raises NotRunningError; TimeoutError where the run does not answer."""
    active = _active(run_dir)
    control = Control(active)
    status = control.status()
    if status is None or not status.is_fresh:
        raise NotRunningError(f"{active} has no workers to scale now: it is starting, hangs, or trains without them")
    request = ScaleRequest(rollout=rollout, reward=reward)
    control.ask(request)
    deadline = time.monotonic() + ANSWER_SECONDS
    while (answer := control.answer_to(request)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{active} has not answered within {ANSWER_SECONDS:g} s; it may still do what was asked")
        time.sleep(POLL_SECONDS)
    return answer.outcome == "done", answer.text


def stop(run_dir: Path) -> str:
    """Raises NotRunningError."""
    active = _active(run_dir)
    Control(active).ask_to_stop()
    return f"{active} will stop after its update and a checkpoint; continue with --resume"


def describe(run_dir: Path) -> str:
    """Where a run stands, and its workers while it trains."""
    active = _find_active(run_dir)
    if active is None:
        return "\n".join([f"{run_dir}: not running", *_progress(run_dir)])
    status = Control(active).status()
    lines = [f"{active}: running", *_progress(active)]
    if status is not None:
        lines += [f"driver: {status.host}, process {status.pid}{_age(status)}", *map(_worker, status.rollout)]
        lines += map(_worker, status.reward)
    return "\n".join(lines)


def _active(run_dir: Path) -> Path:
    active = _find_active(run_dir)
    if active is None:
        raise NotRunningError(f"{run_dir} is not running")
    return active


def _find_active(run_dir: Path) -> Path | None:
    """The run itself, or the stage of a pipeline that runs now."""
    stages = [path for path in sorted((run_dir / "stages").glob("*")) if is_locked(path)]
    return stages[0] if stages else run_dir if is_locked(run_dir) and not (run_dir / "stages").exists() else None


def _progress(run_dir: Path) -> list[str]:
    if not (run_dir / FILE).exists():
        return []
    lines = read_metrics(run_dir)
    if not lines:
        return []
    last = lines[-1].values
    names = ("reward/mean", "train/loss", "timing_s/step", "timing_s/rollout")
    values = ", ".join(f"{name} {last[name]:.3g}" for name in names if name in last)
    return [f"iterations done: {lines[-1].step + 1}; the last one: {values}"]


def _age(status: RunStatus) -> str:
    return "" if status.is_fresh else f", silent for {time.time() - status.time:.0f} s"


def _worker(worker: WorkerStatus) -> str:
    version = "" if worker.version is None else f", weights {worker.version}"
    return f"{worker.name}: {worker.state}{version}, {worker.num_dialogs} dialogs"

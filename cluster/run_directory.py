"""What all that trains has around it: a run directory of its own, words on how far it is, the error that counts."""

import time
from pathlib import Path

from rl.load_config import ConfigError
from rl.stage_config import StageConfig


def open_run_directory(config: StageConfig, *, resume: bool) -> Path:
    """The run directory, made where it was not there. Raises ConfigError where it holds what is not asked for."""
    run_dir = Path(config.run.folder) / config.run.name
    started = (run_dir / "metrics.jsonl").exists()
    if resume and not started:
        raise ConfigError(f"--resume: there is no run to go on with in {run_dir}")
    if started and not resume:
        raise ConfigError(
            f"run.name = {config.run.name}: {run_dir} holds a run already; add --resume to go on with it, or choose "
            "another run.name"
        )
    run_dir.mkdir(parents=True, exist_ok=True)
    return run_dir


def first_error(group: BaseExceptionGroup) -> BaseException:
    """The error that the others followed from."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)

"""What all that trains has around it: a process that ends politely, a run directory, Ray, the error that counts."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from cluster.memory import describe, object_store_bytes, require_memory
from cluster.session import ray_session
from models.device import DevicePlan, detect_num_gpus
from models.policy import disable_progress_bars
from rl.build import build_device_plan
from rl.load_config import ConfigError, save_config
from rl.metrics import FILE
from rl.records import Records
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig


def prepare_process() -> None:
    """A polite kill ends like Ctrl-C: actors stopped, logs kept. Libraries draw no bars between our lines."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    disable_progress_bars()


def device_plan(config: StageConfig | EvaluationConfig) -> DevicePlan:
    """On what this machine has."""
    plan = build_device_plan(config, detect_num_gpus())
    os.environ.setdefault("DS_ACCELERATOR", plan.device)  # else DeepSpeed guesses, and warns of its guess
    return plan


def open_run_directory(config: StageConfig, *, resume: bool) -> Path:
    """The run directory, made where it was not there. Raises ConfigError where it holds what is not asked for."""
    run_dir = config.run.directory
    started = (run_dir / FILE).exists()
    if resume and not started:
        raise ConfigError(f"--resume: there is no run to go on with in {run_dir}")
    if started and not resume:
        raise ConfigError(
            f"run.name = {config.run.name}: {run_dir} holds a run already; add --resume to go on with it, or choose "
            "another run.name"
        )
    run_dir.mkdir(parents=True, exist_ok=True)
    return run_dir


def keep_config(config: StageConfig, run_dir: Path, budget: Mapping[str, int]) -> None:
    """Say what the run will take, and write down what it is. Raises ResourceError where the memory is not there."""
    require_memory(budget, psutil.virtual_memory().available)
    save_config(config, run_dir / "config.yaml")
    say(f"run directory {run_dir}; memory budget in GiB: {describe(budget)}")


@contextlib.contextmanager
def training_session(records: Records, *, num_cpus: int, num_weight_bytes: int, address: str | None) -> Iterator[None]:
    """Ray is up within it, and `records` are closed after it. Of errors that came together, the first is raised."""
    try:
        with ray_session(
            num_cpus=num_cpus,
            object_store_bytes=object_store_bytes(num_weight_bytes),
            logs=records.run_dir / "logs",
            address=address,
        ):
            yield
    except BaseExceptionGroup as group:
        raise _first_error(group) from group
    finally:
        records.close()


def _first_error(group: BaseExceptionGroup) -> BaseException:
    """The error that the others followed from."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def say(line: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)

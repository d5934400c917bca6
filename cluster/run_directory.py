"""What all that trains has around it: a process that ends politely, a run directory, Ray, the error that counts."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from cluster.command_line import tell
from cluster.memory import describe
from cluster.placement import Placement
from cluster.placement import describe as describe_placement
from cluster.site import Site, session_at
from models.device import DevicePlan
from models.policy import disable_progress_bars
from rl.build import build_device_plan
from rl.config import Config
from rl.control import Control, RunStoppedError
from rl.load_config import ConfigError, save_config
from rl.metrics import FILE
from rl.records import Records
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def prepare_process() -> None:
    """A polite kill ends like Ctrl-C: actors stopped, logs kept. Libraries draw no bars between our lines."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    disable_progress_bars()


def device_plan(config: StageConfig | EvaluationConfig, num_gpus: int, *, has_learner: bool = True) -> DevicePlan:
    """For a run or an evaluation on so many GPUs."""
    plan = build_device_plan(config, num_gpus, has_learner=has_learner)
    os.environ.setdefault("DS_ACCELERATOR", plan.device)  # else DeepSpeed guesses, and warns of its guess
    return plan


def open_run_directory(config: StageConfig, *, resume: bool) -> Path:
    """The run directory, made where it was not there. Raises ConfigError where it holds what is not asked for."""
    run_dir = config.run.directory
    if run_dir.is_symlink():  # where others may write, it could lead to any folder of ours
        raise ConfigError(f"run.name = {config.run.name}: {run_dir} is a link; let run.folder be where it leads to")
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


def identity_of(config: StageConfig) -> dict[str, str | int]:
    """What a checkpoint must agree in to be loaded."""
    model = config.model
    estimator = {"advantage_estimator": config.ppo.advantage_estimator} if isinstance(config, Config) else {}
    return {
        "model": model.name_or_path or model.preset,
        "vocab_size": model.vocab_size,
        "lora_rank": model.lora_rank,
        **estimator,
        **({"engine": "simulated"} if is_simulated(config) else {}),
    }


def is_simulated(config: StageConfig) -> bool:
    """Whether no model speaks in this run."""
    return isinstance(config, Config) and config.rollout.engine == "simulated"


def keep_config(config: StageConfig, run_dir: Path, placement: Placement, budget: Mapping[str, int]) -> None:
    """Write down what the run is, and say what it will take, and where."""
    save_config(config, run_dir / "config.yaml")
    if is_simulated(config):
        say("rollout.engine = simulated: no model speaks in this run, and its answers and rewards mean nothing")
    say(f"run directory {run_dir}; memory budget in GiB: {describe(budget)}")
    for line in describe_placement(placement):
        say(line)


@contextlib.contextmanager
def training_session(records: Records, site: Site, num_weight_bytes: int) -> Iterator[None]:
    """Ray is up within it, and `records` are closed after it. Of errors that came together, the first is raised."""
    try:
        with session_at(site, num_weight_bytes, records.run_dir / "logs"):
            yield
    except BaseExceptionGroup as group:
        raise _first_error(group) from group
    finally:
        records.close()


@contextlib.contextmanager
def graceful_stop(control: Control) -> Iterator[None]:
    """Within it, a first Ctrl-C or polite kill only asks the run to stop; a second one ends it at once, as it would
    without this. To be entered inside the event loop, after Ray is up, which takes the signals for itself.
    """
    loop = asyncio.get_running_loop()

    def let_go() -> None:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
            signal.signal(number, signal.default_int_handler)

    def ask() -> None:
        let_go()
        control.ask_to_stop()
        say("stopping after this update and a checkpoint, or batch of samples; a second Ctrl-C ends the run at once")

    for number in SIGNALS:
        loop.add_signal_handler(number, ask)
    try:
        yield
    finally:
        let_go()


def require_complete(config: StageConfig, step: int) -> None:
    """Raises RunStoppedError where the run was asked to stop before its last iteration."""
    if step < config.run.num_iterations:
        raise RunStoppedError(
            f"stopped after iteration {step} of {config.run.num_iterations}, with a checkpoint: continue with --resume"
        )


def _first_error(group: BaseExceptionGroup) -> BaseException:
    """The error that the others followed from."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def say(line: str) -> None:
    tell(f"[{time.strftime('%H:%M:%S')}] {line}", sys.stdout)

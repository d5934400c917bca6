"""What the benchmarks share: one JSON line each on stdout, measurements in turn, a small model and its configuration.

Other programs share the machine, so nothing is compared across runs: rivals work in turn within one process, and what
counts is the median of their paired ratios.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from models.device import DevicePlan
from rl.build import build_device_plan
from rl.config import Config
from rl.load_config import load_config

HERE = Path(__file__).parent
ONE_TURN = HERE / "one_turn.py"
RESPONSE_LENGTH = 64

Work = Callable[[], object]


def report(benchmark: str, measure: Callable[[], Mapping[str, object]]) -> None:
    """Run `measure` and print its figures as one line of JSON; whatever else is printed goes to stderr."""
    stdout = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    figures = {"benchmark": benchmark, **measure()}
    with os.fdopen(stdout, "w") as out:
        out.write(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in figures.items()}) + "\n")


def restart_with(environment: Mapping[str, str]) -> None:
    """Start this script anew with `environment`, unless it has it: thread pools are sized when a library loads."""
    if any(os.environ.get(name) != value for name, value in environment.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | environment)


def seconds_in_turn(rivals: Mapping[str, Work], *, repetitions: int) -> dict[str, list[float]]:
    """Seconds of every rival in every round. The order turns around from round to round; a first round is warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in rivals}
    for number in range(repetitions + 1):
        for name in list(rivals) if number % 2 else reversed(rivals):
            start = time.perf_counter()
            rivals[name]()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def median_ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    return statistics.median(n / d for n, d in zip(numerators, denominators, strict=True))


def small_config(*overrides: str) -> Config:
    """4.5 million weights and more, 64 responses of 64 tokens to one question, GRPO without KL: what all benchmarks of
    speed run. `overrides` as on the command line.
    """
    return load_config("r1_zero", [*SMALL, *overrides])


SMALL = (
    "model.preset=r1-zero-6l-small",
    "model.max_length=128",
    f"tasks.files=[{ONE_TURN}]",
    "tasks.mix=[{scenario: one-turn}]",
    "tasks.held_out_fraction=0",
    "rollout.rollout_batch_size=8",
    "rollout.n_samples_per_prompt=8",
    "rollout.max_prompt_length=63",
    f"rollout.max_response_length={RESPONSE_LENGTH}",
    "rollout.max_turns=1",
    "rollout.max_num_seqs=256",
    "ppo.mini_batch_size=64",
    "ppo.negative_advantage_scale=1",
    "ppo.entropy_coef=0",
    "ppo.entropy_coef_final=null",
    "actor.lr=1.0e-4",
    "eval.every=0",
    "eval.num_tasks=8",
)


def cpu_plan(config: Config) -> DevicePlan:
    return build_device_plan(config, num_gpus=0)

"""What the benchmarks share: one JSON line each on stdout, measurements in turn, a small model and its configuration.

Other programs may share the machine, so nothing is compared across runs: rivals work in turn within one process, and
what counts is the median of their paired ratios.
"""

import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Seconds:
    """What one piece of work took: `wall` on the clock, `cpu` of this process on its processors."""

    wall: float
    cpu: float


def in_turn(rivals: Mapping[str, Work], *, repetitions: int) -> dict[str, list[Seconds]]:
    """The time of every rival in every round. The order turns around from round to round; a first round is warm-up."""
    seconds: dict[str, list[Seconds]] = {name: [] for name in rivals}
    for number in range(repetitions + 1):
        for name in list(rivals) if number % 2 else reversed(rivals):
            wall, cpu = time.perf_counter(), time.process_time()
            rivals[name]()
            if number:
                seconds[name].append(Seconds(time.perf_counter() - wall, time.process_time() - cpu))
    return seconds


def speed(ours: Sequence[Seconds], rival: Sequence[Seconds], suffix: str = "") -> dict[str, float]:
    """Our speed as a share of the rival's, above 1 if we are faster: the median over the rounds.

    `ratio` goes by CPU time. For work that computes on one thread and waits for nothing, that is the wall time of an
    idle machine; on a busy one, `ratio_wall` says more about the neighbours.
    """
    pairs = list(zip(ours, rival, strict=True))
    return {
        f"ratio{suffix}": statistics.median(other.cpu / own.cpu for own, other in pairs),
        f"ratio_wall{suffix}": statistics.median(other.wall / own.wall for own, other in pairs),
    }


def median_wall(seconds: Sequence[Seconds]) -> float:
    return statistics.median(second.wall for second in seconds)


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
    "ppo.skip_zero_advantages=false",  # every row is learnt from, as by who it is compared with
    "ppo.entropy_coef=0",
    "ppo.entropy_coef_final=null",
    "actor.lr=1.0e-4",
    "rewards.weights={termination.ended: -1.0}",  # answers stay long
    "eval.every=0",
    "eval.num_tasks=8",
)


def cpu_plan(config: Config) -> DevicePlan:
    return build_device_plan(config, num_gpus=0)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

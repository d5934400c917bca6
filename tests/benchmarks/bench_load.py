"""Latency of our rollout worker when dialogs arrive by themselves: an open loop, with a rhythm and a burst.

Dialogs are fed at the times of `tasks.arrival.load`, whether or not the worker has kept up, and each counts from the
time when it was due: a worker that falls behind cannot hide it by asking later. The mean rate is a share of what the
worker does with a full batch, measured first, so the figures mean the same on a slow machine and a fast one.

More arguments are overrides, such as `tasks.arrival.load.amplitude=0.9`.
"""

import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bench_rollout import published
from harness import cpu_plan, report, restart_with, small_config

from envs.library import Library
from envs.load import Load
from envs.mix import MixLine, draw
from rl.build import build_rollout_worker, prepare_model
from rl.config import Config
from rl.rollout import RolloutWorker
from rl.tasks import build_arrival, build_load, build_tasks
from rl.trajectory import EpisodeRequest, Trajectory

SECONDS = 20.0
UTILISATION = 0.5  # mean rate without bursts, as a share of the capacity; a burst is more than the worker can do
NUM_AT_ONCE = 64
ARRIVING = (
    "tasks.mix=[{scenario: arithmetic-dialog, languages: [en], levels: [0, 1]}]",
    "tasks.arrival={enabled: true, mean_session_length: 3.0, topic_stickiness: 0.7, returning_share: 0.5}",
    f"tasks.arrival.load={{period_seconds: {SECONDS}, amplitude: 0.5, peak_seconds: 5.0}}",
    "tasks.arrival.load.bursts_per_period=1",
    "tasks.arrival.load.burst_seconds=2.0",
    "tasks.arrival.load.burst_factor=3.0",
    "rollout.max_turns=2",
    "rollout.max_response_length=32",
)


@dataclass(frozen=True, slots=True)
class Served:
    """A dialog that has ended, and how long that took from the time when it was due."""

    trajectory: Trajectory
    seconds: float


def measure() -> dict[str, object]:
    config = small_config(*ARRIVING, *sys.argv[1:])
    library, mix = build_tasks(config)
    with tempfile.TemporaryDirectory(prefix="zero2one-bench-") as temporary:
        folder = Path(temporary) / "model"
        prepare_model(config, folder)
        worker = build_rollout_worker(config, folder, cpu_plan(config), name="bench")
        worker.load(*published(folder))
        for iteration in (0, 1):  # the first one is warm-up
            start = time.perf_counter()
            serve(worker, requests(config, library, mix, iteration, NUM_AT_ONCE), [0.0] * NUM_AT_ONCE)
            capacity = NUM_AT_ONCE / (time.perf_counter() - start)
        load = replace(build_load(config), requests_per_second=UTILISATION * capacity)
        times = list(load.arrival_times(config.run.seed, SECONDS))
        start = time.perf_counter()
        served = serve(worker, requests(config, library, mix, 2, len(times)), times)
        seconds = time.perf_counter() - start
    return figures(load, capacity, served, seconds)


def requests(
    config: Config, library: Library, mix: Sequence[MixLine], iteration: int, number: int
) -> list[EpisodeRequest]:
    arrival, seed = build_arrival(config), config.run.seed
    tasks = [draw(library, mix, seed, iteration, index, arrivals=arrival) for index in range(number)]
    return [EpisodeRequest(task, iteration, index, 0, seed) for index, task in enumerate(tasks)]


def serve(worker: RolloutWorker, requests: Sequence[EpisodeRequest], times: Sequence[float]) -> list[Served]:
    """Admit each request when its time has come, in seconds from now, until all dialogs have ended."""
    due = {request.id: moment for request, moment in zip(requests, times, strict=True)}
    served: list[Served] = []
    start, num_admitted = time.perf_counter(), 0
    while len(served) < len(requests):
        now = time.perf_counter() - start
        arrived = int(np.searchsorted(times, now, side="right"))
        worker.admit(requests[num_admitted:arrived])
        num_admitted = arrived
        if not worker.num_unfinished and num_admitted < len(requests):
            time.sleep(max(0.0, times[num_admitted] - now))
        finished = worker.advance(max_seconds=0.0)
        now = time.perf_counter() - start
        served += [Served(trajectory, now - due[trajectory.request.id]) for trajectory in finished]
    return served


def figures(load: Load, capacity: float, served: Sequence[Served], seconds: float) -> dict[str, object]:
    latencies = [item.seconds for item in served]
    median, p95, p99 = (float(np.percentile(latencies, share)) for share in (50, 95, 99))
    return {
        "num_dialogs": len(served),
        "failed": sum(item.trajectory.status == "failed" for item in served),
        "capacity_per_second": capacity,
        "requests_per_second": load.requests_per_second,
        "latency_p50_seconds": median,
        "latency_p95_seconds": p95,
        "latency_p99_seconds": p99,
        "seconds": seconds,
        "tokens_per_second": sum(item.trajectory.num_action_tokens for item in served) / seconds,
    }


if __name__ == "__main__":
    restart_with(cpu_plan(small_config()).engine_env)
    report("load", measure)

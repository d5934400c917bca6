"""What the controller can do: fleet, loop and store with hundreds of simulated rollout workers on this machine.

Everything on the driver's side is real, see `hosts.py`; judging and learning take no time, so that what is measured is
the controller. `ratio` is its finished episodes per second against the bar of 2,000, by CPU time of the driver: on a
machine with a core for the driver and others for the hosts, that is its rate. `episodes_per_second` is the rate here,
where the hosts share the cores. tests/benchmarks/scale.md says what follows for 64 to 4,096 GPUs.

    python tests/benchmarks/bench_scale.py --profile     also prints to stderr where the driver's time goes
"""

import asyncio
import cProfile
import os
import pstats
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import ray
import torch
from harness import ONE_TURN, report
from hosts import Given, NoFleet, NoLearner, NoRewards, Seat, seated_fleet, start_hosts
from limits import Cluster, Costs, predict
from real_run import FOLDER

from cluster.rollouts import RolloutFleet
from cluster.session import ray_session
from envs.task import Task
from models.weights import Manifest, Probe, pack_weights, unpack_weights
from rl.build import prepare_model
from rl.config import Config
from rl.interfaces import World
from rl.load_config import load_config
from rl.loop import Trainer
from rl.metrics import MetricsLine, read_metrics
from rl.records import Records
from rl.store import Query, TrajectoryStore, read
from rl.tasks import build_tasks, signal_of
from rl.trajectory import EpisodeRequest, Score, Scored

NUM_WORKERS, NUM_HOSTS = 256, 2
NUM_ITERATIONS, NUM_PROMPTS, NUM_SAMPLES = 3, 500, 8
BAR = 2000.0  # episodes per second
FAN_OUT = (1, 16, 64, 256)  # workers
WEIGHT_BYTES = (2**12, 2**20, 2**23)
DIMENSIONS = (1, 220)  # of the reward, for the store
NUM_STORED = 4000
PAIR_EPISODES = 640  # many, for the last long answers take as long with two workers as with one
NUM_ROUNDS = 10  # of what takes a moment
NUM_GPUS = (64, 512, 4096)  # for which the limits are predicted
MIB = 2**20
NO_PROBE = Probe(np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32), 0.0)
RECIPE = (
    "run.name=scale",
    f"run.folder={FOLDER}",
    f"run.num_iterations={NUM_ITERATIONS}",
    f"tasks.files=[{ONE_TURN}]",
    "tasks.mix=[{scenario: one-turn}]",
    "tasks.held_out_fraction=0",
    "rollout.engine=simulated",
    "rollout.max_logprob_gap=1000",
    "rollout.simulation.time_scale=0.5",
    "rollout.max_num_seqs=8",
    f"rollout.rollout_batch_size={NUM_PROMPTS}",
    f"rollout.n_samples_per_prompt={NUM_SAMPLES}",
    "rewards.weights={termination.ended: 1.0}",
    "eval.every=0",
    "eval.num_tasks=8",
    "checkpoint.every=1000",
)


def measure() -> dict[str, object]:
    config = load_config("r1_zero", RECIPE)
    run_dir = FOLDER / "scale"
    shutil.rmtree(run_dir, ignore_errors=True)
    prepare_model(config, run_dir / "model")
    with ray_session(num_cpus=NUM_HOSTS, object_store_bytes=200 * MIB, logs=run_dir / "logs"):
        seats = start_hosts(config, run_dir / "model", num_hosts=NUM_HOSTS, num_workers=NUM_WORKERS)
        figures = asyncio.run(_in_ray(config, run_dir, seats))
        figures["mib_per_host"] = max(_rss_of_hosts(), default=0) / MIB
    figures |= {"check_mib_per_second": _check_rate() / MIB} | _store(run_dir)
    return figures | _predicted(figures)


async def _in_ray(config: Config, run_dir: Path, seats: Sequence[Seat]) -> dict[str, object]:
    figures = await _controller(config, run_dir, seats) | await _pair(config, seats)
    figures["driver_cpu_seconds_per_call"] = await _call_seconds(seats)
    for num_workers in FAN_OUT:
        for num_bytes in WEIGHT_BYTES:
            seconds = await _fan_out(config, seats[:num_workers], num_bytes)
            figures[f"fan_out_seconds_{num_workers}_workers_{num_bytes}_bytes"] = seconds
    return figures


async def _controller(config: Config, run_dir: Path, seats: Sequence[Seat]) -> dict[str, object]:
    """A run of the real loop. The first iteration, in which everything is done for the first time, does not count."""
    library, mix = build_tasks(config)
    signal = signal_of(config.rewards)
    records = Records(run_dir, config, signal.names, {}, lambda line: print(line, file=sys.stderr))
    rollouts, (manifest, refs) = seated_fleet(config, seats), _weights(2**12)
    world = World(rollouts, NoRewards(len(signal.names)), NoLearner(), Given(rollouts, manifest, refs), NoFleet())
    profiler = cProfile.Profile()
    if "--profile" in sys.argv:
        profiler.enable()
    cpu = time.process_time()
    await Trainer(config, library, mix, signal, world, records).train()
    cpu = time.process_time() - cpu
    profiler.disable()
    records.close()
    rollouts.stop()
    if "--profile" in sys.argv:
        pstats.Stats(profiler, stream=sys.stderr).sort_stats("tottime").print_stats(40)
    lines = read_metrics(run_dir)[1:]
    per_iteration = NUM_PROMPTS * NUM_SAMPLES
    driver_rate = NUM_ITERATIONS * per_iteration / cpu
    return {
        "ratio": driver_rate / BAR,
        "episodes_per_driver_cpu_second": driver_rate,
        "episodes_per_second": len(lines) * per_iteration / _total(lines, "step"),
        "episodes_per_second_sampling": len(lines) * per_iteration / _total(lines, "rollout"),
        "num_workers": len(seats),
        **_ids(run_dir),
    }


def _total(lines: Sequence[MetricsLine], phase: str) -> float:
    return sum(line.values[f"timing_s/{phase}"] for line in lines)


def _ids(run_dir: Path) -> dict[str, int]:
    """Episodes that the store lacks, or holds more than once."""
    found = Counter(record.trajectory.request.id for record in read(run_dir, Query(purpose="train")))
    asked = {
        f"train-{iteration}-{group}-{sample}"
        for iteration in range(NUM_ITERATIONS)
        for group in range(NUM_PROMPTS)
        for sample in range(NUM_SAMPLES)
    }
    return {"num_lost": len(asked - found.keys()), "num_duplicate": found.total() - len(found)}


async def _pair(config: Config, seats: Sequence[Seat]) -> dict[str, float]:
    """Throughput of two workers against one."""
    manifest, refs = _weights(2**12)
    requests = [
        EpisodeRequest(Task("one-turn", "en", 0, index), 0, index, 0, run_seed=1) for index in range(PAIR_EPISODES)
    ]
    seconds = []
    for count in (1, 2):
        fleet = seated_fleet(config, seats[:count])
        await Given(fleet, manifest, refs).publish(0)
        seconds.append(await _seconds(fleet, requests))
        fleet.stop()
    return {"speed_of_2_workers_to_1": seconds[0] / seconds[1]}


async def _seconds(fleet: RolloutFleet, requests: Sequence[EpisodeRequest]) -> float:
    start = time.perf_counter()
    async for _ in fleet.sample(requests):
        pass
    return time.perf_counter() - start


async def _fan_out(config: Config, seats: Sequence[Seat], num_bytes: int) -> float:
    """Seconds from an announcement until all these workers have the weights, checked."""
    fleet, (manifest, refs) = seated_fleet(config, seats), _weights(num_bytes)
    given, seconds = Given(fleet, manifest, refs), []
    for version in range(3):
        start = time.perf_counter()
        await given.publish(version)
        seconds.append(time.perf_counter() - start)
    fleet.stop()
    return min(seconds[1:])


async def _call_seconds(seats: Sequence[Seat]) -> float:
    """CPU time of the driver for a call that brings nothing back."""
    cpu = time.process_time()
    for _ in range(NUM_ROUNDS):
        await asyncio.gather(*(seat.ping.remote() for seat in seats))
    return (time.process_time() - cpu) / NUM_ROUNDS / len(seats)


def _check_rate() -> float:
    """Bytes per second that one thread copies and checks."""
    tensor = torch.arange(max(WEIGHT_BYTES), dtype=torch.uint8)
    manifest, buckets = pack_weights([("w", tensor)], version=0, kind="full", probe=NO_PROBE)
    start = time.process_time()
    for _ in range(NUM_ROUNDS):
        for _ in unpack_weights(manifest, buckets):
            pass
    return NUM_ROUNDS * manifest.num_bytes / (time.process_time() - start)


def _predicted(figures: Mapping[str, Any]) -> dict[str, object]:
    costs = Costs(
        episode_seconds=1.0 / figures["episodes_per_driver_cpu_second"],
        call_seconds=figures["driver_cpu_seconds_per_call"],
        check_bytes_per_second=figures["check_mib_per_second"] * MIB,
        store_episodes_per_second=figures[f"store_episodes_per_second_{max(DIMENSIONS)}"],
    )
    return {f"limits_of_{num_gpus}_gpus": asdict(predict(costs, Cluster(num_gpus))) for num_gpus in NUM_GPUS}


def _weights(num_bytes: int) -> tuple[Manifest, tuple[ray.ObjectRef, ...]]:
    tensor = torch.arange(num_bytes // 4, dtype=torch.float32)
    manifest, buckets = pack_weights([("w", tensor)], version=0, kind="full", probe=NO_PROBE)
    return manifest, tuple(map(ray.put, buckets))


def _store(run_dir: Path) -> dict[str, float]:
    """Episodes and bytes per second into the store, in one thread, by the width of the reward."""
    dialogs = [record.trajectory for record, _ in zip(read(run_dir), range(NUM_STORED), strict=False)]
    figures = {}
    for width in DIMENSIONS:
        folder = FOLDER / f"scale_store_{width}"
        shutil.rmtree(folder, ignore_errors=True)
        random = np.random.default_rng(0)
        rows = [Scored(t, _score(random.random((len(t.turns), width), np.float32))) for t in dialogs]
        store = TrajectoryStore(folder, [f"family.dimension{number}" for number in range(width)])
        start = time.perf_counter()
        store.write(rows)
        seconds = time.perf_counter() - start
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        figures |= {
            f"store_episodes_per_second_{width}": len(rows) / seconds,
            f"store_mib_per_second_{width}": size / MIB / seconds,
            f"store_bytes_per_episode_{width}": size / len(rows),
        }
    return figures


def _score(vector: np.ndarray) -> Score:
    return Score(vector, vector.sum(1), vector[:, 0])


def _rss_of_hosts() -> Iterator[int]:
    for process in psutil.Process(os.getpid()).children(recursive=True):
        if " ".join(process.cmdline()).startswith("ray::Host"):
            yield process.memory_info().rss


if __name__ == "__main__":
    report("scale", measure)

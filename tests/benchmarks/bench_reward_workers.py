"""Turns per second of one and of two reward workers behind `RewardFleet`, on real Ray: all dimensions but the expensive
ones, on the questions and answers of the scenarios. `ratio` is two workers over one; it needs two idle cores.

Every round judges new texts, since one that was read before costs less.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import numpy as np
from bench_rewards import turns_of_scenarios
from harness import report

from cluster.fleet import Fleet
from cluster.reward_worker import RewardActor
from cluster.rewards import RewardFleet
from cluster.session import ray_session
from envs.task import Transcript
from rewards.table import TABLE
from rl.config import Config
from rl.load_config import load_config
from rl.trajectory import EpisodeRequest, Trajectory

REPETITIONS = 5
SIZES = (1, 2)


def measure() -> dict[str, object]:
    names = [dimension.name for dimension in TABLE if dimension.cost != "expensive"]
    config = load_config("r1_zero", [f"rewards.monitor=[{','.join(names)}]"])
    with (
        tempfile.TemporaryDirectory(prefix="zero2one-bench-") as logs,
        ray_session(num_cpus=sum(SIZES), object_store_bytes=2**27, logs=Path(logs)),
    ):
        speeds = asyncio.run(_speeds(config))
    ratios = [two / one for one, two in zip(*speeds.values(), strict=True)]
    return {
        "repetitions": REPETITIONS,
        "num_dimensions": len(names),
        **{f"turns_per_second_{size}": statistics.median(values) for size, values in speeds.items()},
        "ratio": statistics.median(ratios),
    }


async def _speeds(config: Config) -> dict[int, list[float]]:
    """Turns per second, by number of workers. The fleets work in turn; the first round loads dictionaries."""
    fleets = {
        size: RewardFleet(
            Fleet("reward", lambda _: RewardActor.options(num_cpus=1).remote(config), size),
            timeout_seconds=600.0,
            max_retries=1,
        )
        for size in SIZES
    }
    speeds: dict[int, list[float]] = {size: [] for size in SIZES}
    texts = count()
    for repetition in range(REPETITIONS + 1):
        for size, fleet in fleets.items():
            dialogs = _trajectories(turns_of_scenarios(next(texts)))
            start = time.perf_counter()
            await fleet.score(dialogs)
            if repetition:
                speeds[size].append(len(dialogs) / (time.perf_counter() - start))
    for fleet in fleets.values():
        fleet.stop()
    return speeds


def _trajectories(turns: Sequence[Transcript]) -> list[Trajectory]:
    """What a rollout worker hands over; judges read the words alone."""
    ids = np.arange(8, dtype=np.int32)
    return [
        Trajectory(
            request=EpisodeRequest(turn.task, iteration=0, group=index, sample=0, run_seed=0),
            tokens=ids,
            action_mask=np.ones(8, bool),
            logprobs=np.zeros(8, np.float32),
            versions=np.zeros(8, np.int32),
            turns=turn.turns,
            turn_ends=np.array([7], np.int32),
            status="ok",
            worker="bench",
            seconds=0.0,
        )
        for index, turn in enumerate(turns)
    ]


if __name__ == "__main__":
    report("reward_workers", measure)

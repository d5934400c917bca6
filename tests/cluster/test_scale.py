"""The real fleet and the real loop with dozens of simulated workers, in threads of this process instead of actors."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cluster.workers import Publication
from models.weights import Probe, pack_weights
from rl import build
from rl.interfaces import World
from rl.loop import Trainer
from rl.records import Records
from rl.store import Query, read
from rl.tasks import build_tasks, signal_of
from tests.benchmarks.hosts import Given, NoFleet, NoLearner, NoRewards, Workers, seated_fleet
from tests.rl.fakes import small_config

NUM_WORKERS, NUM_ITERATIONS, NUM_PROMPTS, NUM_SAMPLES = 48, 2, 100, 4
OVERRIDES = (
    f"run.num_iterations={NUM_ITERATIONS}",
    f"rollout.rollout_batch_size={NUM_PROMPTS}",
    f"rollout.n_samples_per_prompt={NUM_SAMPLES}",
    "rollout.engine=simulated",
    "rollout.simulation.time_scale=0.05",
    "rollout.max_logprob_gap=1000",
    "rollout.max_num_seqs=4",
    "ppo.advantage_estimator=grpo",
    "ppo.kl_coef=0",
    "ppo.kl_target=null",
    "eval.every=0",
)
NO_PROBE = Probe(np.zeros((0, 0), np.int32), np.zeros((0, 0), np.float32), 0.0)


class Threaded:
    """A method with the call of an actor's."""

    def __init__(self, method: Callable[..., Any], *first: Any) -> None:
        self._method, self._first = method, first

    def remote(self, *args: Any) -> Awaitable[Any]:
        return asyncio.to_thread(self._method, *self._first, *args)


class Handle:
    def __init__(self, workers: Workers, index: int) -> None:
        self.ping, self.advance = Threaded(lambda: "pong"), Threaded(workers.advance, index)
        self.load = Threaded(self._load, workers, index)

    @staticmethod
    def _load(workers: Workers, index: int, publication: Publication) -> None:
        [(manifest, buckets)] = publication.parts
        workers.load(index, manifest, buckets)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "NUM_TOKENIZER_DIALOGS", 50)
    build.prepare_model(small_config(*OVERRIDES), tmp_path / "model")
    return tmp_path / "model"


def test_every_episode_of_many_workers_is_used_and_stored_once(tmp_path: Path, folder: Path) -> None:
    config = small_config(*OVERRIDES)
    library, mix = build_tasks(config)
    signal = signal_of(config.rewards)
    workers = Workers(config, folder, 0, NUM_WORKERS)

    async def train() -> dict[str, int]:
        rollouts = seated_fleet(config, [Handle(workers, index) for index in range(NUM_WORKERS)])
        manifest, buckets = pack_weights([], version=0, kind="full", probe=NO_PROBE)
        weights = Given(rollouts, manifest, tuple(buckets))  # type: ignore[arg-type]
        records = Records(tmp_path, config, signal.names, {}, say=lambda line: None)
        world = World(rollouts, NoRewards(len(signal.names)), NoLearner(), weights, NoFleet())
        try:
            summary = await Trainer(config, library, mix, signal, world, records).train()
        finally:
            rollouts.stop()
            records.close()
        return dict(summary.episodes)

    episodes = asyncio.run(train())
    dialogs = [record.trajectory for record in read(tmp_path, Query(purpose="train"))]
    stored = Counter(dialog.request.id for dialog in dialogs)
    assert stored == {
        f"train-{i}-{g}-{s}": 1 for i in range(NUM_ITERATIONS) for g in range(NUM_PROMPTS) for s in range(4)
    }
    assert sum(episodes.values()) == NUM_ITERATIONS * NUM_PROMPTS * NUM_SAMPLES
    assert len({dialog.worker for dialog in dialogs}) == NUM_WORKERS

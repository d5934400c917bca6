"""Hundreds of simulated rollout workers on one machine, and the world of a loop around them.

An actor of its own for each would be a process of 0.4 GB, most of it imports. So a few host actors hold many workers
each, one thread a worker, and a seat in a host answers the calls of the fleet as an actor would. Everything on the
driver's side is the real thing: fleet, attendants, loop, records, store.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.actor import ActorHandle

from cluster.fleet import Member
from cluster.rollouts import RolloutFleet
from cluster.workers import Publication
from models.chat import chat_format
from models.tokenizer import load_tokenizer
from models.weights import Manifest
from rewards.score import DialogScore
from rl.batch import Advantages, Annotations, Batch
from rl.build import dialog_budget, simulated_engine
from rl.config import Config
from rl.rollout import Result, RolloutWorker
from rl.tasks import build_tasks
from rl.trajectory import EpisodeRequest, Trajectory


class Workers:
    """Simulated workers `first` to `first + count`; they share what none of them changes."""

    def __init__(self, config: Config, folder: Path, first: int, count: int) -> None:
        chat, (library, _), budget = chat_format(load_tokenizer(folder)), build_tasks(config), dialog_budget(config)
        self._workers = [
            RolloutWorker(simulated_engine(config.rollout, chat), chat, library, budget, name=f"rollout-{first + i}")
            for i in range(count)
        ]

    def advance(self, index: int, requests: Sequence[EpisodeRequest], max_seconds: float) -> list[Result]:
        self._workers[index].admit(requests)
        return self._workers[index].advance(max_seconds)

    def load(self, index: int, manifest: Manifest, buckets: Sequence[np.ndarray]) -> None:
        self._workers[index].load(manifest, buckets)


@ray.remote
class Host:
    """`Workers` as an actor, which serves them side by side."""

    def __init__(self, config: Config, folder: Path, first: int, count: int) -> None:
        self._workers = Workers(config, folder, first, count)

    def ping(self, index: int) -> str:
        return "pong"

    def advance(self, index: int, requests: Sequence[EpisodeRequest], max_seconds: float) -> list[Result]:
        return self._workers.advance(index, requests, max_seconds)

    def load(self, index: int, publication: Publication) -> None:
        for manifest, refs in publication.parts:
            self._workers.load(index, manifest, ray.get(list(refs)))


@dataclass(frozen=True, slots=True)
class Call:
    """A method of the host, for one of its workers."""

    method: Any
    index: int

    def remote(self, *args: Any) -> Any:
        return self.method.remote(self.index, *args)


class Seat:
    """What the fleet takes for the handle of an actor."""

    def __init__(self, host: ActorHandle, index: int) -> None:
        self.ping, self.advance, self.load = (Call(m, index) for m in (host.ping, host.advance, host.load))


def start_hosts(config: Config, folder: Path, *, num_hosts: int, num_workers: int) -> list[Seat]:
    """`num_workers` seats, whose neighbours in the list are on different hosts."""
    count = -(-num_workers // num_hosts)
    hosts = [
        Host.options(num_cpus=0, max_concurrency=count).remote(config, folder, number * count, count)
        for number in range(num_hosts)
    ]
    ray.get([host.ping.remote(0) for host in hosts])
    return [Seat(hosts[number % num_hosts], number // num_hosts) for number in range(num_workers)]


class Members:
    """As much of `cluster.fleet.Fleet` as workers need who never die."""

    def __init__(self, seats: Sequence[Any]) -> None:
        self.members = [Member(i, i, f"rollout-{i}", seat) for i, seat in enumerate(seats)]

    async def seated(self, member: Member) -> None:
        """Everybody has a seat."""

    async def started(self, member: Member) -> None:
        """Everybody is up."""

    async def call(self, member: Member, answer: Awaitable[Any], timeout_seconds: float) -> Any:
        async with asyncio.timeout(timeout_seconds):
            return await answer

    def credit(self, member: Member) -> None:
        """Nobody has lost anything."""

    def stop(self) -> None:
        """The hosts go with the session."""


def seated_fleet(config: Config, seats: Sequence[Any]) -> RolloutFleet:
    """A fleet of these workers; inside the event loop that will serve it."""
    rollout = config.rollout
    return RolloutFleet(
        Members(seats),  # type: ignore[arg-type]
        capacity=2 * rollout.max_num_seqs,
        call_timeout_seconds=rollout.episode_timeout_seconds,
    )


@dataclass(frozen=True, slots=True)
class Given:
    """Weights that nobody has learned: the same bytes as every version. Implements `rl.interfaces.Weights`."""

    rollouts: RolloutFleet
    manifest: Manifest
    refs: tuple[ray.ObjectRef, ...]

    async def publish(self, version: int) -> str:
        manifest = Manifest(version, "full", self.manifest.entries, self.manifest.sha256, self.manifest.probe)
        await self.rollouts.publish(Publication(version, ((manifest, self.refs),)))
        return manifest.sha256


class NoRewards:
    """Implements `rl.interfaces.Rewards`: finds nothing good and nothing bad, in `num_dimensions`."""

    def __init__(self, num_dimensions: int) -> None:
        self._num_dimensions = num_dimensions

    async def score(self, trajectories: Sequence[Trajectory]) -> list[DialogScore]:
        return [
            DialogScore(np.zeros((len(t.turns), self._num_dimensions), np.float32), np.zeros(len(t.turns), np.float32))
            for t in trajectories
        ]


class NoLearner:
    """Implements `rl.interfaces.Learner`: has nothing to learn, and takes no time for it."""

    async def annotate(self, batch: Batch) -> Annotations:
        return Annotations(np.zeros(batch.tokens.shape, np.float32), None, None)

    async def update(
        self, batch: Batch, annotations: Annotations, advantages: Advantages, *, step: int, kl_coef: float
    ) -> dict[str, float]:
        return {}

    async def save(self, folder: Path) -> None:
        (folder / "nothing").touch()

    async def save_policy(self, folder: Path) -> None:
        folder.mkdir()

    async def load(self, folder: Path) -> None:
        """There is nothing to go on with."""

    async def fingerprint(self, version: int) -> str:
        return ""

    async def rebuild(self) -> None:
        """It cannot be lost."""


class NoFleet:
    """Implements `rl.interfaces.Fleet`."""

    def metrics(self) -> dict[str, float]:
        return {}

    def observe(self, timing: Mapping[str, float]) -> None:
        """Nothing scales here."""

    async def peak_rss_bytes(self) -> dict[str, int]:
        return {}

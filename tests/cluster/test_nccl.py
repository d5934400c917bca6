"""Who gets weights over NCCL and when: the calls to workers, the learner's say, and the fleet. No Ray, no GPU."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ray.exceptions import ActorDiedError, GetTimeoutError, RayTaskError

import cluster.learner
import cluster.nccl
from cluster.fleet import Member, MemberLostError
from cluster.learner import LearnerGroup, Ranks
from cluster.nccl import ReceiverCalls
from cluster.rollouts import RolloutFleet
from cluster.workers import Publication
from models.weights import Manifest, Probe, WeightSyncError
from rl.tally import Tally

PROBE = Probe(np.zeros((1, 2), np.int32), np.zeros((1, 2), np.float32), tolerance=1.0)
PATIENCE_SECONDS = 10.0


def publication(version: int) -> Publication:
    return Publication(version, ((Manifest(version, "full", (), f"sha256 of {version}", PROBE), ()),))


class Method:
    """An actor's method: `remote` hands the call to `start`."""

    def __init__(self, start: Callable[..., Any]) -> None:
        self.remote = start


# -- calls to workers ---------------------------------------------------------------------------------------------


class FakeWorker:
    """Notes its calls; they run in threads, as those of an actor run elsewhere."""

    def __init__(self, threads: ThreadPoolExecutor, errors: Mapping[str, Exception]) -> None:
        self._threads, self._errors = threads, errors
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Method:
        return Method(lambda *args: self._threads.submit(self._run, name, *args))

    def _run(self, name: str, *args: Any) -> None:
        self.calls.append((name, *args))
        if name in self._errors:
            raise self._errors[name]


def fake_get(answers: Sequence[Future], timeout: float) -> list[Any]:
    return [answer.result(PATIENCE_SECONDS) for answer in answers]


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadPoolExecutor]:
    monkeypatch.setattr(cluster.nccl.ray, "get", fake_get)
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_every_worker_gets_every_call_and_ranks_of_its_own(threads: ThreadPoolExecutor) -> None:
    workers = [FakeWorker(threads, {}) for _ in range(3)]
    calls = ReceiverCalls(publication(7), workers, gpus_per_worker=2)  # type: ignore[arg-type]
    calls.init_weight_transfer_engine({"rank_offset": 1, "world_size": 7})
    calls.start_weight_update()
    calls.update_weights({"names": []})
    calls.finish_weight_update()
    for worker, first_rank in zip(workers, (1, 3, 5), strict=True):
        assert worker.calls == [
            ("join_transfer", {"rank_offset": first_rank, "world_size": 7}),
            ("ping",),
            ("load", publication(7)),
        ]


def test_it_is_what_vllm_calls() -> None:
    base = pytest.importorskip("vllm.distributed.weight_transfer.base")
    assert isinstance(ReceiverCalls(publication(0), [], gpus_per_worker=1), base.VLLMWeightSyncClient)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (RayTaskError("load", "traceback", WeightSyncError("the probe says no")), "the probe says no"),
        (ActorDiedError(), "weights 7: a rollout worker was lost .* --resume"),
        (GetTimeoutError(), "weights 7: a rollout worker was lost .* object_store"),
    ],
)
def test_what_goes_wrong_in_a_worker_comes_back(threads: ThreadPoolExecutor, error: Exception, message: str) -> None:
    workers = [FakeWorker(threads, {}), FakeWorker(threads, {"load": error})]
    calls = ReceiverCalls(publication(7), workers, gpus_per_worker=1)  # type: ignore[arg-type]
    with pytest.raises(WeightSyncError, match=message):
        calls.update_weights({})


# -- the learner's say --------------------------------------------------------------------------------------------


class FakeRank:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Method:
        async def run(*args: Any) -> Any:
            return {"publish": publication(args[0]) if args else None, "update": Tally()}.get(name)

        def start(*args: Any) -> Awaitable[Any]:
            self.calls.append(name)
            return run(*args)

        return Method(start)


def test_the_learner_sends_what_it_published_and_nothing_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.learner.ray, "put", lambda value: value)
    ranks = [FakeRank(), FakeRank()]
    group: Any = LearnerGroup(
        lambda: Ranks(ranks, SimpleNamespace()),  # type: ignore[arg-type]
        timeout_seconds=PATIENCE_SECONDS,
    )

    async def learn() -> None:
        first = await group.publish(0)
        assert await group.send(first, {"rollout-0": None})
        await group.update(None, None, None, step=0, kl_coef=0.0)
        assert not await group.send(first, {"rollout-0": None})
        second = await group.publish(1)
        assert not await group.send(first, {"rollout-0": None})
        assert await group.send(second, {"rollout-0": None})

    asyncio.run(learn())
    for rank in ranks:
        assert rank.calls == ["publish", "send", "update", "publish", "send"]


# -- the fleet ----------------------------------------------------------------------------------------------------


@dataclass
class FakeHandle:
    """A worker that is up once `started` is set."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False

    @property
    def ping(self) -> Method:
        return Method(self._ping)

    async def _ping(self) -> str:
        await self.started.wait()
        if self.dead:
            raise MemberLostError("dead")
        return "pong"


class FakeFleet:
    """Keeps members as `cluster.fleet.Fleet` does."""

    def __init__(self, size: int) -> None:
        self.members = [Member(slot, slot, f"rollout-{slot}", FakeHandle()) for slot in range(size)]
        self._num_spawned = size

    async def started(self, member: Member) -> None:
        await member.handle.ping.remote()

    async def call(self, member: Member, answer: Awaitable[Any], timeout_seconds: float) -> Any:
        return await asyncio.wait_for(answer, timeout_seconds)

    async def seated(self, member: Member) -> None:
        """There is always room."""

    async def replace(self, member: Member, cause: MemberLostError, *, is_excused: bool) -> Member:
        number, self._num_spawned = self._num_spawned, self._num_spawned + 1
        self.members[member.slot] = Member(member.slot, number, f"rollout-{number}", FakeHandle())
        return self.members[member.slot]

    def has(self, member: Member) -> bool:
        return any(other.id == member.id for other in self.members)

    def stop(self) -> None: ...

    def start_all(self) -> None:
        for member in self.members:
            member.handle.started.set()


class Sender:
    """Notes who was sent what. `holds` is the newest version it has, None for any; `error` is what it raises."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, tuple[str, ...]]] = []
        self.holds: int | None = None
        self.error: Exception | None = None

    async def send(self, publication: Publication, receivers: Mapping[str, Any]) -> bool:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        if self.holds not in (None, publication.version):
            return False
        self.sent.append((publication.version, tuple(receivers)))
        return True


def play(scene: Callable[[FakeFleet, Sender, RolloutFleet], Awaitable[None]], *, size: int = 2) -> Sender:
    """A scene with a fleet of `size` workers that are about to start. Returns the sender."""

    async def run() -> Sender:
        fleet, sender = FakeFleet(size), Sender()
        rollouts = RolloutFleet(fleet, capacity=8, call_timeout_seconds=5.0, send=sender.send)  # type: ignore[arg-type]
        try:
            await asyncio.wait_for(scene(fleet, sender, rollouts), 2 * PATIENCE_SECONDS)
        finally:
            rollouts.stop()
        return sender

    return asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


async def first_publication(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
    """All workers start and serve version 0."""
    fleet.start_all()
    await rollouts.publish(publication(0))
    await until(lambda: len(sender.sent) == len(fleet.members))


def test_workers_that_start_get_weights_one_by_one_and_then_all_at_once() -> None:
    async def scene(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
        await first_publication(fleet, sender, rollouts)
        await rollouts.publish(publication(1))
        await rollouts.publish(publication(2))

    sent = play(scene).sent
    assert sorted(sent[:2]) == [(0, ("rollout-0",)), (0, ("rollout-1",))]
    assert sent[2:] == [(1, ("rollout-0", "rollout-1")), (2, ("rollout-0", "rollout-1"))]


def test_nothing_is_sent_before_a_worker_is_up() -> None:
    async def scene(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
        publishing = asyncio.ensure_future(rollouts.publish(publication(0)))
        await asyncio.sleep(0.1)
        assert not publishing.done()
        assert sender.sent == []
        fleet.members[1].handle.started.set()
        await publishing

    assert play(scene).sent == [(0, ("rollout-1",))]


def test_a_dead_worker_is_left_out_and_its_successor_joins() -> None:
    async def scene(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
        await first_publication(fleet, sender, rollouts)
        fleet.members[0].handle.dead = True
        await rollouts.publish(publication(1))
        await until(lambda: fleet.members[0].name == "rollout-2")
        fleet.members[0].handle.started.set()
        await until(lambda: len(sender.sent) == 4)
        await rollouts.publish(publication(2))

    assert play(scene).sent[2:] == [(1, ("rollout-1",)), (1, ("rollout-2",)), (2, ("rollout-2", "rollout-1"))]


def test_who_joins_while_the_learner_learns_waits_for_the_next_weights() -> None:
    async def scene(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
        fleet.members[0].handle.started.set()
        await rollouts.publish(publication(0))
        sender.holds = 1
        fleet.members[1].handle.started.set()
        await asyncio.sleep(0.1)
        assert sender.sent == [(0, ("rollout-0",))]
        await rollouts.publish(publication(1))
        await until(lambda: len(sender.sent) == 3)

    assert play(scene).sent[1:] == [(1, ("rollout-0",)), (1, ("rollout-1",))]


@pytest.mark.parametrize("version", [0, 1])
def test_weights_that_fail_their_check_stop_the_run(version: int) -> None:
    async def scene(fleet: FakeFleet, sender: Sender, rollouts: RolloutFleet) -> None:
        if version:
            await first_publication(fleet, sender, rollouts)
        fleet.start_all()
        sender.error = WeightSyncError("the probe says no")
        await rollouts.publish(publication(version))

    with pytest.raises(WeightSyncError, match="the probe says no"):
        play(scene)

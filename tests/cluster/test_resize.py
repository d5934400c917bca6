"""Workers that come and go, with the real logic of the fleets on workers in memory: nothing is lost or done twice, and
nobody waits in vain.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from cluster.fleet import Fleet, Member, MemberLostError
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet
from cluster.workers import Publication
from envs.task import Transcript
from rewards.score import DialogScore
from rl.trajectory import EpisodeRequest, Trajectory
from tests.cluster.actors import Weights, judge, play
from tests.rl.builders import request

REQUESTS = [request(0, group, sample) for group in range(20) for sample in range(3)]
SECONDS = 10.0  # for what takes milliseconds


@dataclass
class Method:
    """An actor's method: `handle.method.remote(...)`."""

    call: Callable[..., Awaitable[Any]]

    def remote(self, *arguments: Any) -> Awaitable[Any]:
        return self.call(*arguments)


class MemoryWorker:
    """A worker of either role. What it does waits for `gate`; it starts when `started` is set."""

    def __init__(self, name: str) -> None:
        self.name, self.version = name, -1
        self.started, self.gate, self.killed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.gate.set()
        self.held: list[str] = []
        self.judged = 0
        self._playing: list[EpisodeRequest] = []
        self.ping, self.load = Method(self._ping), Method(self._load)
        self.advance, self.score = Method(self._advance), Method(self._score)

    async def _ping(self) -> str:
        await self.started.wait()
        return "pong"

    async def _load(self, weights: Weights) -> None:
        self.version = weights.version

    async def _advance(self, requests: Sequence[EpisodeRequest], seconds: float) -> list[Trajectory]:
        """Ends one dialog per call."""
        self._playing += requests
        self.held += [r.id for r in requests]
        await self.gate.wait()
        await asyncio.sleep(0.001)
        return [play(self._playing.pop(0), version=self.version, worker=self.name)] if self._playing else []

    async def _score(self, transcripts: Sequence[Transcript]) -> list[DialogScore]:
        await self.gate.wait()
        self.judged += len(transcripts)
        return [judge(transcript) for transcript in transcripts]


@dataclass
class MemoryFleet:
    """Keeps members as `cluster.fleet.Fleet` does; `has_room(name)` says who may start."""

    size: int
    has_room: Callable[[str], bool] = lambda name: True
    members: list[Member] = field(default_factory=list)
    all: list[MemoryWorker] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for _ in range(self.size):
            self.hire().handle.started.set()

    def hire(self) -> Member:
        worker = MemoryWorker(f"w-{len(self.all)}")
        self.all.append(worker)
        self.members.append(Member(len(self.members), len(self.all), worker.name, worker))
        return self.members[-1]

    def dismiss(self) -> Member:
        return self.members.pop()

    def end(self, member: Member) -> None:
        self.ended.append(member.name)
        member.handle.killed.set()

    def has(self, member: Member) -> bool:
        return member in self.members

    async def seated(self, member: Member) -> None:
        while not self.has_room(member.name):
            await asyncio.sleep(0.001)

    async def started(self, member: Member) -> None:
        await self.call(member, member.handle.ping.remote(), SECONDS)

    async def call(self, member: Member, answer: Awaitable[Any], timeout_seconds: float) -> Any:
        """The answer, or the news that the worker was ended."""
        answering, ending = asyncio.ensure_future(answer), asyncio.ensure_future(member.handle.killed.wait())
        try:
            await asyncio.wait({answering, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                raise MemberLostError(f"{member.name} died")
            return answering.result()
        finally:
            answering.cancel()
            ending.cancel()

    async def replace(self, member: Member, cause: MemberLostError, *, is_excused: bool) -> Member:
        raise AssertionError(f"nobody was lost: {cause}")

    def credit(self, member: Member) -> None: ...

    def stop(self) -> None: ...


@contextlib.asynccontextmanager
async def playing(fleet: MemoryFleet) -> AsyncIterator[RolloutFleet]:
    rollouts = RolloutFleet(cast(Fleet, fleet), capacity=5, call_timeout_seconds=SECONDS)
    try:
        await rollouts.publish(cast(Publication, Weights(7)))
        yield rollouts
    finally:
        rollouts.stop()


async def collect(rollouts: RolloutFleet) -> dict[str, str]:
    """Answers by id; fails where a dialog comes twice."""
    done: dict[str, str] = {}
    async for finished in rollouts.sample(REQUESTS):
        for trajectory in finished:
            assert trajectory.request.id not in done
            assert trajectory.oldest_version == 7
            done[trajectory.request.id] = trajectory.turns[0].answer
    return done


EXPECTED = {r.id: play(r, version=7).turns[0].answer for r in REQUESTS}


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SECONDS):
        while not condition():
            await asyncio.sleep(0.001)


# -- rollout workers ------------------------------------------------------------------------------------------------


async def test_a_worker_that_joins_takes_its_share() -> None:
    fleet = MemoryFleet(1)
    async with playing(fleet) as rollouts:
        sampling = asyncio.create_task(collect(rollouts))
        await rollouts.resize(2)
        fleet.all[1].started.set()
        assert await sampling == EXPECTED
        assert len(fleet.all[1].held) > len(REQUESTS) / 4
        assert [worker.state for worker in rollouts.status()] == ["ready", "ready"]


async def test_nobody_waits_for_a_worker_that_has_no_room_or_starts() -> None:
    rooms: set[str] = {"w-0"}
    fleet = MemoryFleet(1, has_room=lambda name: name in rooms)
    async with playing(fleet) as rollouts:
        await rollouts.resize(2)
        assert await collect(rollouts) == EXPECTED
        assert [worker.state for worker in rollouts.status()] == ["ready", "waiting"]
        rooms.add("w-1")
        await until(lambda: rollouts.status()[1].state == "starting")
        await rollouts.publish(cast(Publication, Weights(8)))
        fleet.all[1].started.set()
        await until(lambda: rollouts.status()[1].state == "ready")
        assert [worker.version for worker in rollouts.status()] == [8, 8]


async def test_workers_that_leave_hand_their_dialogs_back() -> None:
    """Two of three leave in the middle of a call that would never have come back."""
    fleet = MemoryFleet(3)
    async with playing(fleet) as rollouts:
        for worker in fleet.all[1:]:
            worker.gate.clear()
        sampling = asyncio.create_task(collect(rollouts))
        await until(lambda: all(worker.num_dialogs for worker in rollouts.status()))
        held = [id for worker in fleet.all[1:] for id in worker.held]
        async with asyncio.timeout(SECONDS):
            await rollouts.resize(1)
        assert await sampling == EXPECTED
        assert held
        assert set(held) <= set(fleet.all[0].held)
        assert fleet.ended == ["w-2", "w-1"]
        await rollouts.publish(cast(Publication, Weights(8)))  # waits for nobody who has left


async def test_a_worker_that_was_only_coming_may_leave() -> None:
    fleet = MemoryFleet(1)
    async with playing(fleet) as rollouts:
        await rollouts.resize(2)
        await asyncio.sleep(0.01)
        await rollouts.resize(1)
        assert await collect(rollouts) == EXPECTED
        assert fleet.ended == ["w-1"]


async def test_places_that_were_given_up_can_be_taken_again() -> None:
    fleet = MemoryFleet(2)
    async with playing(fleet) as rollouts:
        await rollouts.resize(1)
        await rollouts.resize(3)
        for worker in fleet.all:
            worker.started.set()
        await until(lambda: [worker.state for worker in rollouts.status()] == ["ready"] * 3)
        assert [worker.name for worker in rollouts.status()] == ["w-0", "w-2", "w-3"]
        assert await collect(rollouts) == EXPECTED


@pytest.mark.parametrize("seed", range(5))
async def test_any_coming_and_going_changes_nothing(seed: int) -> None:
    import random

    dice = random.Random(seed)
    fleet = MemoryFleet(2)
    async with playing(fleet) as rollouts:
        sampling = asyncio.create_task(collect(rollouts))
        for _ in range(15):
            await rollouts.resize(dice.randint(1, 5))
            for worker in fleet.all:
                worker.started.set()
            await asyncio.sleep(dice.random() * 0.005)
        assert await sampling == EXPECTED


# -- reward workers -------------------------------------------------------------------------------------------------

TRAJECTORIES = [play(r, version=0) for r in REQUESTS[:40]]
SCORES = [float(judge(t.transcript).vector[0, 0]) for t in TRAJECTORIES]


async def scores(rewards: RewardFleet) -> list[float]:
    async with asyncio.timeout(SECONDS):
        outcomes = await rewards.score(TRAJECTORIES)
    return [float(outcome.vector[0, 0]) for outcome in outcomes if isinstance(outcome, DialogScore)]


def judging(size: int) -> tuple[RewardFleet, MemoryFleet]:
    fleet = MemoryFleet(size)
    return RewardFleet(cast(Fleet, fleet), timeout_seconds=SECONDS, max_retries=0), fleet


async def test_a_judge_that_comes_is_asked_once_it_is_up() -> None:
    rewards, fleet = judging(1)
    await rewards.resize(2)
    assert await scores(rewards) == SCORES
    assert fleet.all[1].judged == 0
    fleet.all[1].started.set()
    await until(lambda: rewards.status()[1].state == "ready")
    assert await scores(rewards) == SCORES
    assert fleet.all[1].judged > 0


async def test_a_judge_that_leaves_finishes_first() -> None:
    rewards, fleet = judging(2)
    fleet.all[1].gate.clear()
    scoring = asyncio.create_task(scores(rewards))
    await until(lambda: any(worker.num_dialogs for worker in rewards.status()[1:]))
    await rewards.resize(1)
    assert fleet.ended == []
    fleet.all[1].gate.set()
    assert await scoring == SCORES
    assert fleet.ended == ["w-1"]
    judged = fleet.all[1].judged
    assert await scores(rewards) == SCORES
    assert fleet.all[1].judged == judged


async def test_judges_that_are_free_or_only_coming_leave_at_once() -> None:
    rewards, fleet = judging(2)
    await rewards.resize(3)
    await asyncio.sleep(0.01)
    await rewards.resize(1)
    assert sorted(fleet.ended) == ["w-1", "w-2"]
    assert await scores(rewards) == SCORES
    assert fleet.all[1].judged == 0

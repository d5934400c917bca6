"""The rollout workers as the loop sees them: dialogs in, trajectories out, whoever dies in between.

Every worker has an attendant, a coroutine that brings it to the current weights, hands it its share of the dialogs and
collects what has ended. A lost worker's dialogs go back into the queue with the same seeds, so nobody can tell.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import TypeVar

from ray.exceptions import RayTaskError

from cluster.fleet import START_TIMEOUT_SECONDS, Fleet, Member, MemberLostError
from cluster.workers import Publication
from models.weights import WeightSyncError
from rl.trajectory import EpisodeRequest, Trajectory

SLICE_SECONDS = 0.25  # how long a worker steps before it reports
HEARTBEAT_SECONDS = 2.0  # an idle worker is asked this often whether it lives
SYNC_TIMEOUT_SECONDS = 300.0

T = TypeVar("T")
Inbox = asyncio.Queue[list[Trajectory]]


class RolloutFleet:
    """Implements `rl.interfaces.Rollouts`. `capacity` is how many dialogs one worker holds at once.

    `call_timeout_seconds` bounds one report of a worker, including whatever its environments do.
    """

    def __init__(self, fleet: Fleet, *, capacity: int, call_timeout_seconds: float) -> None:
        self._fleet, self._capacity, self._call_timeout = fleet, capacity, call_timeout_seconds
        self._publication: Publication | None = None
        self._versions: dict[int, int] = {}  # member id -> version that it has verified; absent while it starts
        self._pending: deque[EpisodeRequest] = deque()
        self._assigned: dict[int, dict[str, EpisodeRequest]] = defaultdict(dict)
        self._inboxes: dict[str, Inbox] = {}
        self._news = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._attendants = [asyncio.create_task(self._attend(m.slot)) for m in fleet.members]

    async def sample(self, requests: Sequence[EpisodeRequest]) -> AsyncIterator[list[Trajectory]]:
        inbox: Inbox = asyncio.Queue()
        self._inboxes.update((request.id, inbox) for request in requests)
        self._pending.extend(requests)
        self._announce()
        missing = len(requests)
        while missing:
            finished = await self._unless_failed(inbox.get())
            missing -= len(finished)
            yield finished

    async def publish(self, publication: Publication) -> None:
        """Returns when every worker that is up serves these weights; a worker that starts later gets them first."""
        self._publication = publication
        self._announce()
        while not self._all_serve(publication.version):
            await self._unless_failed(self._news.wait())

    def stop(self) -> None:
        for attendant in self._attendants:
            attendant.cancel()
        self._fleet.stop()

    def _all_serve(self, version: int) -> bool:
        return bool(self._versions) and all(v == version for v in self._versions.values())

    async def _attend(self, slot: int) -> None:
        """Serve the worker of this place, and its successors, until the fleet stops or cannot go on."""
        try:
            while True:
                member = self._fleet.members[slot]
                try:
                    await self._serve(member)
                except MemberLostError as lost:
                    self._take_back(member)
                    self._fleet.replace(member, lost)
        except Exception as error:  # whatever it is, those who wait for dialogs must hear of it
            if not self._failure.done():
                self._failure.set_exception(error)

    async def _serve(self, member: Member) -> None:
        fleet, handle = self._fleet, member.handle
        await fleet.call(member, handle.ping.remote(), START_TIMEOUT_SECONDS)
        while True:
            if self._publication is not None and self._publication.version != self._versions.get(member.id):
                await self._bring_up(member, self._publication)
            share = self._share(member)
            if share or self._assigned[member.id]:
                self._assigned[member.id].update((request.id, request) for request in share)
                try:
                    report = handle.advance.remote(share, SLICE_SECONDS)
                    self._deliver(member, await fleet.call(member, report, self._call_timeout))
                except RayTaskError as error:
                    raise MemberLostError(f"{member.name} failed: {error}") from error
            elif not await self._hear_news():
                await fleet.call(member, handle.ping.remote(), HEARTBEAT_SECONDS)

    async def _bring_up(self, member: Member, publication: Publication) -> None:
        """Load and verify; a damaged transfer is pulled once more. A second failure is not the wire's fault."""
        for attempt in (1, 2):
            try:
                await self._fleet.call(member, member.handle.load.remote(publication), SYNC_TIMEOUT_SECONDS)
                break
            except WeightSyncError:
                if attempt == 2:
                    raise
        self._versions[member.id] = publication.version
        self._announce()

    def _share(self, member: Member) -> list[EpisodeRequest]:
        """An even part of all dialogs that are not done yet, within the worker's capacity."""
        if member.id not in self._versions:
            return []
        busy = len(self._assigned[member.id])
        total = len(self._pending) + sum(len(assigned) for assigned in self._assigned.values())
        fair = -(-total // max(1, len(self._versions)))
        count = max(0, min(len(self._pending), fair - busy, self._capacity - busy))
        return [self._pending.popleft() for _ in range(count)]

    def _deliver(self, member: Member, finished: Sequence[Trajectory]) -> None:
        by_inbox: dict[Inbox, list[Trajectory]] = defaultdict(list)
        for trajectory in finished:
            del self._assigned[member.id][trajectory.request.id]
            by_inbox[self._inboxes.pop(trajectory.request.id)].append(trajectory)
        for inbox, trajectories in by_inbox.items():
            inbox.put_nowait(trajectories)

    def _take_back(self, member: Member) -> None:
        self._pending.extendleft(reversed(self._assigned.pop(member.id, {}).values()))
        self._versions.pop(member.id, None)
        self._announce()

    def _announce(self) -> None:
        """Wake everybody who waits for work, weights or workers."""
        self._news.set()
        self._news = asyncio.Event()

    async def _hear_news(self) -> bool:
        try:
            await asyncio.wait_for(self._news.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            return False
        return True

    async def _unless_failed(self, awaitable: Awaitable[T]) -> T:
        """Wait, but not after the fleet has failed."""
        waiting = asyncio.ensure_future(awaitable)
        await asyncio.wait({waiting, self._failure}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            self._failure.result()
        return waiting.result()

"""The rollout workers as the loop sees them: dialogs in, trajectories out, whoever dies in between.

Every worker has an attendant, a coroutine that brings it to the current weights, hands it its share of the dialogs and
collects what has ended. A lost worker's dialogs go back into the queue with the same seeds, so nobody can tell.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set
from typing import Literal, TypeVar

from ray.actor import ActorHandle
from ray.exceptions import ObjectLostError

from cluster.fleet import START_TIMEOUT_SECONDS, Fleet, Member, MemberLostError
from cluster.workers import Publication
from models.samples import Timing, TimingRequest
from models.scoring import ScoreRequest, Scores
from models.weights import WeightSyncError
from rl.control import WorkerStatus
from rl.interfaces import LearnerLostError
from rl.trajectory import EpisodeRequest, Trajectory

SLICE_SECONDS = 0.25  # how long a worker steps before it reports
HEARTBEAT_SECONDS = 2.0  # an idle worker is asked this often whether it lives
SYNC_TIMEOUT_SECONDS = 300.0
OUTDATED = -1  # the version of weights that must be replaced whatever comes next

T = TypeVar("T")
Request = EpisodeRequest | ScoreRequest | TimingRequest
Result = Trajectory | Scores | Timing
Inbox = asyncio.Queue[list[Result]]
# Hands a publication to the named workers; False where the sender holds newer weights by now.
Send = Callable[[Publication, Mapping[str, ActorHandle]], Awaitable[bool]]


class RolloutFleet:
    """Implements `rl.interfaces.Rollouts`. `capacity` is how many dialogs one worker holds at once.

    `call_timeout_seconds` bounds one report of a worker, including whatever its environments do. `send` is for NCCL,
    where the learner takes the weights to the workers; without it they pull them.
    """

    def __init__(self, fleet: Fleet, *, capacity: int, call_timeout_seconds: float, send: Send | None = None) -> None:
        self._fleet, self._capacity, self._call_timeout, self._send = fleet, capacity, call_timeout_seconds, send
        self._publication: Publication | None = None
        self._versions: dict[int, int] = {}  # member id -> version that it has verified; absent while it starts
        self._pending: deque[Request] = deque()
        self._assigned: dict[int, dict[str, Request]] = defaultdict(dict)
        self._withdrawn: dict[int, set[str]] = defaultdict(set)  # what a member shall forget before it gets more
        self._inboxes: dict[str, Inbox] = {}
        self._news = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seated: set[int] = set()  # ids of members that have room in the cluster
        self._transfer = asyncio.Lock()  # with NCCL: nobody leaves while it lasts, for the others would wait for ever
        self._attendants = [asyncio.create_task(self._attend(m.slot)) for m in fleet.members]

    async def sample(self, requests: Sequence[Request]) -> AsyncIterator[list[Result]]:
        """Dialogs, or scores of continuations: a worker's death costs neither."""
        inbox: Inbox = asyncio.Queue()
        self._inboxes.update((request.id, inbox) for request in requests)
        self._pending.extend(requests)
        self._announce()
        missing = {request.id for request in requests}
        try:
            while missing:
                finished = await self._unless_failed(inbox.get())
                missing -= {result.request.id for result in finished}
                yield finished
        finally:
            self._withdraw(missing)

    async def publish(self, publication: Publication) -> None:
        """Returns when every worker that is up serves these weights; a worker that starts later gets them first."""
        self._forgive()
        if self._publication is not None and publication.version <= self._publication.version:
            # a rebuilt learner repeats its updates, and what the workers have is of the one before
            self._publication = None
            self._versions = dict.fromkeys(self._versions, OUTDATED)
        if self._send is not None:
            await self._unless_failed(self._send_to_all(publication, self._send))
        self._publication = publication
        self._announce()
        while not self._all_serve(publication.version):
            await self._unless_failed(self._news.wait())

    async def resize(self, size: int) -> None:
        """Have `size` workers. Those that come serve once they hold verified weights; those that leave hand back their
        unfinished dialogs, which are held elsewhere with the same seeds.
        """
        async with self._transfer:
            while len(self._fleet.members) < size:
                self._attendants.append(asyncio.create_task(self._attend(self._fleet.hire().slot)))
            while len(self._fleet.members) > size:
                attendant = self._attendants.pop()
                attendant.cancel()
                await asyncio.wait({attendant})
                member = self._fleet.dismiss()
                self._take_back(member)
                self._fleet.end(member)

    def status(self) -> tuple[WorkerStatus, ...]:
        return tuple(map(self._status, self._fleet.members))

    def stop(self) -> None:
        for attendant in self._attendants:
            attendant.cancel()
        self._fleet.stop()

    def _status(self, member: Member) -> WorkerStatus:
        version, newest = self._versions.get(member.id), self._publication and self._publication.version
        state: Literal["waiting", "starting", "stale", "ready"]
        if version is None:
            state = "starting" if member.id in self._seated else "waiting"
        else:
            state = "ready" if version == newest else "stale"
        num_dialogs = len(self._assigned.get(member.id, ()))
        return WorkerStatus(name=member.name, state=state, version=version, num_dialogs=num_dialogs)

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
                except LearnerLostError as lost:  # it was not this worker's fault
                    self._publication = None
                    self._fail(lost)
        except Exception as error:  # whatever it is, those who wait for dialogs must hear of it
            self._fail(error)

    async def _serve(self, member: Member) -> None:
        fleet, handle = self._fleet, member.handle
        await fleet.seated(member)
        self._seated.add(member.id)
        await fleet.call(member, handle.ping.remote(), START_TIMEOUT_SECONDS)
        while True:
            # a worker may be ahead: with NCCL all have the new weights a moment before they are the publication
            if self._publication is not None and self._versions.get(member.id, -1) < self._publication.version:
                await self._bring_up(member, self._publication)
            if withdrawn := self._withdrawn.pop(member.id, None):
                await fleet.call(member, handle.withdraw.remote(withdrawn), self._call_timeout)
            share = self._share(member)
            if share or self._assigned[member.id]:
                self._assigned[member.id].update((request.id, request) for request in share)
                self._deliver(member, await self._advance(member, share))
            elif not await self._hear_news():
                await fleet.call(member, handle.ping.remote(), HEARTBEAT_SECONDS)

    async def _bring_up(self, member: Member, publication: Publication) -> None:
        try:
            await self._load(member, publication)
        except LearnerLostError:
            if publication is self._publication:  # no rebuilt learner has published since
                raise

    async def _load(self, member: Member, publication: Publication) -> None:
        """Load and verify; a damaged transfer is pulled once more. A second failure is not the wire's fault."""
        if self._send is not None:
            # the dead must be found here: NCCL would wait for them
            await self._fleet.call(member, member.handle.ping.remote(), self._call_timeout)
            await self._send_to([member], publication, self._send)
            return
        for attempt in (1, 2):
            try:
                await self._fleet.call(member, member.handle.load.remote(publication), SYNC_TIMEOUT_SECONDS)
                break
            except ObjectLostError as error:
                raise LearnerLostError("the weights were lost with the learner that had made them") from error
            except WeightSyncError:
                if attempt == 2:
                    raise
        self._versions[member.id] = publication.version if publication is self._publication else OUTDATED
        self._announce()

    async def _send_to_all(self, publication: Publication, send: Send) -> None:
        """One transfer for all that serve; whoever is left out or joins later is brought up on its own."""
        serving = [member for member in self._fleet.members if member.id in self._versions]
        present = await asyncio.gather(*map(self._answers, serving))
        await self._send_to([m for m, answers in zip(serving, present, strict=True) if answers], publication, send)

    async def _send_to(self, members: Sequence[Member], publication: Publication, send: Send) -> None:
        """After it, these members serve the publication, unless the sender has moved on: the next one is near."""
        async with self._transfer:
            done = bool(members) and await send(publication, {member.name: member.handle for member in members})
        if done:
            current = {member.id for member in self._fleet.members}
            self._versions.update((m.id, publication.version) for m in members if m.id in current)
            self._announce()

    async def _answers(self, member: Member) -> bool:
        try:
            await self._fleet.call(member, member.handle.ping.remote(), self._call_timeout)
        except MemberLostError:
            return False  # its attendant will learn it too
        return True

    async def _advance(self, member: Member, share: Sequence[Request]) -> list[Result]:
        """What the worker has finished. An error of its own costs the worker, and no dialog."""
        try:
            report = member.handle.advance.remote(share, SLICE_SECONDS)
            return await self._fleet.call(member, report, self._call_timeout)
        except MemberLostError:
            raise
        except Exception as error:
            raise MemberLostError(f"{member.name} failed: {type(error).__name__}: {error}") from error

    def _share(self, member: Member) -> list[Request]:
        """An even part of all dialogs that are not done yet, within the worker's capacity."""
        if member.id not in self._versions:
            return []
        busy = len(self._assigned[member.id])
        total = len(self._pending) + sum(len(assigned) for assigned in self._assigned.values())
        fair = -(-total // max(1, len(self._versions)))
        count = max(0, min(len(self._pending), fair - busy, self._capacity - busy))
        return [self._pending.popleft() for _ in range(count)]

    def _deliver(self, member: Member, finished: Sequence[Result]) -> None:
        by_inbox: dict[Inbox, list[Result]] = defaultdict(list)
        for trajectory in finished:
            if self._assigned[member.id].pop(trajectory.request.id, None) is None:
                continue  # withdrawn meanwhile
            by_inbox[self._inboxes.pop(trajectory.request.id)].append(trajectory)
        for inbox, trajectories in by_inbox.items():
            inbox.put_nowait(trajectories)
        if finished:
            self._fleet.credit(member)

    def _take_back(self, member: Member) -> None:
        self._pending.extendleft(reversed(self._assigned.pop(member.id, {}).values()))
        self._versions.pop(member.id, None)
        self._withdrawn.pop(member.id, None)
        self._announce()

    def _withdraw(self, ids: Set[str]) -> None:
        """Nobody waits for these any more, and they may be asked for again."""
        self._pending = deque(request for request in self._pending if request.id not in ids)
        for name in ids:
            self._inboxes.pop(name, None)
        for member_id, assigned in self._assigned.items():
            for name in ids & assigned.keys():
                del assigned[name]
                self._withdrawn[member_id].add(name)

    def _fail(self, error: Exception) -> None:
        if not self._failure.done():
            self._failure.set_exception(error)

    def _forgive(self) -> None:
        """The loss of a learner is over when its successor publishes."""
        if self._failure.done() and isinstance(self._failure.exception(), LearnerLostError):
            self._failure = asyncio.get_running_loop().create_future()

    def _announce(self) -> None:
        """Wake everybody who waits for work, weights or workers."""
        self._news.set()
        self._news = asyncio.Event()

    async def _hear_news(self) -> bool:
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):  # wait_for loses a cancellation that comes with the news
                await self._news.wait()
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

"""The rollout workers as the loop sees them: dialogs in, trajectories out, whoever dies in between.

Every worker has an attendant, a coroutine that brings it to the current weights, hands it its share of the dialogs and
collects what has ended. A lost worker's dialogs go back into the backlog with the same seeds, so nobody can tell; one
that takes worker after worker down alone is set aside.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence, Set

from ray.actor import ActorHandle
from ray.exceptions import ObjectLostError

from cluster.backlog import Backlog, Loss
from cluster.fleet import Fleet, FleetError, Member, MemberLostError
from cluster.lifecycle import OUTDATED, Life
from cluster.waiting import unless_failed
from cluster.workers import Publication
from models.samples import Timing, TimingRequest
from models.scoring import ScoreRequest, Scores
from models.weights import WeightSyncError
from rl.control import WorkerStatus
from rl.interfaces import LearnerLostError
from rl.trajectory import EpisodeRequest, Trajectory, failed

SLICE_SECONDS = 0.25  # how long a worker steps before it reports
HEARTBEAT_SECONDS = 2.0  # an idle worker is asked this often whether it lives
SYNC_TIMEOUT_SECONDS = 300.0

log = logging.getLogger("zero2one")

Request = EpisodeRequest | ScoreRequest | TimingRequest
Result = Trajectory | Scores | Timing
Inbox = asyncio.Queue[list[Result]]
# Hands a publication to the named workers; False where the sender holds newer weights by now.
Send = Callable[[Publication, Mapping[str, ActorHandle]], Awaitable[bool]]


class RolloutFleet:
    """Implements `rl.interfaces.Rollouts`. `capacity` is how many dialogs one worker holds at once.

    `call_timeout_seconds` bounds one report of a worker, including whatever its environments do; `max_losses`: workers
    that may go down with a dialog alone before it fails. `send` is for NCCL, where the learner takes the weights to the
    workers; without it they pull them.
    """

    def __init__(
        self,
        fleet: Fleet,
        *,
        capacity: int,
        call_timeout_seconds: float,
        max_losses: int = 3,
        send: Send | None = None,
    ) -> None:
        self._fleet, self._call_timeout, self._send = fleet, call_timeout_seconds, send
        self.num_finished = self.num_set_aside = 0  # dialogs, and other requests
        self._publication: Publication | None = None
        self._lives = {member.id: Life(member.name) for member in fleet.members}
        self._backlog: Backlog[Request] = Backlog(capacity, max_losses)
        self._withdrawn: dict[int, set[str]] = defaultdict(set)  # what a member shall forget before it gets more
        self._inboxes: dict[str, Inbox] = {}
        self._news = asyncio.Event()
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transfer = asyncio.Lock()  # with NCCL: nobody leaves while it lasts, for the others would wait for ever
        self._attendants = [asyncio.create_task(self._attend(m.slot)) for m in fleet.members]

    async def sample(self, requests: Sequence[Request]) -> AsyncIterator[list[Result]]:
        """Dialogs, or scores of continuations: a worker's death costs neither."""
        inbox: Inbox = asyncio.Queue()
        self._inboxes.update((request.id, inbox) for request in requests)
        self._backlog.add(requests)
        self._announce()
        missing = {request.id for request in requests}
        try:
            while missing:
                finished = await unless_failed(inbox.get(), self._failure)
                missing -= {result.request.id for result in finished}
                yield finished
        finally:
            self._withdraw(missing)

    async def publish(self, publication: Publication) -> None:
        """Returns when every worker that is up serves these weights; a worker that starts later gets them first."""
        self._forgive()
        if self._publication is not None and publication.version <= self._publication.version:
            # a rebuilt learner repeats its updates, and what the workers have is of the one before
            self._forget_weights()
        if self._send is not None:
            await unless_failed(self._send_to_all(publication, self._send), self._failure)
        self._publication = publication
        for life in self._lives.values():
            life.outdate(publication.version)
        self._announce()
        while not self._all_serve(publication.version):
            await unless_failed(self._news.wait(), self._failure)

    async def resize(self, size: int) -> None:
        """Have `size` workers. Those that come serve once they hold verified weights; those that leave hand back their
        unfinished dialogs, which are held elsewhere with the same seeds.
        """
        async with self._transfer:
            while len(self._fleet.members) < size:
                member = self._fleet.hire()
                self._lives[member.id] = Life(member.name)
                self._attendants.append(asyncio.create_task(self._attend(member.slot)))
            while len(self._fleet.members) > size:
                attendant = self._attendants.pop()
                attendant.cancel()
                await asyncio.wait({attendant})
                self._dismiss(self._fleet.dismiss())

    def signs_of_progress(self) -> object:
        """Changes whenever a worker has done something, or has been replaced."""
        return self.num_finished, self._fleet.num_restarts

    def status(self) -> tuple[WorkerStatus, ...]:
        return tuple(map(self._status, self._fleet.members))

    def stop(self) -> None:
        for attendant in self._attendants:
            attendant.cancel()
        self._fleet.stop()

    def _status(self, member: Member) -> WorkerStatus:
        life, num_dialogs = self._lives[member.id], self._backlog.num_held(member.id)
        version = None if life.version == OUTDATED else life.version
        return WorkerStatus(name=member.name, state=life.state, version=version, num_dialogs=num_dialogs)

    def _all_serve(self, version: int) -> bool:
        versions = {life.version for life in self._lives.values() if life.serves}
        return versions == {version}

    async def _attend(self, slot: int) -> None:
        """Serve the worker of this place, and its successors, until the fleet stops or cannot go on."""
        try:
            while True:
                member = self._fleet.members[slot]
                try:
                    await self._serve(member)
                except MemberLostError as lost:
                    await self._replace(member, lost)
        except Exception as error:  # whatever it is, those who wait for dialogs must hear of it
            self._fail(error)

    async def _serve(self, member: Member) -> None:
        fleet, handle, life = self._fleet, member.handle, self._lives[member.id]
        await fleet.seated(member)
        life.move("starting")
        await fleet.started(member)
        life.move("stale")
        while True:
            # a worker may be ahead: with NCCL all have the new weights a moment before they are the publication
            if self._publication is not None and (life.version is None or life.version < self._publication.version):
                await self._bring_up(member, self._publication)
            if withdrawn := self._withdrawn.pop(member.id, None):
                await fleet.call(member, handle.withdraw.remote(withdrawn), self._call_timeout)
            share = self._share(member)
            if share or self._backlog.num_held(member.id):
                self._deliver(member, await self._advance(member, share))
            elif not await self._hear_news():
                await fleet.call(member, handle.ping.remote(), HEARTBEAT_SECONDS)

    async def _replace(self, member: Member, lost: MemberLostError) -> None:
        """What it held is held by others, now or when its turn has come. Where other workers are up, one that did not
        even start is not the end: its node may have no room any more.
        """
        life = self._lives[member.id]
        never_up = not life.is_up
        life.move("lost")
        self._withdrawn.pop(member.id, None)
        loss = self._backlog.lose(member.id, str(lost))
        if loss.set_aside is not None:
            self._set_aside(member, loss.set_aside, loss)
        self._announce()
        others_are_up = any(other.is_up for other in self._lives.values())
        is_excused = loss.is_explained or (never_up and others_are_up)
        successor = await self._fleet.replace(member, lost, is_excused=is_excused)
        self._lives.pop(member.id).move("gone")
        self._lives[successor.id] = Life(successor.name)

    def _set_aside(self, member: Member, request: Request, loss: Loss[Request]) -> None:
        """A dialog that takes workers down is a failed one. Raises FleetError where it is none that can fail."""
        causes = f"{len(loss.causes)} workers went down with it alone: {'; '.join(loss.causes)}"
        if not isinstance(request, EpisodeRequest):
            raise FleetError(f"{request.id} cannot be done: {causes}")
        log.warning("dialog %s set aside: %s", request.id, causes)
        self.num_set_aside += 1
        error = f"{request.task.id}: {causes}"
        self._inboxes.pop(request.id).put_nowait([failed(request, error=error, worker=member.name)])

    def _dismiss(self, member: Member) -> None:
        """It was a member until now: others hold its dialogs."""
        self._backlog.hand_back(member.id)
        self._withdrawn.pop(member.id, None)
        life = self._lives.pop(member.id)
        if life.state != "lost":
            life.move("draining")
        self._announce()
        self._fleet.end(member)
        life.move("gone")

    async def _bring_up(self, member: Member, publication: Publication) -> None:
        try:
            await self._load(member, publication)
        except LearnerLostError as lost:  # it was not this worker's fault
            if publication is self._publication:  # no rebuilt learner has published since
                self._forget_weights()
                self._fail(lost)

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
        life = self._lives[member.id]
        life.serve(publication.version)
        if publication is not self._publication:
            life.forget()
        self._announce()

    async def _send_to_all(self, publication: Publication, send: Send) -> None:
        """One transfer for all that serve; whoever is left out or joins later is brought up on its own."""
        serving = [member for member in self._fleet.members if self._lives[member.id].serves]
        present = await asyncio.gather(*map(self._answers, serving))
        await self._send_to([m for m, answers in zip(serving, present, strict=True) if answers], publication, send)

    async def _send_to(self, members: Sequence[Member], publication: Publication, send: Send) -> None:
        """After it, these members serve the publication, unless the sender has moved on: the next one is near."""
        async with self._transfer:
            members = [member for member in members if self._fleet.has(member)]
            done = bool(members) and await send(publication, {member.name: member.handle for member in members})
        if done:
            for life in (self._lives.get(member.id) for member in members):
                if life is not None and life.is_up:
                    life.serve(publication.version)
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
        if not self._lives[member.id].serves:
            return []
        return self._backlog.share(member.id, sum(life.serves for life in self._lives.values()))

    def _deliver(self, member: Member, finished: Sequence[Result]) -> None:
        held = self._backlog.finish(member.id, [result.request.id for result in finished])
        by_inbox: dict[Inbox, list[Result]] = defaultdict(list)
        for result in finished:
            if result.request.id in held:  # else withdrawn meanwhile
                by_inbox[self._inboxes.pop(result.request.id)].append(result)
        for inbox, results in by_inbox.items():
            inbox.put_nowait(results)
        if finished:
            self.num_finished += len(finished)
            self._fleet.credit(member)

    def _withdraw(self, ids: Set[str]) -> None:
        """Nobody waits for these any more, and they may be asked for again."""
        for name in ids:
            self._inboxes.pop(name, None)
        for member_id, held in self._backlog.withdraw(ids).items():
            self._withdrawn[member_id] |= held

    def _forget_weights(self) -> None:
        """Those that workers hold are of a learner that is no more."""
        self._publication = None
        for life in self._lives.values():
            life.forget()

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, LearnerLostError):
            self._forgive()  # what cannot be mended is told rather than a lost learner
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

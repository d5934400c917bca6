"""A fleet: workers of one role, kept at strength. The dead and the hung are replaced, and the cause is kept.

On top of RLlib's `FaultTolerantActorManager`, which holds the membership. Calls are awaited one by one, each with a
deadline, because the manager cannot tell a hung actor from a slow one, nor an application's error from a death.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayError, RayTaskError

from cluster.deaths import what_ray_says
from cluster.places import Place
from cluster.seats import Seats
from cluster.witness import Witness

START_TIMEOUT_SECONDS = 600.0  # importing vLLM on a slow disk takes minutes
SEAT_SECONDS = 0.25  # how often it is asked whether a worker has room

log = logging.getLogger("zero2one")


class MemberLostError(Exception):
    """A worker died, failed or did not answer in time (`is_silent`)."""

    def __init__(self, cause: str, *, is_silent: bool = False) -> None:
        super().__init__(cause)
        self.is_silent = is_silent


class FleetError(RuntimeError):
    """Workers of a role cannot be kept alive."""


@dataclass(frozen=True, slots=True)
class Member:
    """One worker. `slot` is its place in the fleet, which its successor takes over; `id` is its own."""

    slot: int
    id: int
    name: str
    handle: ActorHandle


class Fleet:
    """`size` workers, made by `spawn(name)`, each on one of `seats` where they are given. Workers are added, and leave,
    at the end, so that a place keeps its number. `witness`: writes down how they are lost.

    Example: `member = fleet.members[0]; answer = await fleet.call(member, member.handle.ping.remote(), 5.0)`
    """

    def __init__(
        self,
        role: str,
        spawn: Callable[[str], ActorHandle],
        size: int,
        *,
        seats: Seats | None = None,
        witness: Witness | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.role, self._spawn, self._seats, self._sleep = role, spawn, seats, sleep
        self._witness = witness
        self.num_restarts = 0
        self._num_spawned = 0
        self._places = [Place() for _ in range(size)]
        # started before the import below, so that they start while it runs
        handles = [self._start() for _ in range(size)]
        from ray.rllib.utils.actor_manager import FaultTolerantActorManager

        self._manager = FaultTolerantActorManager([handle for _, handle in handles])
        ids = self._manager.actor_ids()
        self.members = [Member(slot, ids[slot], name, handle) for slot, (name, handle) in enumerate(handles)]

    async def call(self, member: Member, answer: Awaitable[Any], timeout_seconds: float) -> Any:
        """Wait for an actor's answer.

        Raises:
            MemberLostError: the worker is dead, or silent for `timeout_seconds`. What its method raises comes as it is.
        """
        try:
            async with asyncio.timeout(timeout_seconds):  # wait_for loses a cancellation that comes with the answer
                return await answer
        except RayTaskError as error:  # first, for it is of the class of its cause too
            raise error.cause from error
        except (TimeoutError, GetTimeoutError) as error:
            cause = f"{member.name} did not answer within {timeout_seconds:g} s"
            raise MemberLostError(cause, is_silent=True) from error
        except RayError as error:  # it died, its node did, or Ray ended it for want of memory
            raise MemberLostError(f"{member.name} died: {what_ray_says(str(error))}") from error

    async def started(self, member: Member) -> None:
        """Returns when it is up. Raises MemberLostError."""
        await self.call(member, member.handle.ping.remote(), START_TIMEOUT_SECONDS)
        if self._witness is not None:
            await self._witness.up()

    def credit(self, member: Member) -> None:
        """This worker has done a piece of work: what its place lost before no longer counts."""
        self._places[member.slot].worked()

    async def replace(self, member: Member, cause: MemberLostError, *, is_excused: bool = False) -> Member:
        """End a lost worker and start another in its place: at once, or after a pause if this place has lost more than
        one. `is_excused`: the loss says nothing against the place.

        Raises:
            FleetError: this place has lost several workers in a row without a piece of work in between.
        """
        place, why = self._places[member.slot], str(cause)
        if self._witness is not None:
            why = await self._testify(self._witness, member, cause)
        place.lost(is_excused=is_excused)
        if place.is_hopeless:
            raise FleetError(f"{self.role} workers die faster than they work; the last one: {why}") from cause
        log.warning("%s worker replaced: %s", self.role, why)
        self.num_restarts += 1
        ray.kill(member.handle)
        await self._sleep(place.pause_seconds)
        self.end(member)
        successor = self._join(member.slot)
        self.members[member.slot] = successor
        return successor

    def has(self, member: Member) -> bool:
        """Whether it is still there: neither replaced nor dismissed."""
        return any(other.id == member.id for other in self.members)

    def hire(self) -> Member:
        """One worker more."""
        self._places.append(Place())
        member = self._join(len(self.members))
        self.members.append(member)
        return member

    def dismiss(self) -> Member:
        """The last worker is no member any more; the caller will `end` it when it has handed its work back."""
        self._places.pop()
        return self.members.pop()

    def end(self, member: Member) -> None:
        if self._witness is not None:
            self._witness.forget(member.handle)
        self._manager.remove_actor(member.id)
        ray.kill(member.handle)
        if self._seats is not None:
            self._seats.leave(member.name)
            if len(self.members) <= member.slot:  # nobody will take its place
                self._seats.trim()

    async def seated(self, member: Member) -> None:
        """Returns when the cluster has room for it; before that it cannot start, which is not its fault. The only wait
        without a deadline: others work meanwhile, and where nobody does, the watchdog ends it.
        """
        while self._seats is not None and not self._seats.is_reserved(member.name):
            await asyncio.sleep(SEAT_SECONDS)

    async def peak_rss_bytes(self) -> int:
        """The largest peak among the members that answer."""
        peaks = [0]
        for member in self.members:
            try:
                peaks.append(await self.call(member, member.handle.peak_rss_bytes.remote(), 10.0))
            except (MemberLostError, RayError):
                log.warning("%s: no memory figure", member.name)
        return max(peaks)

    def stop(self) -> None:
        for member in self.members:
            ray.kill(member.handle)
        if self._seats is not None:
            self._seats.clear()
        self._manager.clear()

    async def _testify(self, witness: Witness, member: Member, cause: MemberLostError) -> str:
        """Have it written down how a worker was lost, before it is ended; returns the cause in full."""
        why = str(cause)
        if cause.is_silent:
            why = f"{why}; what all processes were at: {await witness.hung(member.name, why)}"
        error = cause.__cause__ if isinstance(cause.__cause__, RayError) and not cause.is_silent else None
        return await witness.died(member.handle, why, error)

    def _join(self, slot: int) -> Member:
        name, handle = self._start()
        self._manager.add_actors([handle])
        return Member(slot, max(self._manager.actor_ids()), name, handle)

    def _start(self) -> tuple[str, ActorHandle]:
        name = f"{self.role}-{self._num_spawned}"
        self._num_spawned += 1
        handle = self._spawn(name)
        if self._witness is not None:
            self._witness.expect(self.role, name, handle)
        return name, handle

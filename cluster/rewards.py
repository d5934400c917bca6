"""The reward workers as the loop sees them: batches of dialogs, judged by whoever is free.

A worker that hangs or dies cannot say what it was at. So its dialogs are judged again one by one, and one that
takes a worker down once more is judged turn by turn and dimension by dimension, until the culprit is alone. That asks
nothing of the worker, works across machines, and costs nothing while all goes well.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal

import numpy as np
from ray.actor import ActorHandle

from cluster.fleet import Fleet, Member, MemberLostError
from cluster.waiting import unless_failed
from envs.task import Transcript
from rewards.score import DialogScore, RewardError
from rl.control import WorkerStatus
from rl.trajectory import Trajectory

MAX_TOGETHER = 32  # dialogs of a call: its deadline must not depend on the size of the run
MAX_DOWN_IN_A_ROW = 10  # dialogs, none judged in between: more than the samples of a question that all do it

Outcome = DialogScore | RewardError


class RewardFleet:
    """Implements `rl.interfaces.Rewards`. A judgement that fails is tried up to `max_retries` times more."""

    def __init__(
        self, fleet: Fleet, *, timeout_seconds: float, max_retries: int, on_error: Literal["stop", "exclude"] = "stop"
    ) -> None:
        self._fleet, self._timeout, self._max_retries = fleet, timeout_seconds, max_retries
        self._on_error = on_error
        self._free: asyncio.Queue[Member] = asyncio.Queue()
        self._started: set[int] = set()
        self._num_down = 0
        self.num_answers = 0  # of workers, since the start
        self._busy: dict[int, int] = {}  # member id -> dialogs that it judges
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arriving: dict[int, asyncio.Task[None]] = {}  # by place
        for member in fleet.members:
            self._await_arrival(member)

    async def score(self, trajectories: Sequence[Trajectory]) -> list[Outcome]:
        size = min(MAX_TOGETHER, max(1, -(-len(trajectories) // len(self._fleet.members))))
        parts = [trajectories[start : start + size] for start in range(0, len(trajectories), size)]
        outcomes = await asyncio.gather(*map(self._judge, parts))
        return [outcome for part in outcomes for outcome in part]

    async def resize(self, size: int) -> None:
        """Have `size` workers. Those that come judge once they are up; those that leave finish what they judge."""
        while len(self._fleet.members) < size:
            self._await_arrival(self._fleet.hire())
        while len(self._fleet.members) > size:
            member = self._fleet.dismiss()
            if member.slot in self._arriving:
                self._arriving.pop(member.slot).cancel()
            if member.id not in self._busy:
                self._fleet.end(member)

    def status(self) -> tuple[WorkerStatus, ...]:
        return tuple(
            WorkerStatus(
                name=member.name,
                state="ready" if member.id in self._started else "starting",
                num_dialogs=self._busy.get(member.id, 0),
            )
            for member in self._fleet.members
        )

    def stop(self) -> None:
        for arrival in self._arriving.values():
            arrival.cancel()
        self._fleet.stop()

    async def _judge(self, part: Sequence[Trajectory]) -> list[Outcome]:
        try:
            return await self._judge_together(part)
        except MemberLostError:
            return [await self._judge_alone(trajectory) for trajectory in part]

    async def _judge_together(self, part: Sequence[Trajectory]) -> list[Outcome]:
        """Judge dialogs in one call, and again those whose judgement failed. Raises MemberLostError."""
        outcomes = await self._ask_about(part)
        for _ in range(self._max_retries):
            failed = [t for t, outcome in zip(part, outcomes, strict=True) if isinstance(outcome, RewardError)]
            if failed:
                again = iter(await self._ask_about(failed))
                outcomes = [next(again) if isinstance(outcome, RewardError) else outcome for outcome in outcomes]
        return [self._settled(outcome, t) for outcome, t in zip(outcomes, part, strict=True)]

    async def _judge_alone(self, trajectory: Trajectory) -> Outcome:
        """Judge a dialog that may have taken a worker down, or was with one that has."""
        try:
            return (await self._judge_together([trajectory]))[0]
        except MemberLostError:
            return self._settled(await self._judge_by_cell(trajectory), trajectory)

    async def _judge_by_cell(self, trajectory: Trajectory) -> Outcome:
        """A dialog that took its worker down alone: if it was the dialog, one cell of its judgement does it again."""
        transcript = trajectory.transcript
        names = await self._columns()
        cells = np.empty((len(transcript.turns), len(names)), np.float32)
        for turn, row in enumerate(cells):
            for column, name in enumerate(names):
                try:
                    row[column] = await self._ask_cell(transcript.upto(turn), name)
                except RewardError as error:
                    return error
                except MemberLostError as lost:
                    self._num_down += 1
                    error = RewardError(name, transcript.task.id, turn, str(lost))
                    if self._num_down >= MAX_DOWN_IN_A_ROW:  # no setting asks to wait for hundreds of deadlines
                        raise error.of(trajectory.request.id) from lost
                    return error
        return DialogScore(np.ascontiguousarray(cells[:, :-1]), cells[:, -1].copy())

    async def _columns(self) -> tuple[str, ...]:
        """A worker that is lost over this was lost by chance: nothing was judged."""
        for _ in range(self._max_retries):
            with contextlib.suppress(MemberLostError):
                return await self._ask(lambda worker: worker.columns.remote())
        return await self._ask(lambda worker: worker.columns.remote())

    async def _ask_about(self, part: Sequence[Trajectory]) -> list[Outcome]:
        transcripts = [trajectory.transcript for trajectory in part]
        return await self._ask(lambda worker: worker.score.remote(transcripts), len(transcripts))

    def _ask_cell(self, transcript: Transcript, name: str) -> Awaitable[float]:
        return self._ask(lambda worker: worker.judge_turn.remote(transcript, name))

    def _settled(self, outcome: Outcome, trajectory: Trajectory) -> Outcome:
        if not isinstance(outcome, RewardError):
            self._num_down = 0
            return outcome
        error = outcome.of(trajectory.request.id)
        if self._on_error == "stop":
            raise error
        return error

    async def _ask(self, question: Callable[[ActorHandle], Awaitable[Any]], num_dialogs: int = 1) -> Any:
        """The answer of a free worker. Raises MemberLostError if that went down of it; another will take its place."""
        member = await self._ready()
        self._busy[member.id] = num_dialogs
        lost: MemberLostError | None = None
        try:
            return await self._fleet.call(member, question(member.handle), self._timeout)
        except MemberLostError as error:
            lost = error
            raise
        finally:
            self.num_answers += 1
            del self._busy[member.id]
            if not self._fleet.has(member):  # it was to leave when it had judged this
                self._fleet.end(member)
            elif lost is not None:
                self._await_arrival(member, lost)
            else:
                self._free.put_nowait(member)

    def _await_arrival(self, member: Member, lost: MemberLostError | None = None) -> None:
        """Nobody has to wait for this worker, or the successor of a lost one, before it has started."""
        self._arriving[member.slot] = asyncio.create_task(self._arrive(member, lost))

    async def _arrive(self, member: Member, lost: MemberLostError | None) -> None:
        try:
            while lost is not None or (lost := await self._start(member)) is not None:
                member, lost = await self._replace(member, lost), None
        except Exception as error:  # whatever it is, those who wait for a judge must hear of it
            if not self._failure.done():
                self._failure.set_exception(error)
            return
        self._free.put_nowait(member)
        del self._arriving[member.slot]

    async def _start(self, member: Member) -> MemberLostError | None:
        """Returns when it has, or why it has not."""
        try:
            await self._fleet.started(member)
        except MemberLostError as lost:
            return lost
        self._started.add(member.id)
        self._fleet.credit(member)
        return None

    async def _replace(self, member: Member, lost: MemberLostError) -> Member:
        """Where others work, one that does not start is not the end: its node may have no room any more."""
        others_work = any(other.id in self._started for other in self._fleet.members if other.id != member.id)
        is_excused = others_work and member.id not in self._started
        return await self._fleet.replace(member, lost, is_excused=is_excused)

    async def _ready(self) -> Member:
        """A free worker that has started: what it was never asked, it cannot have died of."""
        while True:
            member = await unless_failed(self._free.get(), self._failure)
            if self._fleet.has(member):  # else it was free when it was dismissed
                return member

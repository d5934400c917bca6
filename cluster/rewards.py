"""The reward workers as the loop sees them: batches of dialogs, judged by whoever is free."""

import asyncio
from collections.abc import Sequence

from cluster.fleet import START_TIMEOUT_SECONDS, Fleet, Member, MemberLostError
from rewards.score import RewardError
from rl.trajectory import Score, Trajectory


class RewardFleet:
    """Implements `rl.interfaces.Rewards`. A batch that fails is judged up to `max_retries` times more."""

    def __init__(self, fleet: Fleet, *, timeout_seconds: float, max_retries: int) -> None:
        self._fleet, self._timeout, self._max_retries = fleet, timeout_seconds, max_retries
        self._free: asyncio.Queue[Member] = asyncio.Queue()
        self._started: set[int] = set()
        for member in fleet.members:
            self._free.put_nowait(member)

    async def score(self, trajectories: Sequence[Trajectory]) -> list[Score]:
        size = max(1, -(-len(trajectories) // len(self._fleet.members)))
        parts = [trajectories[start : start + size] for start in range(0, len(trajectories), size)]
        return [score for part in await asyncio.gather(*map(self._judge, parts)) for score in part]

    def stop(self) -> None:
        self._fleet.stop()

    async def _judge(self, part: Sequence[Trajectory]) -> list[Score]:
        transcripts = [trajectory.transcript for trajectory in part]
        for attempt in range(self._max_retries + 1):
            last = attempt == self._max_retries
            member = await self._free.get()
            try:
                timeout = self._timeout if member.id in self._started else START_TIMEOUT_SECONDS
                scores = await self._fleet.call(member, member.handle.score.remote(transcripts), timeout)
                self._started.add(member.id)
                self._fleet.credit(member)
                return scores
            except RewardError:
                if last:
                    raise
            except MemberLostError as lost:
                member = self._fleet.replace(member, lost)
                if last:
                    tasks = ", ".join(trajectory.request.id for trajectory in part[:3])
                    raise RewardError("(worker)", part[0].request.task.id, 0, f"{lost}; judging {tasks}, ...") from lost
            finally:
                self._free.put_nowait(member)
        raise AssertionError("unreachable: the last attempt returns or raises")

"""Dialogs held and judged: from what is asked for to what the learner gets, in the order of the requests."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from rewards.signal import Moments, Signal
from rl.gathering import Gathering
from rl.interfaces import World
from rl.judging import judge
from rl.records import Records
from rl.selfplay import Proposal, Proposals, with_outcomes, with_proposals
from rl.trajectory import EpisodeRequest, Scored, Trajectory


@dataclass(frozen=True, slots=True)
class Collected:
    """The judged dialogs of an iteration; those of its `proposals` come last, in the same order. `late`: its prompts
    that the next iteration trains on, whose dialogs are not here; those of the iteration before it are.
    """

    scored: list[Scored]
    proposals: tuple[Proposal, ...] = ()
    late: frozenset[int] = frozenset()


class Collector:
    """Holds dialogs with the rollout workers and has the reward workers judge them; holds no state between calls.

    Dialogs that had ended before the run was resumed are read back as they are, with their rewards. `ready` is awaited
    before any other ones are asked for. `signal` and `moments`, in all methods, are those that make the rewards of a
    collection, whenever its dialogs end.
    """

    def __init__(self, world: World, records: Records, ready: Callable[[], Awaitable[None]]) -> None:
        self._world, self._records, self._ready = world, records, ready

    async def collect(self, requests: Sequence[EpisodeRequest], signal: Signal, moments: Moments) -> list[Scored]:
        """Hold and judge the dialogs; judging starts while others still talk. In the order of `requests`, each followed
        by its user's side where a model played it.
        """
        gathering = Gathering(requests)
        await self.gather(gathering, signal, moments)
        return gathering.take()

    async def gather(self, gathering: Gathering, signal: Signal, moments: Moments) -> None:
        """The same, for somebody who looks on; returns when all are there."""
        gathering.add(await self._records.finished(gathering.requests))
        if gathering.missing:
            await self._ready()
            await self._hold(gathering, signal, moments)

    async def _hold(self, gathering: Gathering, signal: Signal, moments: Moments) -> None:
        async def hand_over(finished: list[Trajectory]) -> None:
            judged = await self._judge(finished, signal, moments)
            gathering.add({sides[0].trajectory.request.id: sides for sides in judged})

        with ExitStack() as waiting:
            async with asyncio.TaskGroup() as judging:
                async for finished in self._world.rollouts.sample(gathering.missing):
                    judging.create_task(hand_over(finished))
                # all has been said: what is left of this batch is judging
                waiting.enter_context(self._records.phase("reward"))
        self._records.flush()

    async def collect_with_proposals(
        self,
        requests: Sequence[EpisodeRequest],
        proposers: Sequence[EpisodeRequest],
        proposals: Proposals,
        known: Sequence[str],
        signal: Signal,
        moments: Moments,
    ) -> Collected:
        """First the proposers, then the solvers, some of whom get what was proposed; the proposers are judged last, by
        what came of their tasks.
        """
        judged = await self._records.finished(proposers)
        held = {name: sides[0].trajectory for name, sides in judged.items()}
        missing = [request for request in proposers if request.id not in held]
        if missing:
            await self._ready()
            async for finished in self._world.rollouts.sample(missing):
                held.update({dialog.request.id: dialog for dialog in finished})
        made = proposals.read([held[request.id] for request in proposers], known)
        solved = await self.collect(with_proposals(requests, made), signal, moments)
        unjudged = [dialog for dialog in with_outcomes(made, solved) if dialog.request.id not in judged]
        with self._records.phase("reward"):
            for sides in await self._judge(unjudged, signal, moments):
                judged[sides[0].trajectory.request.id] = sides
        self._records.flush()
        return Collected(solved + [side for request in proposers for side in judged[request.id]], tuple(made))

    async def _judge(
        self, finished: Sequence[Trajectory], signal: Signal, moments: Moments
    ) -> list[tuple[Scored, ...]]:
        judged = await judge(finished, self._world.rewards, signal, moments)
        self._records.keep([side for sides in judged for side in sides])
        return judged

"""A collection under way, of which the slowest prompts may land with the next one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rewards.signal import Signal
from rl.collect import Collected
from rl.gathering import Gathering
from rl.trajectory import Scored


@dataclass
class Flight:
    """The collection of an iteration, whose rewards `signal` makes. `late`: prompts that `land` has not waited for."""

    iteration: int
    signal: Signal
    gathering: Gathering
    collection: asyncio.Task[Collected]
    late: frozenset[int] = frozenset()

    async def land(self, max_late: int, known_late: Sequence[int] | None) -> Collected:
        """Waits for all prompts but `max_late`; or but those that it did not wait for before the run was resumed."""
        if known_late:
            self.late = frozenset(known_late)
            await self.gathering.all_but(self.late)
        elif known_late is None and max_late:
            self.late = await self.gathering.all_but_some(max_late)
        else:
            return await self.collection
        return Collected(self.gathering.take(self.gathering.prompts - self.late), late=self.late)

    async def land_rest(self) -> list[Scored]:
        """What was late."""
        await self.gathering.all_but(self.gathering.prompts - self.late)
        return self.gathering.take(self.late)

"""The dialogs of an iteration as they come in: most make its batch, and those of the slowest prompts the next one."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from rl.trajectory import EpisodeRequest, Scored


class Gathering:
    """What was asked for, and what is there of it. A prompt is answered when all its samples are judged, with the sides
    of their users where a model played them.
    """

    def __init__(self, requests: Sequence[EpisodeRequest]) -> None:
        self.requests = tuple(requests)
        self._num_missing = Counter(request.group for request in requests)
        self._scored: dict[str, tuple[Scored, ...]] = {}
        self._news = asyncio.Event()

    @property
    def missing(self) -> list[EpisodeRequest]:
        return [request for request in self.requests if request.id not in self._scored]

    @property
    def prompts(self) -> frozenset[int]:
        return frozenset(self._num_missing)

    @property
    def open_prompts(self) -> frozenset[int]:
        """Those with samples that are not there yet."""
        return frozenset(prompt for prompt, missing in self._num_missing.items() if missing)

    def add(self, judged: Mapping[str, tuple[Scored, ...]]) -> None:
        """Dialogs by the ids of their requests."""
        self._scored |= judged
        self._num_missing.subtract(sides[0].trajectory.request.group for sides in judged.values())
        self._news.set()
        self._news = asyncio.Event()

    async def all_but(self, prompts: Collection[int]) -> None:
        """Returns when all others are answered."""
        while self.open_prompts - set(prompts):
            await self._news.wait()

    async def all_but_some(self, num_prompts: int) -> frozenset[int]:
        """Returns when at most so many are not answered: those."""
        while len(self.open_prompts) > num_prompts:
            await self._news.wait()
        return self.open_prompts

    def take(self, prompts: Collection[int] | None = None) -> list[Scored]:
        """Of these prompts or all, in the order of the requests, each followed by its user's side."""
        chosen = [request for request in self.requests if prompts is None or request.group in prompts]
        return [side for request in chosen for side in self._scored[request.id]]

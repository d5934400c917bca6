"""Which dialog takes workers down: a breaker for poisonous tasks. Plain bookkeeping, decided by what happened alone.

Whatever a worker held when it went down is suspect. To be held twice by such a worker is bad luck often enough, so it
proves nothing: such dialogs are held in ever smaller groups, on workers that hold nothing else, and after all others
have had their turn. Only a worker that goes down with one dialog alone counts against that dialog. While workers are
also lost by chance (with several dialogs or none, or with one that then finishes elsewhere) it takes as many more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

SHARED_LOSSES = 2  # from so many on, it is held apart from the others
NARROWER = 8  # a group is so many times smaller after every further loss
MAX_PATIENCE = 3  # times `max_kills`, however many workers are lost by chance
MAX_SET_ASIDE_IN_A_ROW = 10  # nothing finished in between: more than the samples of a question that all do it


class Suspects:
    """Requests by id, each with its past. `capacity`: what a worker holds at once; `max_kills`: workers that a dialog
    may take down, alone on each, before it is set aside.
    """

    def __init__(self, capacity: int, max_kills: int) -> None:
        self._capacity, self._max_kills = capacity, max_kills
        self._losses: Counter[str] = Counter()
        self._kills: defaultdict[str, list[str]] = defaultdict(list)  # why each worker went down
        self._chances: dict[str, int] = {}  # workers lost by chance before a dialog's first
        self._num_chances = 0
        self._set_aside_in_a_row = 0

    def is_apart(self, id: str) -> bool:
        """Whether it must not be held with those that are not."""
        return self._losses[id] >= SHARED_LOSSES

    def group_size(self, id: str) -> int:
        """With how many of its like it may be held, itself included."""
        narrowings = max(0, self._losses[id] - SHARED_LOSSES + 1)
        return max(1, self._capacity // NARROWER**narrowings)

    def lost(self, ids: Sequence[str], cause: str) -> tuple[str, ...]:
        """A worker went down while it held these. Returns the causes of all such losses where there was one dialog
        alone and the measure is full: that one is to be set aside, and is forgotten here. Else empty.
        """
        self._losses.update(ids)
        self._num_chances += len(ids) != 1
        if len(ids) != 1 or not self.are_to_blame:
            return ()
        kills = self._kills[ids[0]]
        kills.append(cause)
        chances = self._num_chances - self._chances.setdefault(ids[0], self._num_chances)
        if len(kills) < min(self._max_kills + chances, MAX_PATIENCE * self._max_kills):
            return ()
        self._set_aside_in_a_row += 1
        self._forget(ids[0])
        return tuple(kills)

    @property
    def are_to_blame(self) -> bool:
        """Whether a worker that goes down with one dialog alone is the dialog's fault rather than its own."""
        return self._set_aside_in_a_row < MAX_SET_ASIDE_IN_A_ROW

    def finished(self, ids: Iterable[str]) -> None:
        """These are done, and innocent."""
        for id in ids:
            self._num_chances += len(self._kills.get(id, ()))
            self._forget(id)
            self._set_aside_in_a_row = 0

    def caution(self, id: str) -> tuple[int, int]:
        """Sorts those that are apart: the least suspect first, so that others work before the worst is tried again."""
        return len(self._kills.get(id, ())), self._losses[id]

    def _forget(self, id: str) -> None:
        self._losses.pop(id, None)
        self._kills.pop(id, None)
        self._chances.pop(id, None)

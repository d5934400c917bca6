"""What is to be done and who holds what of it: the book that the rollout workers' attendants share. Plain, without Ray.

Every request is in one place: to be handed out, held apart because workers went down with it, or held by a worker.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from cluster.suspects import Suspects


class HasId(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=HasId)


@dataclass(frozen=True, slots=True)
class Loss(Generic[R]):
    """What a lost worker means for what it held.

    Attributes:
        is_explained: it held one dialog alone, which is to blame rather than the worker.
        set_aside: that dialog, where it has taken too many workers down; nobody will hold it again. None: none.
        causes: why each of them went down.
    """

    is_explained: bool
    set_aside: R | None = None
    causes: tuple[str, ...] = ()


class Backlog(Generic[R]):
    """Requests, and the workers (by number) that hold them. `capacity` is how many one worker holds at once.

    Example: `share = backlog.share(worker, num_serving=2); ...; backlog.finish(worker, [request.id])`
    """

    def __init__(self, capacity: int, max_losses: int) -> None:
        self._capacity = capacity
        self._pending: deque[R] = deque()
        self._apart: list[R] = []
        self._held: dict[int, dict[str, R]] = defaultdict(dict)
        self._closed: set[int] = set()  # workers that hold a group apart, and get nothing more before it is done
        self._suspects = Suspects(capacity, max_losses)

    def add(self, requests: Iterable[R]) -> None:
        self._pending.extend(requests)

    def num_held(self, worker: int) -> int:
        return len(self._held.get(worker, ()))

    def share(self, worker: int, num_serving: int) -> list[R]:
        """Take an even part of all that is not done yet, within the worker's capacity."""
        if worker in self._closed:
            return []
        share = self._next_pending(worker, num_serving) if self._pending else self._next_group(worker, num_serving)
        self._held[worker].update((request.id, request) for request in share)
        return share

    def finish(self, worker: int, ids: Iterable[str]) -> set[str]:
        """Returns those of them that it held; the others have been withdrawn."""
        done = self._drop(worker, ids)
        self._suspects.finished(done)
        return done

    def withdraw(self, ids: Set[str]) -> dict[int, set[str]]:
        """These need not be done any more. Returns what each worker holds of them, which it may finish in vain."""
        self._pending = deque(request for request in self._pending if request.id not in ids)
        self._apart = [request for request in self._apart if request.id not in ids]
        dropped = {worker: self._drop(worker, ids) for worker in self._held}
        return {worker: found for worker, found in dropped.items() if found}

    def hand_back(self, worker: int) -> None:
        """It leaves: nothing is held against what it held."""
        self._return(self._release(worker))

    def lose(self, worker: int, cause: str) -> Loss[R]:
        """It went down with all that it held."""
        held = self._release(worker)
        is_explained = len(held) == 1 and self._suspects.are_to_blame
        causes = self._suspects.lost([request.id for request in held], cause)
        if causes:
            return Loss(is_explained, held[0], causes)
        self._return(held)
        return Loss(is_explained)

    def _next_pending(self, worker: int, num_serving: int) -> list[R]:
        busy = self.num_held(worker)
        total = len(self._pending) + len(self._apart) + sum(map(len, self._held.values()))
        fair = -(-total // max(1, num_serving))
        count = max(0, min(len(self._pending), fair - busy, self._capacity - busy))
        return [self._pending.popleft() for _ in range(count)]

    def _next_group(self, worker: int, num_serving: int) -> list[R]:
        """Those apart, when all else has been handed out, for a worker that has nothing else."""
        if self.num_held(worker) or not self._apart:
            return []
        self._apart.sort(key=lambda request: self._suspects.caution(request.id))
        fair = -(-len(self._apart) // max(1, num_serving))
        count = min(fair, min(self._suspects.group_size(request.id) for request in self._apart[:fair]))
        group, self._apart = self._apart[:count], self._apart[count:]
        self._closed.add(worker)
        return group

    def _drop(self, worker: int, ids: Iterable[str]) -> set[str]:
        """Returns those of them that it held."""
        held = self._held[worker]
        found = held.keys() & ids
        for id in found:
            del held[id]
        if not held:
            self._closed.discard(worker)
        return found

    def _release(self, worker: int) -> list[R]:
        self._closed.discard(worker)
        return list(self._held.pop(worker, {}).values())

    def _return(self, requests: Sequence[R]) -> None:
        self._apart += [request for request in requests if self._suspects.is_apart(request.id)]
        self._pending.extendleft(r for r in reversed(requests) if not self._suspects.is_apart(r.id))

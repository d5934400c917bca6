"""A learner that is lost costs the run no more than the updates since the last checkpoint, which it repeats."""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from rl.interfaces import LearnerLostError

MAX_LOSSES_IN_A_ROW = 3

T = TypeVar("T")


class Rebuildable(Protocol):
    async def rebuild(self) -> None:
        """Replace a lost learner by one that has learned nothing yet. Raises LearnerLostError."""
        ...


async def rebuilding(
    learner: Rebuildable, attempt: Callable[[], Awaitable[T]], num_done: Callable[[], int], say: Callable[[str], None]
) -> T:
    """What `attempt` returns, which starts from the newest checkpoint. Where it loses the learner, that is rebuilt, and
    the attempt made again. `num_done()`: how far it has come, in updates.

    Raises LearnerLostError where that happens again and again.
    """
    losses, lost = Losses(), False
    while True:
        try:
            if lost:
                await learner.rebuild()
            return await attempt()
        except (LearnerLostError, ExceptionGroup) as error:
            say(f"the learner is rebuilt: {losses.note(error, num_done())}")
            lost = True


class Losses:
    """Counts how often the learner was lost without an update more than ever before."""

    def __init__(self) -> None:
        self._num_losses = self._num_done = 0

    def note(self, error: Exception, num_done: int) -> LearnerLostError:
        """The loss that `error` is about, if the run may go on after it; else raises `error`."""
        lost = loss_in(error)
        if lost is None:
            raise error
        self._num_losses = 1 if num_done > self._num_done else self._num_losses + 1
        self._num_done = max(num_done, self._num_done)
        if self._num_losses > MAX_LOSSES_IN_A_ROW:
            raise LearnerLostError(
                f"the learner is lost faster than it learns; the last time: {lost}; continue with --resume"
            ) from lost
        return lost


def loss_in(error: Exception) -> LearnerLostError | None:
    """None where anything else went wrong, too."""
    if isinstance(error, LearnerLostError):
        return error
    if not isinstance(error, ExceptionGroup):
        return None
    found = [loss_in(inner) for inner in error.exceptions]
    return found[0] if all(loss is not None for loss in found) else None

"""A learner that is lost costs the run no more than the updates since the last checkpoint, which it repeats."""

from rl.interfaces import LearnerLostError

MAX_LOSSES_IN_A_ROW = 3


class Losses:
    """Counts how often the learner was lost without an iteration committed in between."""

    def __init__(self) -> None:
        self._num_losses = 0
        self._num_commits = 0

    def note(self, error: Exception, num_commits: int) -> LearnerLostError:
        """The loss that `error` is about, if the run may go on after it; else raises `error`."""
        lost = loss_in(error)
        if lost is None:
            raise error
        self._num_losses = 1 if num_commits > self._num_commits else self._num_losses + 1
        self._num_commits = max(num_commits, self._num_commits)
        if self._num_losses > MAX_LOSSES_IN_A_ROW:
            raise lost
        return lost


def loss_in(error: Exception) -> LearnerLostError | None:
    """None where anything else went wrong, too."""
    if isinstance(error, LearnerLostError):
        return error
    if not isinstance(error, ExceptionGroup):
        return None
    found = [loss_in(inner) for inner in error.exceptions]
    return found[0] if all(loss is not None for loss in found) else None

"""The life of a rollout worker, as a table of what may follow on what. The fleet knows no other account of it.

`waiting` for room -> `starting` -> `stale` (up, without the newest weights) -> `ready` (serves them, verified) and back
to `stale` with every publication -> `draining` (it leaves) -> `gone`. Alive, it may be `lost` at any time.
"""

from collections.abc import Mapping

from rl.control import WorkerState

MOVES: Mapping[WorkerState, frozenset[WorkerState]] = {
    "waiting": frozenset({"starting", "draining", "lost"}),
    "starting": frozenset({"stale", "draining", "lost"}),
    "stale": frozenset({"ready", "draining", "lost"}),
    "ready": frozenset({"stale", "draining", "lost"}),
    "draining": frozenset({"gone"}),
    "lost": frozenset({"gone"}),
    "gone": frozenset(),
}


OUTDATED = -1  # the version of weights that must be replaced whatever comes next


class LifeError(RuntimeError):
    """A worker was to do what cannot follow on what it does: a defect of the fleet, never of the worker."""


class Life:
    """Where one worker is in its life. `version`: of the weights that it has verified last; None: none yet.

    Example: `life.move("starting"); life.move("stale"); life.serve(3); assert life.state == "ready"`
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.state: WorkerState = "waiting"
        self.version: int | None = None

    @property
    def is_up(self) -> bool:
        return self.state in ("stale", "ready")

    @property
    def serves(self) -> bool:
        """Whether it holds weights that it has verified, the newest or not."""
        return self.is_up and self.version is not None

    def move(self, state: WorkerState) -> None:
        """Raises LifeError where that is no move."""
        if state not in MOVES[self.state]:
            raise LifeError(f"{self.name} is {self.state} and cannot be {state}")
        self.state = state

    def serve(self, version: int) -> None:
        """It has verified these weights. Raises LifeError where it is not up, or holds newer ones."""
        if self.version is not None and version < self.version:
            raise LifeError(f"{self.name} serves weights {self.version} and cannot go back to {version}")
        if self.state != "ready":
            self.move("ready")
        self.version = version

    def outdate(self, version: int) -> None:
        """These are the newest weights from now on."""
        if self.state == "ready" and self.version != version:
            self.move("stale")

    def forget(self) -> None:
        """What it serves, if it does, is of a learner that is no more."""
        if self.version is not None:
            self.version = OUTDATED
        if self.state == "ready":
            self.move("stale")

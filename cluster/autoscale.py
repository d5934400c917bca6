"""How many rollout workers a run should have, by how long its learner waits for dialogs. No Ray in here.

The model behind it: what the learner waits for is work that workers share evenly, so n workers that take `waiting`
seconds would take waiting x n / m as m. All else of an iteration stays as it is.
"""

import math
from dataclasses import dataclass

from rl.config import AutoscaleConfig


def wanted(policy: AutoscaleConfig, num_workers: int, *, waiting_seconds: float, other_seconds: float) -> int:
    """The fewest workers with which the learner would wait for at most `policy.wait_share` of an iteration, from
    `policy.min` to `policy.max`, and at most twice as many as there are: more is a leap on one measurement.

    waiting x n / m <= share x (waiting x n / m + other), solved for m.
    """
    work = waiting_seconds * num_workers
    allowed = policy.wait_share / (1.0 - policy.wait_share) * other_seconds
    most = min(policy.max, 2 * num_workers)
    # a whisker less, or what is exactly enough would be one more by rounding
    fewest = math.ceil(work / allowed - 1e-9) if work < allowed * most else most
    return max(policy.min, min(fewest, most))


@dataclass
class Autoscaler:
    """Decides after every iteration. A change must be asked for by `policy.patience` iterations in a row, all with the
    workers that there are now, so that one slow iteration is not answered.
    """

    policy: AutoscaleConfig
    _num_workers: int = 0
    _votes: tuple[int, ...] = ()

    def decide(self, num_workers: int, *, waiting_seconds: float, other_seconds: float) -> int:
        """How many there should be. `num_workers` is how many have served in all of this iteration."""
        if num_workers != self._num_workers:
            self._num_workers, self._votes = num_workers, ()
        vote = wanted(self.policy, num_workers, waiting_seconds=waiting_seconds, other_seconds=other_seconds)
        self._votes = (*self._votes, vote)[-self.policy.patience :]
        if len(self._votes) < self.policy.patience:
            return num_workers
        if all(vote > num_workers for vote in self._votes):
            return min(self._votes)
        if all(vote < num_workers for vote in self._votes):
            return max(self._votes)
        return num_workers

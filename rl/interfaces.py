"""How the loop sees the world. `cluster/` keeps these promises with Ray; tests keep them in memory."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rewards.score import DialogScore, RewardError
from rl.batch import Advantages, Annotations, Batch
from rl.trajectory import EpisodeRequest, Trajectory


class Rollouts(Protocol):
    def sample(self, requests: Sequence[EpisodeRequest]) -> AsyncIterator[list[Trajectory]]:
        """Hold every dialog once; yield the finished ones as they come, in any order. Failed ones are yielded too."""
        ...


class Rewards(Protocol):
    async def score(self, trajectories: Sequence[Trajectory]) -> list[DialogScore | RewardError]:
        """Judge each trajectory, in the given order. A judgement that fails is raised (`rewards.on_error: stop`) or
        takes the place of the score (`exclude`).
        """
        ...


class LearnerLostError(RuntimeError):
    """The learner died, or hangs: it can be rebuilt, and nothing that it had learned since it was saved is left."""


class Learner(Protocol):
    """Any method raises LearnerLostError."""

    async def annotate(self, batch: Batch) -> Annotations:
        """Values, and log-probs under the current and the reference policy, of every position of the batch."""
        ...

    async def update(
        self, batch: Batch, annotations: Annotations, advantages: Advantages, *, step: int, kl_coef: float
    ) -> dict[str, float]:
        """All PPO epochs over the batch. Returns metrics by their field-standard names."""
        ...

    async def save(self, folder: Path) -> None:
        """Write all that `load` needs, and the policy into `policy/`: a Hugging Face folder, or an adapter alone."""
        ...

    async def save_policy(self, folder: Path) -> None:
        """Write the policy alone as a Hugging Face folder, which must not exist yet."""
        ...

    async def load(self, folder: Path) -> None: ...

    async def fingerprint(self, version: int) -> str:
        """SHA-256 of the weights, as `Weights.publish` would return it."""
        ...

    async def rebuild(self) -> None:
        """Replace a lost learner by one that has learned nothing yet."""
        ...


class Weights(Protocol):
    async def publish(self, version: int) -> str:
        """Hand the learner's weights to the rollout workers; returns their SHA-256 when every worker serves them,
        verified. From then on a worker that joins gets these. Raises LearnerLostError.
        """
        ...


class Fleet(Protocol):
    def metrics(self) -> dict[str, float]:
        """Counters for the records, such as `fleet/rollout_restarts`."""
        ...

    def observe(self, timing: Mapping[str, float]) -> None:
        """Hear where the seconds of an iteration went, `timing_s/<phase>`, and scale by it where that is wanted."""
        ...

    async def peak_rss_bytes(self) -> dict[str, int]:
        """Most memory that any process of each role ever held."""
        ...


@dataclass(frozen=True, slots=True)
class World:
    """All that the loop talks to."""

    rollouts: Rollouts
    rewards: Rewards
    learner: Learner
    weights: Weights
    fleet: Fleet

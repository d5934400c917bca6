"""The actors of rollout and reward workers. Each method is one call to a plain object that is tested without Ray."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from envs.task import Transcript
from models.device import DevicePlan
from models.weights import Manifest
from rl.build import build_rollout_worker, build_scorer
from rl.config import Config
from rl.metrics import peak_rss_bytes
from rl.trajectory import EpisodeRequest, Score, Trajectory


@dataclass(frozen=True, slots=True)
class Publication:
    """One version of the weights in the object store: parts to load in order, each with references to its buckets."""

    version: int
    parts: tuple[tuple[Manifest, tuple[ray.ObjectRef, ...]], ...]

    @property
    def sha256(self) -> str:
        return self.parts[-1][0].sha256


class Worker:
    """What the fleet asks of every worker."""

    def ping(self) -> str:
        """Answers once the worker has been built, which is also when it is ready for work."""
        return "pong"

    def apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Part of RLlib's contract for managed actors."""
        return function(self, *args, **kwargs)

    def peak_rss_bytes(self) -> int:
        return peak_rss_bytes()


@ray.remote
class RolloutActor(Worker):
    def __init__(self, config: Config, folder: Path, plan: DevicePlan, name: str) -> None:
        self._worker = build_rollout_worker(config, folder, plan, name=name)
        self._base_sha256 = ""

    def advance(self, requests: Sequence[EpisodeRequest], max_seconds: float) -> list[Trajectory]:
        self._worker.admit(requests)
        return self._worker.advance(max_seconds)

    def load(self, publication: Publication) -> None:
        """Pull and load every part that this engine lacks. Raises WeightSyncError."""
        for manifest, refs in publication.parts:
            if manifest.sha256 != self._base_sha256:
                self._worker.load(manifest, ray.get(list(refs)))
            if len(publication.parts) > 1 and manifest.kind == "full":
                self._base_sha256 = manifest.sha256


@ray.remote
class RewardActor(Worker):
    def __init__(self, config: Config) -> None:
        self._scorer = build_scorer(config)

    def score(self, transcripts: Sequence[Transcript]) -> list[Score]:
        scores = [self._scorer.score(transcript) for transcript in transcripts]
        return [Score(score.vector, score.scalar, score.success) for score in scores]

"""The rollout worker's actor. Each method is one call to a plain object that is tested without Ray."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray

from cluster.worker_base import Worker
from models.device import DevicePlan
from models.samples import TimingRequest
from models.scoring import ScoreRequest
from models.weights import Manifest
from rl.build import build_rollout_worker
from rl.config import Config
from rl.rollout import Result
from rl.suites.config import EvaluationConfig
from rl.trajectory import EpisodeRequest


@dataclass(frozen=True, slots=True)
class Publication:
    """One version of the weights: parts to load in order, each with references to its buckets in the object store.

    With NCCL there are no buckets: the learner sends while the part is loaded.

    Attributes:
        modules: folders of the modules that are to be served beside the weights, as every worker can read them.
        router: file of the router that chooses among them; empty: none.
    """

    version: int
    parts: tuple[tuple[Manifest, tuple[ray.ObjectRef, ...]], ...]
    modules: tuple[str, ...] = ()
    router: str = ""

    @property
    def sha256(self) -> str:
        return self.parts[-1][0].sha256


@ray.remote
class RolloutActor(Worker):
    def __init__(self, config: Config | EvaluationConfig, folder: Path, plan: DevicePlan, name: str) -> None:
        super().__init__()
        self._worker = build_rollout_worker(config, folder, plan, name=name)
        self._base_sha256 = ""

    def advance(
        self, requests: Sequence[EpisodeRequest | ScoreRequest | TimingRequest], max_seconds: float
    ) -> list[Result]:
        self._worker.admit(requests)
        return self._worker.advance(max_seconds)

    def withdraw(self, ids: Collection[str]) -> None:
        self._worker.withdraw(ids)

    def load(self, publication: Publication) -> None:
        """Pull and load every part that this engine lacks. Raises WeightSyncError, ModuleError."""
        for manifest, refs in publication.parts:
            if manifest.sha256 != self._base_sha256:
                self._worker.load(manifest, ray.get(list(refs)))
            if (len(publication.parts) > 1 or publication.modules) and manifest.kind == "full":
                self._base_sha256 = manifest.sha256
        self._worker.serve_modules(publication.modules, publication.router)

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        self._worker.join_transfer(init_info)

"""One rank of the learner, as a Ray actor."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import ray
from ray.actor import ActorHandle
from ray.util import get_node_ip_address

from cluster.nccl import ReceiverCalls
from cluster.stacks import offer_stacks
from cluster.workers import Publication
from models.device import DevicePlan
from models.engine import init_group, prepare_cpu
from models.packing import PackedRows
from rl.batch import Advantages, Annotations, Batch
from rl.build import build_learner
from rl.metrics import peak_rss_bytes
from rl.pairs import PairBatch
from rl.ppo import PPOLearner
from rl.reward_learner import RewardLearner
from rl.stage_config import StageConfig
from rl.supervised import SupervisedLearner
from rl.tally import Tally

if TYPE_CHECKING:
    from models.nccl import NcclSender  # imports vLLM, which takes 15 s


@ray.remote
class LearnerActor:
    """One rank. `join` must be called on all ranks at once; so must everything after it."""

    def __init__(self, config: StageConfig, folder: Path, plan: DevicePlan, rank: int) -> None:
        offer_stacks(ray.get_runtime_context().get_actor_id())
        self._config, self._folder, self._plan, self._rank = config, folder, plan, rank
        self._learner: PPOLearner | SupervisedLearner | RewardLearner | None = None
        self._sender: NcclSender | None = None  # with rollout.weight_transfer = nccl
        self._refs: dict[str, tuple[ray.ObjectRef, ...]] = {}  # SHA-256 of what is published -> where it is

    def address(self) -> tuple[str, int]:
        """Where the others find this rank: its node and a free port."""
        import socket

        with socket.socket() as probe:
            probe.bind(("", 0))
            return get_node_ip_address(), probe.getsockname()[1]

    def join(self, address: str, port: int) -> None:
        config, plan = self._config, self._plan
        if plan.device == "cpu":
            prepare_cpu(config.learner.num_threads)
        init_group(
            backend=plan.backend,
            rank=self._rank,
            world_size=config.learner.num_ranks,
            address=address,
            port=port,
            compile_ops=config.learner.compile_ops,
        )
        self._learner = build_learner(config, self._folder, plan, rank=self._rank)
        if plan.weight_transfer == "nccl":
            from models.nccl import NcclSender

            self._sender = NcclSender(
                self._ppo.weights,
                rank=self._rank,
                gpus_per_receiver=plan.gpus_per_rollout_worker,
                address=self.address,
            )

    def annotate(self, batch: Batch) -> Annotations:
        return self._ppo.annotate(batch)

    def update(self, batch: Batch, notes: Annotations, advantages: Advantages, step: int, kl_coef: float) -> Tally:
        return self._ppo.update(batch, notes, advantages, step=step, kl_coef=kl_coef)

    def learn(self, batch: PackedRows | PairBatch, step: int) -> Tally:
        return self._stage.learn(batch, step=step)  # type: ignore[arg-type]

    def measure(self, rows: PackedRows) -> Tally:
        assert isinstance(self._stage, SupervisedLearner), "join first, with the config of a stage of texts"
        return self._stage.measure(rows)

    def judge(self, batch: PairBatch) -> np.ndarray:
        assert isinstance(self._stage, RewardLearner), "join first, with the config of a reward model"
        return self._stage.judge(batch)

    def fingerprint(self, version: int) -> str:
        return self._joined.fingerprint(version)

    def publish(self, version: int) -> Publication | None:
        """Put the weights into the object store; rank 0 says where. With NCCL only describe them, for `send`."""
        nccl = self._plan.weight_transfer == "nccl"
        parts = [(self._ppo.describe(version), [])] if nccl else self._joined.publish(version)
        if self._rank:
            return None
        known, self._refs = self._refs, {}  # the base of an adapter stays where it is, all others go
        for manifest, buckets in parts:
            self._refs[manifest.sha256] = known.get(manifest.sha256) or tuple(map(ray.put, buckets))
        return Publication(version, tuple((manifest, self._refs[manifest.sha256]) for manifest, _ in parts))

    def send(self, publication: Publication, receivers: Mapping[str, ActorHandle]) -> None:
        """With NCCL: hand over what was published last."""
        workers, gpus_per_worker = list(receivers.values()), self._plan.gpus_per_rollout_worker
        calls = ReceiverCalls(publication, workers, gpus_per_worker=gpus_per_worker)
        assert self._sender is not None, "rollout.weight_transfer is not nccl, or join was not called"
        self._sender.send(publication.parts[0][0], calls, receivers=tuple(receivers))

    def save(self, folder: Path) -> None:
        self._joined.save(folder, self._folder)

    def save_policy(self, folder: Path) -> None:
        self._ppo.save_policy(folder, self._folder)

    def load(self, folder: Path) -> None:
        self._joined.load(folder)

    def peak_rss_bytes(self) -> int:
        return peak_rss_bytes()

    @property
    def _joined(self) -> PPOLearner | SupervisedLearner | RewardLearner:
        assert self._learner is not None, "join first"
        return self._learner

    @property
    def _ppo(self) -> PPOLearner:
        assert isinstance(self._learner, PPOLearner), "join first, with the config of a run of PPO"
        return self._learner

    @property
    def _stage(self) -> SupervisedLearner | RewardLearner:
        assert isinstance(self._learner, SupervisedLearner | RewardLearner), "join first, with the config of a stage"
        return self._learner

"""The learner's end of vLLM's own NCCL weight transfer: the opt-in fast path between GPUs, around the object store.

**It has not been run**: there was no GPU to run it on. The tests put a queue in the place of NCCL, and everything else
is real: vLLM's two ends, the engine, the checks. What they cannot show is NCCL's rendezvous, streams and speed.

Only the bytes take this path. What is published stays a manifest, and every engine ends its update as always, with the
checksums of its resident tensors and the probe. Left out: adapters, and surviving the death of a receiver while bytes
flow. NCCL then waits for it until `learner.timeout_seconds` end the run; the object store has no such moment.
"""

from collections.abc import Callable, Iterator

import torch
from vllm.distributed.weight_transfer.base import (
    ParamMeta,
    TrainerWeightTransferEngine,
    VLLMWeightSyncClient,
    WeightSource,
)
from vllm.distributed.weight_transfer.factory import WeightTransferTrainerFactory
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo

from models.weights import BUCKET_BYTES, Manifest

NamedTensors = Iterator[tuple[str, torch.Tensor]]


class NcclSender:
    """What every rank of the learner holds. Rank 0 sends; the others help it to gather the weights.

    Example: `NcclSender(learner.weights, rank=0, gpus_per_receiver=2, address=actor.address).send(manifest, client,
    receivers=("rollout-0", "rollout-1"))`
    """

    def __init__(
        self,
        weights: Callable[[], NamedTensors],
        *,
        rank: int,
        gpus_per_receiver: int,
        address: Callable[[], tuple[str, int]],
    ) -> None:
        self._weights, self._rank, self._address = weights, rank, address
        self._gpus_per_receiver = gpus_per_receiver
        self._endpoint: TrainerWeightTransferEngine | None = None
        self._receivers: tuple[str, ...] = ()

    def send(self, manifest: Manifest, client: VLLMWeightSyncClient, *, receivers: tuple[str, ...]) -> None:
        """Returns when every receiver has verified these weights. All ranks together, and `client` reaches `receivers`.

        The group of NCCL has a fixed membership: it is opened anew where `receivers` are not those of the last time.
        """
        source = _ManifestSource(manifest, self._weights)
        if self._endpoint is None or receivers != self._receivers:
            self._endpoint = self._reopen(client, source, num_receivers=len(receivers))
            self._receivers = receivers
        self._endpoint.client, self._endpoint.source = client, source
        self._endpoint.send_weights()

    def _reopen(
        self, client: VLLMWeightSyncClient, source: WeightSource, *, num_receivers: int
    ) -> TrainerWeightTransferEngine:
        if self._endpoint is not None:
            self._endpoint.shutdown()
            self._endpoint = None
        host, port = self._address()
        init_info = NCCLTrainerInitInfo(
            rank=self._rank,
            master_address=host,
            master_port=port,
            world_size=1 + num_receivers * self._gpus_per_receiver,
            packed_buffer_size_bytes=BUCKET_BYTES,
        )
        return WeightTransferTrainerFactory.trainer_init(init_info, client=client, source=source)


class _ManifestSource(WeightSource):
    """The learner's weights as vLLM wants them: described by their manifest, gathered while they are sent."""

    def __init__(self, manifest: Manifest, weights: Callable[[], NamedTensors]) -> None:
        self._manifest, self._weights = manifest, weights

    def metadata(self) -> list[ParamMeta]:
        return [ParamMeta(e.name, getattr(torch, e.dtype), e.shape) for e in self._manifest.entries]

    def __iter__(self) -> NamedTensors:
        return self._weights()

"""Our backend of vLLM's weight-transfer interface: tensors that were already received, loaded layer by layer.

vLLM packs weights for its kernels after loading, so an update goes through its layer-wise reload, which unpacks, loads
and packs again. Imported by vLLM by name, in the process of the engine.
"""

from typing import Any

import torch
from vllm.distributed.weight_transfer.base import WeightTransferEngine, WeightTransferInitInfo, WeightTransferUpdateInfo
from vllm.model_executor.model_loader.reload.layerwise import finalize_layerwise_reload, initialize_layerwise_reload

from models.weights import WeightSyncError


class BucketTransferEngine(WeightTransferEngine):
    """Loads `{"tensors": [(name, tensor), ...]}`; every parameter of the model must be among them."""

    init_info_cls = WeightTransferInitInfo
    update_info_cls = WeightTransferUpdateInfo

    def init_transfer_engine(self, init_info: WeightTransferInitInfo) -> None:
        del init_info  # the wire is Ray's object store; nothing to open here

    def start_weight_update(self) -> None:
        initialize_layerwise_reload(self.model)

    def update_weights(self, update_info: dict[str, Any]) -> None:
        tensors: list[tuple[str, torch.Tensor]] = update_info["tensors"]
        expected = {plain_name(name) for name, _ in self.model.named_parameters()}
        loaded = {plain_name(name) for name in self.model.load_weights(tensors)}
        if missing := sorted(expected - loaded):
            raise WeightSyncError(f"{len(missing)} parameters of the engine got no weights, such as {missing[0]}")

    def receive_weights(self, update_info: WeightTransferUpdateInfo) -> None:
        raise NotImplementedError("weights arrive through update_weights, as tensors")

    def finish_weight_update(self) -> None:
        finalize_layerwise_reload(self.model, self.model_config)

    def shutdown(self) -> None:
        pass


def plain_name(name: str) -> str:
    """The name of a parameter in the network without LoRA, which wraps its layers."""
    return name.replace(".base_layer.", ".")

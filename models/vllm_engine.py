"""How vLLM is started here, and what we ask of its inside: the parts that know its modules by name."""

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from models.weights import Manifest

_TRANSFER_BACKENDS = {"object_store": "zero2one", "nccl": "nccl"}  # ours, and vLLM's own


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """What an engine needs to know. `engine_args` are the device-specific ones of `models/device.py`.

    Attributes:
        lora_rank: of the adapter that trains, and the largest of a module; 0: the engine takes neither.
        lora_alpha: of the adapter that trains; a module brings its own.
        num_modules: how many can be loaded at once; the requests of a step may be of as many.
    """

    model_folder: str
    max_length: int
    max_num_seqs: int
    temperature: float
    top_p: float
    top_k: int
    stop_token_ids: tuple[int, ...]
    engine_args: Mapping[str, Any]
    lora_rank: int = 0
    lora_alpha: float = 16.0
    lora_target_modules: tuple[str, ...] = ()
    num_modules: int = 0
    weight_transfer: str = "object_store"


def build_engine(settings: SamplerSettings) -> Any:
    from vllm.config.weight_transfer import WeightTransferConfig
    from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
    from vllm.engine.arg_utils import EngineArgs
    from vllm.v1.engine.llm_engine import LLMEngine

    ours = _TRANSFER_BACKENDS["object_store"]
    if ours not in WeightTransferEngineFactory._registry:
        WeightTransferEngineFactory.register_engine(ours, "models.vllm_transfer", "BucketTransferEngine")
    # Besides the modules: the policy's own adapter, one that is about to take the place of another, and one slot that
    # stays empty. On CPUs vLLM reads the last slot for requests that are to have no adapter (vllm-project/vllm#48421).
    num_slots = settings.num_modules + 3 if settings.num_modules else 1
    lora = {
        "enable_lora": True,
        "max_loras": num_slots,
        "max_cpu_loras": num_slots,
        "max_lora_rank": _lora_rank_slot(settings.lora_rank),
        # left open, vLLM also wraps the output layer, and then cannot give the log-probs of a prompt: no probe
        "lora_target_modules": list(settings.lora_target_modules),
    }
    return LLMEngine.from_engine_args(
        EngineArgs(
            model=settings.model_folder,
            skip_tokenizer_init=True,
            generation_config="vllm",
            load_format="dummy",
            # a tied head would keep its first values after an update; untied, it is sent like any other tensor
            hf_overrides={"tie_word_embeddings": False},
            max_model_len=settings.max_length,
            max_num_seqs=settings.max_num_seqs,
            max_num_batched_tokens=max(settings.max_length, 8192),
            enable_chunked_prefill=False,
            enable_prefix_caching=True,
            async_scheduling=False,
            logprobs_mode="processed_logprobs",
            weight_transfer_config=WeightTransferConfig(backend=_TRANSFER_BACKENDS[settings.weight_transfer]),
            disable_log_stats=True,
            **(lora if settings.lora_rank else {}),
            **settings.engine_args,
        )
    )


def return_free_memory() -> None:
    """glibc keeps what thousands of requests have freed in small pieces: within hundreds of updates, a gigabyte."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _lora_rank_slot(rank: int) -> int:
    """vLLM knows a few rank sizes; the smallest that fits."""
    return next(slot for slot in (8, 16, 32, 64, 128, 256, 512) if slot >= rank)


def describe_stream(manifest: Manifest) -> dict[str, Any]:
    """What vLLM's NCCL backend must know of the tensors it is about to receive, in the order of sending."""
    entries = manifest.entries
    return {
        "names": [entry.name for entry in entries],
        "dtype_names": [entry.dtype for entry in entries],
        "shapes": [list(entry.shape) for entry in entries],
    }


def resident_tensors(worker: Any) -> dict[str, torch.Tensor]:
    """What the engine holds under the published names, without the rows that pad its embeddings."""
    from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

    from models.vllm_transfer import plain_name

    tensors = {}
    for path, module in worker.get_model().named_modules():
        num_rows = module.org_vocab_size if isinstance(module, VocabParallelEmbedding) else None
        for name, parameter in module.named_parameters(recurse=False):
            tensors[plain_name(f"{path}.{name}")] = parameter.data[:num_rows]
    return tensors

"""How vLLM is started here, and what we ask of its inside: the parts that know its modules by name."""

import ctypes
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from models.samples import SampleRequest
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


def sampling_params(settings: SamplerSettings, request: SampleRequest, *, written: int) -> Any:
    """For the rest of a continuation of which `written` tokens are there."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        temperature=0.0 if request.greedy else settings.temperature,
        top_p=1.0 if request.greedy else settings.top_p,
        top_k=-1 if request.greedy else settings.top_k,
        # a continuation must not replay the random numbers of its beginning
        seed=None if request.greedy else request.seed + written,
        max_tokens=request.max_tokens - written,
        stop_token_ids=[*settings.stop_token_ids, *request.stop_token_ids],
        ignore_eos=True,  # or every end token in the folder's generation_config.json would stop too
        logprobs=0,
        flat_logprobs=True,
        detokenize=False,
        output_kind=RequestOutputKind.FINAL_ONLY,
        skip_clone=True,  # made for this request alone; vLLM's deep copy costs as much as a step
    )


def answer_probe(engine: Any, tokens: np.ndarray, lora: Any) -> np.ndarray:
    """[P, L] float32 log-probs at temperature 1 that the engine gives to [P, L] token ids; column 0 is 0."""
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    for row, prompt in enumerate(tokens):
        params = SamplingParams(
            temperature=0.0,
            max_tokens=1,
            prompt_logprobs=0,
            flat_logprobs=True,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        engine.add_request(str(row), {"prompt_token_ids": prompt.tolist()}, params, lora_request=lora)
    answers = np.zeros(tokens.shape, np.float32)
    while engine.has_unfinished_requests():
        for output in engine.step():
            if output.finished:
                answers[int(output.request_id), 1:] = output.prompt_logprobs.logprobs
    return answers


def time_tokens(
    engine: Any, requests: Sequence[tuple[str, list[int], Any]], concurrency: int, lora: Any
) -> list[list[float]]:
    """Seconds from each request's admission to each of its tokens, see `Sampler.time_tokens`. A request is an id, a
    prompt and its sampling parameters, which are changed.
    """
    from vllm.sampling_params import RequestOutputKind

    waiting, admitted = list(reversed(requests)), dict[str, float]()
    times: dict[str, list[float]] = {request_id: [] for request_id, _, _ in requests}
    while waiting or engine.has_unfinished_requests():
        while waiting and engine.get_num_unfinished_requests() < concurrency:
            request_id, prompt, params = waiting.pop()
            params.output_kind = RequestOutputKind.DELTA
            admitted[request_id] = time.perf_counter()
            engine.add_request(request_id, {"prompt_token_ids": prompt}, params, lora_request=lora)
        for output in engine.step():
            seconds = time.perf_counter() - admitted[output.request_id]
            times[output.request_id] += [seconds] * len(output.outputs[0].token_ids)
    return list(times.values())


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

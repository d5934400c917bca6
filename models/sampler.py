"""A vLLM engine in this process, stepped by its owner: token ids in, token ids and log-probs out.

Left out on purpose: text, chat templates and any notion of reward. The engine starts with dummy weights, so that the
first weights come the same way as all later ones, and it refuses to sample until a published version was verified.
"""

import ctypes
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from models.scoring import ScoreRequest, Scores, Scoring
from models.weights import Manifest, WeightSyncError, check_probe, check_resident, unpack_weights

_TRANSFER_BACKENDS = {"object_store": "zero2one", "nccl": "nccl"}  # ours, and vLLM's own


@dataclass(frozen=True, slots=True)
class SamplerSettings:
    """What an engine needs to know. `engine_args` are the device-specific ones of `models/device.py`."""

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
    weight_transfer: str = "object_store"


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """One continuation to sample: at most `max_tokens` after `prompt`. `greedy` ignores temperature and seed;
    `stop_token_ids` end it too, besides those of the settings.
    """

    id: str
    prompt: Sequence[int]
    max_tokens: int
    seed: int
    greedy: bool = False
    stop_token_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished continuation of n tokens, the stop token included.

    Attributes:
        tokens: [n] int32. logprobs: [n] float32 at the sampling temperature. versions: [n] int32.
        finish: "stop" when a stop token ended it, "length" when a limit did.
    """

    id: str
    tokens: np.ndarray
    logprobs: np.ndarray
    versions: np.ndarray
    finish: Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TimingRequest:
    """Samples whose tokens are to be timed, `concurrency` at once and nothing else beside them."""

    id: str
    samples: tuple[SampleRequest, ...]
    concurrency: int


@dataclass(frozen=True, slots=True)
class Timing:
    """`seconds`: of each sample, from its admission to each of its tokens."""

    request: TimingRequest
    seconds: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class _Segment:
    tokens: Sequence[int]
    logprobs: Sequence[float]
    version: int


@dataclass
class _Running:
    """A request inside the engine, with the segments that earlier versions of the weights wrote."""

    request: SampleRequest
    segments: list[_Segment] = field(default_factory=list)

    @property
    def written(self) -> int:
        return sum(len(segment.tokens) for segment in self.segments)


class Sampler:
    """Owns the engine. `add` admits, `step` runs one engine step, `load` swaps the weights between two steps."""

    def __init__(self, settings: SamplerSettings) -> None:
        self.settings = settings
        self.version: int | None = None
        self._engine = _build_engine(settings)
        self._running: dict[str, _Running] = {}
        self._scoring: dict[str, Scoring] = {}
        self._lora: Any = None
        self._base_sha256: str | None = None

    def add(self, request: SampleRequest) -> None:
        self._require_weights()
        running = _Running(request)
        self._admit(running)
        self._running[request.id] = running

    def add_score(self, request: ScoreRequest) -> None:
        """Have continuations scored at temperature 1; not beside samples, whose log-probs vLLM would then mix up."""
        self._require_weights()
        self._scoring[request.id] = scoring = Scoring(request)
        self._admit_scoring(scoring)

    def abort(self, ids: Sequence[str]) -> None:
        self._engine.abort_request(list(ids))
        for request_id in ids:
            self._running.pop(request_id, None)

    @property
    def num_unfinished(self) -> int:
        return len(self._running) + len(self._scoring)

    def step(self) -> list[Sample | Scores]:
        """One engine step; returns the continuations that it finished, sampled ones and scored ones."""
        self._require_weights()
        finished = [self._collect(output) for output in self._engine.step() if output.finished]
        return [result for result in finished if result is not None]

    def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]:
        """When each token of each request was there, in seconds since the request was admitted. There are
        `concurrency` of them in the engine as long as so many are left; nothing else may be running.
        """
        from vllm.sampling_params import RequestOutputKind

        self._require_weights()
        waiting, admitted = list(reversed(requests)), dict[str, float]()
        times: dict[str, list[float]] = {request.id: [] for request in requests}
        while waiting or self._engine.has_unfinished_requests():
            while waiting and self._engine.get_num_unfinished_requests() < concurrency:
                request = waiting.pop()
                params = self._params(request, written=0)
                params.output_kind = RequestOutputKind.DELTA
                admitted[request.id] = time.perf_counter()
                prompt = {"prompt_token_ids": list(request.prompt)}
                self._engine.add_request(request.id, prompt, params, lora_request=self._lora)
            for output in self._engine.step():
                seconds = time.perf_counter() - admitted[output.request_id]
                times[output.request_id] += [seconds] * len(output.outputs[0].token_ids)
        return list(times.values())

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Take published weights, in one transaction: set running requests aside, load, drop every cached prefix,
        verify, and only then let the requests go on under the new weights. Returns the largest log-prob difference
        on the probe. After an error the sampler has no version and samples nothing. With NCCL there are no buckets,
        and this waits for the learner to send.

        Raises:
            WeightSyncError: what is in the engine is not what was published.
        """
        self._set_aside()
        self.version = None
        if manifest.kind == "full":
            self._load_full(manifest, buckets)
        else:
            self._load_adapter(manifest, buckets)
        if not self._engine.reset_prefix_cache():
            raise WeightSyncError(
                f"weights {manifest.version}: the prefix cache of the old weights could not be dropped"
            )
        gap = check_probe(manifest, self._answer_probe(manifest.probe.tokens))
        self.version = manifest.version
        for running in self._running.values():
            self._admit(running)
        for scoring in self._scoring.values():
            self._admit_scoring(scoring)
        _return_free_memory()
        return gap

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        """Enter the NCCL group that the learner opens, in place of an earlier one; waits until all members are there.

        Not run yet on a GPU, see models/nccl.py.
        """
        self._engine.collective_rpc("shutdown_weight_transfer_engine")
        self._engine.collective_rpc("init_weight_transfer_engine", args=(dict(init_info),))

    # -- inside -------------------------------------------------------------------------------------------------

    def _require_weights(self) -> None:
        if self.version is None:
            raise WeightSyncError("the engine holds no verified weights: load a published version first")

    def _admit(self, running: _Running) -> None:
        request, prompt = running.request, list(running.request.prompt)
        for segment in running.segments:
            prompt.extend(segment.tokens)
        self._engine.add_request(
            request.id,
            {"prompt_token_ids": prompt},
            self._params(request, written=running.written),
            lora_request=self._lora,
        )

    def _admit_scoring(self, scoring: Scoring) -> None:
        for request_id, prompt, params in scoring.engine_requests():
            self._engine.add_request(request_id, {"prompt_token_ids": prompt}, params, lora_request=self._lora)

    def _params(self, request: SampleRequest, *, written: int) -> Any:
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        s = self.settings
        return SamplingParams(
            temperature=0.0 if request.greedy else s.temperature,
            top_p=1.0 if request.greedy else s.top_p,
            top_k=-1 if request.greedy else s.top_k,
            # a continuation must not replay the random numbers of its beginning
            seed=None if request.greedy else request.seed + written,
            max_tokens=request.max_tokens - written,
            stop_token_ids=[*s.stop_token_ids, *request.stop_token_ids],
            ignore_eos=True,  # or every end token in the folder's generation_config.json would stop too
            logprobs=0,
            flat_logprobs=True,
            detokenize=False,
            output_kind=RequestOutputKind.FINAL_ONLY,
            skip_clone=True,  # made for this request alone; vLLM's deep copy costs as much as a step
        )

    def _collect(self, output: Any) -> Sample | Scores | None:
        scored, _, _ = output.request_id.rpartition("#")
        if scored in self._scoring:
            if (scores := self._scoring[scored].take(output)) is not None:
                del self._scoring[scored]
            return scores
        completion, running = output.outputs[0], self._running.pop(output.request_id)
        assert self.version is not None
        last = _Segment(completion.token_ids, completion.logprobs.logprobs, self.version)
        segments = [*running.segments, last]
        return Sample(
            id=output.request_id,
            tokens=np.concatenate([np.asarray(s.tokens, np.int32) for s in segments]),
            logprobs=np.concatenate([np.asarray(s.logprobs, np.float32) for s in segments]),
            versions=np.concatenate([np.full(len(s.tokens), s.version, np.int32) for s in segments]),
            finish="stop" if completion.finish_reason == "stop" else "length",
        )

    def _set_aside(self) -> None:
        """Take every request out of the engine, keeping what the running ones have written so far."""
        states = list(self._engine.output_processor.request_states.values())
        for state in states:
            tokens = list(state.detokenizer.output_token_ids)
            if tokens and self.version is not None:
                segment = _Segment(tokens, list(state.logprobs_processor.logprobs.logprobs), self.version)
                self._running[state.external_req_id].segments.append(segment)
        # all of them: a probe that failed half-way leaves its own behind
        self._engine.abort_request([state.external_req_id for state in states])

    def _load_full(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> None:
        self._drop_adapter()
        if self.settings.weight_transfer == "nccl":
            update = _describe_stream(manifest)
        else:
            update = {"tensors": list(unpack_weights(manifest, buckets))}
        self._engine.collective_rpc("start_weight_update")
        self._engine.collective_rpc("update_weights", args=(update,))
        self._engine.collective_rpc("finish_weight_update")
        for resident in self._engine.collective_rpc(_resident_tensors):
            check_resident(manifest, resident)
        self._base_sha256 = manifest.sha256

    def _load_adapter(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> None:
        from vllm.lora.request import LoRARequest

        from models.lora import write_adapter

        if self._base_sha256 is None:
            raise WeightSyncError(f"adapter {manifest.version}: the engine has no base weights yet")
        with tempfile.TemporaryDirectory(prefix="zero2one-adapter-") as folder:
            write_adapter(Path(folder), dict(unpack_weights(manifest, buckets)), alpha=self.settings.lora_alpha)
            self._drop_adapter()  # first: one of the same version, if it was refused, would be kept
            self._lora = LoRARequest(f"policy-{manifest.version}", manifest.version + 1, folder)
            self._engine.add_lora(self._lora)

    def _drop_adapter(self) -> None:
        if self._lora is not None:
            self._engine.remove_lora(self._lora.lora_int_id)
            self._lora = None

    def _answer_probe(self, tokens: np.ndarray) -> np.ndarray:
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
            self._engine.add_request(str(row), {"prompt_token_ids": prompt.tolist()}, params, lora_request=self._lora)
        answers = np.zeros(tokens.shape, np.float32)
        while self._engine.has_unfinished_requests():
            for output in self._engine.step():
                if output.finished:
                    answers[int(output.request_id), 1:] = output.prompt_logprobs.logprobs
        return answers


def _build_engine(settings: SamplerSettings) -> Any:
    from vllm.config.weight_transfer import WeightTransferConfig
    from vllm.distributed.weight_transfer.factory import WeightTransferEngineFactory
    from vllm.engine.arg_utils import EngineArgs
    from vllm.v1.engine.llm_engine import LLMEngine

    ours = _TRANSFER_BACKENDS["object_store"]
    if ours not in WeightTransferEngineFactory._registry:
        WeightTransferEngineFactory.register_engine(ours, "models.vllm_transfer", "BucketTransferEngine")
    lora = {
        "enable_lora": True,
        "max_loras": 1,
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


def _return_free_memory() -> None:
    """glibc keeps what thousands of requests have freed in small pieces: within hundreds of updates, a gigabyte."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _lora_rank_slot(rank: int) -> int:
    """vLLM knows a few rank sizes; the smallest that fits."""
    return next(slot for slot in (8, 16, 32, 64, 128, 256, 512) if slot >= rank)


def _describe_stream(manifest: Manifest) -> dict[str, Any]:
    """What vLLM's NCCL backend must know of the tensors it is about to receive, in the order of sending."""
    entries = manifest.entries
    return {
        "names": [entry.name for entry in entries],
        "dtype_names": [entry.dtype for entry in entries],
        "shapes": [list(entry.shape) for entry in entries],
    }


def _resident_tensors(worker: Any) -> dict[str, torch.Tensor]:
    """What the engine holds under the published names, without the rows that pad its embeddings."""
    from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

    from models.vllm_transfer import plain_name

    tensors = {}
    for path, module in worker.get_model().named_modules():
        num_rows = module.org_vocab_size if isinstance(module, VocabParallelEmbedding) else None
        for name, parameter in module.named_parameters(recurse=False):
            tensors[plain_name(f"{path}.{name}")] = parameter.data[:num_rows]
    return tensors

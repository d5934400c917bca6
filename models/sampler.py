"""A vLLM engine in this process, stepped by its owner: token ids in, token ids and log-probs out.

Left out on purpose: text, chat templates and any notion of reward. The engine starts with dummy weights, so that the
first weights come the same way as all later ones, and it refuses to sample until a published version was verified.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from models.lora import Adapter, ModuleError, adapter_of, write_adapter
from models.samples import Sample, SampleRequest
from models.scoring import ScoreRequest, Scores, Scoring
from models.vllm_engine import (
    SamplerSettings,
    answer_probe,
    build_engine,
    describe_stream,
    resident_tensors,
    return_free_memory,
    sampling_params,
    time_tokens,
)
from models.weights import Manifest, WeightSyncError, check_probe, check_resident, unpack_weights


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
    """Owns the engine. `add` admits, `step` runs one engine step, `load` swaps the weights between two steps, and
    `load_module` puts an adapter beside them that serves only the requests that name it.
    """

    def __init__(self, settings: SamplerSettings) -> None:
        self.settings = settings
        self.version: int | None = None
        self._engine = build_engine(settings)
        self._running: dict[str, _Running] = {}
        self._scoring: dict[str, Scoring] = {}
        self._lora: Any = None  # the policy's own adapter, as vLLM's LoRARequest
        self._modules: dict[str, Any] = {}  # name -> LoRARequest
        self._num_adapters = 0  # that were ever loaded; vLLM must not meet a number twice
        self._base_sha256: str | None = None

    def add(self, request: SampleRequest) -> None:
        self._require_weights()
        if request.module and request.module not in self._modules:
            raise ModuleError(f"the engine has no module {request.module!r}; it has {sorted(self._modules)}")
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
        self._require_weights()
        prepared = [(r.id, list(r.prompt), sampling_params(self.settings, r, written=0)) for r in requests]
        return time_tokens(self._engine, prepared, concurrency, self._lora)

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Take published weights, in one transaction: set running requests aside, load, drop every cached prefix,
        verify, and only then let the requests go on under the new weights. Returns the largest log-prob difference
        on the probe. After an error the sampler has no version and samples nothing. With NCCL there are no buckets,
        and this waits for the learner to send.

        Raises:
            WeightSyncError: what is in the engine is not what was published, or modules of another base are in it.
        """
        if self._modules and manifest.kind == "full" and manifest.sha256 != self._base_sha256:
            raise WeightSyncError(
                f"weights {manifest.version}: modules {sorted(self._modules)} are of another base; unload them first"
            )
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
        gap = check_probe(manifest, answer_probe(self._engine, manifest.probe.tokens, self._lora))
        self.version = manifest.version
        self._readmit()
        return_free_memory()
        return gap

    @property
    def base_sha256(self) -> str | None:
        """Of the full weights in the engine, see `Manifest`."""
        return self._base_sha256

    @property
    def modules(self) -> tuple[str, ...]:
        """Names of those that are loaded."""
        return tuple(self._modules)

    def load_module(self, name: str, manifest: Manifest, buckets: Sequence[np.ndarray], *, alpha: float) -> float:
        """Take an adapter as the module `name`, in the place of one of that name, between two steps. Returns the
        largest log-prob difference on the probe. The policy and the other modules stay; requests under way go on, those
        of the module under its new weights. After an error everything is as before.

        Raises:
            ModuleError: there is no room for one more.
            WeightSyncError: what is in the engine is not what was published.
        """
        self._require_weights()
        if name not in self._modules and len(self._modules) >= self.settings.num_modules:
            raise ModuleError(
                f"module {name!r}: the engine takes {self.settings.num_modules} and has {sorted(self._modules)}; "
                "unload one, or start it with more"
            )
        self._set_aside()
        try:
            new = self._add_adapter(name, adapter_of(dict(unpack_weights(manifest, buckets)), alpha))
            try:
                gap = check_probe(manifest, answer_probe(self._engine, manifest.probe.tokens, new))
            except WeightSyncError:
                self._remove_adapter(new)
                raise
            old, self._modules[name] = self._modules.get(name), new
            self._remove_adapter(old)
        finally:
            self._readmit()
        return gap

    def unload_module(self, name: str) -> None:
        """Raises ModuleError where it is not loaded, or requests of it are under way."""
        if name not in self._modules:
            raise ModuleError(f"the engine has no module {name!r}; it has {sorted(self._modules)}")
        if num := sum(running.request.module == name for running in self._running.values()):
            raise ModuleError(f"module {name!r}: {num} requests of it are under way; wait for them, or abort them")
        self._remove_adapter(self._modules.pop(name))

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
            sampling_params(self.settings, request, written=running.written),
            lora_request=self._modules[request.module] if request.module else self._lora,
        )

    def _admit_scoring(self, scoring: Scoring) -> None:
        for request_id, prompt, params in scoring.engine_requests():
            self._engine.add_request(request_id, {"prompt_token_ids": prompt}, params, lora_request=self._lora)

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

    def _readmit(self) -> None:
        for running in self._running.values():
            self._admit(running)
        for scoring in self._scoring.values():
            self._admit_scoring(scoring)

    def _set_aside(self) -> None:
        """Take every request out of the engine, keeping what the running ones have written so far. Scores are all of
        one version, so these begin again.
        """
        for scoring in self._scoring.values():
            scoring.logprobs.clear()
        states = list(self._engine.output_processor.request_states.values())
        for state in states:
            tokens = list(state.detokenizer.output_token_ids)
            if tokens and self.version is not None:
                segment = _Segment(tokens, list(state.logprobs_processor.logprobs.logprobs), self.version)
                self._running[state.external_req_id].segments.append(segment)
        # all of them: a probe that failed half-way leaves its own behind
        self._engine.abort_request([state.external_req_id for state in states])

    def _load_full(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> None:
        self._remove_adapter(self._lora)
        self._lora = None
        if self.settings.weight_transfer == "nccl":
            update = describe_stream(manifest)
        else:
            update = {"tensors": list(unpack_weights(manifest, buckets))}
        self._engine.collective_rpc("start_weight_update")
        self._engine.collective_rpc("update_weights", args=(update,))
        self._engine.collective_rpc("finish_weight_update")
        for resident in self._engine.collective_rpc(resident_tensors):
            check_resident(manifest, resident)
        self._base_sha256 = manifest.sha256

    def _load_adapter(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> None:
        if self._base_sha256 is None:
            raise WeightSyncError(f"adapter {manifest.version}: the engine has no base weights yet")
        adapter = adapter_of(dict(unpack_weights(manifest, buckets)), self.settings.lora_alpha)
        self._remove_adapter(self._lora)
        self._lora = None
        self._lora = self._add_adapter("policy", adapter)

    def _add_adapter(self, name: str, adapter: Adapter) -> Any:
        """Its LoRARequest, under a name and a number of its own: vLLM's prefix cache goes by the name."""
        from vllm.lora.request import LoRARequest

        self._num_adapters += 1
        with tempfile.TemporaryDirectory(prefix="zero2one-adapter-") as folder:
            write_adapter(Path(folder), adapter)
            lora = LoRARequest(f"{name}-{self._num_adapters}", self._num_adapters, folder)
            self._engine.add_lora(lora)
        return lora

    def _remove_adapter(self, lora: Any) -> None:
        if lora is not None:
            self._engine.remove_lora(lora.lora_int_id)

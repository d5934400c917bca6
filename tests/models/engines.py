"""Real vLLM engines in the test process, and what a learner would publish to them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pytest
import torch

from models.device import plan_device
from models.policy import forward_logits
from models.publish import PROBE_TOLERANCE
from models.sampler import Sampler
from models.samples import Sample, SampleRequest
from models.weights import Kind, Manifest, Probe, pack_weights, probe_tokens

PLAN = plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=1, kv_cache_gib=0.25)


@contextmanager
def engine_process() -> Iterator[None]:
    """This process as an actor would be that owns an engine; afterwards as it was before."""
    import torch._dynamo.config

    # what the environment says comes too late for a torch that is already imported
    with pytest.MonkeyPatch.context() as patch, torch._dynamo.config.patch(disable=True):
        for name, value in PLAN.engine_env.items():
            patch.setenv(name, value)
        num_threads = torch.get_num_threads()
        torch.set_num_threads(1)
        patch.setattr(torch, "set_num_threads", torch.set_num_threads)  # vLLM puts its own in place
        yield
        from vllm.distributed import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()
    torch.set_num_threads(num_threads)


@torch.no_grad()
def forward_logprobs(model: torch.nn.Module, tokens: Sequence[int], temperature: float = 1.0) -> np.ndarray:
    """[T] log-probs that the network itself gives to T tokens, each after all before it; the first has none, and 0."""
    ids = torch.as_tensor(np.asarray(tokens)).long()[None]
    logprobs = torch.log_softmax(forward_logits(model, ids)[0, :-1] / temperature, -1)
    return np.concatenate([[0.0], logprobs.gather(-1, ids[0, 1:, None])[:, 0].numpy()])


def publish(
    model: torch.nn.Module,
    version: int,
    *,
    max_length: int,
    tensors: Iterable[tuple[str, torch.Tensor]] | None = None,
    kind: Kind = "full",
) -> tuple[Manifest, list[np.ndarray]]:
    """What `model`'s learner would publish (see models/publish.py); `tensors` instead of its weights, if given."""
    tokens = probe_tokens(model.config.vocab_size, max_length)
    answers = np.stack([forward_logprobs(model, row) for row in tokens]).astype(np.float32)
    probe = Probe(tokens, answers, PROBE_TOLERANCE[torch.float32])
    return pack_weights(
        model.named_parameters() if tensors is None else tensors, version=version, kind=kind, probe=probe
    )


def run(sampler: Sampler, requests: Sequence[SampleRequest] = ()) -> dict[str, Sample]:
    """Samples by id of `requests` and of all that is still running."""
    for request in requests:
        sampler.add(request)
    samples = {}
    while sampler.num_unfinished:
        samples.update((sample.id, sample) for sample in sampler.step())
    return samples


def largest_gap(model: torch.nn.Module, requests: Iterable[SampleRequest], samples: dict[str, Sample]) -> float:
    """Between the samples' log-probs and those of `model` at temperature 1."""
    return max(
        float(np.abs(expected_logprobs(model, request, samples[request.id]) - samples[request.id].logprobs).max())
        for request in requests
    )


def expected_logprobs(
    model: torch.nn.Module, request: SampleRequest, sample: Sample, temperature: float = 1.0
) -> np.ndarray:
    """[n] what `model` gives to the n sampled tokens."""
    whole = [*request.prompt, *sample.tokens.tolist()]
    return forward_logprobs(model, whole, temperature)[len(request.prompt) :]

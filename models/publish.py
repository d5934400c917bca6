"""The learner's end of a weight transfer: gather the policy, describe it, and say what it thinks of the probe."""

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from peft import PeftModel
from safetensors.torch import save_file
from torch import nn

from models.disk import writing
from models.engine import Engine
from models.lora import adapter_disabled, adapter_of, export_adapter, write_adapter
from models.policy import forward_logits
from models.weights import Manifest, Probe, describe_weights, pack_weights, probe_tokens

# Largest log-prob difference on the probe that rounding explains, by what the engine computes in.
PROBE_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 0.1}


def publish_policy(engine: Engine, *, version: int, max_length: int) -> tuple[Manifest, list[np.ndarray]]:
    """All weights of the policy, without its adapter if it has one. All ranks together."""
    module = engine.module
    without = adapter_disabled(module) if isinstance(module, PeftModel) else contextlib.nullcontext()
    with without:
        probe = probe_policy(module, max_length)
    return pack_weights(policy_weights(engine), version=version, kind="full", probe=probe)


def describe_policy(engine: Engine, *, version: int, max_length: int) -> Manifest:
    """What `publish_policy` says about the weights, without packing them; no adapters. All ranks together."""
    probe = probe_policy(engine.module, max_length)
    return describe_weights(policy_weights(engine), version=version, kind="full", probe=probe)


def fingerprint(engine: Engine, *, version: int, max_length: int) -> str:
    """SHA-256 of what trains: all weights or the adapter. All ranks together."""
    if isinstance(engine.module, PeftModel):
        return publish_adapter(engine, version=version, max_length=max_length)[0].sha256
    return describe_policy(engine, version=version, max_length=max_length).sha256


def publish_adapter(engine: Engine, *, version: int, max_length: int) -> tuple[Manifest, list[np.ndarray]]:
    """The adapter alone: a small fraction of the bytes. All ranks together."""
    probe = probe_policy(engine.module, max_length)
    return pack_weights(sorted(_adapter(engine).items()), version=version, kind="adapter", probe=probe)


def write_policy(engine: Engine, template: Path, folder: Path, *, rank: int, lora_alpha: float) -> None:
    """The policy as a Hugging Face folder that loads anywhere: weights of `engine`, config and tokenizer of `template`.

    Of a policy with an adapter, the adapter alone in peft's layout: its base is `template`, which nobody changes. All
    ranks together; rank 0 writes.
    """
    if isinstance(engine.module, PeftModel):
        adapter = _adapter(engine)
        if rank == 0:
            folder.mkdir()
            write_adapter(folder, adapter_of(adapter, lora_alpha))
        return
    tensors = dict(policy_weights(engine))
    if rank:
        return
    write_model_folder(tensors, template, folder)


def write_model_folder(tensors: Mapping[str, torch.Tensor], template: Path, folder: Path) -> None:
    """A Hugging Face folder of these weights, with all else as in `template`."""
    shutil.copytree(template, folder, ignore=shutil.ignore_patterns("*.safetensors*"))
    with writing(folder):
        save_file({n: t.cpu().contiguous() for n, t in tensors.items()}, folder / "model.safetensors", {"format": "pt"})


def _adapter(engine: Engine) -> dict[str, torch.Tensor]:
    module = engine.module
    assert isinstance(module, PeftModel)
    with engine.gathered([p for p in module.parameters() if p.requires_grad]):
        return export_adapter(module)


def policy_weights(engine: Engine) -> Iterator[tuple[str, torch.Tensor]]:
    """All weights but an adapter's, under the names of the plain network. All ranks must iterate together."""
    for name, tensor in engine.full_weights():
        if "lora_" not in name:
            yield name.removeprefix("base_model.model.").replace(".base_layer.", "."), tensor


def publish_plain(policy: nn.Module, *, version: int, max_length: int) -> tuple[Manifest, list[np.ndarray]]:
    """All weights of a network that no learner holds, such as one out of a folder."""
    probe = probe_policy(policy, max_length)
    return pack_weights(policy.named_parameters(), version=version, kind="full", probe=probe)


@torch.no_grad()
def probe_policy(module: nn.Module, max_length: int) -> Probe:
    """What `module` thinks of the token sequences that every publication is checked by."""
    config = module.config.get_text_config()
    tokens = probe_tokens(config.vocab_size, max_length)
    parameter = next(module.parameters())
    ids = torch.from_numpy(tokens).long().to(parameter.device)
    logprobs = torch.log_softmax(forward_logits(module, ids).float(), -1)
    picked = logprobs[:, :-1].gather(-1, ids[:, 1:, None])[..., 0]
    answers = torch.nn.functional.pad(picked, (1, 0)).cpu().numpy()
    return Probe(tokens, answers, PROBE_TOLERANCE[parameter.dtype])

"""The policy: a causal language model, from random weights (R1-Zero) or from any Hugging Face folder or hub id."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging as transformers_logging

from models.disk import writing
from models.tokenizer import ModelError, require_folder


def random_policy(config: PretrainedConfig, *, seed: int, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A policy of random weights, N(0, config.initializer_range^2): same config and seed, same weights."""
    with seeded(seed):
        return AutoModelForCausalLM.from_config(config, dtype=dtype).train()


def load_policy(name_or_path: str | Path, *, dtype: torch.dtype = torch.float32) -> PreTrainedModel:
    """A pretrained policy with dropout off and untied embeddings. Raises ModelError, see `load_pretrained`."""
    model = load_pretrained(AutoModelForCausalLM, name_or_path, dtype=dtype)
    untie_embeddings(model)
    return model


def load_pretrained(kind: type, name_or_path: str | Path, *, dtype: torch.dtype) -> PreTrainedModel:
    """A pretrained network with dropout off, by one of transformers' auto classes; from safetensors only, without
    remote code.

    Raises ModelError, also for a checkpoint that lacks weights: transformers would fill them in at random.
    """
    require_folder(name_or_path, "config.json", "*.safetensors")
    try:
        config = AutoConfig.from_pretrained(name_or_path, trust_remote_code=False)
        disable_dropout(config)
        model, report = kind.from_pretrained(
            name_or_path,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"cannot load a model from {str(name_or_path)!r}: {error}") from error
    absent = sorted(report["missing_keys"])
    if absent:
        raise ModelError(f"{str(name_or_path)!r} lacks {len(absent)} weights of its own config, such as {absent[0]}")
    return model.train()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw random weights from `seed`, and leave the process's own generator as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def disable_dropout(config: PretrainedConfig) -> None:
    """Set every dropout rate to 0: PPO's ratio compares two passes over the same tokens, and noise is no policy change.

    Goes by the names that transformers uses: attention_dropout, resid_pdrop, layerdrop, ...
    """
    for part in {id(part): part for part in (config, config.get_text_config())}.values():
        for name, value in part.to_dict().items():
            if "drop" in name and isinstance(value, float):
                setattr(part, name, 0.0)


def untie_embeddings(model: PreTrainedModel) -> None:
    """Give the output layer its own copy of the input embedding, if the two are one tensor.

    vLLM's CPU engine keeps the old output layer when tied weights are updated (log-prob gap 0.38,
    untied 2e-6).
    """
    embedding, output = model.get_input_embeddings(), model.get_output_embeddings()
    if output is None or output.weight is not embedding.weight:
        return
    output.weight = nn.Parameter(embedding.weight.detach().clone())
    for config in (model.config, model.config.get_text_config()):
        config.tie_word_embeddings = False


def forward_logits(model: Callable[..., Any], tokens: Tensor) -> Tensor:
    """Logits [B, T, V] after each position of `tokens` [B, T], padded on the right; column t predicts token t + 1.

    There is no attention mask: a causal model never looks right, so padding cannot reach a real token, and without a
    mask PyTorch takes its fused causal attention (as fast as any other at 24 tokens, a third faster than eager at 256).
    Logits in the padding mean nothing.
    """
    return model(input_ids=tokens, use_cache=False).logits


def set_gradient_checkpointing(model: PreTrainedModel, enabled: bool) -> None:
    """Recompute activations in the backward pass: memory for about a third more time. Acts in training mode only."""
    if enabled:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    else:
        model.gradient_checkpointing_disable()


def disable_progress_bars() -> None:
    """Keep the bars of transformers out of a run's own output; for the whole process."""
    transformers_logging.disable_progress_bar()


def save_model_folder(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """A folder of safetensors, config and tokenizer that transformers and vLLM load."""
    with writing(folder):
        model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)

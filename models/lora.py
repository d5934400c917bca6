"""LoRA (Hu et al. 2021): train small matrices beside a frozen policy. The policy without them is the reference."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.disk import writing
from models.policy import seeded
from models.tokenizer import ModelError, require_folder

ADAPTER = "default"  # peft's own name for the only adapter
CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"  # peft's names of the files of an adapter folder


class ModuleError(ValueError):
    """A module that is not there, does not fit, or cannot be loaded or unloaded now."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on its own: to every target layer's weights it adds scale B A, with scale = alpha / rank.

    Attributes:
        tensors: by peft's names, A [rank, in] as `...lora_A.weight` and B [out, rank] as `...lora_B.weight`.
    """

    tensors: Mapping[str, Tensor]
    rank: int
    alpha: float

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    @property
    def target_modules(self) -> tuple[str, ...]:
        return tuple(sorted({name.split(".")[-3] for name in self.tensors}))


def apply_lora(
    model: PreTrainedModel, *, rank: int, alpha: float, target_modules: Sequence[str], seed: int, body: bool = False
) -> PeftModel:
    """Freeze `model` and put a trainable adapter W + (alpha / rank) B A beside each target layer; B starts at 0.

    `model` is changed in place and lives on inside the result. `body`: it is a decoder without an output layer, as a
    critic has. Raises ModelError naming targets that it has not.
    """
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    unknown = sorted(set(target_modules) - names)
    if unknown:
        raise ModelError(
            f"model.lora_target_modules: the model has no {unknown}; its linear layers are {sorted(names)}"
        )
    with seeded(seed):
        config = _adapter_config(rank, alpha, target_modules)
        config.task_type = None if body else config.task_type
        return get_peft_model(model, config, adapter_name=ADAPTER)


def load_lora(model: PreTrainedModel, folder: Path) -> PeftModel:
    """`model` with the adapter saved in `folder`, trainable. Raises ModelError."""
    require_folder(folder, CONFIG, WEIGHTS)
    try:
        return PeftModel.from_pretrained(model, folder, adapter_name=ADAPTER, is_trainable=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"cannot load an adapter from {str(folder)!r}: {error}") from error


def merge_lora(model: PreTrainedModel, folder: Path) -> PreTrainedModel:
    """`model` with the adapter saved in `folder` added to its weights: a plain network again. Raises ModelError."""
    return load_lora(model, folder).merge_and_unload()  # type: ignore[operator, no-any-return]


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """What an optimiser must be given: all weights of a plain model, the adapter's of a LoRA model."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


@contextmanager
def adapter_disabled(model: PeftModel) -> Iterator[None]:
    """Within, `model` computes what it did before `apply_lora`: the reference policy, at no extra memory."""
    with model.disable_adapter():
        yield


def export_adapter(model: PeftModel) -> dict[str, Tensor]:
    """A copy of the adapter's tensors as they are now, by peft's names, on the CPU: what travels to an engine."""
    tensors = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}


def adapter_of(tensors: Mapping[str, Tensor], alpha: float) -> Adapter:
    """What `export_adapter` gave, with the scale that cannot be read off it."""
    rank = next(tensor.shape[0] for name, tensor in tensors.items() if name.endswith("lora_A.weight"))
    return Adapter(dict(tensors), rank, alpha)


def write_adapter(folder: Path, adapter: Adapter) -> None:
    """A folder in peft's own layout, which `load_lora`, `read_adapter` and vLLM's LoRARequest read."""
    config = _adapter_config(adapter.rank, adapter.alpha, adapter.target_modules)
    config.inference_mode = True
    config.save_pretrained(folder)
    with writing(folder):
        save_file(dict(adapter.tensors), folder / WEIGHTS, metadata={"format": "pt"})


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder of `write_adapter`. Raises ModelError."""
    require_folder(folder, CONFIG, WEIGHTS)
    try:
        alpha = float(json.loads((folder / CONFIG).read_bytes())["lora_alpha"])
        return adapter_of(load_file(folder / WEIGHTS), alpha)
    except (OSError, ValueError, KeyError, StopIteration, SafetensorError) as error:
        raise ModelError(f"cannot read an adapter from {str(folder)!r}: {error}") from error


def combine_adapters(parts: Sequence[tuple[Adapter, float]]) -> Adapter:
    """The adapter whose deltas are the weighted sums of those of its parts, exactly:

        sum_i w_i s_i B_i A_i = [w_1 s_1 B_1 ... w_n s_n B_n] [A_1; ...; A_n]

    Its rank is the sum of theirs, its scale 1. That is "cat" of peft's `add_weighted_adapter`; its "linear" adds up the
    A and the B on their own, which is another thing. Raises ModelError where the parts have not the same targets.
    """
    first, _ = parts[0]
    if any(adapter.tensors.keys() != first.tensors.keys() for adapter, _ in parts):
        raise ModelError(f"adapters with other targets cannot be merged: {[a.target_modules for a, _ in parts]}")
    tensors = {}
    for name in first.tensors:
        if name.endswith("lora_A.weight"):
            tensors[name] = torch.cat([adapter.tensors[name] for adapter, _ in parts], dim=0)
        else:
            tensors[name] = torch.cat([weight * a.scale * a.tensors[name] for a, weight in parts], dim=1)
    rank = sum(adapter.rank for adapter, _ in parts)
    return Adapter(tensors, rank, float(rank))


def _adapter_config(rank: int, alpha: float, target_modules: Iterable[str]) -> LoraConfig:
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=sorted(target_modules),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )

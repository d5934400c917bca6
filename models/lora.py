"""LoRA (Hu et al. 2021): train small matrices beside a frozen policy. The policy without them is the reference."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.policy import seeded
from models.tokenizer import ModelError, require_folder

ADAPTER = "default"  # peft's own name for the only adapter


@dataclass(frozen=True, slots=True)
class AdapterState:
    """An adapter on its way to an engine or to disk: peft's config, and its tensors by peft's names."""

    config: dict[str, object]
    tensors: dict[str, Tensor]


def apply_lora(
    model: PreTrainedModel, *, rank: int, alpha: float, target_modules: Sequence[str], seed: int
) -> PeftModel:
    """Freeze `model` and put a trainable adapter W + (alpha / rank) B A beside each target layer; B starts at 0.

    `model` is changed in place and lives on inside the result. Raises ValueError naming targets that it has not.
    """
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    unknown = sorted(set(target_modules) - names)
    if unknown:
        raise ValueError(
            f"model.lora_target_modules: the model has no {unknown}; its linear layers are {sorted(names)}"
        )
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=sorted(target_modules),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )
    with seeded(seed):
        return get_peft_model(model, config, adapter_name=ADAPTER)


def load_lora(model: PreTrainedModel, folder: Path) -> PeftModel:
    """`model` with the adapter saved in `folder`, trainable. Raises ModelError."""
    require_folder(folder, "adapter_config.json", "adapter_model.safetensors")
    try:
        return PeftModel.from_pretrained(model, folder, adapter_name=ADAPTER, is_trainable=True)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise ModelError(f"cannot load an adapter from {str(folder)!r}: {error}") from error


def trainable_parameters(model: nn.Module) -> dict[str, nn.Parameter]:
    """What an optimiser must be given: all weights of a plain model, the adapter's of a LoRA model."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


@contextmanager
def adapter_disabled(model: PeftModel) -> Iterator[None]:
    """Within, `model` computes what it did before `apply_lora`: the reference policy, at no extra memory."""
    with model.disable_adapter():
        yield


def export_adapter(model: PeftModel) -> AdapterState:
    """A copy of the adapter as it is now, on the CPU."""
    tensors = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    copies = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    return AdapterState(_plain(model.peft_config[ADAPTER]), copies)


def save_adapter(state: AdapterState, folder: Path) -> None:
    """peft's own layout, which `load_lora` and vLLM's LoRARequest read."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file(state.tensors, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    (folder / "adapter_config.json").write_text(json.dumps(state.config, indent=2, sort_keys=True) + "\n")


def merge_lora(model: PeftModel) -> PreTrainedModel:
    """The plain policy with the adapter added into its weights. Consumes `model`: do not use it afterwards."""
    return model.merge_and_unload(safe_merge=True)


def _plain(config: LoraConfig) -> dict[str, object]:
    """The config as JSON has it, fit for a reader that did not train it: sets in order, inference mode on."""
    values = {name: sorted(value) if isinstance(value, set) else value for name, value in config.to_dict().items()}
    return values | {"inference_mode": True}

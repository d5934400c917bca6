"""LoRA (Hu et al. 2021): train small matrices beside a frozen policy. The policy without them is the reference."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.disk import writing
from models.policy import seeded
from models.tokenizer import ModelError, require_folder

ADAPTER = "default"  # peft's own name for the only adapter


def apply_lora(
    model: PreTrainedModel, *, rank: int, alpha: float, target_modules: Sequence[str], seed: int
) -> PeftModel:
    """Freeze `model` and put a trainable adapter W + (alpha / rank) B A beside each target layer; B starts at 0.

    `model` is changed in place and lives on inside the result. Raises ModelError naming targets that it has not.
    """
    names = {name.rpartition(".")[2] for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    unknown = sorted(set(target_modules) - names)
    if unknown:
        raise ModelError(
            f"model.lora_target_modules: the model has no {unknown}; its linear layers are {sorted(names)}"
        )
    with seeded(seed):
        return get_peft_model(model, _adapter_config(rank, alpha, target_modules), adapter_name=ADAPTER)


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


def export_adapter(model: PeftModel) -> dict[str, Tensor]:
    """A copy of the adapter's tensors as they are now, by peft's names, on the CPU: what travels to an engine."""
    tensors = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}


def write_adapter(folder: Path, tensors: Mapping[str, Tensor], *, alpha: float) -> None:
    """A folder in peft's own layout, which `load_lora` and vLLM's LoRARequest read.

    Rank and targets are read off `tensors`, which come from `export_adapter`; their scale `alpha` cannot be.
    """
    rank = next(tensor.shape[0] for name, tensor in tensors.items() if name.endswith("lora_A.weight"))
    config = _adapter_config(rank, alpha, {name.split(".")[-3] for name in tensors})
    config.inference_mode = True
    config.save_pretrained(folder)
    with writing(folder):
        save_file(dict(tensors), folder / "adapter_model.safetensors", metadata={"format": "pt"})


def merge_lora(model: PeftModel) -> PreTrainedModel:
    """The plain policy with the adapter added into its weights. Consumes `model`: do not use it afterwards."""
    return model.merge_and_unload(safe_merge=True)


def _adapter_config(rank: int, alpha: float, target_modules: Iterable[str]) -> LoraConfig:
    return LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=sorted(target_modules),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
    )

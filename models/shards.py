"""Optimiser shards as DeepSpeed keeps them: pickles, which may name tensors, plain values and a few of its classes.

DeepSpeed would load whatever they name, and a pickle that names a function calls it. A manifest's SHA-256 tells damage
from what was saved, and not who has saved it: so here PyTorch's restricted unpickler is put in its way.
"""

import contextlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import torch

from models.tokenizer import ModelError

_FORCE = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # torch's own switch, stronger than what a caller of torch.load asks for


@contextlib.contextmanager
def restricted_loading(folder: Path) -> Iterator[None]:
    """Within it, `torch.load` refuses all else in this process. Raises ModelError where something in `folder` was."""
    from deepspeed.runtime.fp16.loss_scaler import LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    before = os.environ.get(_FORCE)
    os.environ[_FORCE] = "1"
    try:
        with torch.serialization.safe_globals([LossScaler, ZeroStageEnum, fragment_address]):
            yield
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{folder} holds more than numbers, and was not loaded; a checkpoint of ours never does: {_reason(error)}"
        ) from error
    finally:
        if before is None:
            del os.environ[_FORCE]
        else:
            os.environ[_FORCE] = before


def _reason(error: Exception) -> str:
    """The line that names what is in the way, among advice to load it nevertheless."""
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if "nsupported" in line or "GLOBAL" in line), lines[0])

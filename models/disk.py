"""A full disk by one name: torch and safetensors report it in classes of their own, which nobody waits for."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

_CODE = re.compile(r"\(os error (\d+)\)")  # in what safetensors says
_TORCH_WRITER = ("PytorchStreamWriter", "inline_container.cc")  # in what torch.save says of its writer


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Within it, weights are written below `path`, and what the disk refuses is an OSError."""
    try:
        yield
    except SafetensorError as error:
        code = _CODE.search(str(error))
        if code is None:
            raise
        raise OSError(int(code[1]), os.strerror(int(code[1])), str(path)) from error
    except RuntimeError as error:
        if not any(name in str(error) for name in _TORCH_WRITER):
            raise
        raise OSError(f"{path} cannot be written, as when a disk is full") from error

"""What the disk refuses ends in an OSError, whichever library was writing."""

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from models.disk import writing

WEIGHTS = {"w": torch.zeros(100_000)}
WRITERS = {"safetensors": lambda path: save_file(WEIGHTS, path), "torch": lambda path: torch.save(WEIGHTS, path)}


@contextmanager
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 4 KiB; nor may the log of the tests, so it is for a moment only."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_refused_write_is_an_os_error(write: Callable[[Path], None], tmp_path: Path) -> None:
    with pytest.raises(OSError), writing(tmp_path), small_files():
        write(tmp_path / "weights")


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_a_write_that_works_is_left_alone(write: Callable[[Path], None], tmp_path: Path) -> None:
    with writing(tmp_path):
        write(tmp_path / "weights")
    assert (tmp_path / "weights").stat().st_size > 400_000


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), SafetensorError("no such tensor")])
def test_other_errors_stay_what_they_are(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error), match=str(error)), writing(tmp_path):
        raise error

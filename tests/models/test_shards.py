"""Pickles that would run something are refused, whoever asks torch to load them."""

import os
import pickle
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from models.shards import restricted_loading
from models.tokenizer import ModelError


class Malice:
    """Makes a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self._mark),)


def as_deepspeed_does(path: Path) -> object:
    return torch.load(path, map_location="cpu", weights_only=False)


@pytest.mark.parametrize("is_plain", [False, True])
def test_a_pickle_that_would_run_something_is_refused_by_name(is_plain: bool, tmp_path: Path) -> None:
    path, mark = tmp_path / "zero_pp_rank_0_mp_rank_00_optim_states.pt", tmp_path / "mark"
    content = {"optimizer_state_dict": Malice(mark)}
    path.write_bytes(pickle.dumps(content, 2)) if is_plain else torch.save(content, path)
    with pytest.raises(ModelError, match=r"holds more than numbers.*mkdir") as caught, restricted_loading(tmp_path):
        as_deepspeed_does(path)
    assert str(tmp_path) in str(caught.value)
    assert not mark.exists()
    as_deepspeed_does(path) if not is_plain else pickle.loads(path.read_bytes())
    assert mark.exists()  # so the test could have failed


def test_what_deepspeed_saves_is_loaded(tmp_path: Path) -> None:
    from deepspeed.runtime.fp16.loss_scaler import LossScaler
    from deepspeed.runtime.zero.config import ZeroStageEnum
    from deepspeed.utils.tensor_fragment import fragment_address

    saved = OrderedDict(
        a=torch.arange(3.0), b=LossScaler(scale=2.0), c=ZeroStageEnum.gradients, d=fragment_address(2, 3), e=None
    )
    torch.save(saved, tmp_path / "x.pt")
    with restricted_loading(tmp_path):
        loaded = as_deepspeed_does(tmp_path / "x.pt")
    assert loaded["a"].tolist() == [0.0, 1.0, 2.0]
    assert (loaded["b"].cur_scale, loaded["c"], loaded["d"], loaded["e"]) == (2.0, saved["c"], saved["d"], None)


@pytest.mark.parametrize("before", [None, "0"])
def test_it_ends_with_the_block(before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    monkeypatch.delenv(name, raising=False)
    if before is not None:
        monkeypatch.setenv(name, before)
    with restricted_loading(tmp_path):
        assert os.environ[name] == "1"
    assert os.environ.get(name) == before

"""What a pipeline refuses before it starts anything, through the command. In this process, as in `test_local.py`."""

from functools import partial
from pathlib import Path

import pytest

from rl.files import RunLock
from tests.cluster.conftest import Refuse


@pytest.fixture
def refuse(refuse_recipe: Refuse) -> Refuse:
    return partial(refuse_recipe, "r1_smoke")


def corpus(path: Path, **settings: object) -> str:
    settings = {"path": path, **settings}
    return f"stages.pretrain.corpus.sources=[{{{', '.join(f'{key}: {value}' for key, value in settings.items())}}}]"


def test_a_bad_recipe_makes_no_directory(refuse: Refuse, tmp_path: Path) -> None:
    assert refuse("stages.ppo.start_from=nobody") == (
        "error: override: stage ppo: start_from = 'nobody': no stage has this name"
    )
    assert not (tmp_path / "runs").exists()


def test_a_data_file_that_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    assert refuse(corpus(tmp_path / "no.jsonl")) == f"error: stage pretrain: {tmp_path}/no.jsonl: no such file"


def test_broken_rows_beyond_the_limit(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": \n')
    error = refuse(corpus(path), "stages.pretrain.corpus.max_broken_rows=0")
    assert error.startswith(f"error: stage pretrain: {path}:2: not JSON (")
    assert error.endswith("; more than corpus.max_broken_rows = 0 rows are broken")


def test_a_file_in_another_encoding(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("schön".encode("latin-1"))
    error = refuse(corpus(path, language="de"))
    assert error == f"error: stage pretrain: {path}:1: byte 0xf6 is not utf-8; set the encoding that the file is in"


def test_a_corpus_without_a_document(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n\n\n")
    error = refuse(corpus(path))
    assert error == "error: stage pretrain: there is no document to train on: all are empty, too long, or held out"


def test_too_few_bytes_for_all_letters(refuse: Refuse) -> None:
    assert refuse("model.vocab_size=100").startswith("error: stage pretrain: model.vocab_size is 100: 256 bytes")


def test_a_reward_from_a_stage_that_makes_none(refuse: Refuse) -> None:
    assert refuse("stages.ppo.reward_from=sft") == (
        "error: override: stage ppo: reward_from = 'sft': that stage makes no reward model"
    )


def test_a_pipeline_in_use(refuse: Refuse, tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "mine"
    folder.mkdir(parents=True)
    with RunLock(folder):
        assert refuse(code=1).startswith(f"error: run directory {folder} is in use by ")
    assert not (folder / "stages").exists()

"""What a pipeline refuses before it starts anything, through the command. In this process, as in `test_local.py`."""

from functools import partial
from pathlib import Path

import pytest

from rl.files import RunLock
from rl.load_pipeline import load_pipeline
from rl.pipeline import begin, complete, inputs_of
from tests.cluster.conftest import Refuse
from tests.rl.test_pipeline import fake


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


def test_an_encoding_that_nobody_knows(refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("text")
    error = refuse(corpus(path, encoding="utf-7b"))
    assert error == f"error: stage pretrain: {path}: encoding 'utf-7b' is not known; utf-8, utf-16 and latin-1 are"


@pytest.fixture
def pretrained(tmp_path: Path) -> Path:
    """What the first stage would leave: the folder of its policy."""
    plan = load_pipeline("r1_smoke", [f"run.folder={tmp_path / 'runs'}", "run.name=mine"])
    stage = plan.stages[0]
    begin(plan, stage, inputs_of(plan, stage))
    fake(plan, stage.name, seed=1)
    complete(plan, stage)
    return plan.directory(stage.name) / "policy"


def test_a_tokenizer_that_changed_between_stages(refuse: Refuse, pretrained: Path) -> None:
    (pretrained / "tokenizer.json").write_text("other tokens")
    assert refuse() == (
        f"error: stage pretrain: the tokenizer in {pretrained} has changed since it was trained; restore it, or remove "
        f"{pretrained.parent} to train the stage again"
    )


def test_output_of_a_stage_that_is_missing(refuse: Refuse, pretrained: Path) -> None:
    pretrained.rename(pretrained.with_name("elsewhere"))
    assert refuse() == (
        f"error: stage pretrain: it is finished, but its output {pretrained} is missing; restore it, or remove "
        f"{pretrained.parent} to train the stage again"
    )


def test_broken_dialogs_of_a_stage_that_samples_its_own(refuse: Refuse, tmp_path: Path) -> None:
    """Found before any worker starts."""
    path = tmp_path / "a.jsonl"
    path.write_text('{"question": "1 + 1?", "answer": "2"}\n{"question": "1 + 2?", "answer": ""}\n')
    error = refuse(
        "stages.0={name: sft, kind: sft, start_from: null, tasks: {mix: [{scenario: arithmetic-dialog}]},"
        f" demonstrations: {{files: [{{path: {path}}}], max_broken_rows: 0, rejection: {{num_tasks: 1}}}},"
        " rollout: {max_prompt_length: 24, max_response_length: 8, kv_cache_gib: 0.1},"
        " rewards: {weights: {answer.correct: 1.0}}}",
        "stages.1.name=more",
    )
    assert error == (
        f"error: stage sft: {path}:2: 'answer' is missing or empty; more than demonstrations.max_broken_rows = 0 rows "
        "are broken"
    )


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

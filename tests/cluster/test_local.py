"""What `zero2one train` refuses before it starts anything. In this process, so that torch and Ray are imported once."""

from functools import partial
from pathlib import Path

import pytest

from rl.files import RunLock
from tests.cluster.conftest import Refuse


@pytest.fixture
def refuse(refuse_recipe: Refuse) -> Refuse:
    return partial(refuse_recipe, "r1_zero_smoke")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("none.jsonl", None, "none.jsonl: no such file; give a .jsonl, .csv or .parquet file"),
        ("empty.jsonl", "", "empty.jsonl: holds no questions; at least one row with 'question' and 'answer' is needed"),
        ("bad.jsonl", '{"question": "1+1?", "answer": 2}\n{"question": ', "bad.jsonl:2: not JSON"),
        ("bad.jsonl", '{"question": "1+1?"}\n', "bad.jsonl:1: 'answer' missing or empty"),
        ("bad.csv", "question,answer\n1+1?,2\n2+2?,four\n", "bad.csv:3: 'answer' holds no number: 'four'"),
    ],
)
def test_a_data_file(name: str, text: str | None, message: str, refuse: Refuse, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    error = refuse(f"tasks.questions={tmp_path / name}", "tasks.mix=[{scenario: questions}]")
    assert error.startswith(f"error: {tmp_path}/{message}")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("setting", ["tasks.files", "rewards.files"])
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import math\n\nmath.sqrt(-1)\n", ":3: ValueError: math domain error"),
        ("def f(:\n", ":1: SyntaxError: "),
        ("x = 1\n", ":1: defines no "),
        (None, ":1: no such Python file"),
    ],
)
def test_a_file_of_the_users_own(setting: str, text: str | None, message: str, refuse: Refuse, tmp_path: Path) -> None:
    path = tmp_path / "my_own.py"
    if text is not None:
        path.write_text(text)
    assert refuse(f"{setting}=[{path}]").startswith(f"error: {path}{message}")
    assert not (tmp_path / "runs").exists()


def test_names_that_do_not_exist(refuse: Refuse, tmp_path: Path) -> None:
    assert "unknown scenario 'arithmetik'" in refuse("tasks.mix=[{scenario: arithmetik}]")
    assert "did you mean answer.correct" in refuse("rewards.weights={answer.corect: 1.0}")
    assert not (tmp_path / "runs").exists()


def test_a_model_folder_that_is_not_there(refuse: Refuse, tmp_path: Path) -> None:
    error = refuse(f"model.name_or_path={tmp_path}/no-model")
    assert error.startswith(f"error: no folder '{tmp_path}/no-model': expected a Hugging Face model folder")


def test_a_folder_without_a_model(refuse: Refuse, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert f"'{tmp_path}/empty' has no tokenizer_config.json" in refuse(f"model.name_or_path={tmp_path}/empty")


def test_too_little_hardware(refuse: Refuse, tmp_path: Path) -> None:
    assert "needs GPUs and there are none" in refuse("rollout.weight_transfer=nccl")
    assert not (tmp_path / "runs").exists()


def test_a_refused_run_leaves_no_model_to_the_next(refuse: Refuse, tmp_path: Path) -> None:
    """The next one of this name may have another seed or preset, and must not train what it finds."""

    def weights(seed: int) -> bytes:
        assert "not enough memory" in refuse("rollout.kv_cache_gib=100000", f"run.seed={seed}")
        files = sorted((tmp_path / "runs" / "mine").rglob("*.safetensors"))
        return b"".join(file.read_bytes() for file in files)

    first, second = weights(seed=1), weights(seed=2)
    assert not first or first != second


def test_a_run_directory_in_use(refuse: Refuse, tmp_path: Path) -> None:
    run_dir = tmp_path / "runs" / "mine"
    run_dir.mkdir(parents=True)
    with RunLock(run_dir):
        error = refuse(code=1)
    assert error.startswith(f'error: run directory {run_dir} is in use by {{"pid": ')
    assert not (run_dir / "model").exists()


def test_a_run_that_is_there_already(refuse: Refuse, tmp_path: Path) -> None:
    run_dir = tmp_path / "runs" / "mine"
    run_dir.mkdir(parents=True)
    (run_dir / "metrics.jsonl").touch()
    error = refuse()
    assert error.startswith(f"error: run.name = mine: {run_dir} holds a run already; add --resume to go on with it")
    assert [path.name for path in run_dir.iterdir()] == ["metrics.jsonl"]


def test_nothing_to_resume(refuse: Refuse, tmp_path: Path) -> None:
    assert refuse("--resume") == f"error: --resume: there is no run to go on with in {tmp_path}/runs/mine"
    assert not (tmp_path / "runs").exists()

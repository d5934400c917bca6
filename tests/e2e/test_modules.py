"""The real commands, from a recipe that trains modules to all of them answering in one engine."""

import json
from pathlib import Path

import pytest

from tests.e2e.runs import Finished, command, train

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PIPELINE = "r1_modules_smoke"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return train(tmp_path_factory.mktemp("modules"), recipe=PIPELINE)


def test_every_stage_with_a_name_for_it_makes_a_module(whole: Finished) -> None:
    listed = command("modules", "list", whole.run_dir / "modules", "--json")
    assert listed.returncode == 0, listed.stderr
    maths, reasoning = json.loads(listed.stdout)
    assert (maths["name"], reasoning["name"]) == ("math", "reasoning")
    assert reasoning["metrics"]["max_logprob_gap"] <= 1e-4
    for stage in whole.run_dir.glob("stages/*/checkpoints/*"):
        assert (stage / "policy" / "model.safetensors").exists() == (stage.parents[1].name == "base")
    assert "router: right module for held-out openings" in whole.output
    assert "- math: the module is in `modules/math`" in (whole.run_dir / "report.md").read_text()


def test_what_is_done_is_not_done_again(whole: Finished) -> None:
    same = train(whole.run_dir.parent, recipe=PIPELINE)
    assert same.output.count("skip, for it is finished, and its inputs have not changed") == 3


def test_all_answer_in_one_engine(whole: Finished) -> None:
    folder = whole.run_dir / "modules"
    merged = command("modules", "merge", folder, "both", "math=0.5", "reasoning=1")
    assert merged.stdout == f"module both of rank 4 in {folder}/both\n", merged.stderr
    done = command("modules", "eval", folder, "--tasks", "4", "--json", timeout_seconds=400.0)
    assert done.returncode == 0, done.stderr
    cells = json.loads(done.stdout)
    contestants = {cell["contestant"]: cell for cell in cells if cell["domain"] == "math"}
    assert list(contestants) == ["base", "both", "math", "reasoning", "router", "router per turn"]
    assert contestants["both"]["answered_by"] == {"both": 1.0}
    assert contestants["router"]["answered_by"]["math"] > 0.5
    assert {cell["num_dialogs"] for cell in cells} <= {1, 2, 3, 4}


def test_a_damaged_module_is_refused_before_anything_starts(whole: Finished, tmp_path: Path) -> None:
    file = whole.run_dir / "modules" / "math" / "adapter_model.safetensors"
    content = file.read_bytes()
    file.write_bytes(content[:-4] + b"oops")
    try:
        refused = command("modules", "eval", whole.run_dir / "modules")
        assert refused.returncode == 2
        assert refused.stderr == f"error: module 'math': {file} has changed since it was written\n"
    finally:
        file.write_bytes(content)

"""What a node is asked before a run starts. Whole clusters: tests/e2e/test_cluster.py."""

from importlib import metadata
from pathlib import Path

import pytest

from cluster.preflight import Needs, leave_mark, missing_marks, needs_of, problems_here
from rl.load_config import load_config

WORDS = {"node-a": "one", "node-b": "two"}


def test_a_node_like_this_one_has_all_it_needs() -> None:
    assert problems_here(needs_of(load_config("r1_zero_smoke"))) == []


def test_other_versions_are_named() -> None:
    needs = Needs({"ray": metadata.version("ray"), "torch": "1.0", "no-such-package": "3"}, {})
    assert problems_here(needs) == [
        f"torch {metadata.version('torch')} is installed, the driver has 1.0",
        "no-such-package none is installed, the driver has 3",
    ]


def test_files_and_models_that_are_not_there_are_named(tmp_path: Path) -> None:
    there, gone = tmp_path / "there", tmp_path / "gone"
    there.mkdir()
    (there / "part-0.jsonl").touch()
    overrides = [f"model.name_or_path={gone}", f"tasks.questions={there}/*.jsonl", f"rewards.files=[{gone}/mine.py]"]
    assert sorted(problems_here(needs_of(load_config("r1_zero_smoke", overrides)))) == [
        f"{gone} (model.name_or_path) is not there",
        f"{gone}/mine.py (a file of the recipe) is not there",
    ]


def test_a_hub_id_is_no_folder() -> None:
    assert needs_of(load_config("r1_zero_smoke", ["model.name_or_path=owner/model"])).paths == {}


def test_marks_of_nodes_that_share_the_folder(tmp_path: Path) -> None:
    marks = tmp_path / "runs" / ".preflight-1"
    for node, word in WORDS.items():
        assert leave_mark(marks, node, word) == []
    assert missing_marks(marks, WORDS) == []


@pytest.mark.parametrize("left", [None, "something else"])
def test_a_folder_that_is_not_shared_is_found(left: str | None, tmp_path: Path) -> None:
    """What node b wrote lies elsewhere, or this is what an earlier node of its name has left."""
    marks = tmp_path / ".preflight-1"
    leave_mark(marks, "node-a", WORDS["node-a"])
    if left is not None:
        leave_mark(marks, "node-b", left)
    [problem] = missing_marks(marks, WORDS)
    assert problem == f"what node-b has written into run.folder is not there: {tmp_path} is not shared"


def test_a_folder_that_cannot_be_written_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    [problem] = leave_mark(tmp_path / "file" / ".preflight-1", "node-a", "one")
    assert problem.startswith("run.folder cannot be written: ")

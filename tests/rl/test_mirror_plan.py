"""What is sent and removed, and in which order."""

from pathlib import Path

import pytest

from rl.mirror_plan import UNKNOWN, Action, Stamp, checkpoint_of, look, plan

OLD, NEW = Stamp(size=1, modified=1), Stamp(size=1, modified=2)
C = "checkpoints/step-000004"
MANIFEST, WEIGHTS, STATE = f"{C}/manifest.json", f"{C}/policy/model.safetensors", f"{C}/state.json"
PART = "trajectories/train-000003-part000.parquet"


def words(actions: list[Action]) -> list[str]:
    return [f"{action.kind} {action.name}" for action in actions]


def test_a_manifest_comes_after_all_that_its_checkpoint_needs() -> None:
    here = dict.fromkeys([MANIFEST, WEIGHTS, STATE, PART, "metrics.jsonl"], OLD)
    sent = words(plan(here, {}))
    assert sent[:2] == ["send metrics.jsonl", f"send {PART}"]
    assert sent[2:] == [f"send {WEIGHTS}", f"send {STATE}", f"send {MANIFEST}"]


def test_nothing_is_sent_twice() -> None:
    here = dict.fromkeys([MANIFEST, WEIGHTS, PART], OLD)
    assert plan(here, here) == []
    assert words(plan(here | {PART: NEW}, here)) == [f"send {PART}"]


def test_a_time_of_the_other_side_is_no_change() -> None:
    assert plan({PART: OLD}, {PART: OLD.model_copy(update={"changed": 9})}) == []


def test_a_checkpoint_that_is_saved_anew_is_incomplete_until_it_is_all_there() -> None:
    there = dict.fromkeys([MANIFEST, WEIGHTS, STATE], OLD)
    actions = words(plan({MANIFEST: NEW, WEIGHTS: NEW, STATE: OLD}, there))
    assert actions == [f"remove {MANIFEST}", f"send {WEIGHTS}", f"send {MANIFEST}"]


def test_a_checkpoint_is_removed_manifest_first_and_as_a_whole() -> None:
    there = dict.fromkeys([MANIFEST, WEIGHTS, PART], OLD)
    assert words(plan({}, there)) == [f"remove {MANIFEST}", f"clear {C}", f"remove {PART}"]


def test_the_rest_of_a_checkpoint_whose_head_alone_is_here_stays() -> None:
    assert plan({MANIFEST: OLD, STATE: OLD}, dict.fromkeys([MANIFEST, STATE, WEIGHTS], OLD)) == []


def test_what_lies_there_unknown_is_replaced_or_removed() -> None:
    assert words(plan({PART: OLD}, {PART: UNKNOWN, "left": UNKNOWN})) == [f"send {PART}", "remove left"]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        (WEIGHTS, C),
        (f"stages/ppo/{STATE}", f"stages/ppo/{C}"),
        (PART, None),
        ("checkpoints/readme", None),
        ("checkpoints/step-4/x", None),
    ],
)
def test_files_of_checkpoints(name: str, folder: str | None) -> None:
    assert checkpoint_of(name) == folder


def test_only_complete_files_are_looked_at(tmp_path: Path) -> None:
    for name in ["metrics.jsonl", ".metrics.jsonl.tmp", "checkpoints/.step-000004.saving/state.json", "control/stop"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "metrics.jsonl")
    (tmp_path / "folder").symlink_to("/")
    assert list(look(tmp_path)) == ["metrics.jsonl"]

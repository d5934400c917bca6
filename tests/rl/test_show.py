import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from envs.task import Outcome
from rl.batch import pack
from rl.show import printable, show
from rl.store import Query, StoreError, TrajectoryStore
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory


@pytest.fixture
def run(tmp_path: Path) -> Path:
    store = TrajectoryStore(tmp_path, DIMENSIONS)
    good = scored(trajectory(request(12, 3), ("3", "4"), version=11), [1.5, -0.25])
    odd = scored(trajectory(request(12, 4), ("[red]\x1b[2J",), status="truncated", finish="length"), [0.0])
    store.write([good, odd, lost(request(12, 5))])
    store.write([scored(trajectory(request(0, 0, purpose="eval")), [0.5])])
    batch = pack([good, odd], reward_clip=10)
    store.write_advantages(12, [good.trajectory, odd.trajectory], batch.turn_index, np.full(batch.tokens.shape, 0.75))
    return tmp_path


def shown(run_dir: Path, query: Query, **options: object) -> str:
    console = Console(file=io.StringIO(), width=110, force_terminal=False)
    show(run_dir, query, console=console, **options)  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_dialog_turn_by_turn(run: Path) -> None:
    text = shown(run, Query(ids=("train-12-3-0",)))
    for part in (
        "train-12-3-0  arithmetic/en/0/3  ok",
        "What is 3 + 0?  [integer: 3]",
        "What is 3 + 1?  [integer]",
        "reward +1.500, success 1, 1 tokens, advantage +0.750",
        "math.correct 1.5, 1 at zero, 1 abstained",
        "reward -0.250, success 0",
        "iteration 12, weights 11, 2 of 12 tokens its own, 1.10 s, rollout-0",
    ):
        assert part in text


def test_model_written_text_cannot_steer_the_terminal(run: Path) -> None:
    text = shown(run, Query(ids=("train-12-4-0",)))
    assert "[red]\\x1b[2J  [cut off by the length limit]" in text
    assert "\x1b" not in text


def test_printable_keeps_every_script() -> None:
    for text in ("नमस्ते क्‍ष", "می‌خواهم", "日本語　です", "l’été\u202f!", "a\nb"):
        assert printable(text) == text
    assert printable("\u202eevil\x07") == "\\x202eevil\\x07"


def test_a_failed_episode_shows_its_error(run: Path) -> None:
    text = shown(run, Query(status="failed"))
    assert "train-12-5-0" in text
    assert "worker rollout-1 died: exit code 137" in text
    assert "weights none, 0 of 0 tokens" in text


def test_order_and_limit(run: Path) -> None:
    def found(**options: object) -> list[str]:
        text = shown(run, Query(), **options)
        return [line.split()[1] for line in text.splitlines() if line.startswith("╭")]

    assert found(sort="oldest", limit=2) == ["eval-0-0-0", "train-12-3-0"]
    assert found(sort="newest", limit=1) == ["train-12-3-0"]
    assert found(sort="best", limit=2) == ["train-12-3-0", "eval-0-0-0"]
    assert found(sort="worst", limit=2) == ["train-12-4-0", "eval-0-0-0"]


def test_nothing_found_says_what_there_is(run: Path) -> None:
    text = shown(run, Query(min_reward=100))
    assert text.startswith("No trajectory matches.")
    assert "eval iterations 0 to 0 and train iterations 12 to 12" in " ".join(text.split())


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere is not a run directory"):
        shown(tmp_path / "nowhere", Query())


def test_who_spoke_and_what_came_of_it(tmp_path: Path) -> None:
    asked = replace(request(3), role="user", opponent="opponents/step-40")
    said = replace(trajectory(asked, ("four",)), outcome=Outcome(success=0.25))
    vain = replace(trajectory(replace(request(4), role="proposer")), outcome=Outcome(valid=False))
    TrajectoryStore(tmp_path, DIMENSIONS).write([scored(said), scored(vain)])
    text = shown(tmp_path, Query(ids=("train-3-0-0-user",)))
    for part in ("told       What is 0 + 0?", "user       four", "opponent opponents/step-40", "others' success 0.25"):
        assert part in text
    assert "nothing that somebody else could deal with" in shown(tmp_path, Query(ids=("train-4-0-0-proposer",)))

"""Ratings through the command: collected, handed on, and turned into weights."""

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from cluster import cli
from rewards.score import judge
from rl.load_config import save_config
from rl.ratings import read_ratings
from rl.store import TrajectoryStore
from rl.tasks import build_scorer
from rl.trajectory import Score, Scored
from tests.rl.builders import request, trajectory
from tests.rl.fakes import small_config


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Answers of one to eight characters in a run whose reward pays for the long ones."""
    config = small_config("rewards.weights={length.concise: -1.0, termination.ended: 0.5}")
    dimensions, dialogs = build_scorer(config).dimensions, []
    for group in range(80):
        for sample in range(2):
            dialog = trajectory(request(0, group, sample), ("7" * (1 + 7 * sample),))
            vector = np.array([[judge(dimension, dialog.transcript) for dimension in dimensions]], np.float32)
            dialogs.append(Scored(dialog, Score(vector, vector[:, 0], vector[:, 0])))
    run_dir = tmp_path / "run"
    TrajectoryStore(run_dir, [dimension.name for dimension in dimensions]).write(dialogs)
    save_config(config, run_dir / "config.yaml")
    return run_dir


def type_in(monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))


def test_rate_asks_and_goes_on_where_it_stopped(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    type_in(monkeypatch, "1", "=", "q")
    assert cli.main(["rate", str(run), "--rater", "ana"]) == 0
    assert "2 ratings of ana saved, 78 dialogs or pairs left" in capsys.readouterr().out
    type_in(monkeypatch, "2")  # and then the input ends, as with Ctrl-D
    assert cli.main(["rate", str(run), "--rater", "ana"]) == 0
    assert "1 ratings of ana saved, 77" in capsys.readouterr().out
    assert [rating.value for rating in read_ratings(run)] == [1, 0, -1]


def test_from_a_file_of_ratings_to_new_weights(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "ratings.jsonl"
    rows = [
        {"rater": "ana", "kind": "pair", "dialog": f"train-0-{g}-0", "other": f"train-0-{g}-1", "value": 1}
        for g in range(80)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert cli.main(["ratings", "import", str(run), str(path)]) == 0
    assert cli.main(["ratings", "fit", str(run)]) == 0
    printed = capsys.readouterr().out
    assert "80 ratings added, 0 were there already; 0 broken rows skipped" in printed
    assert "held-out agreement 0.0% before, 100.0% after: correction 1" in printed
    assert "the run uses it from its next iteration on" in printed
    assert cli.main(["ratings", "report", str(run)]) == 0
    assert "80 ratings: 80 of pairs by 1 rater." in capsys.readouterr().out
    assert cli.main(["ratings", "report", str(run), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["ratings"] == 80
    pairs = tmp_path / "pairs.parquet"
    assert cli.main(["ratings", "export", str(run), str(pairs), "--pairs"]) == 0
    assert f"80 pairs in {pairs}; 0 left out" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{]", "ratings.jsonl:1: not JSON"),
        ('{"rater": "ana", "kind": "thumbs", "dialog": "train-9-9-9", "value": 1}', "there is no dialog train-9-9-9"),
    ],
)
def test_bad_ratings_are_one_message_and_code_2(
    line: str, message: str, run: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    path = tmp_path / "ratings.jsonl"
    path.write_text(line + "\n")
    assert cli.main(["ratings", "import", str(run), str(path)]) == 2
    assert message in capsys.readouterr().err
    assert cli.main(["ratings", "fit", str(run)]) == 2
    assert "has no ratings yet" in capsys.readouterr().err

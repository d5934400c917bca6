import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from rl.rating_files import PAIR_SCHEMA, export_pairs, export_ratings, import_ratings
from rl.ratings import Rating, read_ratings
from rl.rows import DataFileError
from rl.store import TrajectoryStore
from tests.rl.builders import DIMENSIONS, request, scored, trajectory

UP = {"rater": "ana", "kind": "thumbs", "dialog": "train-0-0-0", "value": 1}
PAIR = {"rater": "bob", "kind": "pair", "dialog": "train-0-0-0", "other": "train-0-0-1", "value": -1}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    run_dir = tmp_path / "run"
    dialogs = [
        scored(trajectory(request(0, group, sample), ("hello", f"answer {sample}")))
        for group in range(3)
        for sample in range(3)
    ]
    TrajectoryStore(run_dir, DIMENSIONS).write(dialogs)
    return run_dir


def jsonl(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "ratings.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_what_is_exported_can_be_imported(run: Path, tmp_path: Path, suffix: str) -> None:
    words = {"rater": "bob", "kind": "text", "dialog": "train-0-1-0", "text": "höflich"}
    import_ratings(run, jsonl(tmp_path, UP, PAIR, words), max_broken=0)
    ratings = read_ratings(run)
    path = tmp_path / f"out.{suffix}"
    assert export_ratings(run, path) == 3
    again = import_ratings(run, path, max_broken=0)
    assert (again.num_new, again.num_known) == (0, 3)
    (run / "feedback" / "ratings.jsonl").unlink()
    assert import_ratings(run, path, max_broken=0).num_new == 3
    assert read_ratings(run) == ratings


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ("{", r"ratings\.jsonl:2: not JSON"),
        ({"rater": "ana", "kind": "thumbs"}, r"ratings\.jsonl:2: no 'dialog'"),
        (UP | {"value": 3}, r"ratings\.jsonl:2: value 3 is not one of -1, 1"),
        (UP | {"dialog": "train-8-0-0"}, r"ratings\.jsonl:2: there is no dialog train-8-0-0 in this run"),
        (UP | {"value": -1}, r"ratings\.jsonl:2: contradicts ana, .* before, and not -1 \(.*ratings\.jsonl:1\)"),
        (PAIR | {"other": "train-0-1-0"}, "ratings.jsonl:2: .* are not two answers to the same question"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_or_counted(
    run: Path, tmp_path: Path, row: dict[str, Any] | str, cause: str
) -> None:
    path = jsonl(tmp_path, UP, row, PAIR)
    with pytest.raises(DataFileError, match=cause + ".*more than --max-broken = 0 rows are broken"):
        import_ratings(run, path, max_broken=0)
    assert not read_ratings(run)  # all of a file, or nothing
    done = import_ratings(run, path, max_broken=1)
    assert (done.num_new, done.broken.num_rows) == (2, 1)


def test_pairs_for_a_reward_model(run: Path, tmp_path: Path) -> None:
    tie = PAIR | {"dialog": "train-0-0-2", "value": 0}
    stars = [UP | {"kind": "stars", "dialog": f"train-0-1-{n}", "value": 5 - n} for n in range(2)]
    import_ratings(run, jsonl(tmp_path, PAIR, tie, *stars), max_broken=0)
    path = tmp_path / "pairs.parquet"
    assert export_pairs(run, path) == (2, 1)
    table = pq.read_table(path)
    assert table.schema.equals(PAIR_SCHEMA)
    assert table.to_pylist()[0] == {
        "messages": [
            {"role": "user", "content": "What is 0 + 0?"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "What is 0 + 1?"},
        ],
        "chosen": "answer 1",
        "rejected": "answer 0",
        "language": "en",
        "rater": "bob",
    }
    assert [row["chosen"] for row in table.to_pylist()] == ["answer 1", "answer 0"]


def test_ratings_are_frozen_and_whole(run: Path, tmp_path: Path) -> None:
    import_ratings(run, jsonl(tmp_path, UP | {"text": "short", "note": "ignored"}), max_broken=0)
    assert read_ratings(run) == [Rating("ana", "thumbs", "train-0-0-0", value=1, text="short")]

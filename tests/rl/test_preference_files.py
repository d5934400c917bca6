"""Pairs from files: three layouts, and rows that are none."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rl.preference_files import from_files
from rl.preferences import Preference
from rl.rows import Broken, DataFileError
from rl.stage_config import PairFileConfig

HH = {
    "chosen": "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Joke?\n\nAssistant: Knock\n\nknock.",
    "rejected": "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Joke?\n\nAssistant: No.",
}


def read(path: Path, *, limit: int = 10, **columns: str) -> tuple[list[Preference], Broken]:
    broken = Broken(limit, "preferences.max_broken_rows")
    return list(from_files([PairFileConfig(path=str(path), **columns)], broken)), broken


def jsonl(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_whole_dialogs(tmp_path: Path) -> None:
    [pair], _ = read(jsonl(tmp_path / "a.jsonl", HH))
    assert pair.chosen == (("Hi", "Hello."), ("Joke?", "Knock\n\nknock."))
    assert pair.rejected == (("Hi", "Hello."), ("Joke?", "No."))
    assert pair.source == "a.jsonl"


def test_packed_files_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(HH).encode()))
    [pair], _ = read(path)
    assert pair.rejected[-1] == ("Joke?", "No.")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataFileError, match=r"a\.jsonl\.gz: cannot be read"):
        read(path)


def test_a_prompt_and_two_answers(tmp_path: Path) -> None:
    rows = [
        {"prompt": "2+2=?", "chosen": "4", "rejected": "5"},
        {"prompt": "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:", "chosen": "d", "rejected": "e"},
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")
    (first, second), _ = read(tmp_path / "a.parquet", prompt_column="prompt")
    assert (first.chosen, first.rejected) == ((("2+2=?", "4"),), (("2+2=?", "5"),))
    assert (second.chosen, second.rejected) == ((("a", "b"), ("c", "d")), (("a", "b"), ("c", "e")))


def test_ratings_of_people(tmp_path: Path) -> None:
    said = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
    ]
    row = {"messages": said, "chosen": "d", "rejected": "e", "language": "en", "rater": "anna"}
    [pair], _ = read(jsonl(tmp_path / "a.jsonl", row), messages_column="messages")
    assert pair == Preference((("a", "b"), ("c", "d")), (("a", "b"), ("c", "e")), "a.jsonl", "Be brief.")
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "a.parquet")
    assert read(tmp_path / "a.parquet", messages_column="messages")[0][0].chosen == pair.chosen


@pytest.mark.parametrize(
    ("row", "columns", "cause"),
    [
        (HH | {"rejected": HH["chosen"]}, {}, "'chosen' and 'rejected' are the same"),
        (HH | {"chosen": ""}, {}, "'chosen' is missing or empty"),
        (HH | {"chosen": "Hello"}, {}, "'chosen': Human and Assistant must speak in turn, the Human first"),
        (HH | {"chosen": "\n\nHuman: a"}, {}, "'chosen' must end with what the Assistant says"),
        (HH | {"chosen": "\n\nHuman: \n\nAssistant: b"}, {}, "'chosen': somebody says nothing"),
        ({"prompt": 3, "chosen": "a", "rejected": "b"}, {"prompt_column": "prompt"}, "'prompt' is missing or empty"),
        (
            {"m": [{"role": "assistant", "content": "x"}], "chosen": "a", "rejected": "b"},
            {"messages_column": "m"},
            "'m': roles must be user and assistant in turn, a user last, not ['assistant']",
        ),
        ({"m": "x", "chosen": "a", "rejected": "b"}, {"messages_column": "m"}, "'m' is not a list of messages"),
        ({"chosen": "a"}, {}, "no 'rejected'"),
    ],
)
def test_a_row_that_is_no_pair_is_counted_and_named(
    row: object, columns: dict[str, str], cause: str, tmp_path: Path
) -> None:
    path = jsonl(tmp_path / "a.jsonl", row)
    found, broken = read(path, **columns)
    assert (found, broken.num_rows) == ([], 1)
    assert broken.examples[0].startswith(f"{path}:1: {cause}")
    with pytest.raises(DataFileError, match=r"a\.jsonl:1: .*; more than preferences.max_broken_rows = 0 rows"):
        read(path, limit=0, **columns)

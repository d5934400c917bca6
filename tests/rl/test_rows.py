"""Rows come out of files as they went in; what is wrong with one is said with file and line."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rl.rows import Broken, DataFileError, find_files, read_plain, read_rows


def broken(limit: int = 0) -> Broken:
    return Broken(limit, "corpus.max_broken_rows")


def texts(path: Path, limit: int = 0, encoding: str = "utf-8") -> list[str]:
    return [row.values["text"] for row in read_rows(path, ["text"], broken(limit), encoding=encoding)]


def test_jsonl_and_parquet_say_the_same(tmp_path: Path) -> None:
    rows = [{"text": f"line {number} äß中", "more": number} for number in range(3000)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=700)
    assert texts(tmp_path / "a.jsonl") == texts(tmp_path / "a.parquet") == [row["text"] for row in rows]


def test_broken_rows_are_counted_and_skipped_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "one"}\n{"text": \n[1]\n\n{"tex": "two"}\n{"text": "three"}\n')
    count = broken(3)
    assert [row.place for row in read_rows(path, ["text"], count)] == [f"{path}:1", f"{path}:6"]
    assert count.num_rows == 3
    with pytest.raises(DataFileError) as caught:
        list(read_rows(path, ["text"], broken(2)))
    assert str(caught.value) == f"{path}:5: no 'text'; more than corpus.max_broken_rows = 2 rows are broken"


@pytest.mark.parametrize(
    ("content", "encoding", "message"),
    [
        ("gut\nschön\n".encode("latin-1"), "utf-8", ":2: byte 0xf6 is not utf-8; set the encoding that the file is in"),
        ("gut\n".encode("utf-16"), "utf-8", ":1: is UTF-16, not utf-8; set encoding: utf-16"),
        (b"gut\n", "utf-88", ": encoding 'utf-88' is not known; utf-8, utf-16 and latin-1 are"),
    ],
)
def test_an_unknown_encoding_is_an_error_at_once(content: bytes, encoding: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(DataFileError) as caught:
        list(read_plain(path, encoding=encoding))
    assert str(caught.value) == f"{path}{message}"


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_a_known_encoding_is_read(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("schön\nund gut\n\nzwei\n", encoding)
    assert [row.values["text"] for row in read_plain(path, encoding=encoding)] == ["schön\nund gut", "zwei"]


def test_plain_documents_end_at_their_separator(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("one\n\nstill one\n<|endoftext|>\n<|endoftext|>\ntwo")
    rows = list(read_plain(path, separator="<|endoftext|>"))
    assert [(row.place, row.values["text"]) for row in rows] == [
        (f"{path}:1", "one\n\nstill one"),
        (f"{path}:6", "two"),
    ]


def test_what_is_not_there(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist([{"body": "x"}]), tmp_path / "a.parquet")
    with pytest.raises(DataFileError, match=r"a\.parquet: no column 'text'; it has body"):
        texts(tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"no parquet")
    with pytest.raises(DataFileError, match=r"b\.parquet: cannot be read: "):
        texts(tmp_path / "b.parquet")
    with pytest.raises(DataFileError, match=r"\*\.csv: no such file"):
        find_files(str(tmp_path / "*.csv"))
    with pytest.raises(DataFileError, match=r"must be a \.parquet, \.jsonl or \.jsonl\.gz file"):
        list(read_rows(tmp_path / "a.csv", ["text"], broken()))

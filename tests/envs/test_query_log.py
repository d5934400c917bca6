import json
from pathlib import Path

import pytest

from envs.query_log import Query, QueryLogError, read_queries

GOOD = {"time": "2026-03-01T09:30:00Z", "user": "ada", "topic": "sums", "language": "de"}


def write(folder: Path, *lines: object) -> str:
    file = folder / "log.jsonl"
    file.write_text("".join(line + "\n" if isinstance(line, str) else json.dumps(line) + "\n" for line in lines))
    return str(file)


def test_queries_come_by_time_whatever_their_form(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        GOOD | {"extra": [1]},
        "",
        {"time": 1772357399.5, "user": 17, "topic": "billing"},
        {"time": "2026-03-01T11:30:00+02:00", "user": " bob ", "topic": "math"},
        {"time": "2026-03-01 09:30:02", "user": "x", "topic": "y", "language": "en"},
    )
    assert read_queries(path) == [
        Query(1772357399.5, "17", "billing", "en"),
        Query(1772357400.0, "ada", "sums", "de"),
        Query(1772357400.0, "bob", "math", "en"),
        Query(1772357402.0, "x", "y", "en"),
    ]


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("{", "log.jsonl:2: not JSON"),
        ("[" * 100_000, "log.jsonl:2: not JSON"),
        ([1], "log.jsonl:2: a JSON list"),
        (GOOD | {"time": "yesterday"}, "log.jsonl:2: 'time' is 'yesterday'; it must be such as"),
        (GOOD | {"time": True}, "'time' is True"),
        (GOOD | {"time": 1e300}, "'time' is 1e"),
        (GOOD | {"time": None}, "'time' is None"),
        ('{"time": NaN, "user": 1, "topic": "x"}', "'time' is nan"),
        (GOOD | {"user": " "}, "log.jsonl:2: 'user' is ' '; it must be a name or a whole number"),
        ({"time": 1, "user": 1}, "'topic' is None"),
        (GOOD | {"language": ["en"]}, "'language' is"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: object, cause: str) -> None:
    with pytest.raises(QueryLogError) as caught:
        read_queries(write(tmp_path, GOOD, line))
    assert cause in str(caught.value)


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryLogError, match="no such file"):
        read_queries(str(tmp_path / "none.jsonl"))
    with pytest.raises(QueryLogError, match="holds no queries"):
        read_queries(write(tmp_path, ""))
    (tmp_path / "log.jsonl").write_bytes(b'{"user": "\xff"}')
    with pytest.raises(QueryLogError, match="not UTF-8"):
        read_queries(str(tmp_path / "log.jsonl"))

"""A log of real queries, from a JSONL file of the user's: what `envs/query_fit.py` fits a mixture to.

One object a line: `time` (ISO 8601, UTC where it names no zone, or seconds since 1970), `user` (any name or number),
`topic` (the name of a scenario, or else of a domain, or any word), and, if wanted, `language` (ISO 639-1, "en" where it
is missing). Other fields are ignored; lines may come in any order.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path


class QueryLogError(ValueError):
    """A log cannot be used. The message names the file, the line and what is allowed."""


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody asked about. `seconds` since 1970."""

    seconds: float
    user: str
    topic: str
    language: str


def read_queries(path: str) -> list[Query]:
    """All queries, by time. Raises `QueryLogError`."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise QueryLogError(f"{path}: no such file; give a .jsonl file, one query a line")
    try:
        queries = [_query(place, fields) for place, fields in _objects(file)]
    except UnicodeDecodeError as error:
        raise QueryLogError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from error
    if not queries:
        raise QueryLogError(f"{path}: holds no queries; each line needs 'time', 'user' and 'topic'")
    return sorted(queries, key=lambda query: query.seconds)


def _objects(file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            place = f"{file}:{number}"
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise QueryLogError(f"{place}: not JSON ({error}); each line must be one JSON object") from error
            if not isinstance(fields, dict):
                raise QueryLogError(f"{place}: a JSON {type(fields).__name__}; each line must be one JSON object")
            yield place, fields


def _query(place: str, fields: dict[str, object]) -> Query:
    return Query(
        _seconds(place, fields.get("time")),
        _name(place, "user", fields.get("user")),
        _name(place, "topic", fields.get("topic")),
        _name(place, "language", fields.get("language", "en")),
    )


def _name(place: str, field: str, value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    text = str(value).strip() if isinstance(value, str) or is_number else ""
    if not text:
        raise QueryLogError(f"{place}: {field!r} is {value!r:.80}; it must be a name or a whole number")
    return text


def _seconds(place: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12 and isfinite(value):
        return float(value)
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value.strip())
            return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    cause = "it must be such as '2026-03-01T09:30:00Z', or seconds since 1970"
    raise QueryLogError(f"{place}: 'time' is {value!r:.80}; {cause}")

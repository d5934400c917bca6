"""Ratings in and out of a run: files with the fields of `rl.ratings.Rating`, and pairs for a reward model."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rl.feedback import rated_records
from rl.files import write_whole
from rl.rating_pairs import Preference, messages_before, parting_turn, preferences
from rl.ratings import COLUMNS, REQUIRED, Item, Rating, RatingBook, RatingError, parse_rating, read_ratings
from rl.rows import Broken, Row, read_rows
from rl.store import Record

RATING_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("rater", "kind", "dialog", "other")),
        ("value", pa.int64()),
        ("text", pa.string()),
        ("wall_time", pa.float64()),
    ]
)
MESSAGE = pa.struct([("role", pa.string()), ("content", pa.string())])
PAIR_SCHEMA = pa.schema(
    [("messages", pa.list_(MESSAGE)), *((name, pa.string()) for name in ("chosen", "rejected", "language", "rater"))]
)


@dataclass(frozen=True, slots=True)
class Imported:
    num_new: int
    num_known: int
    broken: Broken


def import_ratings(run_dir: Path, path: Path, *, max_broken: int) -> Imported:
    """Add the ratings of a file. Nothing is added where more rows than `max_broken` cannot be used.

    Raises `rl.rows.DataFileError`, which names file and line.
    """
    broken = Broken(max_broken, "--max-broken")
    rows = read_rows(path, COLUMNS if path.suffix == ".parquet" else REQUIRED, broken)
    given = [(row, rating) for row in rows if (rating := _parsed(row, broken)) is not None]
    records = rated_records(run_dir, [rating for _, rating in given])
    book, places, num_known = RatingBook(run_dir), dict[Item, str](), 0
    for row, rating in given:
        try:
            _check(rating, records)
            if book.note(rating):
                places[rating.item] = row.place
            else:
                num_known += 1
        except RatingError as error:
            before = f" ({places[rating.item]})" if rating.item in places else ""
            broken.skip(row.place, f"{error}{before}")
    book.save()
    return Imported(len(places), num_known, broken)


def export_ratings(run_dir: Path, path: Path) -> int:
    """All ratings of the run; returns how many."""
    ratings = read_ratings(run_dir)
    _write(path, [asdict(rating) for rating in ratings], RATING_SCHEMA)
    return len(ratings)


def export_pairs(run_dir: Path, path: Path) -> tuple[int, int]:
    """Pairs of answers to the same messages, chosen and rejected. Returns how many there are, and how many were left
    out: what nobody prefers, and whole dialogs that part before their last turn or have different tasks.
    """
    ratings = read_ratings(run_dir)
    found = preferences(ratings, rated_records(run_dir, ratings))
    rows = [row for pair in found if (row := _pair_row(pair)) is not None]
    _write(path, rows, PAIR_SCHEMA)
    return len(rows), len(found) - len(rows)


def _parsed(row: Row, broken: Broken) -> Rating | None:
    try:
        return parse_rating(row.values)
    except RatingError as error:
        broken.skip(row.place, str(error))
        return None


def _check(rating: Rating, records: Mapping[str, Record]) -> None:
    for name in filter(None, (rating.dialog, rating.other)):
        if name not in records:
            raise RatingError(f"there is no dialog {name} in this run")
    if rating.other and parting_turn(records[rating.dialog], records[rating.other]) is None:
        raise RatingError(f"{rating.dialog} and {rating.other} are not two answers to the same question")


def _pair_row(pair: Preference) -> dict[str, Any] | None:
    turn = pair.turn
    if turn is None:  # two marks of whole dialogs say something of one answer where that is all that differs
        turn = parting_turn(pair.better, pair.worse)
        lengths = {len(record.trajectory.turns) for record in (pair.better, pair.worse)}
        if turn is None or lengths != {turn + 1}:
            return None
    if pair.tie:
        return None
    return {
        "messages": messages_before(pair.better, turn),
        "chosen": pair.better.trajectory.turns[turn].answer,
        "rejected": pair.worse.trajectory.turns[turn].answer,
        "language": pair.better.trajectory.request.task.language,
        "rater": pair.rater,
    }


def _write(path: Path, rows: Sequence[dict[str, Any]], schema: pa.Schema) -> None:
    try:
        match path.suffix:
            case ".jsonl":
                write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
            case ".parquet":
                buffer = pa.BufferOutputStream()
                pq.write_table(pa.Table.from_pylist(list(rows), schema), buffer, compression="zstd")
                write_whole(path, memoryview(buffer.getvalue()))
            case _:
                raise RatingError(f"{path}: must be a .parquet or .jsonl file")
    except OSError as error:
        raise RatingError(f"{path}: cannot be written: {error.strerror or error}") from error

"""The scenario `questions`: word problems with a number as their answer, from a file that the user names.

One row holds a question in the manner of GSM8K. Fields: `question`; `answer`, the number alone or a worked solution
that ends in "#### 18" or in the number; and, if wanted, `language` (ISO 639-1, "en" where it is missing). Others are
ignored. The format follows from the file's ending.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from envs.answers import decimal_text, final_number
from envs.family import Family, Level, asking
from envs.task import Question, Task

NAME = "questions"
REQUIRED = ("question", "answer")


class DataError(ValueError):
    """A file of questions cannot be used. The message names the file, the line and what is allowed."""


@dataclass(frozen=True, slots=True)
class Row:
    question: str
    answer: str  # the number alone, in plain digits
    language: str


def questions_family(path: str) -> Family:
    """Word problems from the file; the last number of the answer counts. Raises `DataError`."""
    rows: dict[str, list[Row]] = {}
    for row in read_questions(path):
        rows.setdefault(row.language, []).append(row)

    def plan(task: Task, number: int) -> tuple[Question, ...]:
        row = rows[task.language][number]
        return (Question(row.question, row.answer, "number"),)

    level = Level(asking(plan), lambda language: len(rows[language]))
    description = "Word problems from your own file; the last number of the answer counts."
    return Family(NAME, "math", description, (level,), tuple(sorted(rows)))


def read_questions(path: str) -> list[Row]:
    """All rows, in the file's order. Raises `DataError`."""
    file = Path(path).expanduser()
    if not file.is_file():
        raise DataError(f"{path}: no such file; give a .jsonl, .csv or .parquet file")
    match file.suffix.lower():
        case ".jsonl":
            places = _read_jsonl(file)
        case ".csv":
            places = _read_csv(file)
        case ".parquet":
            places = _read_parquet(file)
        case ending:
            raise DataError(f"{path}: the ending {ending!r} is unknown; allowed are .jsonl, .csv and .parquet")
    try:
        rows = [_row(place, fields) for place, fields in places]
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error}); save it as UTF-8") from error
    if not rows:
        raise DataError(f"{path}: holds no questions; at least one row with 'question' and 'answer' is needed")
    return rows


def _row(place: str, fields: dict[str, object]) -> Row:
    missing = [name for name in REQUIRED if fields.get(name) is None or not str(fields[name]).strip()]
    if missing:
        present = ", ".join(name for name in fields if name) or "none"
        raise DataError(
            f"{place}: {_quoted(missing)} missing or empty; each row needs {_quoted(REQUIRED)} (has: {present})"
        )
    question, answer, language = fields["question"], fields["answer"], fields.get("language") or "en"
    if not isinstance(question, str) or not isinstance(language, str):
        raise DataError(f"{place}: 'question' and 'language' must be text")
    if isinstance(answer, bool) or not isinstance(answer, str | int | float):
        raise DataError(f"{place}: 'answer' must be text or a number, not {type(answer).__name__}")
    try:
        return Row(question, _gold(answer), language)
    except ValueError as error:
        raise DataError(
            f"{place}: 'answer' {error}; it must be a decimal number, or end in one or in '#### 18'"
        ) from error


def _gold(answer: str | int | float) -> str:
    number = final_number(answer) if isinstance(answer, str) else Fraction(str(answer))
    if number is None:
        raise ValueError(f"holds no number: {answer!r:.80}")
    return decimal_text(number)


def _read_jsonl(file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{file}:{number}: not JSON ({error}); each line must be one JSON object") from error
            if not isinstance(fields, dict):
                raise DataError(f"{file}:{number}: a JSON {type(fields).__name__}; each line must be one JSON object")
            yield f"{file}:{number}", fields


def _read_csv(file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        start = 1  # a quoted field may run over several lines; the row is named by its first one
        try:
            header = next(reader, [])
            _check_columns(f"{file}:1", header)
            start = reader.line_num + 1
            for values in reader:
                if values and len(values) != len(header):
                    cause = f"{len(values)} fields under {len(header)} columns"
                    raise DataError(f"{file}:{start}: {cause}; put quotes around texts that hold a comma")
                if values:
                    yield f"{file}:{start}", dict(zip(header, values, strict=True))
                start = reader.line_num + 1
        except csv.Error as error:
            raise DataError(f'{file}:{start}: not CSV ({error}); separate by commas, quote texts with "') from error


def _read_parquet(file: Path) -> Iterator[tuple[str, dict[str, object]]]:
    import pyarrow as pa  # here, because commands that read no Parquet should start at once
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            columns = table.schema_arrow.names
            _check_columns(str(file), columns)
            wanted = [name for name in (*REQUIRED, "language") if name in columns]
            number = 0
            for batch in table.iter_batches(columns=wanted):
                for fields in batch.to_pylist():
                    number += 1
                    yield f"{file}, row {number}", fields
    except pa.ArrowException as error:
        raise DataError(f"{file}: not Parquet, or damaged ({error})") from error


def _check_columns(place: str, columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        present = ", ".join(columns) or "none"
        raise DataError(f"{place}: no column {_quoted(missing)}; {_quoted(REQUIRED)} are needed (has: {present})")


def _quoted(names: list[str] | tuple[str, ...]) -> str:
    return " and ".join(repr(name) for name in names)

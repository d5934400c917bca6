"""Rows of files that people have written or downloaded: Parquet, JSONL and plain text, a block or a line at a time.

A row that cannot be used is counted and skipped, up to a limit. What puts the whole file in doubt is an error at once:
bytes of another encoding, a column that is not there.
"""

import codecs
import glob
import gzip
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

MAX_CHARACTERS = 1_000_000  # of one plain document: a file without separators comes in pieces
ROWS_AT_ONCE = 1024
GZIP = ".gz"


class DataFileError(ValueError):
    """A data file that cannot be used; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Row:
    """`place` is "file:line" for messages; lines count from 1, and so do the rows of Parquet."""

    place: str
    values: Mapping[str, Any]


@dataclass
class Broken:
    """Counts what had to be skipped. Raises DataFileError beyond `limit`, with the place and cause of the last one."""

    limit: int
    setting: str
    num_rows: int = 0
    examples: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.num_rows:,} broken rows skipped{': ' if self.examples else ''}{'; '.join(self.examples)}"

    def skip(self, place: str, cause: str) -> None:
        self.num_rows += 1
        if len(self.examples) < 3:
            self.examples.append(f"{place}: {cause}")
        if self.num_rows > self.limit:
            raise DataFileError(f"{place}: {cause}; more than {self.setting} = {self.limit} rows are broken")


def find_files(pattern: str) -> list[Path]:
    """The files that `pattern` matches, by name. Raises DataFileError where there are none."""
    paths = [Path(path) for path in sorted(glob.glob(pattern, recursive=True)) if Path(path).is_file()]
    if not paths:
        raise DataFileError(f"{pattern}: no such file")
    return paths


def read_rows(path: Path, columns: Sequence[str], broken: Broken, *, encoding: str = "utf-8") -> Iterator[Row]:
    """The rows of a `.parquet`, `.jsonl` or `.jsonl.gz` file that have all of `columns`.

    Raises DataFileError for a file that cannot be read, and see `Broken`.
    """
    match Path(path.name.removesuffix(GZIP)).suffix:
        case ".parquet":
            yield from _parquet(path, columns)
        case ".jsonl":
            yield from _jsonl(path, columns, broken, encoding)
        case _:
            raise DataFileError(f"{path}: must be a .parquet, .jsonl or .jsonl.gz file")


def read_plain(path: Path, *, encoding: str = "utf-8", separator: str = "") -> Iterator[Row]:
    """Documents of a plain text file as `{"text": ...}`, which end where a line is `separator`."""
    lines: list[str] = []
    start, size = 1, 0
    for number, line in _lines(path, encoding):
        ends = line.strip() == separator
        if ends or size > MAX_CHARACTERS:
            if lines:
                yield Row(f"{path}:{start}", {"text": "\n".join(lines)})
            lines, start, size = [], number + ends, 0
        if not ends:
            lines.append(line)
            size += len(line)
    if lines:
        yield Row(f"{path}:{start}", {"text": "\n".join(lines)})


def _jsonl(path: Path, columns: Sequence[str], broken: Broken, encoding: str) -> Iterator[Row]:
    for number, line in _lines(path, encoding):
        place = f"{path}:{number}"
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as error:
            broken.skip(place, f"not JSON ({error})")
            continue
        if not isinstance(values, dict):
            broken.skip(place, "not a JSON object")
        elif absent := [column for column in columns if column not in values]:
            broken.skip(place, f"no {absent[0]!r}")
        else:
            yield Row(place, values)


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """Numbered lines without their ends. Lines are read as bytes, so that a message can name the one that is wrong."""
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        raise DataFileError(f"{path}: encoding {encoding!r} is not known; utf-8, utf-16 and latin-1 are") from None
    if codec.name.startswith(("utf-16", "utf-32")):  # whose line ends are not one byte
        yield from _wide_lines(path, codec.name)
        return
    try:
        with gzip.open(path) if path.suffix == GZIP else path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and number == 1:
                    raise DataFileError(f"{path}:1: is UTF-16, not {encoding}; set encoding: utf-16")
                try:
                    text = line.decode(encoding)
                except UnicodeDecodeError as error:
                    found = f"byte {line[error.start]:#04x} is not {encoding}"
                    raise DataFileError(f"{path}:{number}: {found}; set the encoding that the file is in") from None
                yield number, text.removeprefix("\ufeff").rstrip("\r\n")
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except EOFError as error:  # of gzip
        raise DataFileError(f"{path}: cannot be read: it ends too early") from error


def _wide_lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        with gzip.open(path, "rt", encoding=encoding) if path.suffix == ".gz" else path.open(encoding=encoding) as file:
            for number, line in enumerate(file, start=1):
                yield number, line.rstrip("\n")
    except UnicodeError as error:
        raise DataFileError(f"{path}: after line {number}: not {encoding} ({error})") from None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error


def _parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        with pq.ParquetFile(path) as file:
            known = file.schema_arrow.names
            for column in columns:
                if column not in known:
                    raise DataFileError(f"{path}: no column {column!r}; it has {', '.join(known)}")
            number = 0
            for batch in file.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(columns)):
                for values in batch.to_pylist():
                    number += 1
                    yield Row(f"{path}:{number}", values)
    except (OSError, pa.ArrowException) as error:
        raise DataFileError(f"{path}: cannot be read: {error}") from error

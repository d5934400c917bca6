"""Benchmark files below the folder that the user names: where each suite finds its own, and what a broken row costs."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from rl.rows import Broken, DataFileError
from rl.suites.config import SuitesConfig
from rl.suites.suite import SuiteError


def skipping(config: SuitesConfig) -> Broken:
    return Broken(config.max_skipped_rows, "suites.max_skipped_rows")


def folder_of(config: SuitesConfig, *names: str) -> Path | None:
    """The first folder of these names that is there; None where there is none, or no data were named at all."""
    if not config.data:
        return None
    if not Path(config.data).is_dir():
        raise SuiteError(f"--data {config.data}: no such folder")
    return next((path for name in names if (path := Path(config.data) / name).is_dir()), None)


def require_folder(config: SuitesConfig, suite: str, layout: str, *names: str) -> Path:
    """Raises SuiteError, which says what is expected where."""
    folder = folder_of(config, *names)
    if folder is None:
        raise SuiteError(f"suite {suite}: needs --data FOLDER, and in it {layout}")
    return folder


def read_csv(path: Path, num_columns: int, broken: Broken) -> Iterator[tuple[str, Sequence[str]]]:
    """Place and cells of each row of a CSV file without a header. Raises DataFileError for what is no CSV in UTF-8."""
    start = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for cells in reader:
                place, start = f"{path}:{start}", reader.line_num + 1  # a quoted cell may run over several lines
                if len(cells) == num_columns:
                    yield place, cells
                elif cells:
                    broken.skip(place, f"{len(cells)} columns, not {num_columns}")
    except UnicodeDecodeError as error:
        raise DataFileError(f"{path}:{start}: not UTF-8 text ({error}); save it as UTF-8") from error
    except csv.Error as error:
        raise DataFileError(f"{path}:{start}: not CSV ({error})") from error
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error

"""What commands share: how they find a run and how they print."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from rl.places import is_url


class UsageError(ValueError):
    """Arguments that name something which is not there."""


def run_directory(run: str) -> Path:
    if is_url(run):
        from rl.fetch import local_copy

        return local_copy(run, lambda line: print(line, file=sys.stderr))
    for path in (Path(run), Path("runs") / run):
        if path.is_dir():
            return path
    raise UsageError(f"no run directory {run}, nor runs/{run}")


def tell(line: str, stream: TextIO) -> None:
    """Print a line at once, for whoever reads along. Where nobody does any more, that is no reason to stop."""
    try:
        print(line, file=stream, flush=True)
    except BrokenPipeError:
        silence(stream)


def silence(stream: TextIO) -> None:
    """Let what is still printed there, and what waits to be, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def print_json(value: object) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Left-aligned; the last column is as long as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))

"""Files that are whole or absent, and run directories with one owner.

Whatever dies half-way leaves only hidden temporary files behind, which no reader looks at.
"""

import fcntl
import hashlib
import json
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import TextIO


def write_whole(path: Path, data: bytes | memoryview) -> None:
    """Write `data` so that `path` holds all of it or does not change, even if the machine dies. Raises OSError."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file or the names in a folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class RunInUseError(RuntimeError):
    """Another process trains in this run directory."""


def is_locked(run_dir: Path) -> bool:
    """Whether a process trains in this run directory."""
    try:
        with (run_dir / ".lock").open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


class RunLock:
    """Holds a run directory for one process. The kernel lets go of it when the process ends, however it ends.

    Example: `with RunLock(run_dir): train(...)`
    """

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / ".lock"
        self._file: TextIO | None = None

    def __enter__(self) -> "RunLock":
        file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            file.close()
            raise RunInUseError(
                f"run directory {self._path.parent} is in use by {holder}: wait for it, stop it, or set run.name"
            ) from None
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}))
        file.flush()
        self._file = file
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

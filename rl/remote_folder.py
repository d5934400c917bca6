"""A folder on any filesystem that pyarrow reaches (file, s3, gs, abfs, hdfs), or fsspec with the packages installed.

Files appear whole: an object store shows none before its last byte, elsewhere a rename makes it visible. Names are
relative, with "/"; those with a hidden part are nobody's business.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeVar

import pyarrow as pa
import pyarrow.fs as fs

from envs.deadline import DeadlineError, call_within
from rl.places import PlaceError, holds_password

CHUNK_BYTES = 8 * 1024**2
WRITER = ".writer"
REACH_SECONDS = 60.0  # for a few bytes there and back
OBJECT_STORES = frozenset({"s3", "gcs", "abfs"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """`changed`: when, in ns since 1970, where the filesystem tells."""

    size: int
    changed: int | None


class LocalChangeError(RuntimeError):
    """A file of this machine is gone, or became shorter, while it was sent."""


class RemoteFolder:
    """Example: `RemoteFolder.reach("s3://bucket/runs/r1")`"""

    def __init__(self, url: str, filesystem: fs.FileSystem, path: str) -> None:
        self.url, self._fs, self._path = url, filesystem, path.rstrip("/")

    @classmethod
    def reach(cls, url: str, *, to_write: bool = True) -> "RemoteFolder":
        """The folder, once a file could be written there and read back, or for readers, once it was listed. Raises
        PlaceError.
        """
        if holds_password(url):  # which is not repeated here
            raise PlaceError(
                "run.folder is a URL with a password, which would be saved with the run: take it out, and give it to "
                "the filesystem's own client, such as by its environment variables"
            )
        try:
            return _within(REACH_SECONDS, lambda: cls._tried(url, to_write))
        except Exception as error:  # of whatever client serves this scheme
            reason = str(error) if isinstance(error, PlaceError) else f"{type(error).__name__}: {first_line(error)}"
            raise PlaceError(f"{url} cannot be {'written and read' if to_write else 'read'}: {reason}") from error

    @classmethod
    def _tried(cls, url: str, to_write: bool) -> "RemoteFolder":
        folder = cls(url, *_filesystem_of(url))
        if not to_write:
            folder.files()
            return folder
        name, word = f".probe-{secrets.token_hex(8)}", secrets.token_bytes(16)
        folder.write(name, word)
        found = folder.read(name)
        folder.remove(name)
        if found != word:
            raise PlaceError("what was written there reads differently")
        return folder

    def writer(self) -> str | None:
        """Who writes here; None: nobody ever has."""
        data = self.read(WRITER)
        return None if data is None else data.decode()

    def claim(self, writer: str) -> None:
        """Become the one who writes here."""
        self.write(WRITER, writer.encode())

    def files(self) -> dict[str, RemoteFile]:
        """All files in it, by name. Raises PlaceError where one has a name that leads out of a folder."""
        found = {}
        for info in self._fs.get_file_info(fs.FileSelector(self._path, recursive=True, allow_not_found=True)):
            if info.type != fs.FileType.File:
                continue
            name = info.path.removeprefix(self._path).lstrip("/")
            if ".." in name.split("/") or "\\" in name:
                raise PlaceError(f"{self.url} holds a file of the name {name!r}, which leads out of it")
            if any(part.startswith(".") for part in name.split("/")):
                continue
            found[name] = RemoteFile(info.size, info.mtime_ns)
        return found

    def upload(self, path: Path, name: str, size: int, moved: Callable[[], None]) -> RemoteFile:
        """Send the first `size` bytes of a file; `moved` is called with every piece. Raises LocalChangeError, and
        OSError of the other side.
        """
        try:
            file = path.open("rb")
        except FileNotFoundError as error:
            raise LocalChangeError(f"{path} is gone") from error
        with file, self._writing(name) as target:
            while size > 0:
                piece = file.read(min(size, CHUNK_BYTES))
                if not piece:
                    raise LocalChangeError(f"{path} became shorter while it was read")
                target.write(piece)
                size -= len(piece)
                moved()
        return self._settle(name)

    def download(self, name: str, path: Path) -> None:
        """Raises OSError. `path` is whole or not there."""
        temporary = path.with_name(f".{path.name}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._fs.open_input_stream(self._at(name)) as source, temporary.open("wb") as file:
            while piece := source.read(CHUNK_BYTES):
                file.write(piece)
        temporary.replace(path)

    def read(self, name: str) -> bytes | None:
        """None: there is no such file."""
        if self._fs.get_file_info(self._at(name)).type == fs.FileType.NotFound:
            return None
        with self._fs.open_input_stream(self._at(name)) as source:
            return bytes(source.read())

    def write(self, name: str, data: bytes) -> None:
        with self._writing(name) as target:
            target.write(data)
        self._settle(name)

    def remove(self, name: str) -> None:
        """One that is not there is no error."""
        if self._fs.get_file_info(self._at(name)).type != fs.FileType.NotFound:
            self._fs.delete_file(self._at(name))

    def remove_folder(self, name: str) -> None:
        if self._fs.get_file_info(self._at(name)).type == fs.FileType.Directory:
            self._fs.delete_dir(self._at(name))

    def _writing(self, name: str) -> pa.NativeFile:
        target = self._unsettled(name)
        if not self._is_object_store:
            self._fs.create_dir(str(PurePosixPath(target).parent), recursive=True)
        return self._fs.open_output_stream(target)

    def _settle(self, name: str) -> RemoteFile:
        """Let a file that was written have its name."""
        if not self._is_object_store:
            self._fs.move(self._unsettled(name), self._at(name))
        info = self._fs.get_file_info(self._at(name))
        return RemoteFile(info.size, info.mtime_ns)

    def _unsettled(self, name: str) -> str:
        path = PurePosixPath(self._at(name))
        return str(path if self._is_object_store else path.with_name(f".{path.name}.tmp"))

    def _at(self, name: str) -> str:
        return f"{self._path}/{name}"

    @property
    def _is_object_store(self) -> bool:
        return self._fs.type_name in OBJECT_STORES


def _filesystem_of(url: str) -> tuple[fs.FileSystem, str]:
    try:
        return fs.FileSystem.from_uri(url)
    except pa.ArrowInvalid as error:
        if "Unrecognized filesystem type" not in str(error):
            raise
    import fsspec

    filesystem, path = fsspec.core.url_to_fs(url)
    return fs.PyFileSystem(fs.FSSpecHandler(filesystem)), path


def first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")


def _within(seconds: float, call: Callable[[], T]) -> T:
    """Clients of filesystems wait as long as they like. Raises PlaceError where this one takes longer."""
    try:
        return call_within(seconds, call)
    except DeadlineError as error:
        raise PlaceError(f"{error}: check the address, the network and the credentials") from error

"""What has to be done at a URL so that it holds what a run directory holds, in an order that may stop anywhere.

A checkpoint counts as there when its manifest is, which therefore comes after all that the checkpoint needs, and goes
before anything of it goes.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from rl.checkpoint import FOLDER, MANIFEST, NAME
from rl.commits import FILE as COMMITS
from rl.files import write_whole

HOME = ".mirror"  # in the run directory: the lock of whoever mirrors it, and the journal
LOCAL_ONLY = "control"  # what is asked of a living run, and what it answers
_CHECKPOINT = re.compile(rf"(?:.*/)?{FOLDER}/{NAME.pattern}(?=/)")


class Stamp(BaseModel):
    """A file as it was: bytes, and ns since 1970. `changed`: the time that the remote filesystem tells of its copy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int
    modified: int
    changed: int | None = None

    def is_of(self, other: "Stamp | None") -> bool:
        """Whether both are of the same file with the same content."""
        return other is not None and (self.size, self.modified) == (other.size, other.modified)


UNKNOWN = Stamp(size=-1, modified=-1)  # of a file that lies at the URL and was not put there from here


class Journal(BaseModel):
    """What is known to lie at the URL. `writer`: the name under which this directory may write there; empty: none."""

    model_config = ConfigDict(extra="forbid")

    writer: str = ""
    files: dict[str, Stamp] = {}

    @classmethod
    def read(cls, run_dir: Path) -> "Journal":
        path = run_dir / HOME / "journal.json"
        return cls.model_validate_json(path.read_bytes()) if path.exists() else cls()

    def save(self, run_dir: Path) -> None:
        (run_dir / HOME).mkdir(parents=True, exist_ok=True)
        write_whole(run_dir / HOME / "journal.json", self.model_dump_json().encode())

    def forget_others(self, there: Iterable[str]) -> None:
        """What is not `there` was deleted by somebody, and is to be sent again if it is here."""
        for name in self.files.keys() - set(there):
            del self.files[name]


@dataclass(frozen=True, slots=True)
class Action:
    """`name` is a file, or for "clear" the folder of a checkpoint."""

    kind: Literal["send", "remove", "clear"]
    name: str


def checkpoint_of(name: str) -> str | None:
    """The folder of the checkpoint that a file belongs to."""
    match = _CHECKPOINT.match(name)
    return match[0] if match else None


def stamp_of(path: Path) -> Stamp:
    status = path.stat()
    return Stamp(size=status.st_size, modified=status.st_mtime_ns)


def look(run_dir: Path) -> dict[str, Stamp]:
    """The complete files of a run directory, by name; links are not followed, and not among them."""
    found = {}
    for root, folders, names in os.walk(run_dir):
        here = Path(root)
        folders[:] = [name for name in folders if not name.startswith(".") and name != LOCAL_ONLY]
        for path in (here / name for name in names if not name.startswith(".")):
            try:
                status = path.lstat()
            except FileNotFoundError:  # removed meanwhile
                continue
            if stat.S_ISREG(status.st_mode):
                name = path.relative_to(run_dir).as_posix()
                found[name] = Stamp(size=status.st_size, modified=status.st_mtime_ns)
    return found


def plan(here: Mapping[str, Stamp], there: Mapping[str, Stamp]) -> list[Action]:
    """What makes the URL, where `there` lies, hold what is `here`."""
    changed = [name for name, stamp in sorted(here.items()) if not stamp.is_of(there.get(name))]
    gone = [name for name in sorted(there) if name not in here]
    checkpoints = dict.fromkeys(folder for name in [*changed, *gone] if (folder := checkpoint_of(name)))
    return [
        *(Action("send", name) for name in sorted(changed, key=_counts_dialogs) if checkpoint_of(name) is None),
        *(action for folder in checkpoints for action in _plan_checkpoint(folder, changed, here, there)),
        *(Action("remove", name) for name in gone if checkpoint_of(name) is None),
    ]


def _counts_dialogs(name: str) -> bool:
    """Whether it tells of dialogs, which must be there before it."""
    return name.rpartition("/")[2] == COMMITS


def _plan_checkpoint(
    folder: str, changed: list[str], here: Mapping[str, Stamp], there: Mapping[str, Stamp]
) -> Iterator[Action]:
    manifest = f"{folder}/{MANIFEST}"
    due = [name for name in changed if name.startswith(f"{folder}/") and name != manifest]
    is_here = manifest in here
    if manifest in there and (due or manifest in changed or not is_here):
        yield Action("remove", manifest)
    if not is_here:
        yield Action("clear", folder)
    elif due or manifest in changed:
        # an abandoned state of this step, cut for another number of ranks, would be brought and loaded with this one
        yield from (
            Action("remove", name) for name in sorted(there) if name.startswith(f"{folder}/") and name not in here
        )
        yield from (Action("send", name) for name in due)
        yield Action("send", manifest)

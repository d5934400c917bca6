"""What counts: one row of `commits.jsonl` for every iteration whose update is done and whose weights are out.

An episode is counted in exactly one committed iteration, and its dialogs are in the store before its row is. A run that
resumes from an older checkpoint repeats the updates from the store, and a row tells it whether it got the same weights.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, NonNegativeInt, ValidationError

from rl.files import write_whole
from rl.trajectory import Scored, Status

FILE = "commits.jsonl"


class CommitError(RuntimeError):
    """The list of commits cannot be written."""


class Commit(BaseModel):
    """One iteration.

    Attributes:
        episodes: how many ended how, both sides of a dialog counted, as the store has them.
        ids_sha256: over their sorted ids, a line each.
        version, weights_sha256: of the weights that the update made.
        late: prompts whose dialogs count in the next iteration.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    iteration: NonNegativeInt
    episodes: dict[Status, int]
    ids_sha256: str
    version: NonNegativeInt
    weights_sha256: str
    late: tuple[NonNegativeInt, ...] = ()

    @classmethod
    def of(
        cls, iteration: int, scored: Sequence[Scored], *, version: int, weights_sha256: str, late: Iterable[int] = ()
    ) -> "Commit":
        return cls(
            iteration=iteration,
            episodes=dict(Counter(s.trajectory.status for s in scored)),
            ids_sha256=digest_ids([s.trajectory.request.id for s in scored]),
            version=version,
            weights_sha256=weights_sha256,
            late=tuple(sorted(late)),
        )


class CommitLog:
    """The commits of one run, by iteration. Writing is for the process that holds the run's lock."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / FILE
        self._rows = {commit.iteration: commit for commit in read_commits(run_dir)}

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, iteration: int) -> Commit | None:
        return self._rows.get(iteration)

    def first_open(self, step: int) -> int:
        """The first iteration from `step` on that is not committed."""
        while step in self._rows:
            step += 1
        return step

    def append(self, commit: Commit) -> None:
        """On disk when this returns. Raises CommitError."""
        self._rows[commit.iteration] = commit
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(commit.model_dump_json() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unwritable(error) from error

    def drop_from(self, iteration: int) -> None:
        """Forget this iteration and all later ones, and whatever of the file cannot be read. Raises CommitError."""
        self._rows = {number: row for number, row in self._rows.items() if number < iteration}
        text = "".join(row.model_dump_json() + "\n" for row in self._rows.values())
        if not self._path.exists() or self._path.read_bytes() == text.encode():
            return
        try:
            write_whole(self._path, text.encode())
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> CommitError:
        return CommitError(
            f"cannot write {self._path}: {error.strerror or error}; make room or get access there, then resume the run"
        )


def digest_ids(ids: Sequence[str]) -> str:
    return hashlib.sha256("".join(f"{name}\n" for name in sorted(ids)).encode()).hexdigest()


def read_commits(run_dir: Path) -> list[Commit]:
    """The commits in order, up to the first line that cannot be read: what follows it is not known to be committed."""
    path, found = run_dir / FILE, list[Commit]()
    for line in path.read_bytes().splitlines(keepends=True) if path.exists() else ():
        try:
            commit = Commit.model_validate_json(line)
        except ValidationError:
            break
        if not line.endswith(b"\n"):
            break
        found.append(commit)
    return found

"""Past policies, kept so that self-play has more than today's policy to play with.

A policy that only ever meets itself may go round in circles or agree with itself on something useless; one that also
meets those it has been cannot forget them (Bansal et al. 2018, 1710.03748; Heinrich et al. 2015 on fictitious
self-play). Members are folders of the run directory, named after the updates that they contain.
"""

import hashlib
import re
import shutil
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from envs.chance import pick
from rl.files import sha256_of, sync

FOLDER = "opponents"
NAME = re.compile(r"step-\d{6,}")


class PoolError(RuntimeError):
    """A past policy is missing or is not what it was."""


@dataclass(frozen=True, slots=True)
class Member:
    """`step`: updates that it contains; `sha256`: of its files, see `digest`."""

    step: int
    sha256: str

    @property
    def name(self) -> str:
        return f"step-{self.step:06d}"


@dataclass(frozen=True, slots=True)
class Pool:
    """The members, oldest first. Immutable: `joined` returns the next pool."""

    members: tuple[Member, ...] = ()

    def joined(self, member: Member, size: int) -> "Pool":
        """With a new member, the newest; the pool stays spread over the run, see `_crowded`."""
        members = [*self.members, member]
        while len(members) > size:
            del members[_crowded([m.step for m in members])]
        return Pool(tuple(members))

    def chosen(self, seed: int, iteration: int) -> Member | None:
        """Whom an iteration plays with, each equally likely; None while there is nobody."""
        return pick(self.members, "opponent", seed, iteration) if self.members else None


def _crowded(steps: Sequence[int]) -> int:
    """The index of the member whose neighbours are nearest to each other, the oldest of these; never the first one and
    never the last one of three or more.
    """
    if len(steps) < 3:
        return 0
    return min(range(1, len(steps) - 1), key=lambda i: (steps[i + 1] - steps[i - 1], i))


class PoolFolder:
    """Where the members of one run lie: `opponents/step-000040/`. Writing is for the holder of the run's lock."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = (run_dir / FOLDER).absolute()
        self._lent = Counter[str]()  # names of those who are played with, and by how many

    def path(self, member: Member) -> Path:
        return self._folder / member.name

    @contextmanager
    def lent(self, member: Member | None) -> Iterator[str]:
        """The folder of a member, which `prune` spares until the block ends; empty for nobody.

        Dialogs that are in flight may outlast their opponent's time in the pool.
        """
        if member is None:
            yield ""
            return
        self._lent[member.name] += 1
        try:
            yield str(self.path(member))
        finally:
            self._lent[member.name] -= 1

    def unfinished(self, step: int) -> Path:
        """Where to write a new policy; `finish` makes it a member."""
        folder = self._folder / f".step-{step:06d}.saving"
        shutil.rmtree(folder, ignore_errors=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        return folder

    def finish(self, step: int) -> Member:
        unfinished = self._folder / f".step-{step:06d}.saving"
        for path in sorted(unfinished.rglob("*")):
            sync(path)
        member = Member(step, digest(unfinished))
        shutil.rmtree(self.path(member), ignore_errors=True)
        unfinished.rename(self.path(member))
        sync(self._folder)
        return member

    def restore(self, pool: Pool, step: int) -> None:
        """Remove what is newer than `step` and what a kill has left. Raises PoolError where a member is damaged."""
        for folder in self._folder.glob("*") if self._folder.is_dir() else ():
            if not NAME.fullmatch(folder.name) or int(folder.name.removeprefix("step-")) > step:
                shutil.rmtree(folder)
        for member in pool.members:
            if not self.path(member).is_dir() or digest(self.path(member)) != member.sha256:
                raise PoolError(
                    f"{self.path(member)} is missing or has changed since the run saved it; resume without it by "
                    "selfplay.past_share=0, or start over"
                )

    def prune(self, kept: Collection[Member]) -> None:
        """Remove every folder that is not one of these, nor lent."""
        names = {member.name for member in kept} | set(+self._lent)
        for folder in self._folder.glob("*") if self._folder.is_dir() else ():
            if folder.name not in names:
                shutil.rmtree(folder)


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n" for path in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()

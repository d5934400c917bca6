"""What can happen to a checkpoint, done to each file of one that a PPO learner wrote: the last good one is used."""

import errno
import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from rl.checkpoint import CheckpointError, Checkpoints, RunState
from tests.models.ranks import Ranks
from tests.rl.saving import saving
from tests.rl.updates import make_config, save_and_resume

MODEL = {"preset": "tiny"}
GOOD, NEW = "step-000010", "step-000020"


@pytest.fixture(scope="module")
def shards(alone: Ranks, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the learner puts into a checkpoint, by name."""
    written = tmp_path_factory.mktemp("learner") / "checkpoint"
    alone.run(save_and_resume, make_config(), folder, written)
    return contents(written)


@pytest.fixture
def run_dir(tmp_path: Path, shards: dict[str, bytes]) -> Path:
    """With one good checkpoint."""
    save(tmp_path / "run", 10, shards)
    return tmp_path / "run"


def contents(folder: Path) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def save(run_dir: Path, step: int, shards: dict[str, bytes]) -> None:
    with saving(Checkpoints(run_dir, MODEL), RunState(step=step)) as folder:
        for name, data in shards.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)


def found(run_dir: Path) -> tuple[str, tuple[str, ...]]:
    """The checkpoint that a run would go on from, by name, and what is said of the others."""
    latest = Checkpoints(run_dir, MODEL).latest()
    assert latest.checkpoint is not None
    assert latest.checkpoint.folder.name == f"step-{latest.checkpoint.state.step:06d}"
    return latest.checkpoint.folder.name, latest.refused


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def flip_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [truncate, flip_bit, Path.unlink])
def test_damage_to_any_file_is_named_and_the_checkpoint_before_is_used(
    damage: Callable[[Path], object], run_dir: Path, shards: dict[str, bytes]
) -> None:
    save(run_dir, 20, shards)
    new = run_dir / "checkpoints" / NEW
    whole = contents(new)
    assert whole.keys() == shards.keys() | {"state.json", "manifest.json"}
    for name, data in whole.items():
        damage(new / name)
        used, (refused,) = found(run_dir)
        assert used == GOOD
        assert refused.startswith(f"{NEW}: {name} ")
        (new / name).write_bytes(data)
    assert found(run_dir) == (NEW, ())


def when_written(patch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen whenever a file was opened to be written, and is still empty."""
    real = Path.open

    def opened(path: Path, mode: str = "r", *args: Any, **options: Any) -> IO[Any]:
        file = real(path, mode, *args, **options)
        if "w" in mode:
            try:
                happens()
            except OSError:
                file.close()
                raise
        return file

    patch.setattr(Path, "open", opened)


def test_a_disk_that_is_full_from_any_file_on_costs_the_new_checkpoint_only(
    run_dir: Path, shards: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in range(len(shards) + 2):  # for so many files, out of the learner's, the state and the manifest
        written = itertools.count()

        def fill(room: int = room, written: itertools.count = written) -> None:
            if next(written) >= room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            when_written(patch, fill)
            with pytest.raises(CheckpointError, match=f"{NEW}: No space left on device; {GOOD} is still there"):
                save(run_dir, 20, shards)
        assert [path.name for path in (run_dir / "checkpoints").iterdir()] == [GOOD]
        assert found(run_dir) == (GOOD, ())
    save(run_dir, 20, shards)
    assert found(run_dir) == (NEW, ())


def test_a_kill_at_any_file_costs_the_new_checkpoint_only(
    run_dir: Path, tmp_path: Path, shards: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folders as they were whenever a file was begun, or was made to last, are what a kill leaves."""
    left: list[Path] = []

    def keep() -> None:
        left.append(tmp_path / f"killed-{len(left)}")
        shutil.copytree(run_dir, left[-1])

    def fsync(descriptor: int) -> None:
        keep()

    with monkeypatch.context() as patch:
        when_written(patch, keep)
        patch.setattr(os, "fsync", fsync)
        save(run_dir, 20, shards)
    assert len(left) > 2 * len(shards)
    used = []
    for killed in left:
        used.append(found(killed))
        Checkpoints(killed, MODEL).clean()
        assert found(killed) == used[-1]
        assert not list((killed / "checkpoints").glob(".*"))
    assert used == [(GOOD, ())] * (len(used) - 1) + [(NEW, ())]  # which is there from its rename on

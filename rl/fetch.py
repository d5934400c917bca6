"""A run brought here from its URL: all of it but the weights of checkpoints that a newer, intact one makes needless."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rl.checkpoint import FOLDER as CHECKPOINTS
from rl.checkpoint import MANIFEST, STATE, CheckpointError, verify
from rl.commits import FILE as COMMITS
from rl.files import RunLock, is_locked
from rl.mirror_plan import HOME, Journal, checkpoint_of, look, stamp_of
from rl.places import PlaceError, join, split, working_folder
from rl.pool import FOLDER as POOL
from rl.remote_folder import RemoteFile, RemoteFolder
from rl.store import FOLDER as STORE

TRAINED = frozenset({CHECKPOINTS, STORE, POOL, COMMITS})  # what only training writes
HEAD = (MANIFEST, STATE)  # what tells how good a checkpoint was, and with whom it plays

Say = Callable[[str], None]


def bring(remote: RemoteFolder, run_dir: Path, journal: Journal, say: Say) -> Journal:
    """Make `run_dir` hold what lies at the URL. `journal`: of what was brought or sent before, which is not brought
    again. A damaged checkpoint is brought too, for the run to refuse it by name, and the one before it. Raises OSError.
    """
    there = remote.files()
    brought = Journal()
    checkpoints: dict[str, list[str]] = {}
    for name, file in there.items():
        folder = checkpoint_of(name)
        if folder is None:
            _bring_file(remote, run_dir, name, file, journal, brought)
        else:
            checkpoints.setdefault(folder, []).append(name)
    for home in sorted({folder.rpartition("/")[0] for folder in checkpoints}):
        folders = [folder for folder in checkpoints if folder.rpartition("/")[0] == home]
        has_good = False
        for folder in sorted(folders, key=lambda folder: int(folder.rpartition("-")[2]), reverse=True):
            names = checkpoints[folder]
            if f"{folder}/{MANIFEST}" not in names:
                say(f"{folder} was not sent completely, and is left out")
                continue
            wanted = [name for name in names if not has_good or name.removeprefix(f"{folder}/") in HEAD]
            for name in sorted(wanted, key=lambda name: name.endswith(f"/{MANIFEST}")):
                _bring_file(remote, run_dir, name, there[name], journal, brought)
            has_good = has_good or _is_good(run_dir / folder, say)
    _clear_others(run_dir, [name for name in look(run_dir) if name not in brought.files and _is_trained(name)], say)
    brought.save(run_dir)
    return brought


def local_copy(url: str, say: Say) -> Path:
    """A directory of this machine with what the run at `url` has left there, brought now, or where the run works now.
    Raises PlaceError.
    """
    folder, name = split(url)
    run_dir = working_folder(folder, "runs") / name
    if is_locked(run_dir / HOME):
        return run_dir
    remote = RemoteFolder.reach(join(folder, name), to_write=False)
    if not remote.files():
        raise PlaceError(f"there is no run at {url}")
    (run_dir / HOME).mkdir(parents=True, exist_ok=True)
    with RunLock(run_dir / HOME):
        journal = Journal.read(run_dir)
        if not journal.writer or remote.writer() != journal.writer:
            bring(remote, run_dir, journal, say)
    say(f"{run_dir} holds what {remote.url} holds now")
    return run_dir


def _bring_file(
    remote: RemoteFolder, run_dir: Path, name: str, file: RemoteFile, known: Journal, brought: Journal
) -> None:
    path, before = run_dir / name, known.files.get(name)
    if before is not None and file.changed is not None and path.exists():
        is_same_there = (before.size, before.changed) == (file.size, file.changed)
        if is_same_there and (before.is_of(stamp_of(path)) or not _is_trained(name)):
            brought.files[name] = before
            return
    remote.download(name, path)
    brought.files[name] = stamp_of(path).model_copy(update={"changed": file.changed})


def _is_good(folder: Path, say: Say) -> bool:
    try:
        verify(folder)
    except CheckpointError as error:
        say(f"{folder.name} is damaged where it was brought from: {error}")
        return False
    return True


def _is_trained(name: str) -> bool:
    """Or else it is somebody's own, such as ratings and results of suites, and stays as it is here."""
    return not TRAINED.isdisjoint(name.split("/"))


def _clear_others(run_dir: Path, others: Sequence[str], say: Say) -> None:
    """Remove what only this machine has: another one went on from what had been sent, and has made it again."""
    for name in others:
        (run_dir / name).unlink()
    for folder in {folder for name in others if (folder := checkpoint_of(name))}:
        if not (run_dir / folder / MANIFEST).exists():
            shutil.rmtree(run_dir / folder)
    if others:
        say(f"removed {len(others)} files of {run_dir} that only this machine had: the run went on elsewhere")

"""A run directory whose place is a URL: brought here before the run, copied there while it runs, complete at its end.

A run works in a local folder, so that neither engine nor learner waits for a network, and no filesystem has to do more
than take whole files. A thread looks every few seconds at what has changed. What cannot be sent is tried again, ever
more patiently, and said aloud; the run goes on, and only its end is an error then.

Whoever writes at a URL leaves his name there. A run that is resumed on another machine leaves a new one before it reads
anything. The first one, should it still live, asks before each file and begins no other; one that it is in the midst of
may still arrive, and if that is of a checkpoint, its manifest refuses it.
"""

import contextlib
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from rl.checkpoint import MANIFEST
from rl.fetch import bring
from rl.files import RunLock
from rl.mirror_plan import HOME, UNKNOWN, Action, Journal, Stamp, checkpoint_of, look, plan, stamp_of
from rl.places import PlaceError, is_url
from rl.remote_folder import LocalChangeError, RemoteFolder, first_line

LOOK_SECONDS = 5.0
MAX_DELAY_SECONDS = 300.0
LAST_TRIES, LAST_DELAY_SECONDS = 4, 1.0  # at the end: 2, 4 and 8 s apart
STALL_SECONDS = 120.0  # without a byte sent, at the end

Say = Callable[[str], None]


class MirrorError(RuntimeError):
    """A run that has ended and has left files at its URL unsent."""


class TakenOverError(RuntimeError):
    """Somebody else writes at the URL now."""


@contextlib.contextmanager
def mirrored(place: str, run_dir: Path, *, resume: bool, say: Say) -> Iterator[None]:
    """Within it, the run directory is copied to the URL `place`; before it, what lies there is brought here, if this
    machine has not written it. Does nothing where `place` is no URL. Raises PlaceError, `rl.files.RunInUseError`, and
    MirrorError after a run that ended well.
    """
    if not is_url(place):
        yield
        return
    remote = RemoteFolder.reach(place)
    (run_dir / HOME).mkdir(parents=True, exist_ok=True)
    with RunLock(run_dir / HOME):
        mirror = Mirror(run_dir, remote, _take_over(run_dir, remote, resume, say), say)
        mirror.start()
        try:
            yield
        except BaseException:
            if unsent := mirror.close():
                say(f"not at {remote.url}, only in {run_dir}: {_few(unsent)}")
            raise
        unsent = mirror.close()
        if mirror.is_taken_over:
            message = f"another machine has gone on with this run at {remote.url}"
            if unsent:
                message += (
                    f"; what only {run_dir} holds is lost with the next command that reads that URL here, unless it is "
                    f"copied away: {_few(unsent)}"
                )
            raise MirrorError(message)
        if unsent:
            raise MirrorError(
                f"the run is done, but {len(unsent)} files could not be sent to {remote.url} and are only in "
                f"{run_dir}: {_few(unsent)}; once it can be reached, --resume sends them"
            )


class Mirror:
    """Copies a run directory to a URL from a thread of its own. `journal`: what lies there when it starts."""

    def __init__(self, run_dir: Path, remote: RemoteFolder, journal: Journal, say: Say) -> None:
        self._dir, self._remote, self._journal, self._say = run_dir, remote, journal, say
        self.is_taken_over = False
        self._end = threading.Event()
        self._moved = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="mirror", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> list[str]:
        """Send the rest, and stop. Returns the names of files that could not be sent."""
        self._end.set()
        self._progress()
        while self._thread.is_alive() and time.monotonic() - self._moved < STALL_SECONDS:
            self._thread.join(0.1)
        return [action.name for action in plan(look(self._dir), dict(self._journal.files)) if action.kind == "send"]

    def sync(self) -> bool:
        """Send what is new, remove what is gone. False: the directory has changed meanwhile, and needs another look.
        Raises TakenOverError, and what the filesystem's client raises.
        """
        here = look(self._dir)
        actions = plan(here, self._journal.files)
        if not actions:
            return True
        try:
            return all(self._may_write() and self._do(action, here) for action in actions)
        finally:
            self._journal.save(self._dir)

    def forget_deleted(self) -> None:
        """Let the next `sync` send again what somebody has deleted at the URL."""
        self._journal.forget_others(self._remote.files())

    def _may_write(self) -> bool:
        """False: somebody has emptied the place, and all is to be sent again. Raises TakenOverError."""
        writer = self._remote.writer()
        if writer is None:
            self._journal.files.clear()
            self._remote.claim(self._journal.writer)
            return False
        if writer != self._journal.writer:
            raise TakenOverError(f"another machine has resumed this run: nothing more is sent to {self._remote.url}")
        return True

    def _do(self, action: Action, here: dict[str, Stamp]) -> bool:
        known = self._journal.files
        match action.kind:
            case "send":
                return self._send(action.name, here)
            case "remove":
                self._remote.remove(action.name)
                known.pop(action.name, None)
            case "clear":
                self._remote.remove_folder(action.name)
                for name in [name for name in known if checkpoint_of(name) == action.name]:
                    del known[name]
        self._progress()
        return True

    def _send(self, name: str, here: dict[str, Stamp]) -> bool:
        folder = checkpoint_of(name)
        parts = [name] if folder is None else [part for part in here if checkpoint_of(part) == folder]
        is_manifest = folder is not None and name == f"{folder}/{MANIFEST}"
        if is_manifest and not all(self._is_unchanged(part, here) for part in parts):
            return False  # it would tell of files what they were when they were looked at
        try:
            sent = self._remote.upload(self._dir / name, name, here[name].size, self._progress)
        except LocalChangeError:
            return False
        if sent.size != here[name].size:
            raise OSError(f"{name} has {sent.size} bytes at {self._remote.url} instead of {here[name].size}")
        self._journal.files[name] = here[name].model_copy(update={"changed": sent.changed})
        return True

    def _is_unchanged(self, name: str, here: dict[str, Stamp]) -> bool:
        try:
            return here[name].is_of(stamp_of(self._dir / name))
        except FileNotFoundError:
            return False

    def _run(self) -> None:
        failures = 0
        while True:
            is_last = self._end.is_set()
            try:
                if is_last:
                    self.forget_deleted()
                if self.sync() and is_last:
                    return
                failures = 0
            except TakenOverError as error:
                self.is_taken_over = True
                self._say(f"warning: {error}")
                return
            except Exception as error:  # of whatever client serves this scheme; the run goes on
                failures += 1
                reason = f"{type(error).__name__}: {first_line(error)}"
                self._say(f"warning: cannot send to {self._remote.url}, try {failures}: {reason}")
                if is_last and failures >= LAST_TRIES:
                    return
            self._progress()
            if is_last:
                time.sleep(LAST_DELAY_SECONDS * 2**failures)
            elif self._end.wait(min(LOOK_SECONDS * 2 ** min(failures, 10), MAX_DELAY_SECONDS)):
                failures = 0

    def _progress(self) -> None:
        self._moved = time.monotonic()


def _take_over(run_dir: Path, remote: RemoteFolder, resume: bool, say: Say) -> Journal:
    """Become the one who writes there, and bring here what is there, unless it is from here and still here."""
    journal, writer = Journal.read(run_dir), remote.writer()
    new = f"{socket.gethostname()}-{uuid.uuid4().hex[:12]}"
    name = journal.writer or new
    if (writer is None or writer != journal.writer or not look(run_dir)) and remote.files():
        if not resume:
            raise PlaceError(
                f"{remote.url} holds a run already; add --resume to go on with it, or choose another run.name"
            )
        say(f"bringing {remote.url}, where {writer or 'somebody'} was at work, to {run_dir}")
        name = new  # else, after a death before all is here, what is there would count as sent from here
        remote.claim(name)
        journal = bring(remote, run_dir, journal, say)
    journal.writer = name
    there = remote.files()
    journal.forget_others(there)
    for file in there.keys() - journal.files.keys():
        folder = checkpoint_of(file)
        if folder is None or f"{folder}/{MANIFEST}" not in journal.files:  # else only its head was brought
            journal.files[file] = UNKNOWN
    journal.save(run_dir)
    remote.claim(name)
    return journal


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

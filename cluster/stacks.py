"""The stacks of processes that do not answer: each offers them from its start, and whoever may signal it can ask.

Python's faulthandler writes them from within a signal handler, so a process that is stuck in C or holds the GIL writes
them too. They go to a file in memory that has the process's name and ends with it, which is found and read through
`/proc`: nothing lies about, and no directory need be agreed on.
"""

import faulthandler
import os
import signal
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PREFIX = "zero2one-stacks-"
SIGNAL = signal.SIGUSR1
ANSWER_SECONDS = 2.0  # a busy machine may not schedule the process at once
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Offer:
    """A process that offers its stacks: where they will appear."""

    pid: int
    file: Path


def offer_stacks(name: str) -> None:
    """From now on this process writes the stacks of all its threads when it is asked. `name` must be unique."""
    file = os.fdopen(os.memfd_create(PREFIX + name), "w")  # faulthandler keeps it open
    faulthandler.register(SIGNAL, file=file, all_threads=True)


def offers() -> dict[str, Offer]:
    """All of this machine that this user may ask, by name."""
    found: dict[str, Offer] = {}
    for name, offer in _offers():
        found.setdefault(name, offer)
    return found


def stacks(names: Collection[str]) -> dict[str, str]:
    """Of those of these processes that are on this machine: what they are at, or why that cannot be said."""
    found = {name: offer for name, offer in offers().items() if name in names}
    asked = {name: offer for name, offer in found.items() if _state(offer.pid)[:1] not in ("T", "t", "Z", "")}
    before = {name: _size(offer) for name, offer in asked.items()}
    for offer in asked.values():
        with suppress(ProcessLookupError):
            os.kill(offer.pid, SIGNAL)
    _wait_for_answers(asked, before)
    return {name: _describe(offer, before.get(name)) for name, offer in found.items()}


def _offers() -> Iterator[tuple[str, Offer]]:
    """In the order of process ids: a child that a process has forked has its files, too, and comes after it."""
    for folder in sorted(Path("/proc").glob("[0-9]*/fd"), key=lambda folder: int(folder.parent.name)):
        with suppress(OSError):  # it has ended, or is another user's
            for file in folder.iterdir():
                name = os.readlink(file).removeprefix("/memfd:").removesuffix(" (deleted)")
                pid = int(folder.parent.name)
                if name.startswith(PREFIX) and _catches(pid):
                    yield name.removeprefix(PREFIX), Offer(pid, file)


def _wait_for_answers(asked: Mapping[str, Offer], before: Mapping[str, int]) -> None:
    """Until all have written something and nobody writes any more."""
    deadline, sizes = time.monotonic() + ANSWER_SECONDS, dict(before)
    while time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        now = {name: _size(offer) for name, offer in asked.items()}
        if now == sizes and all(now[name] > before[name] for name in now):
            return
        sizes = now


def _describe(offer: Offer, before: int | None) -> str:
    state = _state(offer.pid)
    head = f"pid {offer.pid}, {state or 'ended'}"
    if before is None:
        return f"{head}: it cannot answer"
    with suppress(OSError):
        if written := offer.file.read_bytes()[before:].decode(errors="replace"):
            return f"{head}\n{written.rstrip()}"
    return f"{head}: it did not answer within {ANSWER_SECONDS:g} s"


def _size(offer: Offer) -> int:
    with suppress(OSError):
        return offer.file.stat().st_size
    return 0


def _state(pid: int) -> str:
    """As `/proc` has it, such as "T (stopped)"; empty: it has ended."""
    return _status(pid, "State")


def _catches(pid: int) -> bool:
    """Whether it has a handler for the signal already: one that had none would die of it."""
    caught = _status(pid, "SigCgt")
    return bool(caught) and bool(int(caught, 16) >> (SIGNAL - 1) & 1)


def _status(pid: int, field: str) -> str:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{field}:"):
                return line.partition(":")[2].strip()
    return ""

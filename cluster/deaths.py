"""Why a worker is gone, in one line, from what Ray says, how its process ended, and what it wrote last. No Ray here."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.exits import Exit

FILE = "deaths.jsonl"
NUM_LAST_LINES = 20
MAX_BYTES = 64 * 1024  # of a log that are read
GUESSES = re.compile(r"\s*Some common causes include.*", re.DOTALL)  # Ray's, which name everything
DETAIL = re.compile(r".*Worker exit detail: ", re.DOTALL)
LOW_MEMORY = "running low on memory"
NOISE = (":job_id:", ":actor_name:", ":task_name:")
NODE = re.compile(r"^\tip: (\S+)$", re.MULTILINE)
PID = re.compile(r"^\tpid: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Death:
    """`time`: seconds since 1970. `pid`: 0 where it is not known. `last_lines`: of its log, where that is readable."""

    time: float
    role: str
    name: str
    pid: int
    node: str
    cause: str
    last_lines: tuple[str, ...] = ()


def record(run_dir: Path, death: Death) -> None:
    with (run_dir / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(death), ensure_ascii=False) + "\n")


def describe(said: str, exit: Exit | None, last_lines: Sequence[str], *, num_oom_kills: int) -> str:
    """`said`: what the fleet knows, in one line. `num_oom_kills`: of the machine since the last death."""
    parts = [said]
    if exit is not None:
        parts.append(str(exit))
        if exit.is_kill and num_oom_kills:
            parts.append("out of memory: the kernel has just killed for it")
    parts += [line for line in last_lines if line.startswith("Fatal Python error:")][-1:]
    return "; ".join(parts)


def what_ray_says(error: str) -> str:
    """One line, without the ids and the traceback that Ray puts before it and its guesses behind."""
    if LOW_MEMORY in error:
        return "out of memory: Ray ended it, because its node ran low"
    text = GUESSES.sub("", error.strip())
    line = text.rpartition("\n")[2]
    return DETAIL.sub("", line).strip() or text


def pid_in(error: str) -> int:
    """Of the process that Ray speaks of; 0: it says none."""
    match = PID.search(error)
    return int(match.group(1)) if match else 0


def node_in(error: str) -> str:
    """The address of the node that Ray speaks of; empty: it says none."""
    match = NODE.search(error)
    return match.group(1) if match else ""


def last_lines(logs: Path, pid: int) -> tuple[str, ...]:
    """What a process of this node wrote last to its errors; nothing where that cannot be read."""
    with suppress(OSError):
        newest = max(logs.glob(f"worker-*-{pid}.err"), key=lambda file: file.stat().st_mtime, default=None)
        if newest is not None:
            text = newest.read_bytes()[-MAX_BYTES:].decode(errors="replace")
            lines = [line.rstrip() for line in text.splitlines() if line.strip() and not line.startswith(NOISE)]
            return tuple(lines[-NUM_LAST_LINES:])
    return ()

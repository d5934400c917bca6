"""One run of a program in the sandbox: started, watched, ended, and told as plain data.

Which container it is, and that it isolates, is the business of `envs/sandbox.py`.
"""

import os
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envs import sandbox_inside

Exit = Literal["ok", "error", "memory", "timeout", "output", "killed"]
Stopped = Literal["timeout", "output"]

MIB = 2**20
START_SECONDS = 60.0  # for the container; a program's own time begins after it, however busy the machine is
FLAGS = ("-P", "-s", "-S", "-B", "-X", "utf8")  # not -I, which would ignore the hash seed, the one variable that we set


class SandboxError(RuntimeError):
    """A program could not be run at all: there is no sandbox here, or this one did not start. Says nothing about it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Memory, CPU time, file size and open files are per process.

    Attributes:
        wall_seconds: from the program's start to the end of its last process; for one that waits, as CPU time ends one
            that works.
        num_processes: at once, threads too; one of them is the container's own, one the program's first.
        output_bytes: of standard output, standard error and reports, each.
    """

    memory_bytes: int = 256 * MIB
    cpu_seconds: int = 2
    wall_seconds: float = 6.0
    num_processes: int = 4
    file_bytes: int = 4 * MIB
    num_files: int = 32
    folder_bytes: int = 16 * MIB
    output_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went.

    Attributes:
        exit: "error" is an exception or an exit code other than 0; "killed" is a signal, such as a crash.
        code: exit code; 128 + n after signal n.
        stdout, stderr: what was written, up to the limit.
        is_loaded: the program came to its end, before the calls.
        results: of each call in order, as `value_of` reads them; fewer where the program was stopped.
        peak_bytes: most memory held at once, the interpreter's own 10 MiB included; None: stopped before the end.
    """

    exit: Exit
    code: int
    stdout: str
    stderr: str
    seconds: float
    is_loaded: bool
    results: tuple[str, ...]
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A way to run programs that was seen to isolate them. Holds no resource; runs may overlap in threads.

    Attributes:
        command: bubblewrap and its arguments, up to what differs from run to run.
        python: the interpreter's path, inside and outside.
        filter: of system calls.
    """

    command: tuple[str, ...]
    python: str
    filter: bytes

    def run(
        self, source: str, *, stdin: str = "", calls: Sequence[str] = (), limits: Limits | None = None, seed: int = 0
    ) -> Outcome:
        """Run the program, then evaluate each call, an expression on one line, among the names that it defines.

        `seed`, below 2**32, decides the order of sets of texts, and what `random` gives. Raises `SandboxError`.
        """
        limits = limits or Limits()
        inside = Path(sandbox_inside.__file__).read_text(encoding="utf-8")
        start = time.monotonic()
        with ExitStack() as stack:
            given = (stdin, inside, source, "\n".join(calls), self.filter)
            texts = [stack.enter_context(_in_memory(text)) for text in given]
            reader, writer = os.pipe()
            stack.callback(os.close, reader)
            try:
                process = subprocess.Popen(
                    self._command_line(texts[1:], writer, limits, seed),
                    stdin=texts[0],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env={},
                    cwd="/",
                    pass_fds=(*texts[1:], writer),
                    start_new_session=True,
                )
            finally:
                os.close(writer)
            stack.callback(_end, process)
            assert process.stdout is not None and process.stderr is not None
            pipes = (process.stdout.fileno(), process.stderr.fileno(), reader)
            stopped, read = _watch(process, pipes, limits.wall_seconds, limits.output_bytes)
        return _outcome(stopped, process.returncode, read, time.monotonic() - start)

    def _command_line(self, texts: Sequence[int], channel: int, limits: Limits, seed: int) -> list[str]:
        inside, program, calls, refused = map(str, texts)
        bound = (limits.memory_bytes, limits.cpu_seconds, limits.num_processes, limits.file_bytes, limits.num_files)
        return [
            *self.command,
            *("--size", str(limits.folder_bytes), "--tmpfs", "/tmp", "--chdir", "/tmp"),
            *("--ro-bind-data", inside, "/inside.py", "--ro-bind-data", program, sandbox_inside.PROGRAM),
            *("--ro-bind-data", calls, sandbox_inside.CALLS, "--remount-ro", "/"),
            *("--setenv", "PYTHONHASHSEED", str(seed), "--seccomp", refused),
            *(self.python, *FLAGS, "/inside.py", *map(str, (*bound, channel, seed))),
        ]


def value_of(result: str) -> str | None:
    """The value that a call returned, as an ASCII literal; None if it raised or is too long."""
    value = result.removeprefix(sandbox_inside.VALUE)
    return value if value != result and value != "..." else None


@contextmanager
def _in_memory(content: str | bytes) -> Iterator[int]:
    """A file that has no name and needs no clean-up."""
    file = os.memfd_create("text")
    try:
        with open(file, "wb", closefd=False) as writer:
            writer.write(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
        os.lseek(file, 0, os.SEEK_SET)
        yield file
    finally:
        os.close(file)


def _watch(
    process: subprocess.Popen[bytes], pipes: Sequence[int], seconds: float, limit: int
) -> tuple[Stopped | None, list[str]]:
    """Read until all pipes close; why the process has to be stopped, if it has to, and what was read.

    The last pipe is that of the reports, of which the first says that the program starts.
    """
    read = {pipe: bytearray() for pipe in pipes}
    stopped: Stopped | None = None
    deadline = time.monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and stopped is None:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if time.monotonic() >= deadline:
                stopped = "timeout"
            for key, _ in ready:
                block = os.read(key.fd, 65536)
                if not block:
                    selector.unregister(key.fd)
                elif key.fd == pipes[-1] and not read[key.fd]:
                    deadline = time.monotonic() + seconds
                read[key.fd] += block
                if len(read[key.fd]) > limit:
                    stopped = "output"
    if stopped is None:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:  # it closed its output and goes on
            stopped = "timeout"
    _end(process)
    return stopped, [bytes(read[pipe][:limit]).decode("utf-8", "replace") for pipe in pipes]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left. The container's first process dies with bubblewrap, and with it all others."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _outcome(stopped: Stopped | None, code: int, read: Sequence[str], seconds: float) -> Outcome:
    stdout, stderr, reports = read
    lines = reports.split("\n")
    if sandbox_inside.STARTED not in lines:
        raise SandboxError(stderr.strip() or f"nothing had started after {seconds:.1f} seconds")
    peaks = [line.removeprefix(sandbox_inside.PEAK) for line in lines if line.startswith(sandbox_inside.PEAK)]
    return Outcome(
        exit=stopped or _exit(code, stderr),
        code=code if code >= 0 else 128 - code,
        stdout=stdout,
        stderr=stderr,
        seconds=seconds,
        is_loaded=sandbox_inside.LOADED in lines,
        results=tuple(line for line in lines if line.startswith((sandbox_inside.VALUE, sandbox_inside.RAISED))),
        peak_bytes=_kib(peaks[0]) if peaks else None,
    )


def _kib(text: str) -> int | None:
    """Bytes; None for what the harness does not write. A program can reach its channel too, and write anything."""
    return int(text) * 1024 if text.isascii() and text.isdigit() and len(text) <= 12 else None


def _exit(code: int, stderr: str) -> Exit:
    if code == 0:
        return "ok"
    if code in (128 + signal.SIGXCPU, 128 + signal.SIGKILL):  # SIGKILL: of those who ignored the first
        return "timeout"
    if code < 0 or code > 128:
        return "killed"
    return "memory" if stderr.rstrip().endswith("MemoryError") else "error"

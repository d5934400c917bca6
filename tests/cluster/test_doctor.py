"""Verdicts on machines of every kind."""

from dataclasses import replace
from pathlib import Path

import pytest

from cluster.doctor import PACKAGES, Finding, Machine, diagnose, is_fit, measure, render
from cluster.doors import Doors
from envs.sandbox import NoSandbox, find_sandbox
from envs.sandbox_run import Sandbox
from models.device import GIB

LAPTOP = Machine(
    python=(3, 11, 7),
    num_cores=4,
    free_memory_bytes=8 * GIB,
    free_disk_bytes=50 * GIB,
    shared_memory_bytes=4 * GIB,
    num_gpus=0,
    num_gpu_devices=0,
    has_libnuma=True,
    no_sandbox=None,
    doors=Doors(True, ()),
    versions={**dict.fromkeys(PACKAGES, "1.0"), "torch": "2.13.0+cpu"},
    mismatched={},
)


def finding(machine: Machine, name: str) -> Finding:
    return next(item for item in diagnose(machine) if item.name == name)


def test_a_laptop_is_enough() -> None:
    assert [item.status for item in diagnose(LAPTOP)] == ["ok"] * len(diagnose(LAPTOP))
    assert "on the CPU" in finding(LAPTOP, "gpus").value


@pytest.mark.parametrize(
    ("changes", "name", "status", "advice"),
    [
        ({"python": (3, 10, 1)}, "python", "fail", "3.11"),
        ({"versions": {}}, "ray", "fail", "make setup"),
        ({"mismatched": {"ray": "==2.60.0"}}, "ray", "warn", "==2.60.0"),
        (
            {"versions": {**LAPTOP.versions, "torchvision": "0.28.0"}},
            "torchvision",
            "fail",
            "pip uninstall torchvision",
        ),
        ({"has_libnuma": False}, "libnuma", "fail", "apt install libnuma1"),
        ({"no_sandbox": NoSandbox("no namespaces", "allow them")}, "sandbox", "warn", "allow them"),
        ({"doors": Doors(False, ())}, "token", "warn", "makes one"),
        ({"doors": Doors("it can be read by others: chmod 600", ())}, "token", "warn", "chmod 600"),
        ({"doors": Doors(True, ("http://0.0.0.0:8265",))}, "dashboard", "warn", "RAY_AUTH_MODE=token"),
        ({"num_cores": 1}, "cores", "warn", "one core"),
        ({"free_memory_bytes": GIB}, "free memory", "warn", "smaller preset"),
        ({"free_memory_bytes": None}, "free memory", "warn", "4 GiB"),
        ({"free_disk_bytes": 0}, "free disk", "warn", "run.folder"),
        ({"shared_memory_bytes": GIB // 16}, "shared memory", "warn", "--shm-size"),
        ({"num_gpu_devices": 2}, "gpus", "warn", "driver"),
        ({"num_gpus": None}, "gpus", "warn", "make setup"),
        ({"num_gpus": 2, "num_gpu_devices": 2}, "gpus", "ok", ""),
    ],
)
def test_verdicts(changes: dict, name: str, status: str, advice: str) -> None:
    machine = replace(LAPTOP, **changes)
    found = finding(machine, name)
    assert found.status == status
    assert advice in found.advice
    assert is_fit(diagnose(machine)) == (status != "fail")
    assert f"{status:4}  {name}" in render(diagnose(machine))


def test_a_gpu_build_needs_no_libnuma() -> None:
    machine = replace(LAPTOP, has_libnuma=False, versions={**LAPTOP.versions, "torch": "2.13.0"})
    assert is_fit(diagnose(machine))


def test_torchvision_of_the_same_build_is_no_trouble() -> None:
    machine = replace(LAPTOP, versions={**LAPTOP.versions, "torchvision": "0.28.0+cpu"})
    assert is_fit(diagnose(machine))


def test_without_a_sandbox_the_reason_is_told() -> None:
    machine = replace(LAPTOP, no_sandbox=NoSandbox("no namespaces", "allow them"))
    assert "no namespaces" in finding(machine, "sandbox").value


def test_this_machine_can_be_measured(tmp_path: Path) -> None:
    machine = measure(tmp_path)
    assert machine.num_cores >= 1
    assert machine.free_disk_bytes > 0
    assert set(machine.versions) <= {*PACKAGES, "torchvision"}
    assert (machine.no_sandbox is None) == isinstance(find_sandbox(), Sandbox)

"""Before anything expensive starts: what nodes a run has, and whether each of them can do its part in it.

On every node the code must import with the versions that the driver has, the files and models that the recipe names
must be there, and the run's folder must be one and the same: each node leaves a mark in it, which all others must see.
"""

import glob
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata, util
from pathlib import Path

import ray
from ray.exceptions import GetTimeoutError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.deaths import what_ray_says
from cluster.session import joined
from cluster.site import Site, cluster_nodes, this_machine
from rl.pipeline import files_of, models_of
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig

TIMEOUT_SECONDS = 300.0  # the first task on a node unpacks the code and imports it
VERSIONS = ("ray", "torch", "transformers", "deepspeed", "pydantic", "numpy")
MODULES = ("torch", "vllm", "deepspeed", "transformers", "peft")  # looked for, not imported: that takes half a minute
OWN = ("rl.tasks", "rl.config", "rewards.score", "envs.library")


class PreflightError(ValueError):
    """A node of the cluster that cannot do its part in this run."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a node must have: installed `versions`, and `paths`, each with the field of the recipe that names it."""

    versions: Mapping[str, str]
    paths: Mapping[str, str]


def find_site(config: StageConfig, address: str | None, *, acting: StageConfig | None = None) -> Site:
    """This machine, or the cluster at `address` once all its nodes have passed. `acting` says which actors there will
    be, if `config` does not. Raises PreflightError.
    """
    if address is None:
        return this_machine(acting or config)
    return _checked(address, needs_of(config), config.run.directory.parent)


def find_evaluation_site(config: EvaluationConfig, out: Path, address: str | None) -> Site:
    """The same for an evaluation that writes into `out`. Benchmark files are read by the driver alone."""
    if address is None:
        return this_machine(config)
    return _checked(address, _needs({config.model.name_or_path: "the policy"}), out)


def _checked(address: str, needs: Needs, folder: Path) -> Site:
    with joined(address):
        check_nodes(needs, folder.absolute())
        return Site(address, cluster_nodes())


def _needs(paths: Mapping[str, str]) -> Needs:
    return Needs({name: metadata.version(name) for name in VERSIONS}, paths)


def needs_of(config: StageConfig) -> Needs:
    paths = dict.fromkeys(files_of(config), "a file of the recipe")
    # a hub id names no folder; whether it can be had, only loading it can tell
    paths |= {name: field for field, name in models_of(config).items() if Path(name).is_absolute()}
    return _needs(paths)


def problems_here(needs: Needs) -> list[str]:
    """What this node lacks."""
    found = [f"{name} cannot be imported" for name in MODULES if util.find_spec(name) is None]
    for name in OWN:
        try:
            import_module(name)
        except Exception as error:  # whatever stands in the way
            found.append(f"{name} cannot be imported: {type(error).__name__}: {error}")
    for name, version in needs.versions.items():
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            installed = "none"
        if installed != version:
            found.append(f"{name} {installed} is installed, the driver has {version}")
    for path, field in needs.paths.items():
        if not glob.glob(path, recursive=True):
            found.append(f"{path} ({field}) is not there")
    return found


def leave_mark(folder: Path, node: str, word: str) -> list[str]:
    """Write this node's mark; returns why it could not."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / node).write_text(word)
    except OSError as error:
        return [f"run.folder cannot be written: {error}"]
    return []


def missing_marks(folder: Path, words: Mapping[str, str]) -> list[str]:
    """Nodes whose mark this node does not see, or sees as something else."""
    found = []
    for node, word in words.items():
        try:
            if (folder / node).read_text() == word:
                continue
        except OSError:
            pass
        found.append(f"what {node} has written into run.folder is not there: {folder.parent} is not shared")
    return found


def check_nodes(needs: Needs, run_folder: Path) -> None:
    """Ask all nodes at once. Raises PreflightError, with every problem of every node."""
    nodes = {f"{n['NodeManagerAddress']}-{n['NodeID'][:6]}": n["NodeID"] for n in ray.nodes() if n["Alive"]}
    marks = run_folder / f".preflight-{secrets.token_hex(8)}"
    words = {node: secrets.token_hex(8) for node in nodes}
    try:
        _refuse(_ask(nodes, {node: (_first_round, needs, marks, node, word) for node, word in words.items()}))
        _refuse(_ask(nodes, dict.fromkeys(nodes, (missing_marks, marks, words))))
    finally:
        shutil.rmtree(marks, ignore_errors=True)


def _first_round(needs: Needs, marks: Path, node: str, word: str) -> list[str]:
    return problems_here(needs) + leave_mark(marks, node, word)


def _ask(nodes: Mapping[str, str], calls: Mapping[str, tuple]) -> dict[str, Sequence[str]]:
    """Problems by node."""
    answers = {}
    for node, (function, *arguments) in calls.items():
        there = NodeAffinitySchedulingStrategy(nodes[node], soft=False)
        task = ray.remote(num_cpus=0, max_retries=1)(function).options(scheduling_strategy=there)
        answers[node] = task.remote(*arguments)
    found: dict[str, Sequence[str]] = {}
    for node, answer in answers.items():
        try:
            found[node] = ray.get(answer, timeout=TIMEOUT_SECONDS)
        except GetTimeoutError:
            found[node] = [f"no answer within {TIMEOUT_SECONDS:g} s"]
        except RayError as error:
            found[node] = [what_ray_says(str(error))]
    return found


def _refuse(problems: Mapping[str, Sequence[str]]) -> None:
    lines = [f"node {node}: {problem}" for node, found in problems.items() for problem in found]
    if lines:
        raise PreflightError("\n".join(lines))

"""Modules side by side: which of them, alone or by a router's choice, answers what how well.

A contestant is a way to answer: the base, one module, or the router per dialog or per turn. All are asked the same
held-out questions of every domain, by the same engines, at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from envs.task import Task
from models.module_folder import ModuleManifest
from rl.check_config import check
from rl.config import Config
from rl.load_config import C, ConfigError, apply_override, parse
from rl.module_stage import held_out_tasks, tasks_of
from rl.router import Router
from rl.tasks import mixture_of
from rl.trajectory import EpisodeRequest, Routing, Scored

BASE, ROUTER, ROUTER_PER_TURN = "base", "router", "router per turn"


@dataclass(frozen=True, slots=True)
class Contestant:
    label: str
    module: str = ""
    routing: Routing = "none"


@dataclass(frozen=True, slots=True)
class Cell:
    """Success of one contestant in one domain: mean over its dialogs' turns, with its standard error."""

    contestant: str
    domain: str
    success: float
    standard_error: float
    num_dialogs: int
    answered_by: dict[str, float]  # module, or "base" -> share of the turns


def contestants(manifests: Sequence[ModuleManifest], router: Router | None) -> list[Contestant]:
    named = [Contestant(manifest.name, manifest.name) for manifest in manifests]
    routed = [Contestant(ROUTER, routing="dialog"), Contestant(ROUTER_PER_TURN, routing="turn")]
    return [Contestant(BASE), *named, *(routed if router else ())]


def domains_of(manifests: Sequence[ModuleManifest], router: Router | None) -> list[ModuleManifest]:
    """The modules whose own tasks are asked: those that the router chooses among, or all that have tasks."""
    if router is not None:
        return [manifest for manifest in manifests if manifest.name in router.names]
    return [manifest for manifest in manifests if manifest.recipe.get("tasks")]


def eval_config(
    manifests: Sequence[ModuleManifest], domains: Sequence[ModuleManifest], base: str, overrides: Sequence[str]
) -> Config:
    """What the workers must know: scenarios of all domains, an engine that holds all modules, and room for the longest
    dialogs that any of them was trained with. Raises ConfigError.
    """
    tasks = [tasks_of(manifest).model_dump(mode="json") for manifest in domains]
    recipes: list[dict[str, Any]] = [manifest.recipe for manifest in manifests if manifest.recipe]
    rollouts = [recipe["rollout"] for recipe in recipes if "rollout" in recipe]
    max_length = max(recipe["model"]["max_length"] for recipe in recipes)
    data: dict[str, Any] = {
        "run": {"name": "modules"},
        "model": {
            "name_or_path": base,
            "dtype": manifests[0].dtype,
            "max_length": max_length,
            "lora_rank": max(manifest.rank for manifest in manifests),
            "lora_target_modules": sorted({name for manifest in manifests for name in manifest.target_modules}),
        },
        "tasks": {
            "mix": [line for of_one in tasks for line in of_one["mix"]],
            "files": sorted({file for of_one in tasks for file in of_one["files"]}),
            "questions": next((of_one["questions"] for of_one in tasks if of_one["questions"]), ""),
        },
        "rollout": {
            "num_modules": len(manifests),
            "kv_cache_gib": 0.25,
            "max_prompt_length": max((r["max_prompt_length"] for r in rollouts), default=max_length * 3 // 4),
            "max_response_length": max((r["max_response_length"] for r in rollouts), default=max_length // 4),
            "max_turns": max((r["max_turns"] for r in rollouts), default=4),
        },
        "rewards": {"weights": {"task.success": 1.0}},
    }
    for override in overrides:
        apply_override(data, override)
    return _parsed(Config, data)


def _parsed(kind: type[C], data: dict[str, Any]) -> C:
    config, problems = parse(kind, data, check)  # type: ignore[arg-type]
    if config is None:
        raise ConfigError("\n".join(problem for _, problem in problems))
    return config


def questions(domains: Sequence[ModuleManifest], num_tasks: int) -> dict[str, list[Task]]:
    """The tasks of each domain, by the name of its module."""
    found = {}
    for manifest in domains:
        tasks = tasks_of(manifest)
        found[manifest.name] = held_out_tasks(*mixture_of(tasks), num_tasks, tasks.held_out_fraction)
    return found


def requests(contestant: Contestant, tasks: dict[str, list[Task]]) -> list[EpisodeRequest]:
    """Greedy dialogs; `iteration` tells the domains apart."""
    return [
        EpisodeRequest(task, domain, index, 0, 0, "eval", module=contestant.module, routing=contestant.routing)
        for domain, of_one in enumerate(tasks.values())
        for index, task in enumerate(of_one)
    ]


def table(
    tasks: dict[str, list[Task]], asked: dict[str, list[EpisodeRequest]], scored: dict[str, Scored]
) -> list[Cell]:
    """What came of it: `asked` by contestant, `scored` by the id of the request."""
    cells = []
    for contestant, of_one in asked.items():
        for index, domain in enumerate(tasks):
            results = [scored[request.id] for request in of_one if request.iteration == index]
            success = [s.score.success.mean() for s in results if s.score is not None and len(s.score.success)]
            if not success:
                errors = {s.trajectory.error for s in results}
                raise RuntimeError(f"{contestant} on {domain}: every dialog failed: {sorted(errors)[:3]}")
            turns = [name or BASE for s in results for name in s.trajectory.modules or [""] * len(s.trajectory.turns)]
            cells.append(
                Cell(
                    contestant,
                    domain,
                    float(np.mean(success)),
                    float(np.std(success) / len(success) ** 0.5),
                    len(success),
                    {name: turns.count(name) / len(turns) for name in sorted(set(turns))},
                )
            )
    return cells

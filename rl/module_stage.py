"""What a stage leaves as a module, and the router over the modules of a pipeline."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from envs.library import Library
from envs.mix import MixLine, draw, evaluation_tasks, is_held_out
from envs.task import Task
from models.lora import ModuleError, read_adapter
from models.module_folder import About, Module, ModuleManifest, read_module, write_module
from rl.config import Config, TasksConfig
from rl.pipeline import Pipeline, Stage
from rl.router import FILE, Router, train_router
from rl.stage_config import PretrainConfig, RouterConfig
from rl.tasks import mixture_of

NUM_HELD_OUT = 400  # openings per module by which a router is judged


def make_module(pipeline: Pipeline, stage: Stage, adapter: Path) -> Module:
    """The module of a stage whose run has ended: the adapter of its last checkpoint over the model it started from."""
    config, directory = pipeline.started(stage), pipeline.directory(stage.name)
    domains: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    if not isinstance(config, PretrainConfig) and config.tasks is not None:
        library, mix = mixture_of(config.tasks)
        scenarios = tuple(line.scenario for line in mix)
        domains = tuple(dict.fromkeys(library.find(name).domain for name in scenarios))
    about = About(
        name=stage.module,
        domains=domains,
        scenarios=scenarios,
        rewards=config.rewards.weights if isinstance(config, Config) else {},
        recipe=json.loads(config.model_dump_json()),
        metrics=_metrics(json.loads((directory / "report.json").read_bytes())),
    )
    base = Path(config.model.name_or_path)
    dtype = torch.bfloat16 if config.model.dtype == "bfloat16" else torch.float32
    return write_module(pipeline.output(stage.name), read_adapter(adapter), base=base, dtype=dtype, about=about)


def tasks_of(manifest: ModuleManifest) -> TasksConfig:
    """What a module was trained on. Raises ModuleError where its recipe has no tasks, as of one that was merged."""
    tasks = manifest.recipe.get("tasks")
    if tasks is None:
        raise ModuleError(f"module {manifest.name!r} was trained on no dialogs, so nobody knows which ones it is for")
    return TasksConfig.model_validate_json(json.dumps(tasks))


def route(folder: Path, config: RouterConfig, say: Callable[[str], None]) -> Router:
    """Train a router over modules in `folder`, judge it by openings that no training has asked, and save it there."""
    tasks = {name: tasks_of(read_module(folder / name).manifest) for name in config.modules}
    texts = {name: _questions(of_one, config.num_dialogs) for name, of_one in tasks.items()}
    router = train_router(texts, min_confidence=config.min_confidence)
    held_out = {name: _share_chosen(router, name, of_one) for name, of_one in tasks.items()}
    router = replace(router, held_out=held_out)
    router.save(folder / FILE)
    shares = ", ".join(f"{name} {share:.1%}" for name, share in held_out.items())
    say(f"router: right module for held-out openings: {shares}")
    return router


def held_out_tasks(library: Library, mix: Sequence[MixLine], num_tasks: int, fraction: float) -> list[Task]:
    """Tasks whose opening no training with this `held_out_fraction` asks, shared out as `evaluation_tasks` does; there
    may be fewer. Where there are none of the kind, those of training are taken.
    """
    tasks = evaluation_tasks(library, mix, int(3 * num_tasks / fraction) if fraction else 0)
    tasks = [task for task in tasks if is_held_out(library.opening(task), fraction)]
    if not tasks:
        return evaluation_tasks(library, mix, num_tasks)
    count = min(num_tasks, len(tasks))
    return [tasks[i * len(tasks) // count] for i in range(count)]


def _questions(tasks: TasksConfig, num_dialogs: int) -> list[str]:
    """What users say in training, in all turns: a router may be asked about each."""
    library, mix = mixture_of(tasks)
    drawn = [draw(library, mix, 0, 0, index, tasks.held_out_fraction) for index in range(num_dialogs)]
    return [question.text for task in drawn for question in library.questions(task, max_turns=4)]


def _share_chosen(router: Router, name: str, tasks: TasksConfig) -> float:
    library, mix = mixture_of(tasks)
    held_out = held_out_tasks(library, mix, NUM_HELD_OUT, tasks.held_out_fraction)
    chosen = [router.choose(library.opening(task)) == name for task in held_out]
    return sum(chosen) / max(len(chosen), 1)


def _metrics(report: dict[str, Any]) -> dict[str, float]:
    """The figures that a stage is judged by."""
    if evals := report.get("eval"):
        return {"accuracy": float(evals[-1]["accuracy"]), "max_logprob_gap": float(report["max_logprob_gap"])}
    return {"loss": float(report["loss"]["last"])}

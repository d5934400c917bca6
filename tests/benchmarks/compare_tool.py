"""One policy with its calculator and without: success on the same held-out questions, asked greedily.

    .venv/bin/python tests/benchmarks/compare_tool.py runs/math_tool/stages/ppo [NUM_TASKS]

With: dialogs as in the stage's own recipe. Without: `rollout.tools` is empty, so nothing announces the calculator and
no call is answered; half of the demonstrations that the policy learnt from are of that kind, so it has been shown how
to answer by itself, too. Where it calls all the same, what it wrote is its answer. Everything else is equal, and no
question opened a dialog in training.

One line of JSON: success with and without by level, the ratio, and how the calls went.
"""

import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from harness import cpu_plan, report, restart_with

from envs.mix import evaluation_tasks, is_held_out
from models.opponent import publish_opponent
from models.policy import load_policy
from rl.build import build_rollout_worker
from rl.config import Config
from rl.load_config import load_config
from rl.tasks import build_scorer, build_tasks
from rl.trajectory import EpisodeRequest, Trajectory

SEED = 2  # of the questions: others than the evaluations of the run


def measure(stage: Path, num_tasks: int) -> dict[str, object]:
    config = load_config(str(stage / "config.yaml"))
    if not config.rollout.tools:
        raise SystemExit(f"{stage}: its recipe has no rollout.tools to compare with none")
    bare = config.model_copy(update={"rollout": config.rollout.model_copy(update={"tools": ()})})
    requests = held_out_requests(config, num_tasks)
    figures: dict[str, object] = {"stage": str(stage), "questions": len(requests)}
    with_tool, without = (ask(variant, stage / "policy", requests) for variant in (config, bare))
    means = []
    for name, dialogs in (("with", with_tool), ("without", without)):
        by_level = success_by_level(config, dialogs)
        means.append(float(np.mean([value for values in by_level.values() for value in values])))
        figures |= {name: means[-1], f"{name}_by_level": {level: float(np.mean(v)) for level, v in by_level.items()}}
    figures["ratio"] = means[0] / means[1] if means[1] else float("inf")
    uses = [use for dialog in with_tool for turn in dialog.turns for use in turn.tool_uses]
    figures["calls_per_answer"] = len(uses) / sum(len(dialog.turns) for dialog in with_tool)
    figures["call_errors"] = float(np.mean([use.is_error for use in uses])) if uses else 0.0
    return figures


def held_out_requests(config: Config, num_tasks: int) -> list[EpisodeRequest]:
    library, mix = build_tasks(config)
    fraction = config.tasks.held_out_fraction
    tasks = evaluation_tasks(library, mix, round(num_tasks / fraction), seed=SEED)
    unseen = [task for task in tasks if is_held_out(library.opening(task), fraction)]
    return [EpisodeRequest(task, 0, index, 0, config.run.seed, "eval") for index, task in enumerate(unseen)]


def ask(config: Config, folder: Path, requests: list[EpisodeRequest]) -> list[Trajectory]:
    """All dialogs, in the order of the requests, from an engine of their own."""
    worker = build_rollout_worker(config, folder, cpu_plan(config), name="rollout-0")
    worker.load(*publish_opponent(load_policy(folder), max_length=config.model.max_length))
    worker.admit(requests)
    ended: dict[str, Trajectory] = {}
    while worker.num_unfinished:
        ended |= {trajectory.request.id: trajectory for trajectory in worker.advance(max_seconds=1.0)}
    return [ended[request.id] for request in requests]


def success_by_level(config: Config, dialogs: list[Trajectory]) -> dict[int, list[float]]:
    scorer = build_scorer(config)
    success: dict[int, list[float]] = defaultdict(list)
    for dialog in dialogs:
        success[dialog.request.task.level] += scorer.score(dialog.transcript).success.tolist()
    return dict(sorted(success.items()))


if __name__ == "__main__":
    folder, *rest = sys.argv[1:]
    restart_with(cpu_plan(load_config(f"{folder}/config.yaml")).engine_env)
    report("tool", lambda: measure(Path(folder), int(rest[0]) if rest else 300))

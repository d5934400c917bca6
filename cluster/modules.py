"""`zero2one modules eval`: the rollout workers of a training run, serving all modules of a folder at once."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import ray
import torch

from cluster.crew import start_rewards, start_rollouts, watched
from cluster.memory import weight_bytes
from cluster.placement import Placement
from cluster.preflight import find_site
from cluster.run_directory import device_plan, prepare_process
from cluster.seats import Seats
from cluster.site import session_at
from cluster.witness import Witness
from cluster.workers import Publication
from models.device import DevicePlan
from models.module_folder import check_base, common_base, list_modules
from models.policy import load_policy
from models.publish import publish_plain
from rewards.signal import Moments
from rl.config import Config
from rl.judging import judge
from rl.module_eval import Cell, contestants, domains_of, eval_config, questions, requests, table
from rl.router import FILE, Router
from rl.tasks import signal_of
from rl.trajectory import EpisodeRequest, Scored


def evaluate_modules(folder: Path, num_tasks: int, overrides: Sequence[str], address: str | None) -> list[Cell]:
    """Answer held-out tasks of each domain in every way there is. Raises ModuleError, ConfigError, RouterError."""
    prepare_process()
    modules = list_modules(folder)
    manifests = [module.manifest for module in modules]
    router = Router.load(folder / FILE) if (folder / FILE).exists() else None
    base, domains = common_base(modules), domains_of(manifests, router)
    config = _within(folder, eval_config(manifests, domains, str(base), overrides))
    site = find_site(config, address)
    plan, size = device_plan(config, site.num_gpus, has_learner=False), weight_bytes(base)
    placement = site.plan(config, plan, size, has_learner=False)
    policy = load_policy(base, dtype=getattr(torch, manifests[0].dtype))
    manifest, buckets = publish_plain(policy, version=0, max_length=config.model.max_length)
    check_base(modules[0], manifest.sha256, str(base))
    tasks = questions(domains, num_tasks)
    asked = {c.label: requests(c, tasks) for c in contestants(manifests, router)}
    served = tuple(str(module.folder.absolute()) for module in modules)
    router_file = str((folder / FILE).absolute()) if router else ""
    requested = [request for of_one in asked.values() for request in of_one]
    with session_at(site, size, folder / "logs"):
        refs = tuple(map(ray.put, buckets))
        publication = Publication(0, ((manifest, refs),), served, router_file)
        scored = asyncio.run(answer_all(config, plan, placement, base, publication, requested))
    return table(tasks, asked, scored)


def _within(folder: Path, config: Config) -> Config:
    """`config` with the folder as its run's: the one that all nodes of a cluster must share."""
    return config.model_copy(update={"run": config.run.model_copy(update={"folder": str(folder)})})


async def answer_all(
    config: Config,
    plan: DevicePlan,
    placement: Placement,
    base: Path,
    publication: Publication,
    asked: Sequence[EpisodeRequest],
) -> dict[str, Scored]:
    """The judged dialogs by the ids of their requests."""
    witness = Witness(Path(config.run.folder))
    rollouts, _ = start_rollouts(config, plan, base, seats=Seats(placement.bundle("rollout")), witness=witness)
    rewards, _ = start_rewards(config, placement.bundle("reward"), witness=witness)
    signal = signal_of(config.rewards)

    async def answer() -> dict[str, Scored]:
        scored: dict[str, Scored] = {}
        await rollouts.publish(publication)
        async for finished in rollouts.sample(asked):
            for main, *_ in await judge(finished, rewards, signal, Moments.none(len(signal.names))):
                scored[main.trajectory.request.id] = main
        return scored

    def signs() -> object:
        return rollouts.signs_of_progress(), rewards.num_answers

    try:
        return await watched(answer(), config.run.watchdog_seconds, signs, witness)
    finally:
        rollouts.stop()
        rewards.stop()

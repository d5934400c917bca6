"""`zero2one train`: check everything that can be checked, start the actors, run the loop, write the report."""

import asyncio
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from cluster.fleet import Fleet
from cluster.learner import LearnerGroup, start_learner
from cluster.memory import memory_budget, weight_bytes
from cluster.reward_worker import RewardActor
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet, Send
from cluster.run_directory import device_plan, keep_config, open_run_directory, prepare_process, say, training_session
from cluster.workers import RolloutActor
from models.device import DevicePlan
from rl.build import prepare_model
from rl.config import Config
from rl.files import RunLock
from rl.interfaces import World
from rl.loop import Trainer
from rl.metrics import peak_rss_bytes
from rl.records import Records
from rl.report import RunSummary, write_report
from rl.tasks import build_scorer, build_tasks, rehearse, signal_of


def train(config: Config, *, resume: bool, address: str | None) -> int:
    """Run a recipe from start to report. Returns the exit code; see `cluster/cli.py` for the errors."""
    prepare_process()
    rehearse(config)
    scorer = build_scorer(config)
    signal_of(config.rewards)
    plan = device_plan(config)
    run_dir = open_run_directory(config, resume=resume)
    with RunLock(run_dir):
        model_folder = (run_dir / "model").absolute()
        if not resume:  # one that an earlier, refused attempt has left is of another configuration
            shutil.rmtree(model_folder, ignore_errors=True)
        prepare_model(config, model_folder)
        size = weight_bytes(model_folder)
        keep_config(config, run_dir, memory_budget(config, size))
        records = Records(run_dir, config, scorer.names, _identity(config), say)
        with training_session(records, num_cpus=_num_cpus(config), num_weight_bytes=size, address=address):
            summary = asyncio.run(_run(config, plan, model_folder, records))
        write_report(run_dir, summary)
    say(_closing_words(run_dir, summary))
    return 0


async def _run(config: Config, plan: DevicePlan, model_folder: Path, records: Records) -> RunSummary:
    started = time.monotonic()
    actors = Actors.start(config, plan, model_folder)
    try:
        library, mix = build_tasks(config)
        await actors.learner.join()
        say(f"Ray, learner and workers are starting: {time.monotonic() - started:.0f} s so far")
        world = World(actors.rollouts, actors.rewards, actors.learner, actors, actors)
        return await Trainer(config, library, mix, signal_of(config.rewards), world, records).train()
    finally:
        actors.stop()


@dataclass
class Actors:
    """Everything that runs in Ray for one training run. Implements `Weights` and `Fleet` of `rl/interfaces.py`."""

    learner: LearnerGroup
    rollouts: RolloutFleet
    rewards: RewardFleet
    rollout_members: Fleet
    reward_members: Fleet

    @classmethod
    def start(cls, config: Config, plan: DevicePlan, folder: Path) -> "Actors":
        """Must be called inside the event loop that will serve the fleets."""
        learner = start_learner(config, plan, folder)
        send = learner.send if plan.weight_transfer == "nccl" else None
        rollouts, rollout_members = start_rollouts(config, plan, folder, send=send)
        rewards, reward_members = start_rewards(config)
        return cls(learner, rollouts, rewards, rollout_members, reward_members)

    async def publish(self, version: int) -> str:
        publication = await self.learner.publish(version)
        await self.rollouts.publish(publication)
        return publication.sha256

    def metrics(self) -> dict[str, float]:
        return {
            "fleet/rollout_workers": float(len(self.rollout_members.members)),
            "fleet/rollout_restarts": float(self.rollout_members.num_restarts),
            "fleet/reward_workers": float(len(self.reward_members.members)),
            "fleet/reward_restarts": float(self.reward_members.num_restarts),
        }

    async def peak_rss_bytes(self) -> dict[str, int]:
        return {
            "driver": peak_rss_bytes(),
            "learner": await self.learner.peak_rss_bytes(),
            "rollout": await self.rollout_members.peak_rss_bytes(),
            "reward": await self.reward_members.peak_rss_bytes(),
        }

    def stop(self) -> None:
        self.rollouts.stop()
        self.rewards.stop()
        self.learner.stop()


def start_rollouts(
    config: Config, plan: DevicePlan, folder: Path, *, send: Send | None = None
) -> tuple[RolloutFleet, Fleet]:
    """The rollout workers, and what keeps them alive; inside the event loop that will serve them."""
    rollout = config.rollout
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    actor = RolloutActor.options(
        num_cpus=rollout.num_threads,
        num_gpus=plan.gpus_per_rollout_worker,
        runtime_env={"env_vars": {**plan.engine_env, **quiet}},
    )
    members = Fleet("rollout", lambda name: actor.remote(config, folder, plan, name), rollout.num_rollout_workers)
    call_timeout_seconds = 2 * rollout.episode_timeout_seconds
    capacity = 2 * rollout.max_num_seqs
    return RolloutFleet(members, capacity=capacity, call_timeout_seconds=call_timeout_seconds, send=send), members


def start_rewards(config: Config) -> tuple[RewardFleet, Fleet]:
    """The reward workers, likewise."""
    rewards = config.rewards
    actor = RewardActor.options(num_cpus=1)
    members = Fleet("reward", lambda name: actor.remote(config), rewards.num_reward_workers)
    fleet = RewardFleet(
        members,
        timeout_seconds=rewards.timeout_seconds,
        max_retries=rewards.max_retries,
        on_error=rewards.on_error,
    )
    return fleet, members


def _identity(config: Config) -> dict[str, str | int]:
    """What a checkpoint must agree in to be loaded."""
    model, learner = config.model, config.learner
    return {
        "model": model.name_or_path or model.preset,
        "vocab_size": model.vocab_size,
        "lora_rank": model.lora_rank,
        "num_ranks": learner.num_ranks,
        "zero_stage": learner.zero_stage,
        "advantage_estimator": config.ppo.advantage_estimator,
    }


def _num_cpus(config: Config) -> int:
    """Logical CPUs of our own cluster: enough for every actor, for on one machine the roles take turns."""
    rollout, learner = config.rollout, config.learner
    needed = (
        rollout.num_rollout_workers * rollout.num_threads
        + learner.num_ranks * learner.num_threads
        + config.rewards.num_reward_workers
    )
    # replacements start before the resources of the dead are back
    return max(os.cpu_count() or 1, needed) + rollout.num_threads


def _closing_words(run_dir: Path, summary: RunSummary) -> str:
    last = summary.evals[-1]
    return f"done: held-out accuracy {summary.evals[0].accuracy:.3f} -> {last.accuracy:.3f}; see {run_dir}/report.md"

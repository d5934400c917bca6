"""`zero2one train`: check everything that can be checked, start the actors, run the loop, write the report."""

import asyncio
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.autoscale import Autoscaler
from cluster.crew import reward_fleet, start_rewards, start_rollouts, watched
from cluster.fleet import Fleet
from cluster.learner import LearnerGroup, start_learner
from cluster.memory import memory_budget, weight_bytes
from cluster.model_rewards import RulesAndModel, start_reward_models
from cluster.placement import Placement
from cluster.preflight import find_site
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet
from cluster.run_directory import (
    device_plan,
    graceful_stop,
    identity_of,
    keep_config,
    open_run_directory,
    prepare_process,
    require_complete,
    say,
    training_session,
)
from cluster.seats import Seats
from cluster.site import cluster_nodes
from cluster.steering import Steering
from cluster.witness import Witness
from models.device import DevicePlan
from rewards.dimensions.reward_model import MODEL_REWARD
from rl.build import prepare_model
from rl.config import Config
from rl.control import Control
from rl.files import RunLock
from rl.interfaces import World
from rl.loop import Trainer
from rl.metrics import peak_rss_bytes
from rl.model_judge import require_reward_model
from rl.records import Records
from rl.report import RunSummary, write_report
from rl.tasks import build_scorer, build_tasks, rehearse, signal_of


def train(config: Config, *, resume: bool, address: str | None) -> int:
    """Run a recipe from start to report. Returns the exit code; see `cluster/cli.py` for the errors."""
    prepare_process()
    rehearse(config)
    scorer = build_scorer(config)
    signal_of(config.rewards)
    require_reward_model(config.rewards.model)
    site = find_site(config, address)
    plan = device_plan(config, site.num_gpus)
    run_dir = open_run_directory(config, resume=resume)
    with RunLock(run_dir):
        model_folder = (run_dir / "model").absolute()
        if not resume:  # one that an earlier, refused attempt has left is of another configuration
            shutil.rmtree(model_folder, ignore_errors=True)
        prepare_model(config, model_folder)
        size = weight_bytes(model_folder)
        placement = site.plan(config, plan, size)
        keep_config(config, run_dir, placement, memory_budget(config, size))
        records = Records(run_dir, config, scorer.names, identity_of(config), say)
        with training_session(records, site, size):
            summary = asyncio.run(_run(config, plan, placement, model_folder, records))
        write_report(run_dir, summary)
    require_complete(config, summary.step)
    say(_closing_words(run_dir, summary))
    return 0


async def _run(
    config: Config, plan: DevicePlan, placement: Placement, model_folder: Path, records: Records
) -> RunSummary:
    started = time.monotonic()
    witness = Witness(records.run_dir)
    actors = Actors.start(config, plan, placement, model_folder, records.control, witness=witness)
    try:
        library, mix = build_tasks(config)
        with graceful_stop(records.control):
            await actors.learner.join()
            say(f"Ray, learner and workers are starting: {time.monotonic() - started:.0f} s so far")
            world = World(actors.rollouts, actors.rewards, actors.learner, actors, actors)
            trainer = Trainer(config, library, mix, signal_of(config.rewards), world, records)
            return await watched(trainer.train(), config.run.watchdog_seconds, actors.signs_of_progress, witness)
    finally:
        actors.stop()


@dataclass
class Actors:
    """Everything that runs in Ray for one training run. Implements `Weights` and `Fleet` of `rl/interfaces.py`."""

    learner: LearnerGroup
    rollouts: RolloutFleet
    rewards: RewardFleet | RulesAndModel
    rollout_members: Fleet
    reward_members: Fleet
    model_members: Fleet | None  # of a reward model
    steering: Steering
    _steered: asyncio.Task[None]

    @classmethod
    def start(
        cls,
        config: Config,
        plan: DevicePlan,
        placement: Placement,
        folder: Path,
        control: Control,
        learner: LearnerGroup | None = None,
        *,
        witness: Witness,
    ) -> "Actors":
        """Must be called inside the event loop that will serve the fleets. `learner`: one that is there already."""
        learner = learner or start_learner(config, plan, folder, placement.bundle("learner"), witness=witness)
        rollout, rewards = config.rollout, config.rewards
        seats = Seats(placement.bundle("rollout"))
        send = learner.send if plan.weight_transfer == "nccl" else None
        rollout_fleet, rollout_members = start_rollouts(config, plan, folder, seats=seats, send=send, witness=witness)
        rules, reward_members = start_rewards(config, placement.bundle("reward"), witness=witness)
        model_members = (
            start_reward_models(rewards.model, placement, witness=witness) if rewards.model.name_or_path else None
        )
        steering = Steering(
            control,
            rollout_fleet,
            rules,
            placement,
            nodes=cluster_nodes,
            say=say,
            autoscaler=Autoscaler(rollout.autoscale) if rollout.autoscale.enabled else None,
            grows=rollout.autoscale.nodes,
        )
        steered = asyncio.create_task(steering.run())
        return cls(
            learner=learner,
            rollouts=rollout_fleet,
            rewards=_with_model(config, rules, model_members),
            rollout_members=rollout_members,
            reward_members=reward_members,
            model_members=model_members,
            steering=steering,
            _steered=steered,
        )

    async def publish(self, version: int) -> str:
        publication = await self.learner.publish(version)
        await self.rollouts.publish(publication)
        return publication.sha256

    def metrics(self) -> dict[str, float]:
        return {
            "fleet/rollout_workers": float(len(self.rollout_members.members)),
            "fleet/rollout_restarts": float(self.rollout_members.num_restarts),
            "fleet/dialogs_set_aside": float(self.rollouts.num_set_aside),
            "fleet/reward_workers": float(len(self.reward_members.members)),
            "fleet/reward_restarts": float(self.reward_members.num_restarts),
        } | self._model_metrics()

    def signs_of_progress(self) -> object:
        """Changes whenever anything has been done; while the learner works, which has a deadline of its own, always."""
        learner = self.learner
        at_work = time.monotonic() if learner.num_calls > learner.num_answers else 0.0
        return self.rollouts.signs_of_progress(), self.rewards.num_answers, learner.num_answers, at_work

    def observe(self, timing: Mapping[str, float]) -> None:
        self.steering.observe(timing)

    async def peak_rss_bytes(self) -> dict[str, int]:
        return {
            "driver": peak_rss_bytes(),
            "learner": await self.learner.peak_rss_bytes(),
            "rollout": await self.rollout_members.peak_rss_bytes(),
            "reward": await self.reward_members.peak_rss_bytes(),
        } | ({} if self.model_members is None else {"reward model": await self.model_members.peak_rss_bytes()})

    def _model_metrics(self) -> dict[str, float]:
        if self.model_members is None:
            return {}
        return {
            "fleet/reward_model_workers": float(len(self.model_members.members)),
            "fleet/reward_model_restarts": float(self.model_members.num_restarts),
        }

    def stop(self) -> None:
        self.stop_workers()
        self.learner.stop()

    def stop_workers(self) -> None:
        """All but the learner."""
        self._steered.cancel()
        self.rollouts.stop()
        self.rewards.stop()


def _with_model(config: Config, rules: RewardFleet, members: Fleet | None) -> RewardFleet | RulesAndModel:
    if members is None:
        return rules
    return RulesAndModel(rules, reward_fleet(config, members), signal_of(config.rewards).names.index(MODEL_REWARD))


def _closing_words(run_dir: Path, summary: RunSummary) -> str:
    last = summary.evals[-1]
    return f"done: held-out accuracy {summary.evals[0].accuracy:.3f} -> {last.accuracy:.3f}; see {run_dir}/report.md"

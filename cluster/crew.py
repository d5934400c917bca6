"""Rollout and reward workers, as everything starts them that lets a policy speak: training, evaluations, modules."""

from pathlib import Path

from ray.actor import ActorHandle

from cluster.fleet import Fleet
from cluster.placement import Bundle
from cluster.reward_worker import RewardActor
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet, Send
from cluster.seats import Seats
from cluster.session import QUIET
from cluster.witness import Witness
from cluster.workers import RolloutActor
from models.device import DevicePlan
from rl.config import Config
from rl.suites.config import EvaluationConfig


def start_rollouts(
    config: Config | EvaluationConfig,
    plan: DevicePlan,
    folder: Path,
    *,
    seats: Seats | None = None,
    send: Send | None = None,
    witness: Witness | None = None,
) -> tuple[RolloutFleet, Fleet]:
    """The rollout workers, and what keeps them alive; inside the event loop that will serve them. `seats`: where each
    of them sits; without, wherever Ray finds room. `witness`: writes down how they are lost.
    """
    rollout = config.rollout

    def start(name: str) -> ActorHandle:
        actor = RolloutActor.options(
            num_cpus=rollout.num_threads,
            num_gpus=plan.gpus_per_rollout_worker,
            scheduling_strategy=seats.take(name) if seats else None,
            runtime_env={"env_vars": {**plan.engine_env, **QUIET}},
        )
        return actor.remote(config, folder, plan, name)

    members = Fleet("rollout", start, rollout.num_rollout_workers, seats=seats, witness=witness)
    fleet = RolloutFleet(
        members,
        capacity=2 * rollout.max_num_seqs,
        call_timeout_seconds=2 * rollout.episode_timeout_seconds,
        max_losses=rollout.max_worker_losses,
        send=send,
    )
    return fleet, members


def start_rewards(config: Config, bundle: Bundle, *, witness: Witness | None = None) -> tuple[RewardFleet, Fleet]:
    """The reward workers, likewise, each of which reserves `bundle`."""
    actor = RewardActor.options(num_cpus=bundle.cpus, memory=bundle.memory_bytes)
    size = config.rewards.num_reward_workers
    members = Fleet("reward", lambda name: actor.remote(config), size, witness=witness)
    return reward_fleet(config, members), members


def reward_fleet(config: Config, members: Fleet) -> RewardFleet:
    """Those who judge, with the patience that the recipe has for them."""
    rewards = config.rewards
    return RewardFleet(
        members,
        timeout_seconds=rewards.timeout_seconds,
        max_retries=rewards.max_retries,
        on_error=rewards.on_error,
    )

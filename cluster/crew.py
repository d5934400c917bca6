"""Rollout and reward workers, as everything starts them, and waits for them, that lets a policy speak: training,
rejection sampling, evaluations, modules.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from ray.actor import ActorHandle

from cluster.fleet import Fleet
from cluster.placement import Bundle
from cluster.reward_worker import RewardActor
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet, Send
from cluster.run_directory import say
from cluster.seats import Seats
from cluster.session import QUIET
from cluster.waiting import unless_failed
from cluster.watchdog import Watchdog
from cluster.witness import Witness
from cluster.workers import RolloutActor
from models.device import DevicePlan
from rl.config import Config
from rl.suites.config import EvaluationConfig

T = TypeVar("T")


def start_rollouts(
    config: Config | EvaluationConfig,
    plan: DevicePlan,
    folder: Path,
    *,
    seats: Seats | None = None,
    send: Send | None = None,
    witness: Witness,
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


def start_rewards(config: Config, bundle: Bundle, *, witness: Witness) -> tuple[RewardFleet, Fleet]:
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


async def watched(work: Awaitable[T], seconds: float, signs: Callable[[], object], witness: Witness) -> T:
    """The result of what workers do. After `seconds` in which no `signs` change it is written down what everybody is
    at, and after as much again it ends; 0: nobody looks. Raises `cluster.watchdog.StalledError`.
    """
    if not seconds:
        return await work

    async def report(why: str) -> None:
        say(f"warning: {why}; what all processes were at: {await witness.hung('run', why)}")

    watching = asyncio.create_task(Watchdog(seconds, signs, report).run())
    try:
        return await unless_failed(work, watching)
    finally:
        watching.cancel()
        await asyncio.wait({watching})  # it has a timer that would end the process

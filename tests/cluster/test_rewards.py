"""Reward workers that die, hang and raise: a judgement is repeated, and then it is an error; never a number."""

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest

from cluster.fleet import Fleet
from cluster.rewards import RewardFleet
from rewards.score import DialogScore, RewardError
from tests.cluster.actors import SOUND, Faults, Judge, judge, pids, play, still_there
from tests.rl.builders import request

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

TRAJECTORIES = [play(request(0, group), version=0) for group in range(7)]
EXPECTED = [judge(trajectory.transcript).vector[0, 0] for trajectory in TRAJECTORIES]


def judges(
    size: int,
    faults: Callable[[str], Faults] = lambda name: SOUND,
    *,
    hangs_of: str = "",
    timeout_seconds: float = 60.0,
    on_error: Literal["stop", "exclude"] = "stop",
) -> tuple[RewardFleet, Fleet]:
    members = Fleet("reward", lambda name: Judge.remote(faults(name), hangs_of), size)
    rewards = RewardFleet(members, timeout_seconds=timeout_seconds, max_retries=1, on_error=on_error)
    return rewards, members


def only_first(fault: Faults) -> Callable[[str], Faults]:
    return lambda name: fault if name == "reward-0" else SOUND


def number(outcome: DialogScore | RewardError) -> float:
    assert isinstance(outcome, DialogScore)
    return float(outcome.vector[0, 0])


async def numbers(rewards: RewardFleet) -> list[float]:
    return [number(outcome) for outcome in await rewards.score(TRAJECTORIES)]


@pytest.mark.parametrize("size", [1, 3])
async def test_scores_come_in_the_given_order(size: int) -> None:
    rewards, _ = judges(size)
    assert await rewards.score([]) == []
    assert await numbers(rewards) == EXPECTED
    assert len(set(EXPECTED)) == len(EXPECTED)
    rewards.stop()


async def judge_until_replaced(rewards: RewardFleet, members: Fleet) -> None:
    """Who judges how much is chance: a worker that comes late finds everything judged by the other."""
    async with asyncio.timeout(60):
        while members.num_restarts == 0:
            assert await numbers(rewards) == EXPECTED


async def test_a_killed_worker_is_replaced_and_the_judgement_repeated() -> None:
    rewards, members = judges(2)
    os.kill(pids(members)[0], signal.SIGKILL)
    await judge_until_replaced(rewards, members)
    assert await numbers(rewards) == EXPECTED
    rewards.stop()


@pytest.mark.parametrize("fault", [Faults(dies_at=(1,)), Faults(hangs_at=(1,))], ids=["dies", "hangs"])
async def test_a_worker_that_goes_down_at_work_is_replaced(fault: Faults) -> None:
    rewards, members = judges(2, only_first(fault), timeout_seconds=3.0)
    await judge_until_replaced(rewards, members)
    assert await numbers(rewards) == EXPECTED
    rewards.stop()


async def test_an_error_that_passes_is_forgiven() -> None:
    rewards, members = judges(1, only_first(Faults(raises_at=(0,))))
    assert await numbers(rewards) == EXPECTED
    assert members.num_restarts == 0
    rewards.stop()


async def test_an_error_that_stays_names_dimension_task_and_dialog() -> None:
    rewards, _ = judges(1, lambda name: Faults(raises_at=(0, 1)))
    with pytest.raises(RewardError) as caught:
        await rewards.score(TRAJECTORIES)
    rewards.stop()
    assert type(caught.value) is RewardError
    task = TRAJECTORIES[0].request.task.id
    assert str(caught.value) == f"style.polite failed on turn 0 of task {task} (dialog train-0-0-0): nan"


async def test_a_dimension_that_hangs_is_named_and_costs_one_dialog() -> None:
    """The search in all its cases: test_rewards_alone.py."""
    rewards, members = judges(1, hangs_of=TRAJECTORIES[3].turns[0].answer, timeout_seconds=3.0, on_error="exclude")
    outcomes = await rewards.score(TRAJECTORIES[2:5])
    rewards.stop()
    lost = outcomes.pop(1)
    assert isinstance(lost, RewardError)
    task = TRAJECTORIES[3].request.task.id
    cause = "reward-2 did not answer within 3 s"
    assert str(lost) == f"success failed on turn 0 of task {task} (dialog train-0-3-0): {cause}"
    assert [number(outcome) for outcome in outcomes] == [EXPECTED[2], EXPECTED[4]]
    assert members.num_restarts == 3  # with the others, alone, in its cell


async def test_stop_leaves_no_actor() -> None:
    rewards, members = judges(2)
    processes = pids(members)
    rewards.stop()
    assert still_there(processes) == []


async def test_scores_cross_the_border_unharmed() -> None:
    rewards, _ = judges(1)
    [score] = await rewards.score(TRAJECTORIES[:1])
    rewards.stop()
    expected = judge(TRAJECTORIES[0].transcript)
    for field in ("vector", "success"):
        np.testing.assert_array_equal(getattr(score, field), getattr(expected, field))

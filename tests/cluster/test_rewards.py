"""Reward workers that die, hang and raise: a judgement is repeated, and then it is an error; never a number."""

import os
import signal
from collections.abc import Callable

import numpy as np
import pytest

from cluster.fleet import Fleet
from cluster.rewards import RewardFleet
from rewards.score import RewardError
from tests.cluster.actors import SOUND, Faults, Judge, judge, pids, play, still_there
from tests.rl.builders import request

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

TRAJECTORIES = [play(request(0, group), version=0) for group in range(7)]
EXPECTED = [judge(trajectory.transcript).scalar[0] for trajectory in TRAJECTORIES]


def judges(
    size: int, faults: Callable[[str], Faults] = lambda name: SOUND, *, timeout_seconds: float = 60.0
) -> tuple[RewardFleet, Fleet]:
    members = Fleet("reward", lambda name: Judge.remote(faults(name)), size)
    return RewardFleet(members, timeout_seconds=timeout_seconds, max_retries=1), members


def only_first(fault: Faults) -> Callable[[str], Faults]:
    return lambda name: fault if name == "reward-0" else SOUND


async def scalars(rewards: RewardFleet) -> list[float]:
    return [float(score.scalar[0]) for score in await rewards.score(TRAJECTORIES)]


@pytest.mark.parametrize("size", [1, 3])
async def test_scores_come_in_the_given_order(size: int) -> None:
    rewards, _ = judges(size)
    assert await rewards.score([]) == []
    assert await scalars(rewards) == EXPECTED
    assert len(set(EXPECTED)) == len(EXPECTED)
    rewards.stop()


async def test_a_killed_worker_is_replaced_and_the_judgement_repeated() -> None:
    rewards, members = judges(2)
    os.kill(pids(members)[0], signal.SIGKILL)
    assert await scalars(rewards) == EXPECTED
    assert members.num_restarts == 1
    assert await scalars(rewards) == EXPECTED
    rewards.stop()


@pytest.mark.parametrize("fault", [Faults(dies_at=(1,)), Faults(hangs_at=(1,))], ids=["dies", "hangs"])
async def test_a_worker_that_goes_down_at_work_is_replaced(fault: Faults) -> None:
    rewards, members = judges(2, only_first(fault), timeout_seconds=2.0)
    for _ in range(2):
        assert await scalars(rewards) == EXPECTED
    assert members.num_restarts == 1
    rewards.stop()


async def test_an_error_that_passes_is_forgiven() -> None:
    rewards, members = judges(1, only_first(Faults(raises_at=(0,))))
    assert await scalars(rewards) == EXPECTED
    assert members.num_restarts == 0
    rewards.stop()


async def test_an_error_that_stays_names_dimension_and_task() -> None:
    rewards, _ = judges(1, lambda name: Faults(raises_at=(0, 1)))
    with pytest.raises(RewardError) as caught:
        await rewards.score(TRAJECTORIES)
    rewards.stop()
    assert type(caught.value) is RewardError
    assert str(caught.value) == f"style.polite failed on turn 0 of task {TRAJECTORIES[0].request.task.id}: nan"


async def test_workers_that_die_of_a_dialog_are_an_error_that_names_it() -> None:
    rewards, members = judges(1, lambda name: Faults(dies_at=(0,)))
    with pytest.raises(
        RewardError, match=r"reward-1 died: .*; judging train-0-0-0, train-0-1-0, train-0-2-0"
    ) as caught:
        await rewards.score(TRAJECTORIES)
    assert caught.value.task_id == TRAJECTORIES[0].request.task.id
    assert members.num_restarts == 2
    rewards.stop()


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
    for field in ("vector", "scalar", "success"):
        np.testing.assert_array_equal(getattr(score, field), getattr(expected, field))

"""A fleet of real actors: who is lost, who is replaced, and when it gives up."""

import os
import signal
import time

import pytest

from cluster.fleet import Fleet, FleetError, MemberLostError
from cluster.places import MAX_LOSSES_IN_A_ROW
from rewards.score import RewardError
from tests.cluster.actors import FOR_EVER, Judge, Player, pids, still_there
from tests.rl.builders import trajectory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

LOST = MemberLostError("gone")


async def no_time(seconds: float) -> None:
    """Stands in for pauses."""


def players(size: int = 2) -> Fleet:
    return Fleet("rollout", lambda name: Player.remote(name), size, sleep=no_time)


async def test_a_call_returns_the_answer() -> None:
    fleet = players()
    answers = [await fleet.call(member, member.handle.ping.remote(), 60.0) for member in fleet.members]
    fleet.stop()
    assert answers == ["pong", "pong"]
    assert [member.name for member in fleet.members] == ["rollout-0", "rollout-1"]


async def test_a_dead_worker_is_lost() -> None:
    fleet = players(1)
    os.kill(pids(fleet)[0], signal.SIGKILL)
    with pytest.raises(MemberLostError, match=r"^rollout-0 died: .+$") as caught:
        await fleet.call(fleet.members[0], fleet.members[0].handle.ping.remote(), 60.0)
    fleet.stop()
    assert "\n" not in str(caught.value)


async def test_a_silent_worker_is_lost() -> None:
    fleet = players(1)
    pids(fleet)
    [member] = fleet.members
    start = time.monotonic()
    with pytest.raises(MemberLostError, match=r"rollout-0 did not answer within 0.5 s"):
        await fleet.call(member, member.handle.apply.remote(lambda _: time.sleep(FOR_EVER)), 0.5)
    assert time.monotonic() - start < 3.0
    fleet.stop()


async def test_what_a_method_raises_comes_as_it_is() -> None:
    """Without the traceback of another process, which Ray's own class for it would print."""
    fleet = Fleet("reward", lambda name: Judge.remote(), 1)
    [member] = fleet.members
    with pytest.raises(RewardError) as caught:
        await fleet.call(member, member.handle.judge_turn.remote(trajectory().transcript, "style.odd"), 60.0)
    fleet.stop()
    assert type(caught.value) is RewardError
    assert str(caught.value) == "style.odd failed on turn 0 of task arithmetic/en/0/0: no such dimension"


async def test_a_successor_takes_the_place_of_a_lost_worker() -> None:
    fleet = players()
    before = pids(fleet)
    first, second = fleet.members
    successor = await fleet.replace(first, LOST)
    assert fleet.members == [successor, second]
    assert (successor.slot, successor.name) == (0, "rollout-2")
    assert successor.id not in (first.id, second.id)
    assert fleet.num_restarts == 1
    assert still_there(before[:1]) == []
    assert pids(fleet)[1] == before[1]
    fleet.stop()


async def test_a_place_that_loses_worker_after_worker_gives_up_with_the_cause() -> None:
    fleet = players(1)
    for _ in range(MAX_LOSSES_IN_A_ROW):
        await fleet.replace(fleet.members[0], LOST)
    with pytest.raises(FleetError, match=r"rollout workers die faster than they work; the last one: gone") as caught:
        await fleet.replace(fleet.members[0], LOST)
    fleet.stop()
    assert caught.value.__cause__ is LOST


async def test_work_wipes_losses_out_and_a_sign_of_life_does_not() -> None:
    fleet = players(1)
    for _ in range(MAX_LOSSES_IN_A_ROW):
        await fleet.replace(fleet.members[0], LOST)
    await fleet.call(fleet.members[0], fleet.members[0].handle.ping.remote(), 60.0)
    with pytest.raises(FleetError):
        await fleet.replace(fleet.members[0], LOST)
    fleet.credit(fleet.members[0])
    await fleet.replace(fleet.members[0], LOST)
    fleet.stop()


async def test_peak_memory_is_that_of_the_living() -> None:
    fleet = players()
    os.kill(pids(fleet)[0], signal.SIGKILL)
    assert await fleet.peak_rss_bytes() > 10 * 1024**2
    fleet.stop()


async def test_stop_leaves_no_actor() -> None:
    fleet = players(3)
    processes = pids(fleet)
    fleet.stop()
    assert still_there(processes) == []

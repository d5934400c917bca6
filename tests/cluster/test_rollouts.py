"""Rollout workers that die, hang, raise and refuse weights: every dialog is delivered once, with the same result."""

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import pytest

from cluster.fleet import Fleet, FleetError, MemberLostError
from cluster.rollouts import RolloutFleet
from models.weights import WeightSyncError
from rl.interfaces import LearnerLostError
from rl.trajectory import EpisodeRequest, Trajectory
from tests.cluster.actors import SOUND, Faults, Player, Weights, pids, play, still_there
from tests.rl.builders import request

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

REQUESTS = [request(0, group, sample) for group in range(8) for sample in range(3)]
NOTICED_SECONDS = 5.0


@contextlib.asynccontextmanager
async def playing(
    num_workers: int,
    faults: Mapping[str, Faults] | None = None,
    *,
    others: Faults = SOUND,
    call_timeout_seconds: float = 30.0,
) -> AsyncIterator[tuple[RolloutFleet, Fleet]]:
    """A fleet of players; `faults` by the name of the worker, so that successors may do better."""
    members = Fleet("rollout", lambda name: Player.remote(name, (faults or {}).get(name, others)), num_workers)
    rollouts = RolloutFleet(members, capacity=5, call_timeout_seconds=call_timeout_seconds)
    try:
        yield rollouts, members
    finally:
        rollouts.stop()


async def collect(rollouts: RolloutFleet, requests: Sequence[EpisodeRequest] = REQUESTS) -> dict[str, Trajectory]:
    """By id; fails if a dialog comes twice, or one that nobody asked for."""
    done: dict[str, Trajectory] = {}
    async for finished in rollouts.sample(requests):
        for trajectory in finished:
            assert trajectory.request.id not in done
            done[trajectory.request.id] = trajectory
    assert done.keys() == {r.id for r in requests}
    return done


def answers(done: Mapping[str, Trajectory]) -> dict[str, str]:
    return {id: trajectory.turns[0].answer for id, trajectory in sorted(done.items())}


EXPECTED = answers({r.id: play(r, version=0) for r in REQUESTS})


async def until(condition: object, seconds: float) -> float:
    """Seconds until `condition()` holds; fails after `seconds`."""
    assert callable(condition)
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, f"not within {seconds:g} s"
        await asyncio.sleep(0.02)
    return time.monotonic() - start


@pytest.mark.parametrize("num_workers", [1, 2, 3])
async def test_every_dialog_is_delivered_once_whoever_holds_it(num_workers: int) -> None:
    async with playing(num_workers) as (rollouts, members):
        pids(members)  # all are up: otherwise the first may have done everything
        await rollouts.publish(Weights(0))
        done = await collect(rollouts)
    assert answers(done) == EXPECTED
    assert {trajectory.worker for trajectory in done.values()} <= {f"rollout-{n}" for n in range(num_workers)}


async def test_two_collections_at_once_get_their_own_dialogs() -> None:
    async with playing(2) as (rollouts, _):
        await rollouts.publish(Weights(0))
        await asyncio.gather(collect(rollouts, REQUESTS[::2]), collect(rollouts, REQUESTS[1::2]))


@pytest.mark.parametrize(
    "fault",
    [Faults(dies_at=(1,)), Faults(hangs_at=(1,)), Faults(raises_at=(1,))],
    ids=["dies", "hangs", "raises"],
)
@pytest.mark.parametrize("num_workers", [1, 2])
async def test_a_lost_worker_is_replaced_and_nobody_can_tell(fault: Faults, num_workers: int) -> None:
    """It goes down in its second call, with dialogs in their middle; a successor must have these weights to play."""
    async with playing(num_workers, {"rollout-0": fault}, call_timeout_seconds=5.0) as (rollouts, members):
        pids(members)
        await rollouts.publish(Weights(7))
        done = await collect(rollouts)
        assert members.num_restarts == 1
    assert answers(done) == EXPECTED
    assert {int(trajectory.versions.max()) for trajectory in done.values()} == {7}


async def test_a_worker_that_is_killed_idle_is_noticed() -> None:
    async with playing(2) as (rollouts, members):
        await rollouts.publish(Weights(0))
        await collect(rollouts)
        os.kill(pids(members)[0], signal.SIGKILL)
        await until(lambda: members.num_restarts == 1, NOTICED_SECONDS)
        assert answers(await collect(rollouts)) == EXPECTED


async def test_a_successor_serves_the_newest_weights_only() -> None:
    async with playing(1) as (rollouts, members):
        await rollouts.publish(Weights(1))
        os.kill(pids(members)[0], signal.SIGKILL)
        await rollouts.publish(Weights(2))
        done = await collect(rollouts)
    assert {(t.worker, int(t.versions.max())) for t in done.values()} == {("rollout-1", 2)}


async def test_publish_waits_for_workers_that_are_up(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with playing(2, {"rollout-1": Faults(loads_after=gate)}) as (rollouts, members):
        pids(members)
        await rollouts.publish(Weights(1))
        await collect(rollouts)
        publishing = asyncio.create_task(rollouts.publish(Weights(2)))
        await asyncio.sleep(0.5)
        assert not publishing.done()
        gate.touch()
        await asyncio.wait_for(publishing, 10.0)
        done = await collect(rollouts)
    assert {int(trajectory.versions.max()) for trajectory in done.values()} == {2}


async def test_publish_does_not_wait_for_a_worker_that_starts(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with playing(2, {"rollout-1": Faults(starts_after=gate)}) as (rollouts, members):
        await asyncio.wait_for(rollouts.publish(Weights(1)), 60.0)
        await rollouts.publish(Weights(2))
        assert {t.worker for t in (await collect(rollouts)).values()} == {"rollout-0"}
        gate.touch()
        workers: set[str] = set()
        while "rollout-1" not in workers:
            done = await collect(rollouts)
            assert {int(trajectory.versions.max()) for trajectory in done.values()} == {2}
            workers |= {trajectory.worker for trajectory in done.values()}
        assert members.num_restarts == 0


async def test_damaged_weights_are_pulled_again() -> None:
    async with playing(1, others=Faults(refuses=1)) as (rollouts, members):
        await rollouts.publish(Weights(3))
        assert answers(await collect(rollouts)) == EXPECTED
        assert members.num_restarts == 0


async def test_weights_that_cannot_be_verified_stop_everything() -> None:
    async with playing(2, others=Faults(refuses=1000)) as (rollouts, _):
        sampling = asyncio.create_task(collect(rollouts))
        with pytest.raises(WeightSyncError, match="weights 3: a tensor arrived damaged") as caught:
            await asyncio.wait_for(rollouts.publish(Weights(3)), 120.0)
        assert type(caught.value) is WeightSyncError
        with pytest.raises(WeightSyncError):
            await asyncio.wait_for(sampling, 10.0)


async def test_workers_that_die_at_work_again_and_again_end_the_run_with_the_cause() -> None:
    """They start and take weights well each time, which must not count as progress."""
    async with playing(1, others=Faults(raises_at=(0,))) as (rollouts, _):
        await rollouts.publish(Weights(0))
        with pytest.raises(FleetError, match="rollout-3 failed: RuntimeError: the engine broke") as caught:
            await asyncio.wait_for(collect(rollouts), 120.0)
        assert isinstance(caught.value.__cause__, MemberLostError)


@pytest.mark.parametrize("num_workers", [1, 2])
async def test_a_dialog_that_takes_worker_after_worker_down_is_set_aside(num_workers: int) -> None:
    """It fails, with its causes; the others are as they would be without it."""
    poison = REQUESTS[4].id
    async with playing(num_workers, others=Faults(dies_of=poison)) as (rollouts, members):
        await rollouts.publish(Weights(0))
        done = await asyncio.wait_for(collect(rollouts), 300.0)
        assert rollouts.num_set_aside == 1
        assert 3 <= members.num_restarts <= 5
    lost = done.pop(poison)
    assert lost.status == "failed"
    assert lost.error.startswith(f"{REQUESTS[4].task.id}: 3 workers went down with it alone: rollout-")
    assert answers(done) == {id: answer for id, answer in EXPECTED.items() if id != poison}


async def test_workers_that_cannot_start_end_the_run_with_the_cause() -> None:
    async with playing(1, others=Faults(fails_to_start=True)) as (rollouts, _):
        with pytest.raises(FleetError, match="rollout-3 died: OSError: no engine on this machine") as caught:
            await asyncio.wait_for(rollouts.publish(Weights(0)), 120.0)
        assert "Traceback" not in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_workers_that_come_and_go_in_mid_collection_change_nothing() -> None:
    """More of it without Ray: test_resize.py."""
    async with playing(2) as (rollouts, members):
        processes = pids(members)
        await rollouts.publish(Weights(0))
        sampling = asyncio.create_task(collect(rollouts))
        await rollouts.resize(3)
        await rollouts.resize(1)
        assert answers(await sampling) == EXPECTED
        assert still_there(processes[1:]) == []
        assert members.num_restarts == 0


async def test_stop_leaves_no_actor_even_at_work() -> None:
    async with playing(2, others=Faults(hangs_at=(1,))) as (rollouts, members):
        processes = pids(members)
        await rollouts.publish(Weights(0))
        sampling = asyncio.create_task(collect(rollouts))
        await asyncio.sleep(0.5)
        sampling.cancel()
    assert still_there(processes) == []


# -- a learner that is lost -----------------------------------------------------------------------------------------


async def test_what_is_withdrawn_is_forgotten_and_can_be_asked_for_again() -> None:
    async with playing(2) as (rollouts, members):
        pids(members)
        await rollouts.publish(Weights(0))
        cancelled = asyncio.create_task(collect(rollouts))
        await until(lambda: any(worker.num_dialogs for worker in rollouts.status()), 10.0)
        cancelled.cancel()
        await asyncio.wait({cancelled})
        assert answers(await collect(rollouts)) == EXPECTED
        assert members.num_restarts == 0


async def test_a_rebuilt_learner_may_publish_older_weights() -> None:
    async with playing(2) as (rollouts, members):
        pids(members)
        await rollouts.publish(Weights(7))
        for version in (5, 5, 6):
            await rollouts.publish(Weights(version))
            done = await collect(rollouts)
            assert {int(trajectory.versions.max()) for trajectory in done.values()} == {version}


async def test_weights_of_a_learner_that_is_no_more_have_no_version(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    async with playing(1, others=Faults(loads_after=gate)) as (rollouts, _):
        await rollouts.publish(Weights(7))
        publishing = asyncio.create_task(rollouts.publish(Weights(6)))
        await until(lambda: rollouts.status()[0].state == "stale", 10.0)
        assert rollouts.status()[0].version is None
        gate.touch()
        await publishing
        assert rollouts.status()[0].version == 6


async def test_who_waits_for_dialogs_hears_that_the_weights_are_lost() -> None:
    """The only worker dies after the learner did: its successor finds nothing to load until weights are published."""
    faults = {"rollout-0": Faults(dies_at=(1,)), "rollout-1": Faults(finds_nothing=True)}
    async with playing(1, faults) as (rollouts, members):
        pids(members)
        await rollouts.publish(Weights(7))
        with pytest.raises(LearnerLostError, match="the weights were lost with the learner"):
            await collect(rollouts)
        await rollouts.publish(Weights(6))
        done = await collect(rollouts)
        assert members.num_restarts == 1
    assert answers(done) == EXPECTED
    assert {int(trajectory.versions.max()) for trajectory in done.values()} == {6}

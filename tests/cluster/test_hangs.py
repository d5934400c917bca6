"""Workers that hang, stop or die, on real Ray: noticed by their deadline, written down, replaced."""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from ray.actor import ActorHandle

from cluster.fleet import Fleet
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet
from cluster.witness import FOLDER, Witness
from rewards.score import RewardError
from tests.cluster.actors import SOUND, Faults, Judge, Player, Weights, judge, pids, play
from tests.cluster.test_rollouts import EXPECTED, REQUESTS, answers, collect
from tests.rl.builders import request

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

DEADLINE_SECONDS = 3.0
REPORT_SECONDS = 15.0  # on a busy machine
REPLACED_SECONDS = 60.0


def players(witness: Witness, first: Faults, size: int = 2) -> tuple[RolloutFleet, Fleet]:
    def spawn(name: str) -> ActorHandle:
        return Player.remote(name, first if name == "rollout-0" else SOUND)

    members = Fleet("rollout", spawn, size, witness=witness)
    return RolloutFleet(members, capacity=5, call_timeout_seconds=DEADLINE_SECONDS), members


def deaths(run_dir: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run_dir / "deaths.jsonl").read_text().splitlines()]


def the_report(run_dir: Path) -> str:
    [report] = (run_dir / FOLDER).iterdir()
    return report.read_text()


def section(report: str, name: str) -> str:
    [found] = [part for part in report.split("\n\n== ") if part.startswith(f"{name}: ")]
    return found


@pytest.mark.parametrize(
    ("fault", "where"),
    [(Faults(hangs_at=(1,)), "in befall"), (Faults(hangs_of=REQUESTS[0].id), "in befall_of")],
    ids=["worker", "environment"],
)
async def test_who_hangs_is_replaced_within_the_deadline_and_reported(
    fault: Faults, where: str, tmp_path: Path
) -> None:
    rollouts, members = players(Witness(tmp_path), fault, size=1)
    pids(members)
    await rollouts.publish(Weights(0))
    start = time.time()
    done = await collect(rollouts)
    rollouts.stop()
    assert answers(done) == EXPECTED
    [file] = (tmp_path / FOLDER).iterdir()
    assert file.stat().st_mtime - start < DEADLINE_SECONDS + REPORT_SECONDS
    report = file.read_text()
    assert "rollout-0: rollout-0 did not answer within 3 s" in report
    assert f"{where}\n" in section(report, "rollout-0")
    assert "in _look" in section(report, "driver")
    [death] = deaths(tmp_path)
    assert death["cause"].endswith(f"what all processes were at: {file}")


async def test_a_process_that_is_stopped_is_reported_as_such(tmp_path: Path) -> None:
    rollouts, members = players(Witness(tmp_path), SOUND)
    stopped, _ = pids(members)
    await rollouts.publish(Weights(0))
    await collect(rollouts)
    os.kill(stopped, signal.SIGSTOP)
    done = await collect(rollouts)
    while not members.num_restarts:
        await asyncio.sleep(0.05)
    rollouts.stop()
    assert answers(done) == EXPECTED
    report = the_report(tmp_path)
    assert section(report, "rollout-0") == f"rollout-0: pid {stopped}, T (stopped): it cannot answer"
    assert "most recent call first" in section(report, "rollout-1")


async def test_a_dimension_that_hangs_is_reported(tmp_path: Path) -> None:
    trajectories = [play(request(0, group), version=0) for group in range(3)]
    hangs_of = trajectories[1].turns[0].answer
    members = Fleet("reward", lambda name: Judge.remote(SOUND, hangs_of), 1, witness=Witness(tmp_path))
    rewards = RewardFleet(members, timeout_seconds=3.0, max_retries=0, on_error="exclude")
    outcomes = await rewards.score(trajectories)
    rewards.stop()
    assert [isinstance(outcome, RewardError) for outcome in outcomes] == [False, True, False]
    reports = sorted((tmp_path / FOLDER).iterdir())
    assert len(reports) == 3  # with the others, alone, in its cell
    assert all("in judge_turn\n" in report.read_text() for report in reports)
    assert judge(trajectories[0].transcript).success.shape == (1,)


@pytest.mark.parametrize(
    ("number", "words"), [(signal.SIGKILL, "signal 9 (SIGKILL)"), (signal.SIGSEGV, "signal 11 (SIGSEGV)")]
)
async def test_how_a_worker_died_is_written_down(number: signal.Signals, words: str, tmp_path: Path) -> None:
    rollouts, members = players(Witness(tmp_path), SOUND)
    victim, _ = pids(members)
    await rollouts.publish(Weights(0))
    await collect(rollouts)
    os.kill(victim, number)
    async with asyncio.timeout(REPLACED_SECONDS):
        while not members.num_restarts:
            await asyncio.sleep(0.05)
    assert answers(await collect(rollouts)) == EXPECTED
    rollouts.stop()
    [death] = deaths(tmp_path)
    assert (death["role"], death["name"], death["pid"]) == ("rollout", "rollout-0", victim)
    assert death["cause"].startswith("rollout-0 died: ")
    assert words in death["cause"] or os.uname().release < "6.15"
    if number == signal.SIGSEGV:
        assert "Fatal Python error: Segmentation fault" in death["cause"]
        assert death["last_lines"]
    assert not (tmp_path / FOLDER).exists()

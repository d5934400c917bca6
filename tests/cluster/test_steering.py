"""What the driver does about requests, with fleets that only count."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster import steering as steering_module
from cluster.autoscale import Autoscaler
from cluster.placement import Bundle, Demand, Node, Placement
from cluster.steering import Steering
from rl.config import AutoscaleConfig
from rl.control import Control, ScaleRequest, WorkerStatus


@dataclass
class Workers:
    """As much of a fleet as steering uses. `num_ready` of its workers are up; None: all."""

    size: int
    num_ready: int | None = None

    async def resize(self, size: int) -> None:
        self.size = size

    def status(self) -> tuple[WorkerStatus, ...]:
        up = self.size if self.num_ready is None else self.num_ready
        return tuple(WorkerStatus(name=f"w-{i}", state="ready" if i < up else "starting") for i in range(self.size))


DEMANDS = (Demand("rollout", Bundle(cpus=2), 1), Demand("reward", Bundle(cpus=1), 1))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steering_module, "POLL_SECONDS", 0.01)


@pytest.fixture
def control(tmp_path: Path) -> Control:
    control = Control(tmp_path)
    control.clear()
    return control


def steering(control: Control, *, free: Sequence[Node] = (Node("a", Bundle(cpus=100)),), **options: Any) -> Steering:
    return Steering(
        control,
        options.pop("rollouts", Workers(1)),
        options.pop("rewards", Workers(1)),
        Placement(DEMANDS, {}),
        nodes=lambda: free,
        say=options.pop("said", []).append,
        **options,
    )


async def steer(steering: Steering, seconds: float = 0.2) -> None:
    task = asyncio.create_task(steering.run())
    await asyncio.sleep(seconds)
    task.cancel()


def sizes(steering: Steering) -> tuple[int, int]:
    return len(steering.rollouts.status()), len(steering.rewards.status())


async def test_a_request_is_met_answered_and_said_once(control: Control) -> None:
    said: list[str] = []
    driver, request = steering(control, said=said), ScaleRequest(rollout=4, reward=1)
    control.ask(request)
    await steer(driver)
    answer = control.answer_to(request)
    assert answer is not None
    assert (answer.outcome, answer.text) == ("done", "rollout 1 -> 4")
    assert said == ["scaled: rollout 1 -> 4"]
    assert sizes(driver) == (4, 1)
    status = control.status()
    assert status is not None
    assert (len(status.rollout), len(status.reward)) == (4, 1)


async def test_requests_are_met_in_their_order(control: Control) -> None:
    driver = steering(control)
    for size in (3, 2, 5):
        control.ask(ScaleRequest(rollout=size))
    await steer(driver)
    assert sizes(driver) == (5, 1)
    assert control.open_requests() == []


async def test_what_has_no_room_is_refused_whole(control: Control) -> None:
    """3 more rollout workers of 2 CPUs each do not fit into 5, and so the reward worker does not come either."""
    driver, request = steering(control, free=[Node("a", Bundle(cpus=5))]), ScaleRequest(rollout=4, reward=2)
    control.ask(request)
    await steer(driver)
    answer = control.answer_to(request)
    assert answer is not None
    assert answer.outcome == "refused"
    assert "the run needs 7 (rollout 6, reward 1), 5 are free on 1 node, 2 are missing" in answer.text
    assert sizes(driver) == (1, 1)


async def test_to_shrink_needs_no_room(control: Control) -> None:
    driver = steering(control, free=[], rollouts=Workers(4), rewards=Workers(3))
    control.ask(ScaleRequest(rollout=1, reward=2))
    await steer(driver)
    assert sizes(driver) == (1, 2)


async def test_workers_may_wait_where_the_cluster_grows(control: Control) -> None:
    driver = steering(control, free=[], grows=True)
    control.ask(ScaleRequest(rollout=9))
    await steer(driver)
    assert sizes(driver) == (9, 1)


WAITS = {"timing_s/rollout": 20.0, "timing_s/step": 30.0}


async def test_the_policy_scales_after_patience(control: Control) -> None:
    policy = AutoscaleConfig(enabled=True, min=1, max=8, wait_share=0.5, patience=2)
    driver = steering(control, rollouts=Workers(2), autoscaler=Autoscaler(policy))
    driver.observe(WAITS)
    await steer(driver, 0.1)
    assert sizes(driver) == (2, 1)
    driver.observe(WAITS)
    await steer(driver, 0.1)
    assert sizes(driver) == (4, 1)  # 40 worker-seconds beside 10


async def test_nothing_is_learnt_while_workers_are_coming_up(control: Control) -> None:
    policy = AutoscaleConfig(enabled=True, min=1, max=8, patience=1)
    driver = steering(control, rollouts=Workers(2, num_ready=1), autoscaler=Autoscaler(policy))
    driver.observe(WAITS)
    await steer(driver, 0.1)
    assert sizes(driver) == (2, 1)


async def test_a_folder_that_is_away_for_a_while_ends_nothing(control: Control, tmp_path: Path) -> None:
    driver = steering(control)
    task = asyncio.create_task(driver.run())
    (tmp_path / "control").rename(tmp_path / "away")
    await asyncio.sleep(0.1)
    assert not task.done()
    (tmp_path / "away").rename(tmp_path / "control")
    control.ask(ScaleRequest(reward=3))
    await asyncio.sleep(0.2)
    task.cancel()
    assert sizes(driver) == (1, 3)

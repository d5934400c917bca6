"""What steers a run from outside while it trains: requests out of its control folder, and the scaling policy.

One coroutine of the driver looks into the folder about once a second, does what is asked, answers, and writes down how
the workers are. A request that cannot be met is refused and changes nothing.
"""

import asyncio
import logging
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ray.exceptions import RayError

from cluster.autoscale import Autoscaler
from cluster.memory import ResourceError
from cluster.placement import Demand, Node, Placement, Role, plan
from cluster.rewards import RewardFleet
from cluster.rollouts import RolloutFleet
from rl.control import Answer, Control, RunStatus, ScaleRequest

POLL_SECONDS = 1.0
STATUS_SECONDS = 5.0  # well below rl.control.FRESH_SECONDS

log = logging.getLogger("zero2one")


@dataclass
class Steering:
    """`nodes()` is what is free now; `grows`: rollout workers may wait for nodes that an autoscaler brings.

    Example: `task = asyncio.create_task(steering.run())`, cancelled at the end.
    """

    control: Control
    rollouts: RolloutFleet
    rewards: RewardFleet
    placement: Placement
    nodes: Callable[[], Sequence[Node]]
    say: Callable[[str], None]
    autoscaler: Autoscaler | None = None
    grows: bool = False
    _wish: int | None = None  # of the autoscaler

    async def run(self) -> None:
        written = 0.0
        while True:
            try:
                await self._follow_wish()
                for request in self.control.open_requests():
                    self.control.answer(request, await self._obey(request))
                    written = 0.0  # who asked will look at once
                if time.monotonic() - written >= STATUS_SECONDS:
                    self.control.publish(self._status())
                    written = time.monotonic()
            except (OSError, RayError) as error:  # what is away for a while must not end the steering
                log.warning("control: %s", error)
            await asyncio.sleep(POLL_SECONDS)

    def observe(self, timing: Mapping[str, float]) -> None:
        """Where the time of an iteration went. A change that follows from it is made within a second."""
        if self.autoscaler is None:
            return
        waiting = timing["timing_s/rollout"]
        num_ready = sum(worker.state in ("ready", "stale") for worker in self.rollouts.status())
        if num_ready < self._sizes()["rollout"]:
            return  # some have not come up yet: nothing can be learnt about how many are enough
        target = self.autoscaler.decide(
            num_ready, waiting_seconds=waiting, other_seconds=max(0.0, timing["timing_s/step"] - waiting)
        )
        if target != num_ready:
            self._wish = target

    async def _follow_wish(self) -> None:
        target, self._wish = self._wish, None
        if target is None:
            return
        answer = await self._obey(ScaleRequest(rollout=target))
        if answer.outcome == "refused":
            log.warning("autoscale: %s", answer.text)

    async def _obey(self, request: ScaleRequest) -> Answer:
        sizes = self._sizes()
        targets = {role: size for role, size in _asked(request).items() if size != sizes[role]}
        try:
            self._require_room({role: size - sizes[role] for role, size in targets.items()})
        except ResourceError as error:
            return Answer(outcome="refused", text=str(error))
        for role, size in targets.items():
            await (self.rollouts if role == "rollout" else self.rewards).resize(size)
        now = ", ".join(f"{role} {sizes[role]} -> {size}" for role, size in targets.items())
        if now:
            self.say(f"scaled: {now}")
        return Answer(outcome="done", text=now or "nothing to change")

    def _require_room(self, more: Mapping[Role, int]) -> None:
        """Raises ResourceError where the cluster has no room for what is to be added."""
        demands = [Demand(role, self.placement.bundle(role), count) for role, count in more.items() if count > 0]
        waits = [demand for demand in demands if demand.role == "rollout"] if self.grows else []
        plan([demand for demand in demands if demand not in waits], self.nodes())

    def _sizes(self) -> dict[Role, int]:
        return {"rollout": len(self.rollouts.status()), "reward": len(self.rewards.status())}

    def _status(self) -> RunStatus:
        return RunStatus(
            time=time.time(),
            host=socket.gethostname(),
            pid=os.getpid(),
            rollout=self.rollouts.status(),
            reward=self.rewards.status(),
        )


def _asked(request: ScaleRequest) -> dict[Role, int]:
    sizes: dict[Role, int | None] = {"rollout": request.rollout, "reward": request.reward}
    return {role: size for role, size in sizes.items() if size is not None}

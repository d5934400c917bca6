"""The learner as the loop sees it: the group of its ranks, each an actor, in one placement group.

A collective with one dead member hangs the others, so a rank that dies or hangs costs the whole group.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.actor import ActorHandle
from ray.exceptions import OutOfMemoryError, RayActorError, RayError, RayTaskError
from ray.util.placement_group import PlacementGroup, placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.deaths import what_ray_says
from cluster.learner_actor import LearnerActor
from cluster.placement import Bundle
from cluster.session import QUIET
from cluster.witness import Witness, actor_id
from cluster.workers import Publication
from models.device import DevicePlan
from models.packing import PackedRows
from rl.batch import Advantages, Annotations, Batch
from rl.interfaces import LearnerLostError
from rl.pairs import PairBatch
from rl.stage_config import StageConfig
from rl.tally import merge

MAX_STARTS = 3  # in a row
DEATHS = (RayActorError, OutOfMemoryError)
DEATH_SECONDS = 5.0  # between the error of a rank and the news that another one has died, which caused it


@dataclass(frozen=True, slots=True)
class Ranks:
    actors: list[ActorHandle]
    group: PlacementGroup


def start_learner(
    config: StageConfig, plan: DevicePlan, folder: Path, bundle: Bundle, *, witness: Witness | None = None
) -> "LearnerGroup":
    """One actor per rank, each with its bundle, side by side where that is possible."""
    return LearnerGroup(
        partial(_start_ranks, config, plan, folder, bundle),
        timeout_seconds=config.learner.timeout_seconds,
        witness=witness,
    )


def _start_ranks(config: StageConfig, plan: DevicePlan, folder: Path, bundle: Bundle) -> Ranks:
    learner = config.learner
    group = placement_group([bundle.for_ray] * learner.num_ranks, strategy="PACK")
    actors = [
        LearnerActor.options(
            num_cpus=learner.num_threads,
            num_gpus=plan.gpus_per_rank,
            scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank),
            runtime_env={"env_vars": {**QUIET, "DS_ACCELERATOR": plan.device}},
        ).remote(config, folder, plan, rank)
        for rank in range(learner.num_ranks)
    ]
    return Ranks(actors, group)


class LearnerGroup:
    """Implements `rl.interfaces.Learner` and `rl.supervised_loop.SupervisedLearnerGroup` over all ranks, which `start`
    starts, now and whenever they are lost.
    """

    def __init__(self, start: Callable[[], Ranks], *, timeout_seconds: float, witness: Witness | None = None) -> None:
        self._start, self._timeout, self._witness = start, timeout_seconds, witness
        self.num_calls = self.num_answers = 0  # since it was started: signs of life for a watchdog
        self._ranks = self._started()
        self._published: int | None = None  # the version that the ranks hold, unless they have learned since

    def _started(self) -> Ranks:
        ranks = self._start()
        if self._witness is not None:
            for number, rank in enumerate(ranks.actors):
                self._witness.expect("learner", f"learner-{number}", rank)
        return ranks

    async def join(self) -> None:
        """Have all ranks ready. Raises LearnerLostError where they are lost again and again meanwhile."""
        for attempt in range(MAX_STARTS):
            try:
                address, port = await self._wait(self._ranks.actors[0].address.remote())
                await self._all("join", address, port)
                break
            except LearnerLostError:
                if attempt == MAX_STARTS - 1:
                    raise
                self._restart()
        if self._witness is not None:
            await self._witness.up()

    async def rebuild(self) -> None:
        self._restart()
        await self.join()

    def _restart(self) -> None:
        self.stop()
        self._published = None
        self._ranks = self._started()

    async def annotate(self, batch: Batch) -> Annotations:
        shares: list[Annotations] = await self._all("annotate", ray.put(batch))
        whole = shares[0]
        for share in shares[1:]:
            whole = Annotations(
                whole.logprobs + share.logprobs,
                _add(whole.ref_logprobs, share.ref_logprobs),
                _add(whole.values, share.values),
            )
        return whole

    async def update(
        self, batch: Batch, annotations: Annotations, advantages: Advantages, *, step: int, kl_coef: float
    ) -> dict[str, float]:
        self._published = None
        inputs = ray.put(batch), ray.put(annotations), ray.put(advantages)
        return merge(await self._all("update", *inputs, step, kl_coef))

    async def learn(self, batch: PackedRows | PairBatch, *, step: int) -> dict[str, float]:
        return merge(await self._all("learn", ray.put(batch), step))

    async def measure(self, rows: PackedRows) -> dict[str, float]:
        return merge(await self._all("measure", ray.put(rows)))

    async def judge(self, batch: PairBatch) -> np.ndarray:
        return np.sum(await self._all("judge", ray.put(batch)), axis=0)

    async def fingerprint(self, version: int) -> str:
        return (await self._all("fingerprint", version))[0]

    async def publish(self, version: int) -> Publication:
        self._published = version
        return (await self._all("publish", version))[0]

    async def send(self, publication: Publication, receivers: Mapping[str, ActorHandle]) -> bool:
        """With NCCL: hand a publication to these rollout workers, by name. False where the ranks have learned since.

        Calls reach every rank in the order they are made here, so what holds now holds when the ranks send.
        """
        if publication.version != self._published:
            return False
        await self._all("send", publication, receivers)
        return True

    async def save(self, folder: Path) -> None:
        await self._all("save", folder.absolute())

    async def save_policy(self, folder: Path) -> None:
        await self._all("save_policy", folder.absolute())

    async def load(self, folder: Path) -> None:
        await self._all("load", folder.absolute())

    async def peak_rss_bytes(self) -> int:
        return max(await self._all("peak_rss_bytes"))

    def stop(self) -> None:
        for rank in self._ranks.actors:
            ray.kill(rank)
            if self._witness is not None:
                self._witness.forget(rank)
        ray.util.remove_placement_group(self._ranks.group)

    async def _all(self, method: str, *args: Any) -> list[Any]:
        """One call on every rank at once; the first error of any rank ends the wait."""
        answers = [asyncio.ensure_future(getattr(rank, method).remote(*args)) for rank in self._ranks.actors]
        try:
            return await self._wait(asyncio.gather(*answers))
        except LearnerLostError:
            raise
        except Exception as error:  # often a rank learns before anybody else that it talks to a dead one
            await asyncio.wait(answers, timeout=DEATH_SECONDS)
            for answer in answers:
                if answer.done() and isinstance(death := answer.exception(), DEATHS):
                    raise await self._lost(death) from error
            raise

    async def _wait(self, answer: Awaitable[Any]) -> Any:
        self.num_calls += 1
        try:
            async with asyncio.timeout(self._timeout):  # wait_for loses a cancellation that comes with the answer
                return await answer
        except RayTaskError as error:  # first, for it is of the class of its cause too
            raise error.cause from error
        except DEATHS as error:
            raise await self._lost(error) from error
        except TimeoutError as error:
            why = f"the learner did not answer within learner.timeout_seconds = {self._timeout:g}"
            if self._witness is not None:
                why = f"{why}; what all processes were at: {await self._witness.hung('learner', why)}"
            raise LearnerLostError(why) from error
        finally:
            self.num_answers += 1

    async def _lost(self, death: RayError) -> LearnerLostError:
        """How a rank died, which is written down."""
        said = what_ray_says(str(death))
        dead = death.actor_id if isinstance(death, RayActorError) else None
        for rank in self._ranks.actors:
            if self._witness is not None and actor_id(rank) == dead:
                said = await self._witness.died(rank, said, death)
        return LearnerLostError(f"a learner rank died: {said}")


def _add(left: np.ndarray | None, right: np.ndarray | None) -> np.ndarray | None:
    return left if left is None or right is None else left + right

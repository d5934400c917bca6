"""`zero2one eval`: a policy out of a folder, served by rollout workers as in training, and suites put to it."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import ray

from cluster.crew import start_rollouts, watched
from cluster.fleet import Fleet
from cluster.placement import Bundle, describe
from cluster.preflight import find_evaluation_site
from cluster.rollouts import RolloutFleet
from cluster.run_directory import device_plan, prepare_process, say
from cluster.seats import Seats
from cluster.site import session_at
from cluster.witness import Witness
from cluster.workers import Publication
from envs.library import Library
from models.chat import ChatFormat, chat_format
from models.device import GIB, DevicePlan
from models.lora import merge_lora
from models.opponent import load_opponent, publish_opponent
from models.samples import SampleRequest, TimingRequest
from models.scoring import ScoreRequest, Scores
from models.tokenizer import load_tokenizer
from rl.build import model_dtype
from rl.suites.architecture import read_architecture
from rl.suites.config import EvaluationConfig
from rl.suites.contamination import contamination, training_questions
from rl.suites.policies import Policy, is_ppo, policy_sha256
from rl.suites.results import SuiteResult, summarize, write_result
from rl.suites.suite import Footprint, Suite
from rl.suites.table import build_suites, evaluation_library
from rl.trajectory import EpisodeRequest, Trajectory

VERSION = 0  # of the weights: there is no other
REPORT_SECONDS = 15.0

T = TypeVar("T")


def evaluate(config: EvaluationConfig, policy: Policy, out: Path, *, address: str | None) -> list[SuiteResult]:
    """Run all suites of the config and write their results into `out`, each as it ends."""
    prepare_process()
    suites = build_suites(config.suites)  # reads the files: what is wrong in them costs no start
    site = find_evaluation_site(config, out, address)
    plan = device_plan(config, site.num_gpus)
    size = read_architecture(policy.weights).parameters * model_dtype(config).itemsize
    placement = site.plan(config, plan, size)
    for line in describe(placement):
        say(line)
    trained = training_questions(policy.home) if policy.is_run and is_ppo(policy.home) else None
    out.mkdir(parents=True, exist_ok=True)
    with session_at(site, size, out / "logs"):
        return asyncio.run(_run(config, plan, placement.bundle("rollout"), suites, policy, trained, out))


async def _run(
    config: EvaluationConfig,
    plan: DevicePlan,
    bundle: Bundle,
    suites: Sequence[Suite],
    policy: Policy,
    trained: set[str] | None,
    out: Path,
) -> list[SuiteResult]:
    subject = WorkerSubject.start(config, plan, bundle, policy.weights, Witness(out))
    try:
        publication = await asyncio.to_thread(publish, config, policy)
        await subject.take(publication)
        results = []
        for suite in suites:
            started = time.monotonic()
            say(f"{suite.name}: starts")
            found = await suite.examine(subject)
            result = summarize(
                suite,
                found,
                contamination=None if trained is None else contamination(found.rows, trained),
                policy=policy_sha256(policy),
                seconds=time.monotonic() - started,
                seed=config.suites.seed,
                num_resamples=config.suites.num_resamples,
                settings=_settings(config),
            )
            write_result(out, result, found.rows)
            results.append(result)
            value = result.value
            say(
                f"{suite.name}: {result.headline} {value.value:.4g} ({value.low:.4g} to {value.high:.4g}), "
                f"{result.num_items} items, {result.seconds:.0f} s"
            )
        return results
    finally:
        subject.stop()


def publish(config: EvaluationConfig, policy: Policy) -> Publication:
    """The policy as a publication of version 0, with a probe that every engine must answer; an adapter as part of the
    weights that it belongs to.
    """
    network = load_opponent(str(policy.weights), model_dtype(config))
    if policy.adapter is not None:
        network = merge_lora(network, policy.adapter)
    manifest, buckets = publish_opponent(network, max_length=config.model.max_length, version=VERSION)
    return Publication(VERSION, ((manifest, tuple(ray.put(bucket) for bucket in buckets)),))


@dataclass
class WorkerSubject:
    """Implements `rl.suites.suite.Subject` with rollout workers."""

    config: EvaluationConfig
    chat: ChatFormat
    library: Library
    rollouts: RolloutFleet
    members: Fleet
    witness: Witness

    @classmethod
    def start(
        cls, config: EvaluationConfig, plan: DevicePlan, bundle: Bundle, folder: Path, witness: Witness
    ) -> "WorkerSubject":
        """Each worker reserves `bundle`."""
        fleet, members = start_rollouts(config, plan, folder, seats=Seats(bundle), witness=witness)
        return cls(config, chat_format(load_tokenizer(folder)), evaluation_library(), fleet, members, witness)

    @property
    def max_length(self) -> int:
        return self.config.model.max_length

    async def take(self, publication: Publication) -> None:
        """Returns when all that are up speak with these weights."""
        await self._watched(self.rollouts.publish(publication))

    async def answer(self, requests: Sequence[EpisodeRequest]) -> list[Trajectory]:
        return await self._finish(requests)

    async def score(self, requests: Sequence[ScoreRequest]) -> list[Scores]:
        return await self._finish(requests)

    async def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]:
        """On one worker, as a piece of work like any other: an idle one that did not answer would count as hung."""
        [timing] = await self._finish([TimingRequest(f"timing-{requests[0].id}", tuple(requests), concurrency)])
        return [list(seconds) for seconds in timing.seconds]

    async def footprint(self) -> Footprint:
        shape, width = read_architecture(Path(self.config.model.name_or_path)), model_dtype(self.config).itemsize
        return Footprint(
            weights=shape.parameters * width,
            kv_cache=int(self.config.rollout.kv_cache_gib * GIB),
            kv_token=shape.kv_bytes_per_token(width),
            peak_rss=await self.members.peak_rss_bytes(),
        )

    def stop(self) -> None:
        self.rollouts.stop()

    async def _finish(self, requests: Sequence) -> list:
        return await self._watched(self._collect(requests))

    async def _watched(self, work: Awaitable[T]) -> T:
        """Not more than what workers do: to judge answers may take as long as it likes."""
        seconds = self.config.suites.watchdog_seconds
        return await watched(work, seconds, self.rollouts.signs_of_progress, self.witness)

    async def _collect(self, requests: Sequence) -> list:
        found, told = {}, time.monotonic()
        if requests:
            async for finished in self.rollouts.sample(requests):
                found |= {result.request.id: result for result in finished}
                if time.monotonic() - told > REPORT_SECONDS:
                    told = time.monotonic()
                    say(f"  {len(found)} of {len(requests)}")
        return [found[request.id] for request in requests]


def _settings(config: EvaluationConfig) -> dict[str, str]:
    """What the numbers depend on beside policy and items."""
    wanted = {
        "suites": ("limit", "num_samples", "seed", "num_shots"),
        "rollout": ("temperature", "top_p", "max_response_length", "num_threads", "num_rollout_workers"),
        "model": ("max_length", "dtype"),
    }
    values = config.model_dump(mode="json")
    return {f"{part}.{name}": str(values[part][name]) for part, names in wanted.items() for name in names}

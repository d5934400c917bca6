"""The one training loop: synchronous with `max_staleness: 0`, asynchronous with n, on one machine or a cluster.

It sees the world through the Protocols of `rl/interfaces.py`. Its own state is small (`Progress`), because tasks are a
function of (seed, iteration, index): a resumed run needs the learner's checkpoint and a few counters.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np

from envs.library import Library
from envs.mix import MixLine, draw, evaluation_tasks
from envs.task import Task
from rewards.signal import Moments, Signal
from rl.advantages import estimate
from rl.batch import Advantages, Annotations, Batch, pack, usable
from rl.batch_metrics import mismatch_metrics, reward_metrics, rollout_metrics, value_metrics
from rl.checkpoint import RunState
from rl.config import Config
from rl.curriculum import Curriculum, outcomes
from rl.dimension_advantages import estimate_by_dimension
from rl.evaluate import evaluation_requests, summarize
from rl.gaming import GamingWatch, snapshot
from rl.interfaces import World
from rl.judging import judge, moments_of
from rl.kl import KLController
from rl.records import Records
from rl.report import RunSummary
from rl.results import EvalResult
from rl.tasks import build_arrival
from rl.trajectory import EpisodeRequest, Scored, Status, Trajectory


@dataclass
class Progress:
    """Where the run stands: `step` updates are done, and the weights have that version."""

    kl: KLController
    curriculum: Curriculum
    moments: Moments
    step: int = 0
    tokens_generated: int = 0
    max_logprob_gap: float = 0.0
    episodes: Counter[Status] = field(default_factory=Counter)
    evals: list[EvalResult] = field(default_factory=list)
    gaming: GamingWatch = field(default_factory=GamingWatch)


class Trainer:
    """A run. Example: `summary = await Trainer(config, library, mix, signal, world, records).train()`"""

    def __init__(
        self,
        config: Config,
        library: Library,
        mix: Sequence[MixLine],
        signal: Signal,
        world: World,
        records: Records,
    ) -> None:
        self._config, self._library, self._mix, self._world, self._records = config, library, mix, world, records
        self._signal = signal
        self._progress = Progress(
            KLController(config.ppo.kl_coef, config.ppo.kl_target, config.ppo.kl_horizon),
            Curriculum.start(config.curriculum, mix),
            Moments.none(len(signal.names)),
        )
        self._arrival = build_arrival(config)
        self._seen: set[str] = set()  # opening questions that training has asked
        self._sha256 = ""

    async def train(self) -> RunSummary:
        """From the newest checkpoint, or the start, to the last iteration."""
        config, progress = self._config, self._progress
        await self._restore()
        await self._publish()
        self._records.lap()  # workers start while the first weights are on their way: no iteration's time
        if progress.step == 0:
            await self._evaluate()
        in_flight: deque[asyncio.Task[list[Scored]]] = deque()
        async with asyncio.TaskGroup() as tasks:
            while progress.step < config.run.num_iterations:
                newest = min(progress.step + config.rollout.max_staleness, config.run.num_iterations - 1)
                for iteration in range(progress.step + len(in_flight), newest + 1):
                    in_flight.append(tasks.create_task(self._collect(self._requests(iteration))))
                with self._records.phase("rollout"):
                    scored = await in_flight.popleft()
                metrics = await self._learn(scored)
                progress.step += 1
                await self._publish()
                self._record(metrics)
                if self._is_due(config.eval.every):
                    await self._evaluate()
                if self._is_due(config.checkpoint.every):
                    await self._checkpoint()
        return await self._summary()

    async def _learn(self, scored: list[Scored]) -> dict[str, float]:
        """One update from the trajectories of an iteration; returns its metrics."""
        config, progress, records = self._config, self._progress, self._records
        scored = self._expire(scored)
        batch = pack(scored, reward_clip=config.rewards.reward_clip)
        with records.phase("learner"):
            notes = await self._world.learner.annotate(batch)
        mismatch = mismatch_metrics(batch, notes, version=progress.step, limit=config.rollout.max_logprob_gap)
        advantages = self._estimate(scored, batch, notes)
        with records.phase("learner"):
            learned = await self._world.learner.update(
                batch, notes, advantages, step=progress.step, kl_coef=progress.kl.coef
            )
        records.keep_advantages(progress.step, scored, batch, advantages)
        metrics = {
            **reward_metrics(scored, records.dimensions),
            **rollout_metrics(scored),
            **mismatch,
            **value_metrics(batch, notes, advantages),
            **learned,
            "actor/kl_coef": progress.kl.coef,
            "alarm/gaming": float(len(progress.gaming.alarms)),
            "throughput/tokens": float(batch.num_action_tokens),
        }
        if notes.ref_logprobs is not None:
            kl = float((notes.logprobs - notes.ref_logprobs)[batch.action_mask].mean())
            metrics["actor/ref_kl"] = kl
            progress.kl = progress.kl.update(kl, len(batch))
        if self._signal.normalize:  # now that they have been used
            progress.moments = progress.moments.merge(moments_of(scored, self._signal))
        progress.tokens_generated += batch.num_action_tokens
        progress.max_logprob_gap = max(progress.max_logprob_gap, mismatch.get("mismatch/max_logprob_gap", 0.0))
        progress.episodes.update(s.trajectory.status for s in scored)
        progress.curriculum = progress.curriculum.advance(outcomes(usable(scored)))
        self._seen.update(s.trajectory.turns[0].question.text for s in scored if s.trajectory.turns)
        return metrics | progress.curriculum.metrics()

    def _estimate(self, scored: list[Scored], batch: Batch, notes: Annotations) -> Advantages:
        ppo, progress = self._config.ppo, self._progress
        if ppo.advantage_combine == "scalar":
            return estimate(batch, notes, ppo, progress.kl.coef)
        return estimate_by_dimension(batch, notes, scored, self._signal, progress.moments, ppo, progress.kl.coef)

    async def _collect(self, requests: Sequence[EpisodeRequest]) -> list[Scored]:
        """Hold and judge the dialogs; judging starts while others still talk. In the order of `requests`, each followed
        by its user's side where a model played it.
        """
        scored: dict[str, tuple[Scored, ...]] = {}
        moments = self._progress.moments  # the same for all, whenever they end

        async def hand_over(finished: list[Trajectory]) -> None:
            judged = await judge(finished, self._world.rewards, self._signal, moments)
            scored.update({sides[0].trajectory.request.id: sides for sides in judged})
            self._records.keep([side for sides in judged for side in sides])

        with ExitStack() as waiting:
            async with asyncio.TaskGroup() as judging:
                async for finished in self._world.rollouts.sample(requests):
                    judging.create_task(hand_over(finished))
                # all has been said: what is left of this batch is judging
                waiting.enter_context(self._records.phase("reward"))
        self._records.flush()
        return [side for request in requests for side in scored[request.id]]

    def _requests(self, iteration: int) -> list[EpisodeRequest]:
        rollout, seed = self._config.rollout, self._config.run.seed
        mix = self._progress.curriculum.mix
        tasks = [self._draw(mix, iteration, index) for index in range(rollout.rollout_batch_size)]
        return [
            EpisodeRequest(task, iteration, group, sample, seed)
            for group, task in enumerate(tasks)
            for sample in range(rollout.n_samples_per_prompt)
        ]

    def _draw(self, mix: Sequence[MixLine], iteration: int, index: int) -> Task:
        seed, fraction = self._config.run.seed, self._config.tasks.held_out_fraction
        return draw(self._library, mix, seed, iteration, index, fraction, self._arrival)

    def _expire(self, scored: Sequence[Scored]) -> list[Scored]:
        """Mark what is older than `max_staleness` updates: it is counted and stored, and trains nothing."""
        oldest = self._progress.step - self._config.rollout.max_staleness
        return [
            Scored(s.trajectory.with_status("stale"), s.score) if 0 <= s.trajectory.oldest_version < oldest else s
            for s in scored
        ]

    async def _publish(self) -> None:
        with self._records.phase("sync"):
            self._sha256 = await self._world.weights.publish(self._progress.step)

    async def _evaluate(self) -> None:
        config, progress = self._config, self._progress
        tasks = evaluation_tasks(self._library, self._mix, config.eval.num_tasks)
        with self._records.phase("rollout"):
            scored = await self._collect(evaluation_requests(tasks, step=progress.step, run_seed=config.run.seed))
        result = summarize(scored, self._library, step=progress.step, seen=self._seen)
        progress.evals.append(result)
        follow_up = "" if result.follow_up is None else f", follow-up {result.follow_up:.3f}"
        self._records.say(
            f"step {progress.step}: held-out accuracy {result.accuracy:.3f} "
            f"(first turn {result.first_turn:.3f}{follow_up}; {result.num_dialogs} dialogs)"
        )
        self._watch(scored)

    def _watch(self, scored: Sequence[Scored]) -> None:
        """Compare the evaluation of `scored` with those before it, and say aloud what looks like gaming."""
        progress = self._progress
        scores = [s.score for s in scored if s.score is not None]
        vector, success = np.concatenate([s.vector for s in scores]), np.concatenate([s.success for s in scores])
        known = len(progress.gaming.alarms)
        now = snapshot(progress.step, vector, success, len(scores), self._signal)
        progress.gaming = progress.gaming.after(now, self._config.rewards.weights)
        for alarm in progress.gaming.alarms[known:]:
            self._records.say(f"warning: {alarm}")

    def _record(self, metrics: dict[str, float]) -> None:
        timing = self._records.lap()
        tokens_per_second = metrics["throughput/tokens"] / max(timing["timing_s/step"], 1e-9)
        metrics |= timing | self._world.fleet.metrics() | {"throughput/tokens_per_second": tokens_per_second}
        self._records.log(self._progress.step - 1, metrics)
        self._records.say(
            f"iteration {self._progress.step}/{self._config.run.num_iterations}: reward {metrics['reward/mean']:.3f}, "
            f"success {metrics['success/mean']:.3f}, entropy {metrics.get('actor/entropy', float('nan')):.2f}, "
            f"{timing['timing_s/step']:.1f} s, {tokens_per_second:.0f} tokens/s"
        )

    def _is_due(self, every: int) -> bool:
        """At every so many updates (0: never), and at the last one."""
        step = self._progress.step
        return step == self._config.run.num_iterations or (every > 0 and step % every == 0)

    async def _checkpoint(self) -> None:
        progress = self._progress
        await self._records.settle()
        state = RunState(
            step=progress.step,
            kl_coef=progress.kl.coef,
            tokens_generated=progress.tokens_generated,
            episodes=dict(progress.episodes),
            max_logprob_gap=progress.max_logprob_gap,
            evals=tuple(progress.evals),
            curriculum=progress.curriculum.to_json(),
            moments=progress.moments.by_name(self._signal.names) if self._signal.normalize else {},
            gaming=progress.gaming,
        )
        with self._records.saving(state) as folder:
            await self._world.learner.save(folder)
        self._records.prune(progress.step)

    async def _restore(self) -> None:
        checkpoint = self._records.restore()
        if checkpoint is None:
            return
        state, progress = checkpoint.state, self._progress
        await self._world.learner.load(checkpoint.folder)
        progress.kl = progress.kl.restore({"coef": state.kl_coef})
        progress.step, progress.tokens_generated = state.step, state.tokens_generated
        progress.max_logprob_gap, progress.evals = state.max_logprob_gap, list(state.evals)
        progress.episodes = Counter(state.episodes)
        progress.curriculum = progress.curriculum.restore(state.curriculum)
        self._seen = self._records.asked_openings()
        progress.moments = Moments.from_names(state.moments, self._signal.names)
        progress.gaming = state.gaming
        self._records.say(f"resumed at iteration {state.step} from {checkpoint.folder}")

    async def _summary(self) -> RunSummary:
        await self._records.settle()
        progress = self._progress
        return RunSummary(
            name=self._config.run.name,
            step=progress.step,
            final_weights_sha256=self._sha256,
            max_logprob_gap=progress.max_logprob_gap,
            tokens_generated=progress.tokens_generated,
            num_rollout_workers=self._config.rollout.num_rollout_workers,
            episodes=dict(progress.episodes),
            peak_rss_bytes=await self._world.fleet.peak_rss_bytes(),
            evals=tuple(progress.evals),
            alarms=progress.gaming.alarms,
        )

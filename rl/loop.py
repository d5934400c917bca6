"""The one training loop: synchronous with `max_staleness: 0`, asynchronous with n, on one machine or a cluster.

It sees the world through the Protocols of `rl/interfaces.py`. Its own state is small (`rl/progress.py`), because tasks
are a function of (seed, iteration, index): a resumed run needs the learner's checkpoint and a few counters.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np

from envs.library import Library
from envs.mix import MixLine, draw, evaluation_tasks
from envs.task import Task
from rewards.signal import Moments, Signal
from rl.advantages import estimate
from rl.batch import Advantages, Annotations, Batch, pack, usable
from rl.batch_metrics import (
    mismatch_metrics,
    reward_metrics,
    rollout_metrics,
    user_metrics,
    value_metrics,
    weight_metrics,
)
from rl.collect import Collected, Collector
from rl.config import Config
from rl.curriculum import Curriculum, outcomes
from rl.dimension_advantages import estimate_by_dimension
from rl.evaluate import evaluation_requests, summarize
from rl.feedback import weights_at
from rl.gaming import snapshot
from rl.interfaces import World
from rl.judging import moments_of
from rl.kl import KLController
from rl.played_users import with_users
from rl.progress import Progress
from rl.records import Records
from rl.report import RunSummary
from rl.role_advantages import estimate_roles
from rl.selfplay import Proposal, Proposals, proposal_metrics, remembered
from rl.tasks import build_arrival
from rl.trajectory import EpisodeRequest, Scored


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
        self._recipe_signal = signal
        self._progress = Progress(
            KLController(config.ppo.kl_coef, config.ppo.kl_target, config.ppo.kl_horizon),
            Curriculum.start(config.curriculum, mix),
            Moments.none(len(signal.names)),
        )
        self._arrival = build_arrival(config)
        self._proposals = Proposals(config, library) if config.selfplay.enabled else None
        self._collector = Collector(world, records)
        self._seen: set[str] = set()  # opening questions that training has asked
        self._sha256 = ""

    @property
    def _signal(self) -> Signal:
        return self._recipe_signal.reweighted(self._progress.weights)

    async def train(self) -> RunSummary:
        """From the newest checkpoint, or the start, to the last iteration, or until it is asked to stop."""
        await self._restore()
        config, progress = self._config, self._progress
        await self._publish()
        self._records.lap()  # workers start while the first weights are on their way: no iteration's time
        if progress.step == 0:
            progress.curriculum = progress.curriculum.placed(outcomes(await self._evaluate()))
        in_flight: deque[tuple[Signal, asyncio.Task[Collected]]] = deque()
        async with asyncio.TaskGroup() as tasks:
            while progress.step < config.run.num_iterations:
                newest = min(progress.step + config.rollout.max_staleness, config.run.num_iterations - 1)
                for iteration in range(progress.step + len(in_flight), newest + 1):
                    progress.weights = await weights_at(
                        iteration,
                        progress.weights,
                        config.feedback,
                        self._recipe_signal,
                        progress.moments,
                        self._records,
                    )
                    in_flight.append((self._signal, tasks.create_task(self._collect(iteration, self._signal))))
                signal, collection = in_flight.popleft()
                with self._records.phase("rollout"):
                    collected = await collection
                metrics = await self._learn(collected, signal)
                progress.step += 1
                await self._publish()
                self._record(metrics)
                await self._keep_opponent()
                if config.run.is_due(progress.step, config.eval.every):
                    await self._evaluate()
                is_last = self._records.control.is_stop_asked
                if is_last or config.run.is_due(progress.step, config.checkpoint.every):
                    await self._checkpoint()
                if is_last:
                    break
            for _, collection in in_flight:  # of a run that was asked to stop
                collection.cancel()
        return await self._summary()

    async def _learn(self, collected: Collected, signal: Signal) -> dict[str, float]:
        """One update from the trajectories of an iteration, rewarded by `signal`; returns its metrics."""
        config, progress, records = self._config, self._progress, self._records
        scored = self._expire(collected.scored)
        batch = pack(scored, reward_clip=config.rewards.reward_clip)
        with records.phase("learner"):
            notes = await self._world.learner.annotate(batch)
        mismatch = mismatch_metrics(batch, notes, version=progress.step, limit=config.rollout.max_logprob_gap)
        advantages = self._estimate(scored, batch, notes, signal)
        with records.phase("learner"):
            learned = await self._world.learner.update(
                batch, notes, advantages, step=progress.step, kl_coef=progress.kl.coef
            )
        records.keep_advantages(progress.step, scored, batch, advantages)
        metrics = {
            **reward_metrics(scored, records.dimensions),
            **rollout_metrics(scored),
            **user_metrics(scored),
            **mismatch,
            **value_metrics(batch, notes, advantages),
            **learned,
            "actor/kl_coef": progress.kl.coef,
            "alarm/gaming": float(len(progress.gaming.alarms)),
            **weight_metrics(signal),
            "throughput/tokens": float(batch.num_action_tokens),
        }
        if notes.ref_logprobs is not None:
            kl = float((notes.logprobs - notes.ref_logprobs)[batch.action_mask].mean())
            metrics["actor/ref_kl"] = kl
            progress.kl = progress.kl.update(kl, len(batch))
        if signal.normalize:  # now that they have been used
            progress.moments = progress.moments.merge(moments_of(scored, signal))
        progress.tokens_generated += batch.num_action_tokens
        progress.max_logprob_gap = max(progress.max_logprob_gap, mismatch.get("mismatch/max_logprob_gap", 0.0))
        progress.episodes.update(s.trajectory.status for s in scored)
        progress.curriculum = progress.curriculum.advance(outcomes(usable(scored)))
        self._seen.update(s.trajectory.turns[0].question.text for s in scored if s.trajectory.turns)
        return metrics | progress.curriculum.metrics() | self._learn_to_propose(scored, collected.proposals)

    def _learn_to_propose(self, scored: Sequence[Scored], proposals: Sequence[Proposal]) -> dict[str, float]:
        """What self-play remembers of an iteration; returns its metrics."""
        if self._proposals is None:
            return {}
        progress, limit = self._progress, self._config.selfplay.remember
        progress.known_tasks = remembered(progress.known_tasks, proposals, limit)
        judged = scored[len(scored) - len(proposals) :]
        metrics = proposal_metrics(judged, proposals, self._proposals)
        return metrics | {"selfplay/pool_size": float(len(progress.pool.members))}

    def _estimate(self, scored: list[Scored], batch: Batch, notes: Annotations, signal: Signal) -> Advantages:
        ppo, progress, kl_coef = self._config.ppo, self._progress, self._progress.kl.coef
        if ppo.advantage_combine == "per_dimension":
            return estimate_by_dimension(batch, notes, scored, signal, progress.moments, ppo, kl_coef)
        advantages = estimate(batch, notes, ppo, kl_coef)
        if ppo.advantage_estimator == "gae":  # its critic sees whose turn it is
            return advantages
        half_life = self._config.selfplay.role_half_life
        advantages, progress.baselines = estimate_roles(
            advantages, batch, notes, ppo, kl_coef, progress.baselines, half_life=half_life
        )
        return advantages

    async def _collect(self, iteration: int, signal: Signal) -> Collected:
        progress, rollout = self._progress, self._config.rollout
        requests = self._requests(iteration)
        with self._records.opponents.lent(progress.pool.chosen(self._config.run.seed, iteration)) as past:
            if rollout.model_users:
                share, user_model = self._config.selfplay.past_share, rollout.user_model
                requests = with_users(requests, self._library, user_model=user_model, past=past, past_share=share)
            if self._proposals is None:
                return Collected(await self._collector.collect(requests, signal, progress.moments))
            return await self._collector.collect_with_proposals(
                requests,
                self._proposals.requests(iteration, past),
                self._proposals,
                progress.known_tasks,
                signal,
                progress.moments,
            )

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
        """Mark what is older than `max_staleness` updates: it is counted, and trains nothing.

        The store, which had it before, keeps the status with which it ended.
        """
        oldest = self._progress.step - self._config.rollout.max_staleness
        return [
            Scored(s.trajectory.with_status("stale"), s.score) if 0 <= s.trajectory.oldest_version < oldest else s
            for s in scored
        ]

    async def _publish(self) -> None:
        with self._records.phase("sync"):
            self._sha256 = await self._world.weights.publish(self._progress.step)

    async def _evaluate(self) -> list[Scored]:
        config, progress = self._config, self._progress
        tasks = evaluation_tasks(self._library, self._mix, config.eval.num_tasks)
        with self._records.phase("rollout"):
            requests = evaluation_requests(tasks, step=progress.step, run_seed=config.run.seed)
            scored = await self._collector.collect(requests, self._signal, progress.moments)
        result = summarize(scored, self._library, step=progress.step, seen=self._seen)
        progress.evals.append(result)
        follow_up = "" if result.follow_up is None else f", follow-up {result.follow_up:.3f}"
        self._records.say(
            f"step {progress.step}: held-out accuracy {result.accuracy:.3f} "
            f"(first turn {result.first_turn:.3f}{follow_up}; {result.num_dialogs} dialogs)"
        )
        self._watch(scored)
        return scored

    def _watch(self, scored: Sequence[Scored]) -> None:
        """Compare the evaluation of `scored` with those before it, and say aloud what looks like gaming."""
        progress = self._progress
        scores = [s.score for s in scored if s.score is not None]
        vector, success = np.concatenate([s.vector for s in scores]), np.concatenate([s.success for s in scores])
        known = len(progress.gaming.alarms)
        now = snapshot(progress.step, vector, success, len(scores), self._signal)
        progress.gaming = progress.gaming.after(now, self._signal.weights_by_name)
        for alarm in progress.gaming.alarms[known:]:
            self._records.say(f"warning: {alarm}")

    def _record(self, metrics: dict[str, float]) -> None:
        timing = self._records.lap()
        self._world.fleet.observe(timing)
        tokens_per_second = metrics["throughput/tokens"] / max(timing["timing_s/step"], 1e-9)
        metrics |= timing | self._world.fleet.metrics() | {"throughput/tokens_per_second": tokens_per_second}
        self._records.log(self._progress.step - 1, metrics)
        self._records.say(
            f"iteration {self._progress.step}/{self._config.run.num_iterations}: reward {metrics['reward/mean']:.3f}, "
            f"success {metrics['success/mean']:.3f}, entropy {metrics.get('actor/entropy', float('nan')):.2f}, "
            f"{timing['timing_s/step']:.1f} s, {tokens_per_second:.0f} tokens/s"
        )

    async def _keep_opponent(self) -> None:
        """Let the policy join the pool of past ones, when that is due and somebody plays with them."""
        selfplay, progress, folder = self._config.selfplay, self._progress, self._records.opponents
        if not self._config.keeps_past_policies or progress.step % selfplay.snapshot_every:
            return
        with self._records.phase("learner"):
            await self._world.learner.save_policy(folder.unfinished(progress.step))
        progress.pool = progress.pool.joined(folder.finish(progress.step), selfplay.pool_size)

    async def _checkpoint(self) -> None:
        progress = self._progress
        await self._records.settle()
        state = progress.to_state(self._signal)
        with self._records.saving(state) as folder:
            await self._world.learner.save(folder)
        self._records.prune(progress.step)

    async def _restore(self) -> None:
        checkpoint = self._records.restore()
        if checkpoint is None:
            return
        state, progress = checkpoint.state, self._progress
        await self._world.learner.load(checkpoint.folder)
        self._progress = progress.restored(state, self._signal)
        self._seen = self._records.asked_openings()
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
            engine=self._config.rollout.engine,
        )

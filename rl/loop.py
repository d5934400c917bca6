"""The one training loop: synchronous with `max_staleness: 0`, asynchronous with n, on one machine or a cluster.

It sees the world through the Protocols of `rl/interfaces.py`. Its own state is small (`rl/progress.py`), because tasks
are a function of (seed, iteration, index): a resumed run needs the learner's checkpoint and a few counters. What it had
collected after the checkpoint it reads back from its store, and so repeats the updates without asking anybody. A run
whose learner is lost resumes in the same way, in the same process.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import replace

import numpy as np

from envs.library import Library
from envs.mix import MixLine, draw, evaluation_tasks
from envs.task import Task
from rewards.signal import Moments, Signal
from rl.collect import Collected, Collector
from rl.commits import Commit
from rl.config import Config
from rl.curriculum import Curriculum, outcomes
from rl.evaluate import evaluation_requests, summarize
from rl.feedback import weights_at
from rl.flight import Flight
from rl.gaming import snapshot
from rl.gathering import Gathering
from rl.interfaces import World
from rl.kl import KLController
from rl.played_users import with_users
from rl.progress import Progress
from rl.records import Records
from rl.recovery import rebuilding
from rl.report import RunSummary
from rl.selfplay import Proposals
from rl.tasks import build_arrival
from rl.trajectory import EpisodeRequest, Scored
from rl.update import Update


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
        self._progress = self._beginning()
        self._arrival = build_arrival(config)
        self._proposals = Proposals(config, library) if config.selfplay.enabled else None
        self._update = Update(config, world.learner, records, self._proposals)
        self._collector = Collector(world, records, self._serve)
        self._seen: set[str] = set()  # opening questions that training has asked
        self._sha256 = ""
        self._are_weights_out = False  # not before somebody has to sample with them
        self._settled_weights = asyncio.Lock()  # held while they are not those of `progress.step`

    @property
    def _signal(self) -> Signal:
        return self._recipe_signal.reweighted(self._progress.weights)

    async def train(self) -> RunSummary:
        """From the newest checkpoint, or the start, to the last iteration, or until it is asked to stop.

        A lost learner is rebuilt, and the run goes on as if it had been resumed. Raises LearnerLostError where that
        happens again and again.
        """
        records = self._records
        return await rebuilding(self._world.learner, self._attempt, lambda: records.num_commits, records.say)

    async def _attempt(self) -> RunSummary:
        await self._restore()
        await self._iterate()
        return await self._summary()

    async def _iterate(self) -> None:
        config, progress = self._config, self._progress
        self._records.lap()
        if progress.step == 0:
            progress.curriculum = progress.curriculum.placed(outcomes(await self._evaluate()))
        in_flight: deque[Flight] = deque()
        async with asyncio.TaskGroup() as tasks:
            late = self._launch_late(tasks)
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
                    in_flight.append(self._launch(tasks, iteration))
                flight = in_flight.popleft()
                with self._records.phase("rollout"):
                    collected = await self._land(flight, late)
                metrics = await self._advance(collected, flight.signal)
                late = flight if collected.late else None
                if not await self._commit(collected):
                    await self._cancel(in_flight)
                self._record(metrics)
                await self._keep_opponent()
                if config.run.is_due(progress.step, config.eval.every):
                    await self._evaluate()
                is_last = self._records.control.is_stop_asked
                if is_last or config.run.is_due(progress.step, config.checkpoint.every):
                    await self._checkpoint()
                if is_last:
                    break
            in_flight.extend([late] if late else [])
            await self._cancel(in_flight)  # of a run that was asked to stop

    async def _cancel(self, in_flight: deque[Flight]) -> None:
        """Nothing of these collections is under way when it returns."""
        collections = [flight.collection for flight in in_flight]
        in_flight.clear()
        for collection in collections:
            collection.cancel()
        await asyncio.gather(*collections, return_exceptions=True)

    async def _advance(self, collected: Collected, signal: Signal) -> dict[str, float]:
        """The next version of the weights, served where somebody may have to sample; returns the update's metrics."""
        async with self._settled_weights:
            metrics = await self._update.make(collected, signal, self._progress)
            metrics["rollout/late_prompts"] = float(len(collected.late))
            self._seen.update(s.trajectory.turns[0].question.text for s in collected.scored if s.trajectory.turns)
            if self._are_weights_out:
                await self._publish()
        return metrics

    async def _commit(self, collected: Collected) -> bool:
        """False: see `Records.commit`."""
        version = self._progress.step
        if not self._are_weights_out:
            with self._records.phase("sync"):
                self._sha256 = await self._world.learner.fingerprint(version)
        return await self._records.commit(
            Commit.of(version - 1, collected.scored, version=version, weights_sha256=self._sha256, late=collected.late)
        )

    def _launch(self, tasks: asyncio.TaskGroup, iteration: int, prompts: Collection[int] | None = None) -> Flight:
        """Begin to collect an iteration, or only these prompts of it."""
        progress, rollout, signal = self._progress, self._config.rollout, self._signal
        requests = self._requests(iteration)
        lent = ExitStack()
        past = lent.enter_context(self._records.opponents.lent(progress.pool.chosen(self._config.run.seed, iteration)))
        if rollout.model_users:
            share, user_model = self._config.selfplay.past_share, rollout.user_model
            requests = with_users(requests, self._library, user_model=user_model, past=past, past_share=share)
        gathering = Gathering([r for r in requests if prompts is None or r.group in prompts])

        async def collect() -> Collected:
            with lent:
                if self._proposals is None:
                    await self._collector.gather(gathering, signal, progress.moments)
                    return Collected(gathering.take())
                return await self._collector.collect_with_proposals(
                    requests,
                    self._proposals.requests(iteration, past),
                    self._proposals,
                    progress.known_tasks,
                    signal,
                    progress.moments,
                )

        return Flight(iteration, signal, gathering, tasks.create_task(collect()))

    def _launch_late(self, tasks: asyncio.TaskGroup) -> Flight | None:
        """What the last update before the run was resumed has left for the next one."""
        last = self._records.committed(self._progress.step - 1)
        if last is None or not last.late:
            return None
        flight = self._launch(tasks, last.iteration, last.late)
        flight.late = frozenset(last.late)
        return flight

    async def _land(self, flight: Flight, before: Flight | None) -> Collected:
        """A batch: what came of a flight, but for its slowest prompts, and those of the flight `before` it."""
        run, rollout, committed = self._config.run, self._config.rollout, self._records.committed(flight.iteration)
        is_last = flight.iteration == run.num_iterations - 1
        max_late = 0 if is_last else int(rollout.late_share * rollout.rollout_batch_size)
        collected = await flight.land(max_late, committed.late if committed and not is_last else None)
        return replace(collected, scored=collected.scored + await before.land_rest()) if before else collected

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

    async def _serve(self) -> None:
        """Have the workers serve the newest weights, as from now on they always do."""
        if self._are_weights_out:
            return
        async with self._settled_weights:
            if not self._are_weights_out:
                await self._publish()
                self._records.lap()  # workers start while these weights are on their way: no iteration's time
            self._are_weights_out = True

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
        async with self._records.saving(state) as folder:
            await self._world.learner.save(folder)
        self._records.prune(progress.step)

    async def _restore(self) -> None:
        await self._records.settle()
        self._are_weights_out = False
        checkpoint = self._records.restore()
        self._progress, self._seen = self._beginning(), set()
        if checkpoint is not None:
            state = checkpoint.state
            await self._world.learner.load(checkpoint.folder)
            self._progress = self._progress.restored(state, self._signal)
            self._seen = self._records.asked_openings(state.step)
            self._records.say(f"resumed at iteration {state.step} from {checkpoint.folder}")
        self._sha256 = await self._world.learner.fingerprint(self._progress.step)

    def _beginning(self) -> Progress:
        ppo = self._config.ppo
        return Progress(
            KLController(ppo.kl_coef, ppo.kl_target, ppo.kl_horizon),
            Curriculum.start(self._config.curriculum, self._mix),
            Moments.none(len(self._recipe_signal.names)),
        )

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

"""From the dialogs of an iteration to the next version of the weights, and to what the run remembers of them."""

from collections.abc import Sequence

from rewards.signal import Signal
from rl.advantages import estimate
from rl.batch import Advantages, Annotations, Batch, pack, usable
from rl.batch_metrics import (
    mismatch_metrics,
    reward_metrics,
    rollout_metrics,
    staleness_metrics,
    user_metrics,
    value_metrics,
    weight_metrics,
)
from rl.collect import Collected
from rl.config import Config
from rl.curriculum import outcomes
from rl.dimension_advantages import estimate_by_dimension
from rl.interfaces import Learner
from rl.judging import moments_of
from rl.progress import Progress
from rl.records import Records
from rl.role_advantages import estimate_roles
from rl.selfplay import Proposal, Proposals, proposal_metrics, remembered
from rl.trajectory import Scored


class Update:
    """How a run learns; holds no state between updates. `proposals`: the rules of its self-play, if there is any."""

    def __init__(self, config: Config, learner: Learner, records: Records, proposals: Proposals | None) -> None:
        self._config, self._learner, self._records, self._proposals = config, learner, records, proposals

    async def make(self, collected: Collected, signal: Signal, progress: Progress) -> dict[str, float]:
        """One update from the trajectories of an iteration, rewarded by `signal`; returns its metrics.

        `progress` is then one step further.
        """
        config, records = self._config, self._records
        # late dialogs are an update older than the others, and begin with what would be too old in those
        oldest = progress.step - config.rollout.max_staleness - (config.rollout.late_share > 0)
        scored = _expire(collected.scored, oldest)
        batch = pack(scored, reward_clip=config.rewards.reward_clip)
        with records.phase("learner"):
            notes = await self._learner.annotate(batch)
        mismatch = mismatch_metrics(batch, notes, version=progress.step, limit=config.rollout.max_logprob_gap)
        advantages = self._estimate(scored, batch, notes, signal, progress)
        with records.phase("learner"):
            learned = await self._learner.update(
                batch.without_older(oldest), notes, advantages, step=progress.step, kl_coef=progress.kl.coef
            )
        records.keep_advantages(progress.step, scored, batch, advantages)
        metrics = {
            **reward_metrics(scored, records.dimensions),
            **rollout_metrics(scored),
            **user_metrics(scored),
            **staleness_metrics(batch, oldest),
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
        metrics |= progress.curriculum.metrics() | self._learn_to_propose(scored, collected.proposals, progress)
        progress.step += 1
        return metrics

    def _learn_to_propose(
        self, scored: Sequence[Scored], proposals: Sequence[Proposal], progress: Progress
    ) -> dict[str, float]:
        """What self-play remembers of an iteration; returns its metrics."""
        if self._proposals is None:
            return {}
        progress.known_tasks = remembered(progress.known_tasks, proposals, self._config.selfplay.remember)
        judged = scored[len(scored) - len(proposals) :]
        metrics = proposal_metrics(judged, proposals, self._proposals)
        return metrics | {"selfplay/pool_size": float(len(progress.pool.members))}

    def _estimate(
        self, scored: list[Scored], batch: Batch, notes: Annotations, signal: Signal, progress: Progress
    ) -> Advantages:
        ppo, kl_coef = self._config.ppo, progress.kl.coef
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


def _expire(scored: Sequence[Scored], oldest: int) -> list[Scored]:
    """Mark dialogs all of whose words are of weights older than `oldest`: they are counted, and train nothing.

    The store, which had them before, keeps the status with which they ended.
    """
    return [
        Scored(s.trajectory.with_status("stale"), s.score) if 0 <= s.trajectory.newest_version < oldest else s
        for s in scored
    ]

"""What a batch says about the run: rewards, lengths, how far sampler and learner disagree."""

from collections.abc import Sequence
from typing import get_args

import numpy as np

from rewards.signal import Signal
from rl.batch import Advantages, Annotations, Batch
from rl.trajectory import Role, Score, Scored, Status


class MismatchError(RuntimeError):
    """Sampler and learner do not compute the same policy."""


def reward_metrics(scored: Sequence[Scored], dimensions: Sequence[str]) -> dict[str, float]:
    """Mean scalar reward and success per turn, and every dimension's mean over the turns that it judged; those of the
    assistant alone. NaN where it has said nothing, as its users may have asked nothing.
    """
    judged = _scores(scored, "assistant")
    vectors = np.concatenate([np.zeros((0, len(dimensions)), np.float32), *(score.vector for score in judged)])
    counts = (~np.isnan(vectors)).sum(0)
    means = np.where(counts > 0, np.nansum(vectors, 0) / np.maximum(counts, 1), np.nan)
    metrics = {f"reward/{name}": float(mean) for name, mean, n in zip(dimensions, means, counts, strict=True) if n}
    metrics["reward/mean"] = _mean([score.scalar for score in judged])
    metrics["success/mean"] = _mean([score.success for score in judged])
    return metrics


def user_metrics(scored: Sequence[Scored]) -> dict[str, float]:
    """Mean scalar reward and success per turn of the users whom the current policy played; nothing without any."""
    judged = _scores(scored, "user")
    if not judged:
        return {}
    return {
        "selfplay/reward_user": _mean([score.scalar for score in judged]),
        "selfplay/success_user": _mean([score.success for score in judged]),
    }


def weight_metrics(signal: Signal) -> dict[str, float]:
    """Version of the reward's weights, and the weights themselves where they are not those of the recipe."""
    weights = signal.weights_by_name if signal.version else {}
    return {
        "feedback/version": float(signal.version),
        **{f"feedback/weight/{name}": weight for name, weight in weights.items()},
    }


def rollout_metrics(scored: Sequence[Scored]) -> dict[str, float]:
    """Lengths in policy tokens per turn of the assistant, and the episodes of all roles by status."""
    dialogs = [s.trajectory for s in scored if s.trajectory.request.role == "assistant" and s.trajectory.turns]
    turns = [turn for dialog in dialogs for turn in dialog.turns]
    statuses = [s.trajectory.status for s in scored]
    episodes = {f"episodes/{status}": float(statuses.count(status)) for status in get_args(Status)}
    if not turns:
        return episodes
    return {
        "response_length/mean": float(np.mean([turn.num_tokens for turn in turns])),
        "response_length/max": float(max(turn.num_tokens for turn in turns)),
        "response_length/clip_ratio": float(np.mean([turn.finish == "length" for turn in turns])),
        "rollout/turns_per_episode": len(turns) / len(dialogs),
        **episodes,
    }


def _scores(scored: Sequence[Scored], role: Role) -> list[Score]:
    """Of what the current policy has said in this role; opponents say the words of the others for it now and then."""
    own = [s for s in scored if s.trajectory.request.role == role and not s.trajectory.request.is_by_opponent]
    return [s.score for s in own if s.score is not None]


def _mean(parts: Sequence[np.ndarray]) -> float:
    values = np.concatenate([np.zeros(0, np.float32), *parts])
    return float(values.mean()) if len(values) else float("nan")


def staleness_metrics(batch: Batch, oldest: int) -> dict[str, float]:
    """Share of the action tokens that weights older than `oldest` wrote, in dialogs that outlasted updates."""
    return {"rollout/stale_tokens": float((batch.versions[batch.action_mask] < oldest).mean())}


def mismatch_metrics(batch: Batch, notes: Annotations, *, version: int, limit: float) -> dict[str, float]:
    """How far the sampler's log-probs are from the learner's, over rows that the current weights wrote whole.

    Raises:
        MismatchError: some token differs by more than `limit`.
    """
    mask = batch.action_mask & (batch.oldest_versions == version)[:, None]
    if not mask.any():
        return {}
    difference = (batch.sampler_logprobs - notes.logprobs)[mask]
    gap = float(np.abs(difference).max())
    if not gap <= limit:
        raise MismatchError(
            f"the sampler's log-probs differ from the learner's by up to {gap:.3g}, more than "
            f"rollout.max_logprob_gap = {limit:g}: they do not run the same weights, or not at the same precision"
        )
    return {"mismatch/kl": float(difference.mean()), "mismatch/max_logprob_gap": gap}


def value_metrics(batch: Batch, notes: Annotations, advantages: Advantages) -> dict[str, float]:
    """Share of the returns' variance that the critic explains (1: all, 0: no better than a constant)."""
    metrics = {"advantages/std": float(advantages.advantages[batch.action_mask].std())}
    if notes.values is not None:
        returns = advantages.returns[batch.action_mask]
        error = returns - notes.values[:, :-1][batch.action_mask]
        metrics["critic/vf_explained_var"] = float(1.0 - error.var() / max(float(returns.var()), 1e-8))
    return metrics

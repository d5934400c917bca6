"""From what a judge says of a dialog to what the learner and the store get.

Where a model played the user, the two sides come from the worker as one trajectory within the other, and leave here as
two: the user is paid for what the assistant made of it, and so must be judged after it.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from envs.task import Outcome
from rewards.score import DialogScore, RewardError
from rewards.signal import Moments, Signal
from rl.interfaces import Rewards
from rl.trajectory import Score, Scored, Trajectory


async def judge(
    finished: Sequence[Trajectory], rewards: Rewards, signal: Signal, moments: Moments
) -> list[tuple[Scored, ...]]:
    """For every dialog its sides with their rewards: what was asked for, then the user where that was a model too."""
    mains = await _judge([replace(trajectory, user=None) for trajectory in finished], rewards, signal, moments)
    pairs = list(zip(finished, mains, strict=True))
    users = [with_outcome(trajectory.user, main) for trajectory, main in pairs if trajectory.user is not None]
    judged = iter(await _judge(users, rewards, signal, moments))
    return [(main,) if trajectory.user is None else (main, next(judged)) for trajectory, main in pairs]


def with_outcome(user: Trajectory, assistant: Scored) -> Trajectory:
    """The user's side with what came of it. It is lost if the assistant could not be judged: a share of the reward
    that is missing must not look like one of zero.
    """
    if assistant.score is None:
        return user.with_status("failed", f"the assistant's side failed: {assistant.trajectory.error}")
    success = assistant.score.success
    outcome = Outcome(valid=bool(len(success)), success=float(success.mean()) if len(success) else None)
    return replace(user, outcome=outcome)


async def _judge(
    trajectories: Sequence[Trajectory], rewards: Rewards, signal: Signal, moments: Moments
) -> list[Scored]:
    fit = [t for t in trajectories if t.status != "failed"]
    outcomes = dict(zip([t.request.id for t in fit], await rewards.score(fit), strict=True)) if fit else {}
    return [settle(t, outcomes.get(t.request.id), signal, moments) for t in trajectories]


def settle(
    trajectory: Trajectory, outcome: DialogScore | RewardError | None, signal: Signal, moments: Moments
) -> Scored:
    """A dialog with its reward. What could not be judged is a failed episode that keeps its error, never a zero;
    `outcome` None: it failed before, and nobody judged it.
    """
    match outcome:
        case None:
            return Scored(trajectory, None)
        case RewardError():
            return Scored(trajectory.with_status("failed", str(outcome)), None)
        case DialogScore(vector=vector, success=success):
            return Scored(trajectory, Score(vector, signal.scalar(vector, success, moments), success))


def moments_of(scored: list[Scored], signal: Signal) -> Moments:
    """Of the transformed values of the assistant's judged turns, in the given order.

    A dimension means one thing for all roles, and how often the others speak must not move what the assistant earns.
    What only they are judged in, such as `selfplay.learnable`, has no moments and counts as it is.
    """
    vectors = [s.score.vector for s in scored if s.score is not None and s.trajectory.request.role == "assistant"]
    return Moments.of(signal.transformed(np.concatenate(vectors))) if vectors else Moments.none(len(signal.names))

"""From what a judge says of a dialog to what the learner and the store get."""

import numpy as np

from rewards.score import DialogScore, RewardError
from rewards.signal import Moments, Signal
from rl.trajectory import Score, Scored, Trajectory


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
    """Of the transformed values of all judged turns, in the given order."""
    vectors = [s.score.vector for s in scored if s.score is not None]
    return Moments.of(signal.transformed(np.concatenate(vectors))) if vectors else Moments.none(len(signal.names))

"""Every turn of a dialog judged in every dimension, and the weighted sum that trains the policy.

A dimension scores, abstains or fails. A failure is a `RewardError` that names the dimension and the turn; it never
becomes a number.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from envs.task import Scenario, Transcript
from envs.user_file import cause_of
from rewards.dimension import Dimension


class RewardError(Exception):
    """A judgement that failed. `dimension` is its name, or "success" for the scenario's own verdict.

    All arguments are plain, so it crosses process borders unharmed.
    """

    def __init__(self, dimension: str, task_id: str, turn: int, cause: str) -> None:
        super().__init__(dimension, task_id, turn, cause)
        self.dimension, self.task_id, self.turn, self.cause = dimension, task_id, turn, cause

    def __str__(self) -> str:
        return f"{self.dimension} failed on turn {self.turn} of task {self.task_id}: {self.cause}"


@dataclass(frozen=True, slots=True)
class DialogScore:
    """The judgement of a dialog's N turns in D dimensions.

    Attributes:
        vector: [N, D] float32, NaN where a dimension abstained.
        scalar: [N] float32, the weighted sum; an abstention contributes 0.
        success: [N] float32, the scenario's own verdict in [0, 1].
    """

    vector: np.ndarray
    scalar: np.ndarray
    success: np.ndarray


class Scorer:
    """Judges dialogs, one at a time; holds no state between them.

    Example: `Scorer(resolve({"answer.correct": 1.0}), {"answer.correct": 1.0}, scenarios).score(transcript).scalar`
    """

    def __init__(
        self, dimensions: tuple[Dimension, ...], weights: Mapping[str, float], scenarios: Mapping[str, Scenario]
    ) -> None:
        self.dimensions = dimensions
        self.names = tuple(dimension.name for dimension in dimensions)
        absent = set(weights) - set(self.names)
        if absent:
            raise ValueError(f"weights for dimensions that are not scored: {', '.join(sorted(absent))}")
        self.weights = np.array([weights.get(name, 0.0) for name in self.names], np.float32)
        self.scenarios = scenarios

    def score(self, transcript: Transcript) -> DialogScore:
        num_turns = len(transcript.turns)
        vector = np.empty((num_turns, len(self.dimensions)), np.float32)
        success = np.empty(num_turns, np.float32)
        for turn in range(num_turns):
            so_far = transcript.upto(turn)
            vector[turn] = [judge(dimension, so_far) for dimension in self.dimensions]
            success[turn] = self._verify(so_far)
        return DialogScore(vector, weighted_sum(vector, self.weights), success)

    def _verify(self, transcript: Transcript) -> float:
        scenario = self.scenarios.get(transcript.task.scenario)
        if scenario is None:
            cause = (
                f"no scenario {transcript.task.scenario!r} among the {len(self.scenarios)} that the scorer was given"
            )
            raise _error("success", transcript, cause)
        value = _call("success", scenario.verify, transcript)
        if value is None:
            raise _error("success", transcript, "the scenario gave no verdict")
        return _checked("success", transcript, value, low=0.0, high=1.0)


def weighted_sum(vector: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Sum over d of weights[d] * vector[n, d], with 0 for NaN. vector [N, D], weights [D] -> [N] float32."""
    return np.nan_to_num(vector, nan=0.0) @ weights


def judge(dimension: Dimension, transcript: Transcript) -> float:
    """The dimension's score of the last turn, NaN if it abstains. Anything else it does is a `RewardError`."""
    value = _call(dimension.name, dimension.score, transcript)
    if value is None:
        return math.nan
    return _checked(dimension.name, transcript, value, low=dimension.low, high=dimension.high)


def _call(name: str, function: Callable[[Transcript], object], transcript: Transcript) -> object:
    try:
        return function(transcript)
    except Exception as error:
        raise _error(name, transcript, cause_of(error)) from error


def _checked(name: str, transcript: Transcript, value: object, *, low: float, high: float) -> float:
    if not isinstance(value, int | float | np.integer | np.floating):
        raise _error(name, transcript, f"{value!r} is a {type(value).__name__}, not a number")
    if not low <= value <= high:  # NaN too
        raise _error(name, transcript, f"{value!r} is outside [{low}, {high}]")
    return float(value)


def _error(name: str, transcript: Transcript, cause: str) -> RewardError:
    return RewardError(name, transcript.task.id, len(transcript.turns) - 1, cause)

"""Every turn of a dialog judged in every dimension; `rewards/signal.py` makes one number of them.

A dimension scores, abstains or fails. A failure is a `RewardError` that names the dimension and the turn; it never
becomes a number.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from envs.task import Played, Scenario, Transcript
from envs.user_file import cause_of
from rewards.dimension import Dimension

SUCCESS = "success"  # the scenario's own verdict, where a dimension may be named
TASK_SUCCESS = "task.success"  # the dimension that is that verdict


class RewardError(Exception):
    """A judgement that failed. `dimension` is its name, or "success" for the scenario's own verdict; `dialog` is the
    id of the trajectory, where it is known.

    All arguments are plain, so it crosses process borders unharmed.
    """

    def __init__(self, dimension: str, task_id: str, turn: int, cause: str, dialog: str = "") -> None:
        super().__init__(dimension, task_id, turn, cause, dialog)
        self.dimension, self.task_id, self.turn, self.cause, self.dialog = dimension, task_id, turn, cause, dialog

    def __str__(self) -> str:
        dialog = f" (dialog {self.dialog})" if self.dialog else ""
        return f"{self.dimension} failed on turn {self.turn} of task {self.task_id}{dialog}: {self.cause}"

    def of(self, dialog: str) -> "RewardError":
        return RewardError(self.dimension, self.task_id, self.turn, self.cause, dialog)


@dataclass(frozen=True, slots=True)
class DialogScore:
    """The judgement of a dialog's N turns in D dimensions.

    Attributes:
        vector: [N, D] float32, NaN where a dimension abstained.
        success: [N] float32, the scenario's own verdict in [0, 1].
    """

    vector: np.ndarray
    success: np.ndarray


class Scorer:
    """Judges dialogs, one at a time; holds no state between them.

    Example: `Scorer(resolve({"answer.correct": 1.0}), scenarios).score(transcript).vector`
    """

    def __init__(self, dimensions: tuple[Dimension, ...], scenarios: Mapping[str, Scenario]) -> None:
        self.dimensions = dimensions
        self.names = tuple(dimension.name for dimension in dimensions)
        self.scenarios = scenarios

    def warm_up(self) -> None:
        """Judge each dimension's own good example: dictionaries and models are loaded now, and not within the deadline
        of a first dialog.
        """
        for dimension in self.dimensions:
            judge(dimension, dimension.passes)

    def score(self, transcript: Transcript) -> DialogScore:
        num_turns = len(transcript.turns)
        vector = np.empty((num_turns, len(self.dimensions)), np.float32)
        success = np.empty(num_turns, np.float32)
        for turn in range(num_turns):
            so_far = transcript.upto(turn)
            success[turn] = verdict = self._verify(so_far)
            vector[turn] = [verdict if d.name == TASK_SUCCESS else judge(d, so_far) for d in self.dimensions]
        return DialogScore(vector, success)

    def try_score(self, transcript: Transcript) -> DialogScore | RewardError:
        """`score`, with the error in place of the judgement, so that one dialog does not cost those beside it."""
        try:
            return self.score(transcript)
        except RewardError as error:
            return error

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        """The last turn in one dimension, or in "success": what `score` puts in one cell. Raises RewardError."""
        if name in (SUCCESS, TASK_SUCCESS):
            return self._verify(transcript)
        return judge(self.dimensions[self.names.index(name)], transcript)

    def _verify(self, transcript: Transcript) -> float:
        scenario = self.scenarios.get(transcript.task.scenario)
        if scenario is None:
            cause = (
                f"no scenario {transcript.task.scenario!r} among the {len(self.scenarios)} that the scorer was given"
            )
            raise _error(SUCCESS, transcript, cause)
        verify = scenario.verify
        outcome = transcript.outcome
        if isinstance(scenario, Played) and outcome is not None and not outcome.proposed:  # these are the user's words
            verify = scenario.verify_user
        value = _call(SUCCESS, verify, transcript)
        if value is None:
            raise _error(SUCCESS, transcript, "the scenario gave no verdict")
        return _checked(SUCCESS, transcript, value, low=0.0, high=1.0)


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

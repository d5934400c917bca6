"""Small hand-made trajectories."""

from collections.abc import Sequence

import numpy as np

from envs.task import FinishReason, Question, Task, Turn
from rl.trajectory import EpisodeRequest, Purpose, Score, Scored, Status, Trajectory, failed

DIMENSIONS = ("math.correct", "format.short", "language.english")


def request(
    iteration: int = 0, group: int = 0, sample: int = 0, *, task: Task | None = None, purpose: Purpose = "train"
) -> EpisodeRequest:
    task = task or Task("arithmetic", language="en", level=0, seed=group)
    return EpisodeRequest(task, iteration, group, sample, run_seed=42, purpose=purpose)


def trajectory(
    asked: EpisodeRequest | None = None,
    answers: Sequence[str] = ("7",),
    *,
    questions: Sequence[str] = (),
    status: Status = "ok",
    version: int = 0,
    finish: FinishReason = "stop",
) -> Trajectory:
    """Each turn: a token of the user for every word of the question, then one of the policy for every character of
    the answer; an empty answer has none.
    """
    asked = asked or request()
    tokens: list[int] = []
    mask: list[bool] = []
    turns, ends = [], []
    for index, answer in enumerate(answers):
        text = questions[index] if questions else f"What is {asked.group} + {index}?"
        tokens += [100 + index] * len(text.split()) + [ord(letter) for letter in answer]
        mask += [False] * len(text.split()) + [True] * len(answer)
        ends.append(len(tokens) - 1 if answer else -1)
        expected = str(asked.group + index) if index == 0 else None
        turns.append(Turn(Question(text, expected, "integer"), answer, finish, len(answer)))
    action_mask = np.array(mask, bool)
    positions = np.arange(len(tokens), dtype=np.float32)
    return Trajectory(
        request=asked,
        tokens=np.array(tokens, np.int32),
        action_mask=action_mask,
        logprobs=np.where(action_mask, -positions / 7 - 0.1, 0).astype(np.float32),
        versions=np.where(action_mask, version, -1).astype(np.int32),
        turns=tuple(turns),
        turn_ends=np.array(ends, np.int32),
        status=status,
        worker="rollout-0",
        seconds=0.1 + asked.group / 3,
    )


def scored(dialog: Trajectory, scalars: Sequence[float] | None = None) -> Scored:
    """Judged in `DIMENSIONS`: the scalar itself, zero, and an abstention."""
    num_turns = len(dialog.turns)
    scalar = np.array(scalars if scalars is not None else [0.5] * num_turns, np.float32)
    vector = np.stack([scalar, np.zeros(num_turns), np.full(num_turns, np.nan)], axis=1).astype(np.float32)
    return Scored(dialog, Score(vector, scalar, (scalar > 0).astype(np.float32)))


def lost(asked: EpisodeRequest | None = None, error: str = "worker rollout-1 died: exit code 137") -> Scored:
    return Scored(failed(asked or request(), error=error, worker="rollout-1", seconds=2.5), None)

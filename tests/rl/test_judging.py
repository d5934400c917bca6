"""Who is judged when, and what a user is paid for."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from envs.task import Outcome
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.score import DialogScore, RewardError
from rewards.signal import Moments, Signal, build_signal
from rl.judging import judge, moments_of
from rl.trajectory import Scored, Trajectory, failed
from tests.rl.builders import request, trajectory


def length(transcript) -> float:
    return min(1.0, len(transcript.last.answer) / 10)


DIMENSION = Dimension("test.length", "test", "Long.", length, passes=example("?", "long"), fails=example("?", ""))


class Judges:
    """Success is whether an answer is "7", the one dimension is its length; `broken` names a dialog that raises."""

    def __init__(self, broken: str = "") -> None:
        self._broken = broken
        self.calls: list[list[Trajectory]] = []

    async def score(self, trajectories: Sequence[Trajectory]) -> list[DialogScore | RewardError]:
        self.calls.append(list(trajectories))
        await asyncio.sleep(0)
        return [self._score(t) for t in trajectories]

    def _score(self, dialog: Trajectory) -> DialogScore | RewardError:
        if dialog.request.id == self._broken:
            return RewardError("test.length", dialog.request.task.id, 0, "no ruler", dialog.request.id)
        answers = [turn.answer for turn in dialog.turns]
        vector = np.array([[len(answer) / 10] for answer in answers], np.float32).reshape(-1, 1)
        return DialogScore(vector, np.array([float(answer == "7") for answer in answers], np.float32))


def signal() -> Signal:
    return build_signal([DIMENSION], {"test.length": 2.0}, {}, [], normalize=False)


def two_sided(group: int, answers: Sequence[str], words: Sequence[str] = ("a", "bc")) -> Trajectory:
    asked = request(group=group)
    return replace(trajectory(asked, answers), user=trajectory(replace(asked, role="user"), words))


def judged(finished: Sequence[Trajectory], judges: Judges) -> list[tuple[Scored, ...]]:
    made = signal()
    return asyncio.run(judge(finished, judges, made, Moments.none(len(made.names))))


def test_a_user_is_judged_after_the_assistant_and_knows_its_mean_success() -> None:
    judges = Judges()
    ((assistant, user), (alone,)) = judged([two_sided(0, ("7", "8")), trajectory(request(group=1))], judges)
    assert [[t.request.id for t in call] for call in judges.calls] == [
        ["train-0-0-0", "train-0-1-0"],
        ["train-0-0-0-user"],
    ]
    assert (assistant.trajectory.user, assistant.trajectory.outcome) == (None, None)
    assert user.trajectory.outcome == Outcome(success=0.5)
    assert user.trajectory.transcript.outcome == Outcome(success=0.5)
    assert assistant.score is not None and user.score is not None and alone.score is not None
    np.testing.assert_allclose(user.score.scalar, [0.2, 0.4])


def test_a_user_whom_nobody_could_answer_is_told_so() -> None:
    ((assistant, user),) = judged([two_sided(0, ())], Judges())
    assert user.trajectory.outcome == Outcome(valid=False, success=None)
    assert assistant.score is not None and assistant.score.scalar.shape == (0,)
    assert user.score is not None


def test_a_user_whose_assistant_cannot_be_judged_is_lost_with_it() -> None:
    judges = Judges(broken="train-0-0-0")
    ((assistant, user), (other, _)) = judged([two_sided(0, ("7",)), two_sided(1, ("7",))], judges)
    assert (assistant.trajectory.status, user.trajectory.status, other.trajectory.status) == ("failed", "failed", "ok")
    assert user.score is None
    assert "the assistant's side failed: test.length failed on turn 0" in user.trajectory.error
    assert [t.request.id for t in judges.calls[1]] == ["train-0-1-0-user"]


def test_moments_are_of_the_assistant_s_turns() -> None:
    ((assistant, user),) = judged([two_sided(0, ["7", "123"], words=["long words", "more"])], Judges())
    found = moments_of([assistant, user], signal())
    assert (found.count.tolist(), found.mean.tolist()) == ([2.0], [np.mean(np.float32([0.1, 0.3]), dtype=np.float64)])
    assert moments_of([user], signal()).count.tolist() == [0.0]


def test_what_failed_is_judged_by_nobody() -> None:
    judges = Judges()
    ((lost,),) = judged([failed(request(), error="no words", worker="w")], judges)
    assert (lost.score, judges.calls) == (None, [])

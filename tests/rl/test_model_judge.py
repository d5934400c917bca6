"""The reward model as a judge: what it is asked, and what it says that is no score."""

from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest

from models.reward_model import RewardModel
from rewards.dimensions.example import example
from rewards.score import DialogScore, RewardError
from rl.model_judge import ModelJudge, with_model_reward


class Model:
    """Scores each turn by the letters of all answers so far; "?" by NaN, "!" by too much."""

    def score(self, dialogs: Sequence[Sequence[tuple[str, str]]]) -> list[np.ndarray]:
        return [np.array([self._turn(dialog[: n + 1]) for n in range(len(dialog))], np.float32) for dialog in dialogs]

    def _turn(self, dialog: Sequence[tuple[str, str]]) -> float:
        last = dialog[-1][1]
        return {"?": float("nan"), "!": 1e6}.get(last, float(sum(len(answer) for _, answer in dialog)))


JUDGE = ModelJudge(cast(RewardModel, Model()))
GOOD = example("And?", "abc", earlier=example("Well?", "ab"))


def test_a_dialog_is_judged_turn_by_turn_in_one_column() -> None:
    [outcome] = JUDGE.try_score([GOOD])
    assert isinstance(outcome, DialogScore)
    assert outcome.vector.tolist() == [[2.0], [5.0]]
    assert np.isnan(outcome.success).all()
    assert JUDGE.judge_turn(GOOD, "model.reward") == 5.0
    assert np.isnan(JUDGE.judge_turn(GOOD, "success"))


@pytest.mark.parametrize(("answer", "value"), [("?", "nan"), ("!", "1e\\+06")])
def test_what_is_no_score_is_an_error_and_costs_one_dialog(answer: str, value: str) -> None:
    bad = example("And?", answer, earlier=example("Well?", "ab"))
    first, error, last = JUDGE.try_score([GOOD, bad, GOOD])
    assert isinstance(first, DialogScore) and isinstance(last, DialogScore)
    assert isinstance(error, RewardError) and error.turn == 1
    with pytest.raises(RewardError, match=rf"model.reward failed on turn 1 .*: the score is {value}, outside"):
        JUDGE.judge_turn(bad, "model.reward")


def test_the_column_is_filled_in_beside_the_rules() -> None:
    rules = DialogScore(np.array([[0.5, np.nan, 1.0]], np.float32), np.ones(1, np.float32))
    model = DialogScore(np.array([[-3.0]], np.float32), np.array([np.nan], np.float32))
    both = with_model_reward(rules, model, 1)
    assert both.vector.tolist() == [[0.5, -3.0, 1.0]]
    assert both.success.tolist() == [1.0]
    assert np.isnan(rules.vector[0, 1])  # as it was
    assert np.isnan(with_model_reward(rules, None, 1).vector[0, 1])

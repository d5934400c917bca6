import math
import pickle
import random
import time
from dataclasses import replace

import numpy as np
import pytest

from envs.task import Dialog, Outcome, PlayedDialog, Question, Task, Transcript, Turn
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.resolve import resolve
from rewards.score import RewardError, Scorer, judge
from rewards.table import TABLE, by_name

WEIGHTS = {"answer.correct": 2.0, "answer.overlap": 5.0, "format.number_only": -0.5}


class FakeScenario:
    name = "example"
    domain = "test"
    languages: tuple[str, ...] = ("en",)
    num_levels = 1

    def __init__(self, verdict: object = 1.0) -> None:
        self.verdict = verdict

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        raise NotImplementedError

    def verify(self, transcript: Transcript) -> float:
        return self.verdict  # type: ignore[return-value]


def scorer_of(weights: dict[str, float], *extra: Dimension, verdict: object = 1.0) -> Scorer:
    return Scorer((*resolve(weights), *extra), {"example": FakeScenario(verdict)})


def dimension_returning(value: object) -> Dimension:
    return replace(by_name()["format.nonempty"], name="my.own", score=lambda transcript: value)  # type: ignore[arg-type, return-value]


def test_every_turn_in_every_dimension() -> None:
    dialog = example("4 + 4 = ?", "It is 8", expected="8", kind="integer", earlier=sum_of_3_and_4("7"))
    score = scorer_of(WEIGHTS, verdict=0.25).score(dialog)
    np.testing.assert_array_equal(score.vector, np.array([[1, math.nan, 1], [0, math.nan, 0]], np.float32))
    np.testing.assert_array_equal(score.success, [0.25, 0.25])
    assert {score.vector.dtype, score.success.dtype} == {np.dtype(np.float32)}


def test_each_turn_is_judged_without_the_turns_after_it() -> None:
    dialog = example("4 + 4 = ?", "8", earlier=sum_of_3_and_4("7"))
    length = replace(by_name()["format.nonempty"], name="num_turns", high=9.0, score=lambda t: float(len(t.turns)))
    assert scorer_of({"answer.correct": 1.0}, length).score(dialog).vector[:, 1].tolist() == [1.0, 2.0]


def test_dialog_without_turns() -> None:
    score = scorer_of(WEIGHTS).score(Transcript(Task("example", "en", 0, 0)))
    assert (score.vector.shape, score.success.shape) == ((0, 3), (0,))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.01, -0.01, "1", [1.0], 1j, np.complex64(1)])
def test_value_that_is_no_score_is_an_error(value: object) -> None:
    with pytest.raises(RewardError) as caught:
        scorer_of(WEIGHTS, dimension_returning(value)).score(sum_of_3_and_4("7"))
    assert (caught.value.dimension, caught.value.task_id, caught.value.turn) == ("my.own", "example/en/0/0", 0)


@pytest.mark.parametrize("value", [0, 1, 0.5, True, np.float32(0.5), np.int64(1)])
def test_numbers_of_any_type_are_scores(value: float) -> None:
    assert judge(dimension_returning(value), sum_of_3_and_4("7")) == value


def test_dimension_that_raises_is_an_error_with_its_cause() -> None:
    def divide(transcript: Transcript) -> float:
        return 1.0 / 0.0 if len(transcript.turns) == 2 else 1.0

    broken = replace(by_name()["format.nonempty"], name="my.own", score=divide)
    dialog = example("4 + 4 = ?", "8", earlier=sum_of_3_and_4("7"))
    with pytest.raises(
        RewardError, match=r"my\.own failed on turn 1 .* ZeroDivisionError.*test_score\.py, line"
    ) as caught:
        scorer_of(WEIGHTS, broken).score(dialog)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_error_survives_pickling() -> None:
    error = RewardError("my.own", "example/en/0/0", 3, "ValueError: no", "train-0-1-2")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.turn, copy.dimension) == (str(error), 3, "my.own")


@pytest.mark.parametrize("verdict", [None, math.nan, 2.0, "right"])
def test_scenario_without_a_usable_verdict_is_an_error(verdict: object) -> None:
    with pytest.raises(RewardError, match="success failed on turn 0"):
        scorer_of(WEIGHTS, verdict=verdict).score(sum_of_3_and_4("7"))


def test_unknown_scenario_is_an_error() -> None:
    with pytest.raises(RewardError, match="no scenario 'example'"):
        Scorer(resolve(WEIGHTS), {}).score(sum_of_3_and_4("7"))


def test_one_cell_is_what_the_whole_judgement_holds_there() -> None:
    dialog = example("4 + 4 = ?", "It is 8", expected="8", kind="integer", earlier=sum_of_3_and_4("7"))
    scorer = scorer_of(WEIGHTS, verdict=0.25)
    whole = scorer.score(dialog)
    for turn in range(2):
        cells = [scorer.judge_turn(dialog.upto(turn), name) for name in (*scorer.names, "success")]
        np.testing.assert_array_equal(cells, [*whole.vector[turn], 0.25])
    with pytest.raises(RewardError, match=r"my\.own failed"):
        scorer_of(WEIGHTS, dimension_returning("1")).judge_turn(dialog, "my.own")


def test_success_is_the_verdict_of_the_scenario_that_was_asked() -> None:
    pays = by_name()["task.success"]
    verdict = Scorer((pays,), {"example": FakeScenario()}).score(sum_of_3_and_4("7"))
    assert verdict.vector[0, 0] == verdict.success[0] == FakeScenario().verify(sum_of_3_and_4("7"))
    assert math.isnan(judge(pays, sum_of_3_and_4("7")))  # no scenario of the library is called "example"


def test_warming_up_judges_every_dimension_once() -> None:
    seen = []
    watched = [replace(d, score=lambda transcript, d=d: seen.append((d.name, transcript)) or 1.0) for d in TABLE[:3]]
    Scorer(tuple(watched), {}).warm_up()
    assert seen == [(d.name, d.passes) for d in TABLE[:3]]


def test_an_error_may_stand_in_the_place_of_a_score() -> None:
    outcome = scorer_of(WEIGHTS, dimension_returning(math.nan)).try_score(sum_of_3_and_4("7"))
    assert isinstance(outcome, RewardError)
    assert str(outcome.of("train-0-1-2")) == (
        "my.own failed on turn 0 of task example/en/0/0 (dialog train-0-1-2): nan is outside [0.0, 1.0]"
    )
    assert not isinstance(scorer_of(WEIGHTS).try_score(sum_of_3_and_4("7")), RewardError)


def test_an_iteration_of_short_answers_is_scored_within_seconds_of_cpu() -> None:
    numbers = random.Random(0)
    turns = [
        Turn(Question(f"{i}+{i}=", str(2 * i), "integer"), str(numbers.randrange(4000)), "stop", 4) for i in range(1600)
    ]
    dialogs = [Transcript(Task("example", "en", 0, i), (turn,)) for i, turn in enumerate(turns)]
    scorer = Scorer(TABLE, {"example": FakeScenario()})
    scorer.warm_up()
    start = time.process_time()
    for dialog in dialogs:
        scorer.score(dialog)
    assert time.process_time() - start < 5.0  # about 1 on a quiet machine, which is 2 µs a judgement


class FakePlayed(FakeScenario):
    """Its users are right where its assistants are wrong."""

    def played(self, task: Task) -> PlayedDialog:
        raise NotImplementedError

    def verify_user(self, transcript: Transcript) -> float:
        return 1.0 - float(self.verdict)  # type: ignore[arg-type]


def test_what_a_user_said_is_verified_as_a_users_words() -> None:
    scorer = Scorer(resolve({"task.success": 1.0}), {"example": FakePlayed(0.25)})
    said = sum_of_3_and_4("7")
    assert scorer.score(said).success.tolist() == [0.25]
    for outcome in (Outcome(success=0.5), Outcome(valid=False)):
        score = scorer.score(replace(said, outcome=outcome))
        assert (score.success.tolist(), score.vector.tolist()) == ([0.75], [[0.75]])
        assert scorer_of({"task.success": 1.0}, verdict=0.25).score(replace(said, outcome=outcome)).success == [0.25]

"""The curriculum's two rules, by hand, and that it is a function of what was learned."""

import json

import pytest

from envs.mix import MixLine
from envs.task import Task
from rl.config import CurriculumConfig
from rl.curriculum import Curriculum, CurriculumError

LINES = (MixLine("sums", 1.0, ("en",), (0, 2, 5)), MixLine("words", 3.0, (), (1,)))


def start(**changes: float | str) -> Curriculum:
    config = CurriculumConfig.model_validate({"enabled": True, "half_life": 10, "rehearsal": 0.4} | changes)
    return Curriculum.start(config, LINES)


def outcomes(scenario: str, level: int, *successes: float) -> list[tuple[Task, float]]:
    return [(Task(scenario, "en", level, seed), success) for seed, success in enumerate(successes)]


def weights(curriculum: Curriculum) -> dict[tuple[str, int], float]:
    return {(line.scenario, level): line.weight for line in curriculum.mix for level in line.levels}


def test_it_starts_at_the_lowest_levels_with_the_weights_of_the_recipe() -> None:
    assert weights(start()) == {("sums", 0): 1.0, ("words", 1): 3.0}
    assert {line.scenario: line.languages for line in start().mix} == {"sums": ("en",), "words": ()}


def test_switched_off_it_leaves_the_mixture_alone() -> None:
    curriculum = Curriculum.start(CurriculumConfig(), LINES)
    assert curriculum.mix == LINES
    assert curriculum.advance(outcomes("sums", 0, *[1.0] * 50)) is curriculum
    assert curriculum.metrics() == {}


def test_success_climbs_one_rung_and_rehearses_the_ones_below() -> None:
    higher = start().advance(outcomes("sums", 0, *[1.0] * 10))
    assert weights(higher) == {("sums", 0): 0.4, ("sums", 2): 0.6, ("words", 1): 3.0}
    highest = higher.advance(outcomes("sums", 2, *[1.0] * 10))
    sums = {level: weight for (name, level), weight in weights(highest).items() if name == "sums"}
    assert {level: weight / sum(sums.values()) for level, weight in sums.items()} == pytest.approx(
        {0: 0.2, 2: 0.2, 5: 0.6}
    )
    assert highest.advance(outcomes("sums", 5, *[1.0] * 50)).ladders[0].frontier == 2


def test_failure_steps_back_and_never_below_the_ground() -> None:
    higher = start().advance(outcomes("sums", 0, *[1.0] * 10))
    assert higher.advance(outcomes("sums", 2, *[0.0] * 10)).ladders[0].frontier == 0
    assert start().advance(outcomes("sums", 0, *[0.0] * 50)).ladders[0].frontier == 0


def test_it_starts_where_the_policy_stands() -> None:
    mastered, unknown = [1.0] * 7 + [0.0], [0.0] * 8
    there = start().placed(outcomes("sums", 0, *mastered) + outcomes("sums", 2, *unknown))
    assert [ladder.frontier for ladder in there.ladders] == [1, 0]
    top = start().placed([*outcomes("sums", 0, *mastered), *outcomes("sums", 2, *mastered), *outcomes("sums", 5, 1.0)])
    assert top.ladders[0].frontier == 2
    gap = start().placed(outcomes("sums", 0, *unknown) + outcomes("sums", 2, *mastered))
    assert gap.ladders[0].frontier == 0
    few = start().placed(outcomes("sums", 0, *[1.0] * 7))
    assert few == start()
    assert start(start="lowest").placed(outcomes("sums", 0, *mastered)) == start(start="lowest")


def test_a_few_dialogs_prove_nothing() -> None:
    nearly = start().advance(outcomes("sums", 0, *[1.0] * 9))
    assert nearly.ladders[0].frontier == 0
    assert nearly.advance(outcomes("sums", 0, 1.0)).ladders[0].frontier == 1


def test_rehearsal_says_nothing_about_the_frontier() -> None:
    higher = start().advance(outcomes("sums", 0, *[1.0] * 10))
    assert higher.advance(outcomes("sums", 0, *[1.0] * 100)).ladders[0].frontier == 1


def test_averages_by_hand() -> None:
    ladder = start().advance(outcomes("words", 1, 0.5, 0.5)).advance(outcomes("words", 1, *[1.0] * 10)).ladders[1]
    # ten dialogs are one half-life of the fast average and a quarter of one of the slow average
    assert ladder.fast == pytest.approx(0.75)
    assert ladder.slow == pytest.approx(1.0 - 0.5 * 0.5**0.25)
    assert (ladder.success, ladder.num_dialogs) == (pytest.approx(0.75), 12)


def test_lines_that_move_get_more_and_the_others_keep_the_floor() -> None:
    moved = start(floor=0.25).advance(outcomes("sums", 0, *[0.0] * 5) + outcomes("words", 1, *[0.5] * 5))
    assert weights(moved) == {("sums", 0): 1.0, ("words", 1): 3.0}  # one look shows no progress
    moved = moved.advance(outcomes("sums", 0, *[0.5] * 5) + outcomes("words", 1, *[0.5] * 5))
    assert weights(moved) == {("sums", 0): 1.0, ("words", 1): 0.75}


def test_a_line_of_little_weight_is_still_asked() -> None:
    rare = MixLine("rare", 0.000012344, ("en",), (0, 1))
    curriculum = Curriculum.start(start().config, [*LINES, rare])
    assert weights(curriculum)["rare", 0] == 0.00001234


def test_metrics_name_levels_and_shares() -> None:
    higher = start().advance(outcomes("sums", 0, *[1.0] * 10))
    assert higher.metrics() == {
        "curriculum/sums/level": 2.0,
        "curriculum/sums/share": 0.25,
        "curriculum/words/level": 1.0,
        "curriculum/words/share": 0.75,
    }


def test_a_checkpoint_restores_it_exactly() -> None:
    there = start().advance(outcomes("sums", 0, 0.1, 0.7, 1.0) + outcomes("words", 1, 0.3))
    again = start().restore(json.loads(json.dumps(there.to_json())))
    assert again == there
    for lines in (LINES[:1], LINES[::-1]):
        with pytest.raises(CurriculumError, match=r"tasks\.mix is not that of the checkpoint"):
            Curriculum.start(there.config, lines).restore(there.to_json())


def test_a_run_that_was_saved_without_one_starts_it_at_the_ground() -> None:
    without = Curriculum.start(CurriculumConfig(), LINES)
    assert start().restore(without.to_json()) == start()
    assert without.restore(start().to_json()) == without


def test_a_scenario_in_two_lines_has_no_ladder() -> None:
    twice = (*LINES, MixLine("sums", 1.0, ("de",), (0,)))
    assert Curriculum.start(CurriculumConfig(), twice).mix == twice
    with pytest.raises(CurriculumError, match="a scenario has one line, 'sums' has more"):
        Curriculum.start(start().config, twice)

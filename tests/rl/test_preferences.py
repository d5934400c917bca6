"""Pairs from scenarios: the demonstration against something that is judged worse, and never a held-out question."""

from collections import Counter

import pytest

from envs.library import Library
from envs.mix import MixLine, is_held_out
from envs.task import Question, Task, Transcript, Turn
from rewards.resolve import resolve
from rewards.score import Scorer
from rl.corruption import CORRUPTIONS
from rl.preferences import Grader, Preference, from_scenarios

LIBRARY = Library()
MIX = (MixLine("arithmetic-dialog", 1.0, ("en",), (0,)),)


def grader(weights: dict[str, float]) -> Grader:
    return Grader(Scorer(resolve(weights), {scenario.name: scenario for scenario in LIBRARY.scenarios}), weights)


def pairs(*, seed: int = 1, min_margin: float = 0.1, fraction: float = 0.0) -> list[Preference]:
    return list(
        from_scenarios(
            LIBRARY,
            MIX,
            grader({"task.success": 1.0}),
            num_pairs=60,
            max_turns=2,
            min_margin=min_margin,
            seed=seed,
            fraction=fraction,
        )
    )


def test_the_better_answer_succeeds_and_the_worse_does_not() -> None:
    found = pairs()
    assert len(found) > 50
    for pair in found:
        *before, (question, right) = pair.chosen
        *same, (again, wrong) = pair.rejected
        assert (before, question) == (same, again)
        assert right != wrong
    assert {len(pair.chosen) for pair in found} == {1, 2}
    assert set(Counter(pair.source for pair in found)) == {f"scenario/{kind}" for kind in CORRUPTIONS}


def test_pairs_are_a_function_of_the_seed() -> None:
    assert pairs() == pairs()
    assert pairs(seed=2) != pairs()


def test_held_out_openings_are_in_no_pair() -> None:
    openings = {pair.chosen[0][0] for pair in pairs(fraction=0.5)}
    assert openings
    assert not any(is_held_out(opening, 0.5) for opening in openings)


def test_a_margin_that_nothing_reaches_leaves_nothing() -> None:
    assert pairs(min_margin=1.5) == []


def test_a_grade_is_a_weighted_sum_in_which_abstentions_are_nothing() -> None:
    turn = Turn(Question("3+4=?", "7", "integer"), "7", "stop", 2)
    transcript = Transcript(Task("arithmetic-dialog", "en", 0, 0), (turn,))
    assert grader({"answer.correct": 2.0, "format.number_only": 0.5}).grade(transcript) == pytest.approx(2.5)
    assert grader({"answer.correct": 2.0, "selfplay.hard": 9.0}).grade(transcript) == pytest.approx(2.0)


@pytest.mark.parametrize("kind", CORRUPTIONS)
@pytest.mark.parametrize("answer", ["7", "Paris", "a b", ""])
def test_every_corruption_takes_any_answer(kind: str, answer: str) -> None:
    said = CORRUPTIONS[kind](answer, ["12", "Rome is it"], ("key", 1))
    assert said == CORRUPTIONS[kind](answer, ["12", "Rome is it"], ("key", 1))


def test_a_changed_number_is_another_number() -> None:
    found = {CORRUPTIONS["changed"]("It is 7.", ["1"], ("key", n)) for n in range(50)}
    assert "It is 7." not in found
    assert {text.removeprefix("It is ").removesuffix(".") for text in found} <= {str(n) for n in range(-2, 17)}

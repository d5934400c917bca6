"""Do the semantic dimensions tell sensible answers from absurd ones that they have never seen?"""

import ast
import inspect

import pytest

from envs.knowledge.amounts import LANGUAGES
from rewards import sense as sense_module
from rewards.absurd import GENERAL, Pair, accuracy, pairs, part_of
from rewards.dimensions import quantity, relevance, semantics
from rewards.free_pairs import FREE_PAIRS

HELD_OUT = pairs("held-out")


def test_enough_pairs() -> None:
    assert len(HELD_OUT) >= 400
    assert len({pair.domain for pair in HELD_OUT}) >= 8
    assert {pair.language for pair in HELD_OUT} == set(LANGUAGES)
    assert all(pair.sensible != pair.absurd for pair in HELD_OUT)


def test_the_parts_share_no_source_and_no_question() -> None:
    tuning = pairs("tuning")
    assert len(tuning) >= 400
    assert not {pair.source for pair in tuning} & {pair.source for pair in HELD_OUT}
    assert not {pair.question for pair in tuning} & {pair.question for pair in HELD_OUT}
    assert {pair.corruption for pair in HELD_OUT} - {pair.corruption for pair in tuning} == {
        "denied",
        "place",
        "times 100",
        "measure",
    }
    assert all(part_of(pair.source) == "held-out" for pair in HELD_OUT)


@pytest.mark.parametrize("module", [sense_module, semantics, quantity, relevance])
def test_judges_cannot_see_what_pairs_are_made_from(module: object) -> None:
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not {name for name in imported if name and name.endswith(("procedures", "facts", "matching", "absurd"))}
    assert not {"procedure.known_steps", "procedure.known_order", "quantity.known_amounts"} & {d.name for d in GENERAL}


def test_sensible_is_ranked_above_absurd() -> None:
    ((right, number),) = accuracy(HELD_OUT, by=lambda pair: "all").values()
    assert number == len(HELD_OUT)
    assert right >= 0.90


def test_a_judge_without_dimensions_is_never_right() -> None:
    assert accuracy(HELD_OUT[:20], by=lambda pair: "all", dimensions=())["all"] == (0, 20)


def test_free_pairs_are_mostly_ranked_right() -> None:
    free = [Pair("free", "free", language, "free", "held-out", *texts) for language, *texts in FREE_PAIRS]
    assert len(free) >= 40
    assert accuracy(free, by=lambda pair: "all")["all"][0] >= 0.6

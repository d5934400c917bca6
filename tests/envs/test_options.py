"""Where only a few answers make sense, the question says which: a wrong one of them is nearer than anything else."""

import pytest

from envs.constraints import holds
from envs.library import Library
from envs.task import Constraint, Task

LIBRARY = Library()


@pytest.mark.parametrize(
    ("scenario", "language", "turn", "options"),
    [
        ("weekdays", "es", 0, "martes|miércoles|jueves|viernes|sábado|domingo|lunes"),
        ("truth-values", "en", 0, "true|false"),
        ("service-order", "de", 0, "versandt|verloren|bereit|bezahlt"),
        ("service-order", "de", 1, "versandt|verloren|bereit|bezahlt"),
    ],
)
def test_the_options_are_all_answers_that_make_sense(scenario: str, language: str, turn: int, options: str) -> None:
    for seed in range(30):
        question = LIBRARY.questions(Task(scenario, language, 0, seed), max_turns=2)[turn]
        assert question.constraints == (Constraint("options", options),)
        assert question.answer in options.split("|")


@pytest.mark.parametrize("language", ["en", "ja"])
def test_a_country_code_is_one_of_those_that_are_asked(language: str) -> None:
    scenario = LIBRARY.find("country-codes")
    size = scenario.size(language, 0)
    assert size is not None
    questions = [scenario.dialog(Task(scenario.name, language, 0, seed)).open() for seed in range(size)]
    (constraint,) = questions[0].constraints
    assert set(str(constraint.value).split("|")) == {question.answer for question in questions}
    assert not scenario.dialog(Task(scenario.name, language, 2, 0)).open().constraints  # too many to name


def test_a_remembered_colour_is_a_colour() -> None:
    for seed in range(30):
        told, asked = LIBRARY.questions(Task("memory-recall", "en", 0, seed), max_turns=2)
        assert told.constraints == (Constraint("options", "ok"),)
        (constraint,) = asked.constraints
        assert holds(constraint, asked.answer or "")
        assert not holds(constraint, told.answer or "")

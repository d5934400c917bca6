"""Calculations that the policy puts together, and how they are asked."""

from collections import Counter
from collections.abc import Sequence
from itertools import islice

import pytest

from envs.families.arithmetic import SCENARIOS as ARITHMETIC
from envs.families.arithmetic import num_wordings
from envs.families.selfplay import FORMULAS, PROPOSED_FORMULA, PROPOSED_SUM, ProposeFormula, ProposeSum, read_formula
from envs.library import Library
from envs.task import FinishReason, Proposing, Question, Task, Transcript, Turn


def seed_for(beginning: str, *, language: str = "en", level: int = 0, number: int = 0) -> int:
    """A seed of `propose-sum` whose question begins like this, such as "7+"; another one for each `number`."""
    seeds = (
        seed
        for seed in range(10_000)
        if Library().opening(Task("propose-sum", language, level, seed)).startswith(f"{beginning}?")
    )
    return next(islice(seeds, number, None))


def said(scenario: ProposeSum | ProposeFormula, task: Task, answers: Sequence[str], finish: FinishReason = "stop"):
    dialog, turns = scenario.dialog(task), list[Turn]()
    question: Question | None = dialog.open()
    for answer in answers:
        assert question is not None
        turns.append(Turn(question, answer, finish, num_tokens=2))
        question = dialog.reply(answer)
    return Transcript(task, tuple(turns))


def proposed(beginning: str, answer: str, level: int = 0, finish: FinishReason = "stop") -> str | None:
    task = Task("propose-sum", "en", level, seed_for(beginning, level=level))
    transcript = said(ProposeSum(), task, [answer], finish)
    made = ProposeSum().proposed(transcript)
    assert ProposeSum().verify(transcript) == (made is not None)
    return made.given if made else None


def test_a_number_completes_the_sum_for_the_solver() -> None:
    seed = seed_for("7+", language="de")
    transcript = said(ProposeSum(), Task("propose-sum", "de", 0, seed), [" 5\n"])
    assert ProposeSum().proposed(transcript) == Task("proposed-sum", "de", 0, seed, given="7+5")


@pytest.mark.parametrize(
    ("answer", "level"),
    [("10", 0), ("05", 0), ("-5", 0), ("five", 0), ("+", 0), ("", 0), ("٧", 0), ("7+5", 0), ("9", 2), ("0", 3)],
)
def test_what_may_not_be_chosen_is_no_task(answer: str, level: int) -> None:
    beginning = ("7+", "7+", "17+", "7+")[level]
    assert proposed(beginning, "10" if level else "5", level) is not None
    assert proposed(beginning, answer, level) is None


def test_larger_numbers_and_times_come_with_the_level() -> None:
    assert proposed("10-", "99", 2) == "10-99"
    assert proposed("10*", "1", 3) == "10*1"
    assert proposed("7+", "5", finish="length") is None


@pytest.mark.parametrize(("level", "signs", "numbers"), [(0, "+-", range(10)), (3, "+-*", range(1, 11))])
def test_every_beginning_is_drawn_equally_often(level: int, signs: str, numbers: range) -> None:
    """Whoever has one habit still proposes as many calculations as there are beginnings."""
    size = ProposeSum().size("en", level)
    assert size == 2 * len(signs) * len(numbers)
    openings = [Library().opening(Task("propose-sum", "en", level, seed)) for seed in range(3 * size)]
    assert set(Counter(openings).values()) == {3}
    assert {text.partition("?")[0] for text in openings} == {f"{n}{sign}" for n in numbers for sign in signs}


@pytest.mark.parametrize(("language", "level"), [("en", 0), ("fr", 1)])
def test_a_proposed_sum_is_asked_as_arithmetic_dialog_asks(language: str, level: int) -> None:
    """Each of its openings is one that the library's dialog has, with the same answer."""
    (dialogs,) = (family for family in ARITHMETIC if family.name == "arithmetic-dialog")
    size = dialogs.size(language, level)
    assert size is not None
    tasks = [Task("arithmetic-dialog", language, level, seed) for seed in range(size)]
    known = {question.text: question.answer for task in tasks for question in [dialogs.dialog(task).open()]}
    asked = [PROPOSED_SUM.dialog(Task("proposed-sum", language, level, seed, "7-9")).open() for seed in range(80)]
    assert {known[question.text] for question in asked} == {"-2"}
    assert len({question.text for question in asked}) == num_wordings(language, level, "-")


def test_a_follow_up_refers_to_the_proposed_sum() -> None:
    dialog = PROPOSED_SUM.dialog(Task("proposed-sum", "zh", 2, 3, "17-98"))
    first = dialog.open()
    follow_up = dialog.reply(first.demonstration)
    assert first.answer == "-81"
    assert follow_up is not None and follow_up.answer is not None
    assert 10 <= abs(int(follow_up.answer) + 81) <= 99


def test_a_formula_has_one_form_however_it_is_written() -> None:
    level = FORMULAS[1]
    forms = ["(3+4)*2", " ( 3 + 4 )* 2", "((3+4))*(2)"]
    problems = [read_formula(form, level) for form in forms]
    assert [(problem.expression, problem.answer) for problem in problems if problem] == [("(3+4)*2", 14)] * 3
    other = read_formula("3+4*2", level)
    assert other is not None and (other.expression, other.answer) == ("3+4*2", 11)


@pytest.mark.parametrize(
    "text",
    ["", "7", "-7", "3+", "3/4", "2**9", "True+1", "1.5+2", "a+1", "3+40", "1+1+1+1+1", "3=3", "print(1)", "1_0+1"],
)
def test_what_is_no_formula_of_the_level_is_no_task(text: str) -> None:
    assert read_formula(text, FORMULAS[1]) is None


def test_a_proposed_formula_is_asked_in_notation() -> None:
    task = Task("propose-formula", "en", 1, 4)
    made = ProposeFormula().proposed(said(ProposeFormula(), task, ["2*( 3-8 )"]))
    assert made == Task("proposed-formula", "en", 1, 4, given="2*(3-8)")
    question = PROPOSED_FORMULA.dialog(made).open()
    assert "2*(3-8)" in question.text and question.answer == "-10"


def test_a_proposal_that_was_never_made_is_refused() -> None:
    with pytest.raises(ValueError, match="no sum"):
        PROPOSED_SUM.dialog(Task("proposed-sum", "en", 0, 0, given="7+x"))
    with pytest.raises(ValueError, match="no formula"):
        PROPOSED_FORMULA.dialog(Task("proposed-formula", "en", 0, 0, given="7+5+1"))


def test_the_library_knows_who_proposes() -> None:
    assert [s.name for s in Library().scenarios if isinstance(s, Proposing)] == ["propose-sum", "propose-formula"]

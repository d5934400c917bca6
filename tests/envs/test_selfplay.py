"""Calculations that the policy puts together, and how they are asked."""

import re
from collections.abc import Sequence

import pytest

from envs.families.arithmetic import SCENARIOS as ARITHMETIC
from envs.families.arithmetic import num_wordings
from envs.families.selfplay import FORMULAS, PROPOSED_FORMULA, PROPOSED_SUM, ProposeFormula, ProposeSum, read_formula
from envs.library import Library
from envs.task import FinishReason, Proposing, Question, Task, Transcript, Turn


def seed_for(first: str, second: str, *, language: str = "en", level: int = 0, number: int = 0) -> int:
    """A seed of `propose-sum` whose ranges allow the two numbers, as its questions say them; one for each `number`."""
    found = 0
    for seed in range(10_000):
        asked = Library().questions(Task("propose-sum", language, level, seed), max_turns=3)
        (low, high), (low_2, high_2) = (map(int, re.findall(r"\d+", asked[index].text)) for index in (0, 2))
        if low <= int(first) <= high and low_2 <= int(second) <= high_2:
            if found == number:
                return seed
            found += 1
    raise LookupError(f"no seed allows {first} and {second}")


def said(scenario: ProposeSum | ProposeFormula, task: Task, answers: Sequence[str], finish: FinishReason = "stop"):
    dialog, turns = scenario.dialog(task), list[Turn]()
    question: Question | None = dialog.open()
    for answer in answers:
        assert question is not None
        turns.append(Turn(question, answer, finish, num_tokens=2))
        question = dialog.reply(answer)
    return Transcript(task, tuple(turns))


def proposed(answers: Sequence[str], seed: int, level: int = 0, finish: FinishReason = "stop") -> str | None:
    task = ProposeSum().proposed(said(ProposeSum(), Task("propose-sum", "en", level, seed), answers, finish))
    return task.given if task else None


def test_a_sum_of_three_answers_is_a_task_for_the_solver() -> None:
    seed = seed_for("7", "5", language="de")
    transcript = said(ProposeSum(), Task("propose-sum", "de", 0, seed), ["7", "1", " 5\n"])
    assert ProposeSum().proposed(transcript) == Task("proposed-sum", "de", 0, seed, given="7+5")
    assert [ProposeSum().verify(transcript.upto(index)) for index in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("answers", "level"),
    [
        (["7", "1", "10"], 0),
        (["7", "1", "6"], 0),
        (["5", "1", "5"], 0),
        (["07", "1", "5"], 0),
        (["-7", "1", "5"], 0),
        (["7", "3", "5"], 0),
        (["7", "0", "5"], 0),
        (["7", "+", "5"], 0),
        (["7", "", "5"], 0),
        (["7", "1"], 0),
        (["٧", "1", "5"], 0),
        (["28", "1", "50"], 2),
        (["5", "3", "7"], 3),
    ],
)
def test_what_may_not_be_chosen_is_no_task(answers: list[str], level: int) -> None:
    """Each is next to one that may: 7+5, 27+50 and 5*5."""
    allowed = {0: ("7", "5"), 2: ("27", "50"), 3: ("5", "5")}[level]
    seed = seed_for(*allowed, level=level)
    assert proposed([allowed[0], "1", allowed[1]], seed, level) is not None
    assert proposed(answers, seed, level) is None


def test_larger_numbers_and_times_come_with_the_level() -> None:
    assert proposed(["10", "2", "99"], seed_for("10", "99", level=2), 2) == "10-99"
    assert proposed(["10", "3", "1"], seed_for("10", "1", level=3), 3) == "10*1"
    assert proposed(["7", "1", "5"], seed_for("7", "5"), finish="length") is None


@pytest.mark.parametrize(("level", "numbers"), [(0, range(10)), (1, range(10)), (2, range(10, 100)), (3, range(1, 11))])
def test_the_ranges_of_all_seeds_are_the_numbers_of_the_level(level: int, numbers: range) -> None:
    """Whoever always says the smallest number that may be said still proposes many calculations."""
    ranges = [
        tuple(tuple(map(int, re.findall(r"\d+", asked[index].text))) for index in (0, 2))
        for seed in range(400)
        for asked in [Library().questions(Task("propose-sum", "en", level, seed), max_turns=3)]
    ]
    width = len(numbers) // 5
    cut = {(low, low + width - 1) for low in numbers[::width]}
    assert set(ranges) == {(first, second) for first in cut for second in cut}


def test_each_choice_is_judged_where_it_is_made() -> None:
    transcript = said(ProposeSum(), Task("propose-sum", "en", 0, seed_for("7", "3")), ["seven", "2", "5"])
    assert [ProposeSum().verify(transcript.upto(index)) for index in range(3)] == [0, 1, 0]


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

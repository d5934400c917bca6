import re
import time
from fractions import Fraction

import pytest

from envs.families.code_puzzles import completes, holds_exactly
from envs.formulas import FormulaError, evaluate
from envs.library import BUILT_IN
from envs.task import Constraint, Question, Task, Transcript, Turn


def said(answer: str, due: str | None = None, *constraints: Constraint) -> Transcript:
    turn = Turn(Question("?", due, constraints=constraints), answer, "stop", num_tokens=1)
    return Transcript(Task("puzzle", "en", 0, 0), (turn,))


def test_an_expression_needs_x_and_every_value() -> None:
    wanted = (Constraint("value_at", "3 7"), Constraint("value_at", "5 11"))
    right = ("x*2 + 1", "2*x+1", "1 + x + x", "(4*x + 2)/2")
    wrong = ("7", "x + 4", "", "y*2 + 1", "f(x)", "x*2 + 1 +", "__import__('os')", "x**99", "x/0")
    assert [completes(said(answer, None, *wanted)) for answer in right] == [1] * len(right)
    assert [completes(said(answer, None, *wanted)) for answer in wrong] == [0] * len(wrong)


def test_a_condition_holds_inside_and_nowhere_else() -> None:
    within = Constraint("true_for", "3 6")
    right = ("3 <= x < 6", "x >= 3 and x <= 5", "not (x < 3 or x >= 6)", "x == 3 or x == 4 or x == 5")
    wrong = ("x >= 3", "3 <= x <= 6", "True", "x", "", "x in (3, 4, 5)")
    assert [holds_exactly(said(answer, None, within)) for answer in right] == [1] * len(right)
    assert [holds_exactly(said(answer, None, within)) for answer in wrong] == [0] * len(wrong)


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "1e999", "'a'", "f(1)", "1/0", "0**-1", "2**0.5", "1**101", "9**99", "10**40", "1/10**40"),
        *("(" * 150, "(" * 5000, "\x00", "x.y", "[1]"),
    ],
)
def test_what_is_no_bounded_formula_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        evaluate(text, {})


def test_a_small_number_of_many_digits_is_refused_before_it_grows() -> None:
    """Its value is bounded by 1, yet its denominator would have three million digits."""
    started = time.process_time()
    with pytest.raises(FormulaError, match="more than 40 digits"):
        evaluate("(((((1/9)**20)**20)**20)**20)**20", {})
    assert time.process_time() - started < 0.1


def test_formulas_have_the_values_of_python() -> None:
    for text in ("1+2*3", "-7//2", "-7%3", "2**10", "2**-2", "1 < 2 < 3", "not 1 == 1 or 2 >= 2", "7/2", "1.5*2"):
        assert evaluate(text, {}) == eval(text)  # written here
    assert evaluate("0.1 + 0.2", {}) == Fraction(3, 10)


@pytest.mark.parametrize(
    ("name", "text"),
    [("loop-value", "x = ?"), ("indexing", "] = ?")],
)
def test_programs_do_what_python_does(name: str, text: str) -> None:
    scenario = next(scenario for scenario in BUILT_IN if scenario.name == name)
    for level in range(scenario.num_levels):
        for seed in range(40):
            question = scenario.dialog(Task(name, "en", level, seed)).open()
            assert text in question.text
            assert _run(question.text) == int(question.answer or "")


def test_a_hexadecimal_number_is_right_in_any_case() -> None:
    scenario = next(scenario for scenario in BUILT_IN if scenario.name == "number-bases")
    task = Task("number-bases", "en", 1, 0)
    asked = Question("126 in base 16 = ?", format(126, "x"))
    turns = [Turn(asked, answer, "stop", num_tokens=1) for answer in ("7e", "7E", "7f", "e7")]
    assert [scenario.verify(Transcript(task, (one,))) for one in turns] == [1, 1, 0, 0]


def test_one_end_alone_makes_a_range_stop_where_it_is_asked_to() -> None:
    scenario = next(scenario for scenario in BUILT_IN if scenario.name == "off-by-one")
    for seed in range(40):
        question = scenario.dialog(Task("off-by-one", "en", 1, seed)).open()
        found = re.search(r"The last number of range\((\d+), \?\) is (\d+)\.$", question.text)
        assert found is not None, question.text
        first, last = int(found[1]), int(found[2])
        ends = [end for end in range(40) if list(range(first, end))[-1:] == [last]]
        assert ends == [int(str(question.answer))]


def _run(program: str) -> int:
    """The last value that one of our own programs asks for."""
    *body, last = program.split("\n")
    names: dict[str, object] = {}
    exec("\n".join(body), names)  # our program, not a policy's
    value = eval(last.removeprefix("print(").removesuffix(")").removesuffix(" = ?"), names)
    assert isinstance(value, int)
    return value

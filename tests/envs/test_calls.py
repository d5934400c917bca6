"""Calls within an answer: how they are found and shown, what comes back, and that no expression harms anybody."""

import time
from types import ModuleType

import pytest

from envs.algebra import Algebra
from envs.calls import OUTPUT, TOOL_NAMES, Call, CallRunner, announcement, demonstrate, find_call, markers
from envs.families import arithmetic, word_problems
from envs.library import Library
from envs.task import Question, Task, ToolUse, Turn
from envs.tools import ToolError, calculate, exact_value

CALCULATOR = ("calculator",)


@pytest.fixture(scope="module")
def runner():
    made = CallRunner(TOOL_NAMES, timeout_seconds=1.0)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<calc>1+1</calc>", Call("", "calc", "1+1", "")),
        ("So <calc>1+1</calc>\n", Call("So ", "calc", "1+1", "\n")),
        ("<calc>1<calc>2</calc>", Call("<calc>1", "calc", "2", "")),
        ("</calc> <calc>2</calc>", Call("</calc> ", "calc", "2", "")),
        ("<calc></calc>", Call("", "calc", "", "")),
        ("1+1</calc>", None),
        ("<calc>1+1", None),
        ("<calc>1+1</out>", None),
        ("<algebra>1</algebra>", None),  # not on offer
    ],
)
def test_a_call_is_what_stands_between_its_marks(text: str, found: Call | None) -> None:
    assert find_call(text, CALCULATOR) == found


def test_the_announcement_is_a_call_that_gives_what_it_shows(runner: CallRunner) -> None:
    text = announcement(TOOL_NAMES)
    for name in TOOL_NAMES:
        call = find_call(text, [name])
        assert call is not None
        assert f"<out>{runner.run(call.tool, call.expression).result()}</out>" in text
    assert all(mark in text for mark in markers(TOOL_NAMES))
    assert markers(()) == ()  # a run without tools has the tokenizer that it always had


def test_a_demonstration_calls_for_what_the_question_names() -> None:
    sum_of_two = Question("12 and 30?", "42", "integer", calculation="12+30")
    shown = demonstrate(sum_of_two, CALCULATOR)
    assert shown == "<calc>12+30</calc><out>42</out>42"
    assert OUTPUT.sub("", shown) == "<calc>12+30</calc>42"
    assert demonstrate(sum_of_two, ()) == demonstrate(Question("?", "42"), CALCULATOR) == "42"


def test_people_see_the_calls_in_their_places() -> None:
    uses = (ToolUse("calc", "2*3", "6", 3), ToolUse("calc", "6+1", "7", 10))
    turn = Turn(Question("?"), "So 6, then 7.", "stop", 9, uses)
    assert turn.text == "So <calc>2*3</calc><out>6</out>6, then<calc>6+1</calc><out>7</out> 7."


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("12*(3+4)", "84"),
        ("0.1+0.2", "0.3"),
        ("1/3+1/6", "0.5"),
        ("1/3", "1/3"),
        ("-7//2", "-4"),
        ("2/3 < 3/4", "true"),
        ("2 == 3", "false"),
        ("(1<2)+1", "2"),
        (" 5 ", "5"),
    ],
)
def test_the_calculator_is_exact(runner: CallRunner, expression: str, result: str) -> None:
    assert runner.run("calc", expression).result() == result


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ("1/0", "division by zero"),
        ("0**-1", "division by zero"),
        ("9**9**9", "an exponent is a whole number of at most 100"),
        ("((10**40)", "that is no formula"),
        ("10**39*10**39", "a number has more than 40 digits"),
        ("factorial(99)", "only numbers, brackets"),
        ("(1).real", "only numbers, brackets"),
        ("9" * 201, "a call has at most 200 characters"),
        ("(" * 99 + "1" + ")" * 98, "that is no formula"),
        ("", "there is nothing to work out"),
        ("12,000+1", "only numbers, brackets"),
        ("\u0663+\u0664", "only numbers, brackets"),
        ("0.1234567890123456789", "a decimal number has at most 15 digits"),
    ],
)
def test_the_calculator_says_what_is_wrong(runner: CallRunner, expression: str, cause: str) -> None:
    assert runner.run("calc", expression).result().startswith(f"error: {cause}")


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("solve(x**2 = 4, x)", "-2, 2"),
        ("solve(2*x - 6, x)", "3"),
        ("solve(a*x == b, x)", "b/a"),
        ("simplify((x**2-1)/(x-1))", "x + 1"),
        ("expand((x+1)**3)", "x**3 + 3*x**2 + 3*x + 1"),
        ("factor(x**2+2*x+1)", "(x + 1)**2"),
        ("diff(x**3 + 2*x, x)", "3*x**2 + 2"),
        ("0.1 + 0.2", "3/10"),
        ("sqrt(8)", "2*sqrt(2)"),
    ],
)
def test_algebra(runner: CallRunner, expression: str, result: str) -> None:
    assert runner.run("algebra", expression).result() == result


@pytest.mark.parametrize(
    ("expression", "cause"),
    [
        ("1/0", "division by zero"),
        ("9**9**9", "an exponent is a whole number of at most 100 here"),
        ("x**99", "an exponent is a whole number of at most 20 here"),
        ("2**x", "an exponent is a whole number of at most 100 here"),
        ("factorial(10**6)", "Call has no meaning here"),
        ("x.__class__", "Attribute has no meaning here"),
        ("__import__('os')", "Call has no meaning here"),
        ("'a'*10**9", "Constant has no meaning here"),
        ("lambda: 1", "Lambda has no meaning here"),
        ("[x for x in x]", "ListComp has no meaning here"),
        ("(" * 99 + "1" + ")" * 98, "that is no expression"),
        ("solve(x = x, x)", "it holds for every value"),
        ("solve(x, 3)", "3 is no name such as x"),
        ("diff(x)", "diff takes 2 arguments"),
        ("(x = 1) + 1", "an equation is no number"),
        ("expand(((x+y+z+w)**20)**20)", "it takes too long"),
        ("expand((x+y+z+w)**9)", "the result is longer than 200 characters"),
    ],
)
def test_algebra_says_what_is_wrong(runner: CallRunner, expression: str, cause: str) -> None:
    assert runner.run("algebra", expression).result() == f"error: {cause}"


def test_algebra_that_nothing_inside_could_end_is_killed_and_starts_anew() -> None:
    algebra = Algebra(cpu_seconds=0.1)
    try:
        assert algebra.run("1+1") == "2"
        process = algebra._process
        assert process is not None
        process.send_signal(19)  # SIGSTOP: it takes no processor time from now on
        start = time.monotonic()
        with pytest.raises(ToolError, match="it takes too long"):
            algebra.run("1+1")
        assert time.monotonic() - start < 20
        assert process.poll() is not None
        assert algebra.run("1+1") == "2"
    finally:
        algebra.close()


def test_the_process_ends_with_its_input() -> None:
    algebra = Algebra(cpu_seconds=1.0)
    algebra.run("1+1")
    process = algebra._process
    assert process is not None and process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0
    algebra.close()


def test_a_process_that_was_killed_costs_one_call() -> None:
    algebra = Algebra(cpu_seconds=1.0)
    try:
        algebra.run("1+1")
        process = algebra._process
        assert process is not None
        process.kill()
        process.wait()
        with pytest.raises(ToolError):
            algebra.run("1+1")
        assert algebra.run("1+1") == "2"
    finally:
        algebra.close()


def test_other_uses_of_the_calculator_know_no_comparison() -> None:
    assert calculate("1<2") == "true"
    with pytest.raises(ToolError):
        exact_value("1<2")


@pytest.mark.parametrize("family", [arithmetic, word_problems])
def test_the_calculation_of_a_question_gives_its_answer(family: ModuleType) -> None:
    library, num_questions = Library(family.SCENARIOS), 0
    for scenario in family.SCENARIOS:
        for level in range(scenario.num_levels):
            for language in ("en", "fr"):
                for seed in range(20):
                    for question in library.questions(Task(scenario.name, language, level, seed), max_turns=4):
                        assert calculate(question.calculation) == question.answer
                        num_questions += 1
    assert num_questions > 400

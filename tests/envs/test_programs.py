"""The program family: its data, held against itself, and what its scenarios accept."""

import re
from dataclasses import replace

import pytest

from envs.families.program_outputs import OUTPUTS
from envs.families.program_phrasings import PHRASINGS
from envs.families.program_specs import EASY, HARDER, Spec
from envs.families.programs import (
    MISTAKEN_OPERATORS,
    OPERATORS,
    PAIRS,
    SCENARIOS,
    expressions,
    gaps,
    operator_tests,
)
from envs.program import ProgramTest, demanded_tests, program_of, run_tests
from envs.sandbox import NoSandbox, find_sandbox, the_sandbox
from envs.sandbox_run import SandboxError
from envs.task import FinishReason, Scenario, Task, Transcript, Turn

WRITE_FUNCTION, WRITE_EXPRESSION, FILL_GAP, FIX_MISTAKE, PREDICT_OUTPUT = SCENARIOS
SPECS = (*EASY, *HARDER)
specs = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.signature)


@pytest.fixture
def sandbox() -> None:
    found = find_sandbox()
    if isinstance(found, NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")


def checks(spec: Spec) -> tuple[ProgramTest, ...]:
    return tuple(ProgramTest(*test.split(" == ")) for test in spec.tests)


def verify(scenario: Scenario, level: int, seed: int, answer: str, finish: FinishReason = "stop") -> float:
    task = Task(scenario.name, "en", level, seed)
    turn = Turn(scenario.dialog(task).open(), answer, finish, num_tokens=9)
    return scenario.verify(Transcript(task, (turn,)))


def asked(scenario: Scenario, level: int, seed: int, language: str = "en") -> str:
    return scenario.dialog(Task(scenario.name, language, level, seed)).open().text


@pytest.mark.usefixtures("sandbox")
@specs
def test_a_program_passes_its_tests_and_its_mistake_does_not(spec: Spec) -> None:
    assert all(run_tests(spec.program, checks(spec)).passed)
    mistaken = run_tests(spec.mistaken, checks(spec))
    assert mistaken.outcome is not None, "the mistake should leave the name as it is"
    assert not all(mistaken.passed)


@specs
def test_a_spec_is_well_formed(spec: Spec) -> None:
    assert re.fullmatch(r"\w+\([\w, ]+\)", spec.signature)
    name = spec.signature.partition("(")[0]
    assert all(test.startswith(f"{name}(") for test in spec.tests)
    assert len(set(spec.tests)) == len(spec.tests) >= 3  # more than the examples shown
    assert "«" not in spec.program + spec.mistaken + spec.frame("____")
    assert spec.frame(spec.right) == spec.program != spec.mistaken


def test_specs_differ() -> None:
    assert len({spec.request for spec in SPECS}) == len({spec.signature for spec in SPECS}) == len(SPECS) >= 40


def test_what_is_asked_by_hand() -> None:
    assert asked(WRITE_FUNCTION, 0, 7) == "f() returns 7"
    assert asked(WRITE_FUNCTION, 1, 0) == (
        "Write a Python function double(n) that returns twice the number n. Example: double(3) == 6"
    )
    assert asked(WRITE_EXPRESSION, 0, 12) == "The number 12"
    assert asked(FILL_GAP, 0, 0, "de") == "Ergänze ____:\nf(7, 3) == 10\ndef f(a, b): return a ____ b"
    assert asked(FIX_MISTAKE, 0, 0) == "Fix this:\nf(7, 3) == 10\ndef f(a, b): return a - b"
    assert asked(FIX_MISTAKE, 1, 0, "fr") == (
        "Corrige ceci :\ndouble(3) == 6\ndouble(0) == 0\ndef double(n):\n    return n * n"
    )
    assert asked(PREDICT_OUTPUT, 0, 37) == "Output?\nprint(3 + 7)"


@pytest.mark.usefixtures("sandbox")
def test_any_program_that_passes_the_tests_is_right() -> None:
    for answer in ("double = lambda n: n + n", "Sure:\n```python\ndef double(number):\n    return number << 1\n```"):
        assert verify(WRITE_FUNCTION, 1, 0, answer) == 1
    assert verify(WRITE_EXPRESSION, 0, 12, "3 * 4") == 1
    assert verify(FILL_GAP, 1, 0, "(1 + 1)") == 1  # n * ____


@pytest.mark.usefixtures("sandbox")
def test_a_program_that_knows_only_the_examples_is_wrong() -> None:
    assert verify(WRITE_FUNCTION, 1, 0, "def double(n): return 6") == 0
    assert verify(FILL_GAP, 1, 0, "2 if n in (3, 0) else 1") == 0
    assert verify(FIX_MISTAKE, 1, 0, "def double(n): return {3: 6, 0: 0}[n]") == 0
    assert verify(WRITE_FUNCTION, 1, 0, "def double(n): return 2 * n", finish="length") == 0


def test_an_example_tells_the_operators_apart() -> None:
    for a, b in PAIRS:
        assert len({operation(a, b) for operation in OPERATORS.values()}) == len(OPERATORS)
    assert operator_tests("%")[1] == "f(9, 4) == 1"
    assert len(MISTAKEN_OPERATORS) == 6


def test_the_answer_to_a_gap_is_never_nothing() -> None:
    for level in range(3):
        assert all(question.oracle for question in (*gaps("it", level), *expressions("en", level)))


@pytest.mark.usefixtures("sandbox")
def test_the_program_of_an_oracle_is_the_spec_itself() -> None:
    """So that the scenarios share their runs."""
    programs = {spec.program for spec in SPECS}
    for question in (*gaps("en", 1), *gaps("en", 2), *expressions("en", 1), *expressions("en", 2)):
        assert program_of(question, str(question.oracle)) in programs
        assert demanded_tests(question)


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("level", range(len(OUTPUTS)))
def test_programs_print_what_is_said(level: int) -> None:
    """Many in one run: each is executed in a name space of its own."""
    size, printing = OUTPUTS[level]
    shown = [printing(number) for number in range(0, size, max(1, size // 250))]
    source = f"for program in {[one.program for one in shown]!r}:\n    exec(program, {{}})"
    assert the_sandbox().run(source).stdout.splitlines() == [one.output for one in shown]
    assert len({one.program for one in map(printing, range(size))}) == size


@pytest.mark.parametrize("wordings", [("Output? {p}",), ("Output? {p}", "Prints? {p}", "{p} gives?")])
def test_every_wording_asks_for_an_output(monkeypatch: pytest.MonkeyPatch, wordings: tuple[str, ...]) -> None:
    monkeypatch.setitem(PHRASINGS, "en", replace(PHRASINGS["en"], output=wordings))
    size = OUTPUTS[0][0] * len(wordings)
    assert len({asked(PREDICT_OUTPUT, 0, seed) for seed in range(size)}) == size == PREDICT_OUTPUT.size("en", 0)
    assert asked(PREDICT_OUTPUT, 0, size) == asked(PREDICT_OUTPUT, 0, 0)


@pytest.mark.parametrize("language", PHRASINGS)
def test_wordings_have_the_places_that_they_need(language: str) -> None:
    phrasings = PHRASINGS[language]
    for wordings, places in ((phrasings.output, "p"), (phrasings.gap, "ep"), (phrasings.mistake, "ep")):
        assert len(set(wordings)) == 2
        assert all("".join(re.findall(r"\{(\w)\}", wording)) == places for wording in wordings)


def test_without_a_sandbox_nobody_can_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    none = NoSandbox("no namespaces", "allow them")
    monkeypatch.setattr("envs.sandbox.find_sandbox", lambda: none)
    run_tests.cache_clear()
    for scenario in (WRITE_FUNCTION, WRITE_EXPRESSION, FILL_GAP, FIX_MISTAKE):
        with pytest.raises(SandboxError, match="no namespaces; allow them"):
            verify(scenario, 1, 0, "def double(n): return 2 * n")
    assert verify(PREDICT_OUTPUT, 0, 37, "10") == 1

"""Programs in answers: how one is found, completed to something that can run, and held against the question's tests.

A question of kind "code" carries its demands as constraints:

    Constraint("passes", "double(3) == 6")     a call, and the literal that it must give; any number of them
    Constraint("frame", "def double(n):\\n    return ____")    the answer is not the program but what fills the gap

Values are compared out here: the sandbox gets the calls, never the values due, so that no program can pass by printing,
patching or patience. What remains open to it is to know the inputs and answer each with the value due.
"""

import ast
from collections.abc import Set
from dataclasses import dataclass
from functools import lru_cache
from math import isclose

from envs.fences import blocks
from envs.sandbox import the_sandbox
from envs.sandbox_run import Limits, Outcome, Sandbox, value_of
from envs.task import Constraint, Question

GAP = "____"
MAX_LENGTH = 10_000  # characters of a program
MEMORY = 1024  # programs, with what they printed
LIMITS = Limits(cpu_seconds=1, wall_seconds=5.0, output_bytes=16 * 1024)


@dataclass(frozen=True, slots=True)
class ProgramTest:
    """A call, as an expression on one line, and the value that it must give, as a literal."""

    call: str
    expected: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a program did. `outcome` is None where it was not run: no Python, or nothing in it that the tests call.

    Attributes:
        values: what each call returned, as ASCII text; None where it raised, was not reached, or returned too much.
        passed: for each call, whether the value is the one due.
    """

    outcome: Outcome | None
    values: tuple[str | None, ...]
    passed: tuple[bool, ...]


def passes(test: str) -> Constraint:
    """Example: `passes("double(3) == 6")`"""
    return Constraint("passes", test)


@lru_cache(MEMORY)
def demanded_tests(question: Question) -> tuple[ProgramTest, ...]:
    """Raises `ValueError` where a test of the scenario does not have the form of `passes`."""
    texts = [str(constraint.value) for constraint in question.constraints if constraint.name == "passes"]
    tests = []
    for text in texts:
        call, _, expected = text.rpartition(" == ")
        literal(expected)
        if "\n" in call or not _names(call):
            raise ValueError(f"a test must read `call == literal`, on one line, not {text!r}")
        tests.append(ProgramTest(call, expected))
    return tuple(tests)


def code_in(answer: str) -> str:
    """What stands in the first code block; where there is none, all of it."""
    found = blocks(answer)
    return (found[0].code if found else answer).strip()


@lru_cache(MEMORY)
def program_of(question: Question, answer: str) -> str:
    """The whole program, in its frame if it has one; empty if the answer holds no Python."""
    code = framed(question, answer)
    return code if _parses(code) else ""


def framed(question: Question, answer: str) -> str:
    """The whole program, Python or not; empty where the answer holds nothing, or several lines for a gap."""
    code = code_in(answer)
    frames = [str(constraint.value) for constraint in question.constraints if constraint.name == "frame"]
    if frames:
        code = frames[0].replace(GAP, code) if code and "\n" not in code else ""
    return code


@lru_cache(MEMORY)
def run_tests(source: str, tests: tuple[ProgramTest, ...], seed: int = 0) -> Report:
    """Run the program once and make all calls, in order. Raises `SandboxError` where there is no sandbox.

    Not even run, as it would fail for certain: a program that names nothing of what the tests call.
    """
    sandbox = the_sandbox()
    if not source or not all(any(name in source for name in _names(test.call)) for test in tests):
        return Report(None, (None,) * len(tests), (False,) * len(tests))
    outcome = _run(sandbox, source, tuple(test.call for test in tests), seed)
    values = [value_of(result) for result in outcome.results][: len(tests)]
    values += [None] * (len(tests) - len(values))
    passed = [value is not None and agrees(value, test.expected) for value, test in zip(values, tests, strict=True)]
    return Report(outcome, tuple(values), tuple(passed))


@lru_cache(MEMORY)
def _run(sandbox: Sandbox, source: str, calls: tuple[str, ...], seed: int) -> Outcome:
    """Remembered apart from the values due: two questions that differ in these alone share the run."""
    return sandbox.run(source, calls=calls, limits=LIMITS, seed=seed)


def agrees(value: str, expected: str) -> bool:
    """Whether two texts are literals of equal value, and of one type throughout: 1 is not True, and 2 is not 2.0.

    Floats may differ by rounding. What is no literal, such as the text of an object, agrees with nothing.
    """
    try:
        return _same(literal(value), literal(expected))
    except ValueError:
        return False


def literal(text: str) -> object:
    """The value that a literal stands for. Raises `ValueError` where the text is none."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"no literal: {text:.80}") from error


def _same(given: object, due: object) -> bool:
    if type(given) is not type(due):
        return False
    if isinstance(given, float) and isinstance(due, float):
        return isclose(given, due, rel_tol=1e-9)
    if isinstance(given, list | tuple) and isinstance(due, list | tuple):
        return len(given) == len(due) and all(map(_same, given, due))
    if isinstance(given, dict) and isinstance(due, dict):
        return _same_keys(given.keys(), due.keys()) and all(_same(given[key], due[key]) for key in due)
    if isinstance(given, set) and isinstance(due, set):
        return _same_keys(given, due)
    return given == due


def _same_keys(given: Set[object], due: Set[object]) -> bool:
    """Whether they are equal, and each key is of the type of its equal: {1} is neither {True} nor {1.0}."""
    equals = {key: key for key in due}
    return given == due and all(_same(key, equals[key]) for key in given)


@lru_cache(MEMORY)
def _names(call: str) -> frozenset[str]:
    """The names of functions and variables in an expression; none in what is no expression."""
    try:
        return frozenset(node.id for node in ast.walk(ast.parse(call, mode="eval")) if isinstance(node, ast.Name))
    except SyntaxError:
        return frozenset()


def _parses(source: str) -> bool:
    try:
        return len(source) <= MAX_LENGTH and bool(ast.parse(source).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False

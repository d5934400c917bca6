"""Dimensions of code, which is read and never run, against hand-worked cases; and answers made to break the reader."""

import math

import pytest

from envs.task import Constraint, Question, Transcript
from rewards.dimensions.example import example
from rewards.score import judge
from rewards.source import asked_function, source_of, syntax_error, tree_of
from rewards.table import TABLE, by_name

DIMENSIONS = by_name()


def code(answer: str, question: str = "Write a function f(a, b).") -> Transcript:
    return example(question, answer, kind="code")


CASES = (
    ("code.parses", "a = 1\nb = 2\nc = = 3\nd = 4", 0.5 * 2 / 4),
    ("code.parses", "```python\na = 1\n```", 1.0),
    ("code.parses", "  ", None),
    ("code.defines_asked", "def g(a):\n    return a", 1 / 2),
    ("code.defines_asked", "a = 1", 0.0),
    ("code.num_parameters", "def f(a):\n    return a", 2 / 3),
    ("code.num_parameters", "def f(a, *, b):\n    return a", 1.0),
    ("code.names_defined", "print(a, b)", 1 / 3),
    ("code.nothing_unused", "import math", 1 / 2),
    ("code.nothing_odd", "a = 1\nif a is 'x':\n    pass", 1 / 2),
    ("code.harmless", "import os, math\nfrom subprocess import run\nx = eval('1')", 1 / 4),
    ("code.harmless", "x = ().__class__", 1 / 2),
    ("code.returns", "def f():\n    yield 1\ndef g():\n    return", 1 / 2),
    ("code.returns_always", "def f(a):\n    if a:\n        return 1\n    else:\n        raise ValueError", 1.0),
    ("code.returns_always", "def f(a):\n    for x in a:\n        return x", 0.0),
    ("code.loops_end", "while True:\n    pass\nwhile True:\n    break", 1 / 2),
    ("code.loops_end", "while a:\n    a.pop()", 1.0),
    ("code.recursion_ends", "def f(n):\n    return 1 if n == 0 else f(n - 1)", 1.0),
    ("code.recursion_ends", "def f(n):\n    return 1", None),
    ("code.parameters_used", "def f(a, b, _c):\n    return a", 1 / 2),
    ("code.nothing_unreachable", "def f():\n    return 1\n    print(2)", 1 / 2),
    ("code.no_bare_except", "try:\n    a = 1\nexcept ValueError:\n    pass\nexcept KeyError:\n    a = 2", 1 / 2),
    ("code.no_mutable_default", "def f(a=[], b=1):\n    return a", 1 / 2),
    ("code.no_globals", "def f():\n    global a\n    a = 1\ndef g():\n    return 1", 1 / 2),
    ("code.not_written_out", "def f(a):\n    if a:\n        return 1\n    return 2", 0.0),
    ("code.not_written_out", "def f(a):\n    return True", 1.0),
    ("code.line_length", "a = 1\nb = '" + "x" * 90 + "'", 1 / 2),
    ("code.indentation", "if a:\n   b = 1\nif c:\n    d = 1", 1 / 2),
    ("code.docstring", 'def f():\n    """It does."""\ndef g():\n    pass', 1 / 2),
    ("code.names", "class thing: pass\nbadName = 1\ngood_name = 2\nMAX = 3", 1 / 2),
    ("code.no_shadowing", "list = 1\na = 2", 1 / 2),
    ("code.annotations", "def f(a: int, b):\n    return a", 1 / 3),
    ("code.complexity", "def f(a):\n" + "    if a: pass\n" * 19, 1 / 2),
    ("code.nesting", "if 1:\n if 1:\n  if 1:\n   if 1:\n    if 1: pass", 4 / 5),
    ("code.brevity", "def f(a):\n" + "    a += 1\n" * 59, 1 / 2),
    ("code.no_prints", "def f(a):\n    print(a)\n    return a\ndef g(a):\n    return a", 1 / 2),
    ("code.telling_names", "def f(a, b, size):\n    return a", 1 / 3),
    ("code.comments", "# a\n# b\n# c\na = 1", 1 / 2),
)


@pytest.mark.parametrize(("name", "answer", "expected"), CASES, ids=[case[0] for case in CASES])
def test_by_hand(name: str, answer: str, expected: float | None) -> None:
    value = DIMENSIONS[name].score(code(answer))
    assert value == (None if expected is None else pytest.approx(expected))


def test_every_dimension_that_reads_code_is_tested() -> None:
    read = {dimension.name for dimension in TABLE if dimension.family == "code" and dimension.cost != "expensive"}
    assert read == {case[0] for case in CASES}


def test_code_is_found_in_a_block_or_where_it_is_due() -> None:
    assert source_of(example("?", "So:\n```python\na = 1\n```\nDone.")) == "a = 1\n"
    assert source_of(example("?", "```\nRome is old\n```")) == ""
    assert source_of(code("a = 1")) == source_of(code("```\na = 1\n```")) == "a = 1"
    assert source_of(example("?", "a = 1")) == ""


def test_what_fills_a_gap_is_read_in_its_frame() -> None:
    frame = Constraint("frame", "def f(a, b):\n    return a ____ b")
    filled = example("Fill ____", "+", kind="code", constraints=(frame,))
    assert source_of(filled) == "def f(a, b):\n    return a + b"
    assert DIMENSIONS["code.parses"].score(filled) == DIMENSIONS["code.parameters_used"].score(filled) == 1
    broken = example("Fill ____", "+ +* 1", kind="code", constraints=(frame,))
    assert DIMENSIONS["code.parses"].score(broken) != 1
    assert source_of(example("Fill ____", "+\n1", kind="code", constraints=(frame,))) == ""


def test_the_function_asked_for() -> None:
    asked = asked_function(
        Question("Write it.", kind="code", constraints=(Constraint("passes", "add(1, [2, 3]) == 3"),))
    )
    assert asked is not None
    assert (asked.name, asked.num_parameters) == ("add", 2)
    assert asked_function(Question("Write some code.", kind="code")) is None


# All but what runs the code: that is the sandbox's business.
READ = tuple(dimension for dimension in TABLE if dimension.family != "code" or dimension.cost != "expensive")

HOSTILE = (
    "(" * 3000,
    "[" * 3000,
    "-" * 3999 + "1",
    "not " * 900 + "a",
    "a" + ".a" * 1900,
    "a" + "[0]" * 1300,
    "1" + "+1" * 1900,
    "f" + "()" * 1900,
    "lambda:" * 500 + "1",
    "\n".join(" " * depth + "if 1:" for depth in range(80)),
    "x = '\\d'\nif x is 1: pass",
    "\x00",
    "def f(\n",
    "9" * 3999,
    "f'{" * 900,
    "((x+y+1)^9)^9",
    "x^9^9^9",
    "\\frac{1}{" * 20,
    "999999999999999999!",
)


@pytest.mark.parametrize("answer", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_code_and_expressions_are_judged(answer: str) -> None:
    for kind, expected in (("code", None), ("expression", "2x + 2")):
        transcript = example("Write a function f(a).", answer, expected=expected, kind=kind)
        for dimension in READ:
            value = judge(dimension, transcript)  # raises outside the range
            assert math.isnan(value) or dimension.low <= value <= dimension.high


def test_what_nests_too_deep_counts_as_wrong_from_its_start() -> None:
    deep = "a" + ".a" * 1900
    assert tree_of(deep) is None
    assert syntax_error(deep) == 1
    assert syntax_error("a = 1\nb = = 2") == 2

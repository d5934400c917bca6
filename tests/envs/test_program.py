import pytest

from envs.program import GAP, ProgramTest, agrees, code_in, demanded_tests, passes, program_of, run_tests
from envs.sandbox import NoSandbox, find_sandbox
from envs.task import Constraint, Question

DOUBLE = tuple(ProgramTest(f"double({n})", str(2 * n)) for n in (3, 0, -4))


@pytest.fixture
def sandbox() -> None:
    found = find_sandbox()
    if isinstance(found, NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")


def question(*tests: str, frame: str = "") -> Question:
    frames = (Constraint("frame", frame),) if frame else ()
    return Question("?", kind="code", constraints=(*frames, *map(passes, tests)))


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("x = 1", "x = 1"),
        ("  x = 1\n", "x = 1"),
        ("Here:\n```python\nx = 1\ny = 2\n```\nDone.", "x = 1\ny = 2"),
        ("```\nx = 1\n```\nor\n```\nx = 2\n```", "x = 1"),
        ("```py\nx = 1", "x = 1"),
        ("``` x", "``` x"),
        ("", ""),
    ],
)
def test_code_in_an_answer(answer: str, code: str) -> None:
    assert code_in(answer) == code


@pytest.mark.parametrize(
    "answer",
    [
        "",
        " ",
        "def f(:",
        "# nothing",
        "\x00",
        "\ud800",
        "(" * 9000,
        "-" * 9000 + "1",
        "1+" * 4000 + "1",
        "x=1\n" * 9000,
    ],
)
def test_what_is_no_python_is_no_program(answer: str) -> None:
    assert program_of(question(), answer) == ""


def test_an_answer_goes_into_the_gap_of_its_frame() -> None:
    framed = question(frame=f"def f(a, b):\n    return a {GAP} b")
    assert program_of(framed, " + ") == "def f(a, b):\n    return a + b"
    assert program_of(framed, "```\n+\n```") == "def f(a, b):\n    return a + b"
    assert [program_of(framed, answer) for answer in ("", "+\n1 #", "yes", "+ (")] == [""] * 4


def test_tests_are_read_from_the_constraints() -> None:
    assert demanded_tests(question("f(3) == 7", 'g("a == b") == [1]')) == (
        ProgramTest("f(3)", "7"),
        ProgramTest('g("a == b")', "[1]"),
    )
    assert demanded_tests(Question("?", constraints=(Constraint("max_words", 3),))) == ()


@pytest.mark.parametrize("test", ["f(3) = 7", "f(3) == g(7)", "f(\n3) == 7", " == 7", "f(3) ==", "f( == 7", "3 == 3"])
def test_a_malformed_test_is_the_scenarios_fault(test: str) -> None:
    with pytest.raises(ValueError, match=r"literal"):
        demanded_tests(question(test))


@pytest.mark.parametrize(
    ("value", "expected", "agree"),
    [
        ("7", "7", True),
        ("7.0", "7", False),
        ("True", "1", False),
        ("[1, True]", "[1, 1]", False),
        ("(1, 2)", "[1, 2]", False),
        ("[1, 2, 3]", "[1, 2]", False),
        ("0.30000000000000004", "0.3", True),
        ("0.31", "0.3", False),
        ("{'b': 1, 'a': 2}", "{'a': 2, 'b': 1}", True),
        ("{'a': 1}", "{'a': 1, 'b': 1}", False),
        ("{2, 1}", "{1, 2}", True),
        ("{1.0: 'a'}", "{1: 'a'}", False),
        ("{(1, True): 'a'}", "{(1, 1): 'a'}", False),
        ("{(1, 2.0): 'a', 3: 'b'}", "{3: 'b', (1, 2.0): 'a'}", True),
        ("{True}", "{1}", False),
        ("{2, 1.0}", "{1, 2}", False),
        ("{1, 2, 3}", "{1, 2}", False),
        ("set()", "set()", True),
        (r"'\xe9'", "'é'", True),
        ("None", "None", True),
        ("<object object at 0x7f>", "7", False),
        ("[" * 3000, "[]", False),
        ("7 and", "7", False),
        ("__import__('os')", "7", False),
    ],
)
def test_values_agree_with_what_is_due(value: str, expected: str, agree: bool) -> None:
    assert agrees(value, expected) == agree


@pytest.mark.usefixtures("sandbox")
def test_each_call_is_held_against_its_value() -> None:
    report = run_tests("def double(n):\n    if n < 0: raise ValueError\n    return n + 3", DOUBLE)
    assert (report.values, report.passed) == (("6", "3", None), (True, False, False))
    assert run_tests("def double(n): return 2 * n", DOUBLE).passed == (True, True, True)


@pytest.mark.usefixtures("sandbox")
def test_a_program_that_stops_half_way_keeps_what_it_has() -> None:
    report = run_tests("import os\ndef double(n): return 2 * n if n else os._exit(0)", DOUBLE)
    assert (report.values, report.passed) == (("6", None, None), (True, False, False))


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("source", ["", "print('ok')", "yes"])
def test_a_program_that_names_nothing_of_what_is_called_is_not_run(source: str) -> None:
    report = run_tests(source, DOUBLE)
    assert (report.outcome, report.passed) == (None, (False, False, False))


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    "trick",
    [
        "class Same:\n    def __eq__(self, other): return True\n    def __repr__(self): return 'True'",
        "import builtins\nbuiltins.ascii = lambda value: 'True'\nclass Same: pass",
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'passed\\nvalue True\\n' * 3)\n"
        "    except OSError: pass\nclass Same: pass",
        "import sys\nsys._getframe(1).f_globals['outcome_of'] = lambda call, names: 'value True'\nclass Same: pass",
        "import atexit, os\natexit.register(os._exit, 0)\nclass Same: pass",
    ],
    ids=["equal to all", "patched ascii", "forged reports", "patched harness", "exit code"],
)
def test_a_program_that_does_not_know_the_values_cannot_pass(trick: str) -> None:
    assert not any(run_tests(f"{trick}\ndef double(n): return Same()", DOUBLE).passed)


@pytest.mark.usefixtures("sandbox")
def test_the_values_due_are_not_in_the_sandbox() -> None:
    source = "import glob, sys\nfound = str(sys.argv) + ''.join(open(p).read() for p in glob.glob('/*.*'))\n"
    source += "def look(secret): return secret in found"
    tests = (ProgramTest("look('look')", "True"), ProgramTest("look(str(80000 + 1723))", "81723"))
    assert run_tests(source, tests).values == ("True", "False")

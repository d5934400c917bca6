"""The dimensions that run a program, with values worked out by hand."""

import math
import os
from collections.abc import Iterator

import pytest

from envs.program import run_tests
from envs.sandbox import NoSandbox, find_sandbox
from envs.task import Constraint, Question, Task, Transcript, Turn
from rewards.dimensions import code_run
from rewards.dimensions.example import example
from rewards.score import judge
from rewards.table import by_name
from tests.rewards.test_dimensions import NASTY

TESTS = ("twice([1, 2]) == [2, 4]", "twice([]) == []", "twice([-3]) == [-6]", "twice([0]) == [0]")
NAMES = [dimension.name for dimension in code_run.DIMENSIONS]
NAN = math.nan


@pytest.fixture
def sandbox() -> None:
    found = find_sandbox()
    if isinstance(found, NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")


def answered(answer: str, finish: str = "stop", kind: str = "code") -> Transcript:
    question = Question("?", kind=kind, constraints=tuple(Constraint("passes", test) for test in TESTS))
    return Transcript(Task("example", "en", 0, 0), (Turn(question, answer, finish, 9),))  # type: ignore[arg-type]


def scores(transcript: Transcript) -> dict[str, float]:
    return {name.removeprefix("code."): judge(by_name()[name], transcript) for name in NAMES}


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("def twice(ns): return [2 * n for n in ns]", {name.removeprefix("code."): 1.0 for name in NAMES}),
        (
            "def twice(ns): return ns",
            {"runs": 1, "passes_all": 0, "share_passed": 0.5, "right_type": 1, "follows_input": 1, "handles_empty": 1},
        ),
        (
            "def twice(ns): return [2, 4]",
            {"runs": 1, "share_passed": 0.25, "calls_return": 1, "follows_input": 0, "handles_empty": 0},
        ),
        (
            "def twice(ns): return [2 * n for n in ns] if ns else 1 / 0",
            {"share_passed": 0.75, "calls_return": 0.75, "right_type": 1, "handles_empty": 0.5, "passes_all": 0},
        ),
        ("def twice(ns): return str(ns)", {"right_type": 0, "follows_input": 1, "share_passed": 0, "quiet": 1}),
        ("def twice(ns):\n    print(ns)\n    return {2 * n for n in ns}", {"quiet": 0, "right_type": 0}),
        ("import sys\ndef twice(ns): sys.stderr.write('?')", {"quiet": 0, "calls_return": 1, "right_type": 0}),
        (
            "def twice(ns): return [0] * (10**9 if ns else 0)",
            {"runs": 1, "memory_modest": 0, "calls_return": 0.25, "share_passed": 0.25},
        ),
        ("twice = 1\nraise SystemExit", {"runs": 0, "passes_all": 0, "share_passed": NAN, "quiet": NAN}),
        ("no Python", {"runs": 0, "passes_all": 0, "share_passed": NAN, "ends_in_time": NAN, "memory_modest": NAN}),
        ("", {"runs": 0, "passes_all": 0, "share_passed": NAN, "deterministic": NAN}),
        (
            "def twice(ns): return [id(ns), object()]",
            {"deterministic": 0, "calls_return": 1, "right_type": 0, "share_passed": 0},
        ),
        ("def twice(ns): return {*'abcdefgh'}", {"deterministic": 1, "follows_input": 0}),
        ("def twice(ns): return [*{*'abcdefgh'}]", {"deterministic": 0}),
    ],
)
def test_scores_by_hand(answer: str, expected: dict[str, float]) -> None:
    found = scores(answered(answer))
    assert {name: found[name] for name in expected} == pytest.approx(expected, nan_ok=True)


@pytest.mark.usefixtures("sandbox")
def test_a_cut_off_program_does_not_pass() -> None:
    assert scores(answered("def twice(ns): return [2 * n for n in ns]", finish="length"))["passes_all"] == 0


@pytest.mark.usefixtures("sandbox")
def test_one_answer_is_run_once_and_once_more_for_determinism() -> None:
    before = run_tests.cache_info().misses
    for _ in range(2):
        scores(answered("def twice(ns): return [n + n for n in ns]"))
    assert run_tests.cache_info().misses == before + 2


@pytest.mark.usefixtures("sandbox")
def test_any_text_is_judged_as_code() -> None:
    for text in NASTY:
        assert scores(answered(text))["passes_all"] == 0
        assert scores(answered(f"```python\n{text}\n```twice"))["passes_all"] == 0


def test_other_questions_are_left_alone() -> None:
    for transcript in (
        example("?", "def twice(ns): return ns"),
        example("?", "def twice(ns): return ns", kind="code"),  # without tests
        answered("def twice(ns): return ns", kind="text"),
    ):
        assert all(math.isnan(score) for score in scores(transcript).values())


@pytest.fixture
def no_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    run_tests.cache_clear()
    monkeypatch.setattr(code_run, "find_sandbox", lambda: NoSandbox("no namespaces", "allow them"))
    yield
    run_tests.cache_clear()


@pytest.mark.usefixtures("no_sandbox")
def test_without_a_sandbox_they_abstain() -> None:
    assert all(math.isnan(score) for score in scores(answered("def twice(ns): return ns")).values())


@pytest.mark.usefixtures("sandbox")
def test_a_program_does_not_run_in_this_process() -> None:
    found = scores(answered("import os\nos.environ['OWNED'] = '1'\nos.OWNED = 1\ndef twice(ns): return ns"))
    assert found["runs"] == 1
    assert "OWNED" not in os.environ
    assert not hasattr(os, "OWNED")

"""Does the program that an answer holds work? It is run in the sandbox, once for all of these, and again for one.

They judge answers to questions of kind "code" by the tests that the question carries, and abstain from all others; so
they do, too, where this machine has no sandbox (`zero2one doctor` says why). An answer without a program that loads
fails the first two, and leaves the others nothing to judge.
"""

import re
from collections.abc import Callable

from envs.program import ProgramTest, Report, agrees, demanded_tests, literal, passes, program_of, run_tests
from envs.sandbox import NoSandbox, find_sandbox
from envs.sandbox_run import MIB
from envs.task import Question, Task, Transcript, Turn
from rewards.dimension import Dimension

MODEST_BYTES = 64 * MIB  # the interpreter takes 10 of them

_EMPTY = re.compile(r"""(?<![\w.])0(?![\w.])|""|''|\[\]|\{\}""")

Measure = Callable[[Report, tuple[ProgramTest, ...]], float | None]


def report_of(transcript: Transcript, seed: int = 0) -> Report | None:
    """How the last answer's program did; None where there is nothing to judge it by, or no sandbox."""
    turn = transcript.last
    if turn.question.kind != "code":
        return None
    tests = demanded_tests(turn.question)
    if not tests or isinstance(find_sandbox(), NoSandbox):
        return None
    return run_tests(program_of(turn.question, turn.answer), tests, seed)


def runs(transcript: Transcript) -> float | None:
    report = report_of(transcript)
    return None if report is None else float(report.outcome is not None and report.outcome.is_loaded)


def passes_all(transcript: Transcript) -> float | None:
    report = report_of(transcript)
    return None if report is None else float(transcript.last.finish == "stop" and all(report.passed))


def ends_in_time(transcript: Transcript) -> float | None:
    report = report_of(transcript)
    return None if report is None or report.outcome is None else float(report.outcome.exit != "timeout")


def memory_modest(transcript: Transcript) -> float | None:
    report = report_of(transcript)
    if report is None or report.outcome is None:
        return None
    if report.outcome.exit == "memory" or "raised MemoryError" in report.outcome.results:
        return 0.0
    return None if report.outcome.peak_bytes is None else float(report.outcome.peak_bytes <= MODEST_BYTES)


def deterministic(transcript: Transcript) -> float | None:
    """Whether a second run, with another order of sets and another seed of `random`, returns and prints the same."""
    first = report_of(transcript)
    if first is None or first.outcome is None or first.outcome.exit != "ok":
        return None
    second = report_of(transcript, seed=1)
    assert second is not None and second.outcome is not None, transcript.task
    same_values = all(map(_same_value, second.values, first.values))
    return float(same_values and first.outcome.stdout == second.outcome.stdout)


def _same_value(given: str | None, before: str | None) -> bool:
    if given is None or before is None:
        return given is before
    return given == before or agrees(given, before)


def if_loaded(measure: Measure) -> Callable[[Transcript], float | None]:
    """`measure` of programs that load; of all others there is nothing to say."""

    def score(transcript: Transcript) -> float | None:
        report = report_of(transcript)
        if report is None or report.outcome is None or not report.outcome.is_loaded:
            return None
        return measure(report, demanded_tests(transcript.last.question))

    return score


def quiet(report: Report, tests: tuple[ProgramTest, ...]) -> float:
    return float(report.outcome is not None and not report.outcome.stdout and not report.outcome.stderr)


def share_passed(report: Report, tests: tuple[ProgramTest, ...]) -> float:
    return sum(report.passed) / len(tests)


def calls_return(report: Report, tests: tuple[ProgramTest, ...]) -> float:
    return sum(value is not None for value in report.values) / len(tests)


def right_type(report: Report, tests: tuple[ProgramTest, ...]) -> float | None:
    """Of the calls that returned, the share whose value has the type of the one due."""
    pairs = [(value, test.expected) for value, test in zip(report.values, tests, strict=True) if value is not None]
    return sum(_type(value) == _type(expected) for value, expected in pairs) / len(pairs) if pairs else None


def _type(text: str) -> type | None:
    try:
        return type(literal(text))
    except ValueError:
        return None


def follows_input(report: Report, tests: tuple[ProgramTest, ...]) -> float | None:
    """Of the pairs of calls that must give different values, the share that does."""
    results = list(zip(report.values, tests, strict=True))
    pairs = [
        (value, other)
        for index, (value, test) in enumerate(results)
        for other, other_test in results[:index]
        if test.expected != other_test.expected
    ]
    return sum(value != other for value, other in pairs) / len(pairs) if pairs else None


def handles_empty(report: Report, tests: tuple[ProgramTest, ...]) -> float | None:
    empty = [passed for passed, test in zip(report.passed, tests, strict=True) if _EMPTY.search(test.call)]
    return sum(empty) / len(empty) if empty else None


_TESTS = ("twice([1, 2]) == [2, 4]", "twice([]) == []", "twice([-3]) == [-6]")
_TWICE = Question("twice(numbers) doubles each number.", kind="code", constraints=tuple(map(passes, _TESTS)))
_GOOD = "def twice(numbers):\n    return [2 * n for n in numbers]"


def _answer(text: str) -> Transcript:
    return Transcript(Task("example", "en", 0, 0), (Turn(_TWICE, text, "stop", len(text) // 4 + 1),))


DIMENSIONS = (
    Dimension(
        "code.runs",
        "code",
        "The program is Python and comes to its end without an error.",
        runs,
        passes=_answer(_GOOD),
        fails=_answer(_GOOD + "\n\nprint(twice(3))"),
        cost="expensive",
    ),
    Dimension(
        "code.passes_all",
        "code",
        "The program passes every test of the question.",
        passes_all,
        passes=_answer(f"Like this:\n```python\n{_GOOD}\n```"),
        fails=_answer("def twice(numbers):\n    return numbers * 2"),
        cost="expensive",
    ),
    Dimension(
        "code.share_passed",
        "code",
        "Share of the tests that a program passes which loads.",
        if_loaded(share_passed),
        passes=_answer("def twice(numbers):\n    return numbers + numbers"),  # right for the empty list
        fails=_answer("def twice(numbers):\n    return None"),
        cost="expensive",
    ),
    Dimension(
        "code.calls_return",
        "code",
        "Share of the calls that return instead of raising or going on for ever.",
        if_loaded(calls_return),
        passes=_answer("def twice(numbers):\n    return 0"),
        fails=_answer("def twice(numbers):\n    return [2 * numbers[0]]"),
        cost="expensive",
    ),
    Dimension(
        "code.right_type",
        "code",
        "Share of the returned values that have the type of the one due.",
        if_loaded(right_type),
        passes=_answer("def twice(numbers):\n    return numbers"),
        fails=_answer("def twice(numbers):\n    return 2 * sum(numbers)"),
        cost="expensive",
    ),
    Dimension(
        "code.follows_input",
        "code",
        "Where different values are due, different ones are returned: the program does not ignore what it is given.",
        if_loaded(follows_input),
        passes=_answer("def twice(numbers):\n    return numbers"),
        fails=_answer("def twice(numbers):\n    return [2, 4]"),
        cost="expensive",
    ),
    Dimension(
        "code.handles_empty",
        "code",
        "Share of the tests with an empty input, or a zero, that the program passes.",
        if_loaded(handles_empty),
        passes=_answer(_GOOD),
        fails=_answer("def twice(numbers):\n    return [2 * numbers[0]] + [2 * n for n in numbers[1:]]"),
        cost="expensive",
    ),
    Dimension(
        "code.quiet",
        "code",
        "The program prints nothing that nobody asked for, while it loads or when it is called.",
        if_loaded(quiet),
        passes=_answer(_GOOD),
        fails=_answer(_GOOD + "\n\nprint(twice([1, 2]))"),
        cost="expensive",
    ),
    Dimension(
        "code.ends_in_time",
        "code",
        "The program and its calls end within a second of computing.",
        ends_in_time,
        passes=_answer(_GOOD),
        fails=_answer("def twice(numbers):\n    while True:\n        numbers = numbers + numbers[:0]"),
        cost="expensive",
    ),
    Dimension(
        "code.memory_modest",
        "code",
        "The program gets by with 64 MiB of memory, the interpreter included.",
        memory_modest,
        passes=_answer(_GOOD),
        fails=_answer('held = b"x" * 100_000_000\n\n\n' + _GOOD),
        cost="expensive",
    ),
    Dimension(
        "code.deterministic",
        "code",
        "The program does the same in a second run.",
        deterministic,
        passes=_answer(_GOOD),
        fails=_answer("import random\n\n\ndef twice(numbers):\n    return [random.random() for n in numbers]"),
        cost="expensive",
    ),
)

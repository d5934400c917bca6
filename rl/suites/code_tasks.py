"""Programming tasks as benchmark files have them: HumanEval, MBPP, and Exercism's language-neutral lists of cases.

Each becomes a `CodeTask`: a prompt, what stands before the answer's code and after it, and calls for the sandbox.
"""

import json
import keyword
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.rows import Broken, DataFileError, Row, read_rows

MAX_EXPECTED = 1000  # characters: the sandbox hands no longer value out
NUM_EXAMPLES = 3
HUMANEVAL = ("task_id", "prompt", "entry_point", "canonical_solution", "test")
MBPP = ("task_id", "code", "test_list")
MBPP_TEST = range(11, 511)  # its official test split, by task_id; others are for examples and training


@dataclass(frozen=True, slots=True)
class Call:
    """An expression on one line. `expected`: the value due, as JSON has it; a call that checks by itself is due None.

    `raises`: it must end in an exception instead.
    """

    expression: str
    expected: Any = None
    raises: bool = False


@dataclass(frozen=True, slots=True)
class CodeTask:
    """A program to write.

    Attributes:
        before: code before the answer, such as imports.
        entry_point: what an answer must define to be a program of its own; without, it goes on where `stub` ends.
        stub: the beginning of a function, which an answer may complete.
        after: code behind the answer, with the tests in it.
        solution: a program that is known to be right; empty where the file has none.
        is_test: whether it belongs to the official test split.
    """

    name: str
    group: str
    prompt: str
    before: str
    entry_point: str
    stub: str
    after: str
    calls: tuple[Call, ...]
    solution: str
    is_test: bool = True

    def program(self, code: str) -> str:
        """The whole program for an answer's code."""
        defines = re.search(rf"^(async )?(def|class) {re.escape(self.entry_point)}\b", code, re.MULTILINE)
        # a stub is a function in itself, with nothing but its docstring, so what it brings along is defined
        body = f"{self.stub}\n{code}" if defines or not self.stub else self.stub + code
        return "\n".join(part for part in (self.before, body, self.after) if part)


def read_code_file(path: Path, group: str, broken: Broken) -> list[CodeTask]:
    """Tasks of a file in the layout of HumanEval or of MBPP. Raises DataFileError."""
    make = {"humaneval": _humaneval, "mbpp": _mbpp}[group]
    columns = HUMANEVAL if group == "humaneval" else MBPP
    tasks = []
    for row in read_rows(path, columns, broken):
        try:
            tasks.append(make(row))
        except (TypeError, ValueError, SyntaxError) as error:
            broken.skip(row.place, str(error))
    return tasks


def _humaneval(row: Row) -> CodeTask:
    prompt, entry_point = _text(row, "prompt"), _text(row, "entry_point")
    return CodeTask(
        name=_text(row, "task_id"),
        group="humaneval",
        prompt=f"Complete this Python function. Answer with the whole function.\n\n```python\n{prompt.strip()}\n```",
        before="",
        entry_point=entry_point,
        stub=prompt,
        after=_text(row, "test"),
        calls=(Call(f"check({entry_point})"),),
        solution=_text(row, "canonical_solution"),
    )


def _mbpp(row: Row) -> CodeTask:
    tests = row.values["test_list"]
    if not isinstance(tests, list) or not tests or not all(isinstance(test, str) for test in tests):
        raise ValueError("'test_list' is no list of texts")
    words = str(row.values.get("text") or row.values.get("prompt") or "")
    shown = "\n".join(tests)
    found = re.search(r"assert\s+(?:\w+\()*?(\w+)\(", tests[0])
    called = [name for name in re.findall(r"\b(\w+)\(", tests[0]) if f"def {name}" in _text(row, "code")]
    entry_point = called[0] if called else found[1] if found else ""
    return CodeTask(
        name=f"mbpp/{row.values['task_id']}",
        group="mbpp",
        prompt=f"{words}\nYour Python code must pass these tests:\n\n```python\n{shown}\n```",
        before="\n".join(row.values.get("test_imports", [])),
        entry_point=entry_point,
        stub="",
        after=str(row.values.get("test_setup_code") or ""),  # it may use what the answer defines
        calls=tuple(Call(f"exec({test!r})") for test in tests),
        solution=_text(row, "code"),
        is_test=int(row.values["task_id"]) in MBPP_TEST,
    )


def _text(row: Row, name: str) -> str:
    if not isinstance(row.values[name], str):
        raise ValueError(f"{name!r} is no text")
    return row.values[name].replace("\r\n", "\n")


def read_exercises(folder: Path, broken: Broken) -> list[CodeTask]:
    """Tasks of a folder in Exercism's layout: `EXERCISE/canonical-data.json` beside a `metadata.toml`."""
    tasks = []
    for path in sorted(folder.glob("*/canonical-data.json")):
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            task = _exercise(path.parent, data)
        except (OSError, ValueError, KeyError, TypeError) as error:
            broken.skip(str(path), f"not Exercism's canonical data ({type(error).__name__}: {error})")
            continue
        if task is not None:
            tasks.append(task)
    if not tasks:
        raise DataFileError(f"{folder}: no EXERCISE/canonical-data.json with cases that can be called")
    return tasks


def _exercise(folder: Path, data: dict[str, Any]) -> CodeTask | None:
    """None where no case is a call with named arguments."""
    cases = list(_cases(data["cases"]))
    replaced = {case.get("reimplements") for case in cases}
    calls: list[Call] = []
    signatures: dict[str, str] = {}
    for case in cases:
        arguments = {snake(name): value for name, value in case["input"].items()}
        callable_ = all(name.isidentifier() and not keyword.iskeyword(name) for name in arguments)
        if case["uuid"] in replaced or not callable_ or len(repr(case["expected"])) > MAX_EXPECTED:
            continue
        function = snake(case["property"])
        signatures.setdefault(function, f"{function}({', '.join(arguments)})")
        expected = case["expected"]
        raises = isinstance(expected, dict) and "error" in expected
        listed = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        calls.append(Call(f"{function}({listed})", None if raises else expected, raises))
    if not calls:
        return None
    examples = [_example(call) for call in calls[:NUM_EXAMPLES]]
    functions = " and ".join(f"`{signature}`" for signature in signatures.values())
    return CodeTask(
        name=f"exercism/{folder.name}",
        group="exercism",
        prompt=f"{_blurb(folder)}\nWrite {functions} in Python, so that\n\n```python\n{chr(10).join(examples)}\n```",
        before="",
        entry_point=next(iter(signatures)),
        stub="",
        after="",
        calls=tuple(calls),
        solution="",
    )


def _cases(cases: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for case in cases:
        if "cases" in case:
            yield from _cases(case["cases"])
        else:
            yield case


def _example(call: Call) -> str:
    return f"{call.expression}  # raises an error" if call.raises else f"{call.expression} == {call.expected!r}"


def _blurb(folder: Path) -> str:
    path = folder / "metadata.toml"
    if not path.exists():
        return ""
    return str(tomllib.loads(path.read_text(encoding="utf-8")).get("blurb", ""))


def snake(name: str) -> str:
    """Example: `snake("leapYear") == "leap_year"`"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()

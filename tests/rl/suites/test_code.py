"""Code suites: real programs in the real sandbox, in all three layouts."""

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from envs.sandbox import NoSandbox, find_sandbox
from envs.task import Question
from rl.rows import Broken, DataFileError
from rl.suites.code import Code, code, read_tasks, run_task, same_json
from rl.suites.code_tasks import CodeTask
from rl.suites.config import SuitesConfig
from rl.suites.suite import SuiteError
from tests.rl.suites.subjects import Speaker

pytestmark = pytest.mark.skipif(isinstance(find_sandbox(), NoSandbox), reason="no sandbox on this machine")

HUMANEVAL = {
    "task_id": "HumanEval/0",
    "prompt": 'import math\n\n\ndef helper(n):\n    return n\n\n\ndef root(n):\n    """The whole root of n."""\n',
    "entry_point": "root",
    "canonical_solution": "    return math.isqrt(helper(n))\n",
    "test": "def check(candidate):\n    assert candidate(9) == 3\n    assert candidate(10) == 3\n",
}
MBPP = {
    "task_id": 11,
    "text": "Write a class and a function that counts.",
    "code": "class Node:\r\n    size = 3\r\ndef count(node, more):\r\n    return node.size + more",
    "test_setup_code": "root = Node()",
    "test_list": ["assert count(root, 1) == 4", "assert (count(root,\n 2)) == 5"],
}
EXERCISE = {
    "exercise": "leap",
    "cases": [
        {
            "cases": [
                {"uuid": "1", "property": "isLeap", "input": {"theYear": 4}, "expected": True},
                {"uuid": "2", "property": "isLeap", "input": {"theYear": 5}, "expected": True},
                {"uuid": "3", "property": "isLeap", "input": {"theYear": 5}, "expected": False, "reimplements": "2"},
            ]
        },
        {"uuid": "4", "property": "isLeap", "input": {"theYear": -1}, "expected": {"error": "no year"}},
        {"uuid": "5", "property": "isLeap", "input": {"from": 1}, "expected": 1},
    ],
}
LEAP = "def is_leap(the_year):\n    if the_year < 0:\n        raise ValueError\n    return the_year % 4 == 0"


def write(folder: Path, *, mbpp: Any = MBPP) -> SuitesConfig:
    for name in ("humaneval", "mbpp", "exercism/leap"):
        (folder / name).mkdir(parents=True)
    (folder / "humaneval" / "HumanEval.jsonl.gz").write_bytes(gzip.compress(json.dumps(HUMANEVAL).encode()))
    (folder / "mbpp" / "mbpp.jsonl").write_text(f"{json.dumps(mbpp)}\n{json.dumps(MBPP | {'task_id': 5})}\n")
    (folder / "exercism" / "leap" / "canonical-data.json").write_text(json.dumps(EXERCISE))
    (folder / "exercism" / "leap" / "metadata.toml").write_text('blurb = "Leap years."')
    return SuitesConfig(names=("code",), data=str(folder))


def tasks(folder: Path) -> dict[str, CodeTask]:
    read = read_tasks(write(folder), Broken(0, "none"))
    return {task.name: task for task in read}


def test_canonical_solutions_pass_and_others_do_not(tmp_path: Path) -> None:
    read = tasks(tmp_path)
    assert list(read) == ["HumanEval/0", "mbpp/11", "mbpp/5", "exercism/leap"]
    for name, answer, wrong in (
        ("HumanEval/0", HUMANEVAL["canonical_solution"], "    return n\n"),
        ("mbpp/11", MBPP["code"].replace("\r", ""), MBPP["code"].replace("\r", "").replace("3", "4")),
        ("exercism/leap", LEAP, LEAP.replace("4", "5")),
    ):
        task = read[name]
        assert answer in (task.solution, LEAP)
        assert run_task(task, answer)[0] == len(task.calls)
        assert run_task(task, wrong)[0] < len(task.calls)


def test_an_answer_may_be_the_whole_function_or_its_rest(tmp_path: Path) -> None:
    task = tasks(tmp_path)["HumanEval/0"]
    assert run_task(task, "def root(n):\n    return math.isqrt(helper(n))")[0] == 1
    assert run_task(task, "    return math.isqrt(n)")[0] == 1
    assert run_task(task, "") == (0, 1, "no code")


@pytest.mark.parametrize(
    "cheat",
    [
        "import os\nos._exit(0)",
        "raise SystemExit(0)",
        "def root(n):\n    return 3\nprint('value None')\nimport os\nos._exit(0)",
        "while True: pass",
    ],
)
def test_ending_early_is_no_pass(tmp_path: Path, cheat: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from envs.sandbox_run import Limits

    monkeypatch.setattr("rl.suites.code.LIMITS", Limits(cpu_seconds=1, wall_seconds=3.0))
    assert run_task(tasks(tmp_path)["HumanEval/0"], cheat)[0] == 0


def test_cases_that_are_no_calls_or_were_replaced_are_left_out(tmp_path: Path) -> None:
    task = tasks(tmp_path)["exercism/leap"]
    assert [call.expression for call in task.calls] == [
        "is_leap(the_year=4)",
        "is_leap(the_year=5)",
        "is_leap(the_year=-1)",
    ]
    assert task.prompt == (
        "Leap years.\nWrite `is_leap(the_year)` in Python, so that\n\n```python\nis_leap(the_year=4) == True\n"
        "is_leap(the_year=5) == False\nis_leap(the_year=-1)  # raises an error\n```"
    )


def test_the_suite_asks_the_test_split_and_draws_as_often_as_wanted(tmp_path: Path) -> None:
    def says(question: Question, sample: int) -> str:
        if "is_leap" in question.text:
            return f"Like this:\n```python\n{LEAP}\n```"
        return MBPP["code"] if "count" in question.text and sample == 2 else "no idea"

    config = write(tmp_path).model_copy(update={"num_samples": 2})
    suite = code(config)
    assert isinstance(suite, Code)
    found = asyncio.run(suite.examine(Speaker(says)))
    assert {(row.item, row.sample, row.score) for row in found.rows} == {
        *(("HumanEval/0", sample, 0.0) for sample in range(3)),
        *(("mbpp/11", sample, float(sample == 2)) for sample in range(3)),
        *(("exercism/leap", sample, 1.0) for sample in range(3)),
    }


def test_broken_rows_and_missing_files(tmp_path: Path) -> None:
    config = write(tmp_path / "a", mbpp=MBPP | {"test_list": "assert True"})
    assert code(config).num_broken == 1
    with pytest.raises(DataFileError, match=r"mbpp.jsonl:1: 'test_list' is no list of texts; more than"):
        code(config.model_copy(update={"max_skipped_rows": 0}))
    (tmp_path / "b").mkdir()
    with pytest.raises(SuiteError, match="needs --data FOLDER, and in it humaneval"):
        code(SuitesConfig(names=("code",), data=str(tmp_path / "b")))


@pytest.mark.parametrize(
    ("value", "expected", "same"),
    [
        ((1, [2.0]), [1, [2]], True),
        (True, 1, False),
        (1, True, False),
        ({1: "a"}, {"1": "a"}, True),
        (0.3333333333, 0.333333333333, True),
        (0.334, 0.3333333, False),
        (None, None, True),
        ("a", ["a"], False),
        ([1], [1, 2], False),
    ],
)
def test_python_values_against_json(value: object, expected: object, same: bool) -> None:
    assert same_json(value, expected) == same

"""Code: HumanEval (Chen et al. 2021), MBPP (Austin et al. 2021) and Exercism's exercises, run in the sandbox only.

Files: `humaneval/*.jsonl` (or .jsonl.gz), `mbpp/*.jsonl`, `exercism*/EXERCISE/canonical-data.json`. An answer passes
if every test does. Values that cases are due are compared out here: the sandbox never gets them.
"""

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from envs.asked import asked
from envs.program import code_in, literal
from envs.sandbox import the_sandbox
from envs.sandbox_run import Limits, value_of
from rl.rows import Broken
from rl.suites.code_tasks import Call, CodeTask, read_code_file, read_exercises
from rl.suites.config import SuitesConfig
from rl.suites.dialogs import Item, Verdict, examine_dialogs
from rl.suites.draw import draw_items
from rl.suites.files import folder_of, skipping
from rl.suites.suite import Examination, Subject, SuiteError
from rl.trajectory import Trajectory

LAYOUT = "humaneval/*.jsonl, mbpp/*.jsonl or exercism/EXERCISE/canonical-data.json"
LIMITS = Limits(cpu_seconds=10, wall_seconds=30.0)


@dataclass(frozen=True, slots=True)
class Code:
    tasks: tuple[CodeTask, ...]
    config: SuitesConfig
    num_broken: int
    name: str = "code"
    headline: str = "pass rate"
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        items = [
            Item(task.name, task.group, asked(task.prompt, number), task.prompt, "", partial(judge_code, task))
            for number, task in enumerate(self.tasks)
        ]
        found = await examine_dialogs(subject, items, self.config, notes=("no examples; all tests must pass",))
        if self.num_broken:
            found.skipped["broken rows"] = self.num_broken
        return found


def code(config: SuitesConfig) -> Code:
    """The test splits of whichever benchmarks are there, at most `limit` tasks of each.

    Raises SuiteError, `rl.rows.DataFileError`, and `envs.sandbox_run.SandboxError` where there is no sandbox.
    """
    the_sandbox()
    broken = skipping(config)
    tasks = read_tasks(config, broken)
    drawn = []
    for group in dict.fromkeys(task.group for task in tasks):
        drawn += draw_items([task for task in tasks if task.group == group and task.is_test], config)
    return Code(tuple(drawn), config, broken.num_rows)


def read_tasks(config: SuitesConfig, broken: Broken) -> list[CodeTask]:
    """All tasks of all benchmarks in the folder. Raises SuiteError where there is none."""
    tasks = []
    for group in ("humaneval", "mbpp"):
        folder = folder_of(config, group)
        path = None if folder is None else code_file(folder)
        if path is not None:
            tasks += read_code_file(path, group, broken)
    exercises = folder_of(config, "exercism", "exercism_problem_specifications")
    if exercises is not None:
        tasks += read_exercises(exercises, broken)
    if not tasks:
        raise SuiteError(f"suite code: needs --data FOLDER, and in it {LAYOUT}; suite programs needs no files")
    return tasks


def code_file(folder: Path) -> Path | None:
    """The first of the JSONL files in it, by name: a folder may hold other editions of the same tasks."""
    return next(iter(sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])), None)


def judge_code(task: CodeTask, dialog: Trajectory) -> Verdict:
    """A cut-off answer may still hold a whole program."""
    passed, total, cause = run_task(task, code_in(dialog.turns[-1].answer))
    return Verdict(float(passed == total), detail=f"{passed} of {total} tests passed{cause and ': '}{cause}")


def run_task(task: CodeTask, answer: str) -> tuple[int, int, str]:
    """How many calls ended as they must, of how many, and why others did not. Raises SandboxError."""
    if not answer.strip():
        return 0, len(task.calls), "no code"
    outcome = the_sandbox().run(task.program(answer), calls=[call.expression for call in task.calls], limits=LIMITS)
    results = [*outcome.results, *[""] * len(task.calls)][: len(task.calls)]
    wrong = [result for call, result in zip(task.calls, results, strict=True) if not _is_due(call, result)]
    cause = ""
    if wrong:
        cause = wrong[0] or outcome.stderr.strip().rpartition("\n")[2] or outcome.exit
    return len(task.calls) - len(wrong), len(task.calls), cause[:200]


def _is_due(call: Call, result: str) -> bool:
    value = value_of(result) if result else None
    if call.raises or value is None:
        return call.raises and bool(result) and value is None
    try:
        return same_json(literal(value), call.expected)
    except ValueError:
        return False


def same_json(value: object, expected: Any) -> bool:
    """Whether a Python value is what JSON says, where tuples are lists, 2.0 is 2, and True is not 1.

    A number is due to six digits: cases are written by hand.
    """
    if isinstance(expected, bool) or isinstance(value, bool):
        return value is expected
    if isinstance(expected, int | float) and isinstance(value, int | float):
        return value == expected or (
            isinstance(expected, float) and math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-9)
        )
    if isinstance(expected, list) and isinstance(value, list | tuple):
        return len(value) == len(expected) and all(map(same_json, value, expected))
    if isinstance(expected, dict) and isinstance(value, dict):
        named = {str(key): given for key, given in value.items()}
        return named.keys() == expected.keys() and all(same_json(named[key], expected[key]) for key in expected)
    return value == expected

"""Instructions that a program can check: IFEval's prompts where there are files, else the library's writing tasks.

File: `ifeval/*.jsonl` with `key`, `prompt`, `instruction_id_list` and `kwargs`. A prompt counts if all of its
instructions are followed ("strict" in the paper); the share of single instructions is told beside it.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from envs.asked import asked
from rl.rows import Row as FileRow
from rl.rows import find_files, read_rows
from rl.suites.config import SuitesConfig
from rl.suites.dialogs import Item, Verdict, examine_dialogs
from rl.suites.draw import draw_items
from rl.suites.files import folder_of, skipping
from rl.suites.ifeval import CHECKS, follows
from rl.suites.scenarios import ScenarioSuite
from rl.suites.suite import Examination, Subject, Suite, SuiteError
from rl.trajectory import Trajectory

COLUMNS = ("key", "prompt", "instruction_id_list", "kwargs")
LIBRARY = ("write-case", "write-without", "write-json", "write-words", "write-sentence", "write-to-order")
PROBE = "A word."

Instructions = tuple[tuple[str, dict[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class Ifeval:
    items: tuple[Item, ...]
    config: SuitesConfig
    num_broken: int
    name: str = "instruct"
    headline: str = "prompts followed"
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        found = await examine_dialogs(subject, self.items, self.config, notes=("IFEval, strict",))
        told = [row.detail.partition(" of ")[::2] for row in found.rows if row.sample == 0]
        followed = sum(int(count) for count, _ in told)
        given = sum(int(rest.partition(" ")[0]) for _, rest in told)
        if given:
            found.extras["instructions followed"] = followed / given
        if self.num_broken:
            found.skipped["broken rows"] = self.num_broken
        return found


def instruct(config: SuitesConfig) -> Suite:
    """Raises SuiteError and `rl.rows.DataFileError`."""
    folder = folder_of(config, "ifeval")
    if folder is None:
        return ScenarioSuite("instruct", "accuracy", LIBRARY, config)
    broken = skipping(config)
    items = []
    for path in find_files(str(folder / "*.jsonl")):
        for row in read_rows(path, COLUMNS, broken):
            try:
                items.append(_item(row))
            except (KeyError, ValueError, TypeError) as error:
                broken.skip(row.place, f"not an IFEval prompt ({type(error).__name__}: {error})")
    if not items:
        raise SuiteError(f"suite instruct: no prompt in {folder}; expected are rows with {', '.join(COLUMNS)}")
    return Ifeval(tuple(draw_items(items, config)), config, broken.num_rows)


def _item(row: FileRow) -> Item:
    names, arguments = row.values["instruction_id_list"], row.values["kwargs"]
    instructions: Instructions = tuple(
        (name, {key: value for key, value in given.items() if value is not None})
        for name, given in zip(names, arguments, strict=True)
    )
    unknown = [name for name, _ in instructions if name not in CHECKS]
    if unknown or not instructions:
        raise ValueError(f"unknown instruction {unknown[0]!r}" if unknown else "no instruction")
    for name, given in instructions:  # an argument that is missing must be known before anything is asked
        follows(name, given, PROBE)
    prompt, number = str(row.values["prompt"]), int(row.place.rpartition(":")[2])
    group = instructions[0][0].partition(":")[0]
    task = asked(prompt, number)
    return Item(f"ifeval/{row.values['key']}", group, task, prompt, "", partial(judge_instructions, instructions))


def judge_instructions(instructions: Instructions, dialog: Trajectory) -> Verdict:
    answer = dialog.turns[-1].answer
    broken = [name for name, given in instructions if not follows(name, given, answer)]
    kept = f"{len(instructions) - len(broken)} of {len(instructions)} followed"
    return Verdict(float(not broken), detail=f"{kept}{', not ' if broken else ''}{', '.join(broken)}")

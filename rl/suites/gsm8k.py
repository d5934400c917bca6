"""GSM8K (Cobbe et al. 2021, 2110.14168): word problems in `gsm8k/test.jsonl`, with `question` and `answer` ("#### 18").

Asked without examples, in a chat; the number that the answer ends in counts.
"""

from dataclasses import dataclass
from functools import partial

from envs.answers import decimal_text, final_number
from envs.asked import asked
from rl.rows import find_files, read_rows
from rl.suites.config import SuitesConfig
from rl.suites.dialogs import Item, Verdict, examine_dialogs
from rl.suites.draw import draw_items
from rl.suites.files import require_folder, skipping
from rl.suites.suite import Examination, Subject, SuiteError
from rl.trajectory import Trajectory

LAYOUT = "gsm8k/test.jsonl with 'question' and 'answer'"
INSTRUCTION = "Solve this step by step. End with the answer alone, after ####."


@dataclass(frozen=True, slots=True)
class Gsm8k:
    items: tuple[Item, ...]
    config: SuitesConfig
    num_broken: int
    name: str = "gsm8k"
    headline: str = "accuracy"
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        found = await examine_dialogs(subject, self.items, self.config, notes=("no examples; the last number counts",))
        if self.num_broken:
            found.skipped["broken rows"] = self.num_broken
        return found


def gsm8k(config: SuitesConfig) -> Gsm8k:
    """Raises SuiteError and `rl.rows.DataFileError`."""
    folder = require_folder(config, "gsm8k", LAYOUT, "gsm8k")
    broken = skipping(config)
    items = []
    for path in find_files(str(folder / "test.jsonl")):
        for row in read_rows(path, ("question", "answer"), broken):
            due = final_number(str(row.values["answer"]))
            if due is None:
                broken.skip(row.place, "'answer' holds no number")
                continue
            question = str(row.values["question"])
            number = int(row.place.rpartition(":")[2])
            task = asked(f"{question}\n\n{INSTRUCTION}", number)
            text = decimal_text(due)
            items.append(Item(f"gsm8k/{number}", "gsm8k", task, question, text, partial(judge_number, text)))
    if not items:
        raise SuiteError(f"suite gsm8k: no problem in {folder}; expected is {LAYOUT}")
    return Gsm8k(tuple(draw_items(items, config)), config, broken.num_rows)


def judge_number(due: str, dialog: Trajectory) -> Verdict:
    """An answer that was cut off may have come to its number before."""
    found = final_number(dialog.turns[-1].answer)
    try:
        said = "" if found is None else decimal_text(found)
    except ValueError:  # a fraction without end, such as 1/3
        said = str(found)
    return Verdict(float(said == due), said)

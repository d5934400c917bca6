"""MMLU (Hendrycks et al. 2021, 2009.03300): 57 subjects, four choices, five examples before each question.

Prompt and scoring are those of the reference code: a plain text, no chat, that ends in "Answer:", and the likeliest of
" A", " B", " C" and " D" after it. Files in the official layout: `dev/SUBJECT_dev.csv` for the examples and
`test/SUBJECT_test.csv`, rows of question, four choices and a letter, without a header.
"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from models.tokenizer import PreTrainedTokenizerBase, plain_ids
from rl.rows import Broken
from rl.suites.choices import Choice, examine_choices
from rl.suites.config import SuitesConfig
from rl.suites.draw import draw_items
from rl.suites.files import read_csv, require_folder, skipping
from rl.suites.suite import Examination, Subject, SuiteError

LETTERS = "ABCD"
LAYOUT = "mmlu/dev/SUBJECT_dev.csv and mmlu/test/SUBJECT_test.csv"


@dataclass(frozen=True, slots=True)
class Problem:
    item: str
    subject: str
    question: str
    choices: tuple[str, ...]
    letter: str

    def text(self, *, solved: bool) -> str:
        lines = [self.question, *(f"{letter}. {c}" for letter, c in zip(LETTERS, self.choices, strict=True))]
        return "\n".join([*lines, f"Answer: {self.letter}\n\n" if solved else "Answer:"])


@dataclass(frozen=True, slots=True)
class Mmlu:
    """`examples`: by subject. Raises SuiteError where there is no question at all."""

    problems: tuple[Problem, ...]
    examples: dict[str, tuple[Problem, ...]]
    num_broken: int
    name: str = "mmlu"
    headline: str = "accuracy"
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        choices = [self._choice(problem, subject.chat.tokenizer) for problem in self.problems]
        found = await examine_choices(
            subject, choices, note="plain text; the likeliest of ' A' to ' D' after 'Answer:' counts"
        )
        if self.num_broken:
            found.skipped["broken rows"] = self.num_broken
        return found

    def _choice(self, problem: Problem, tokenizer: PreTrainedTokenizerBase) -> Choice:
        return Choice(
            item=problem.item,
            group=problem.subject,
            question=problem.question,
            labels=tuple(LETTERS),
            correct=LETTERS.index(problem.letter),
            tokens=partial(self._tokens, problem, tokenizer),
            num_shots=len(self.examples[problem.subject]),
        )

    def _tokens(self, problem: Problem, tokenizer: PreTrainedTokenizerBase, num_shots: int) -> list[list[int]]:
        prompt = prompt_of(problem, self.examples[problem.subject][:num_shots])
        return [plain_ids(tokenizer, f"{prompt} {letter}") for letter in LETTERS]


def mmlu(config: SuitesConfig) -> Mmlu:
    """Raises SuiteError and `rl.rows.DataFileError`."""
    folder = require_folder(config, "mmlu", LAYOUT, "mmlu")
    broken = skipping(config)
    problems, examples = [], {}
    for path in sorted(folder.glob("test/*_test.csv")):
        subject = path.name.removesuffix("_test.csv")
        problems += _read(path, subject, broken)
        shots = folder / "dev" / f"{subject}_dev.csv"
        examples[subject] = tuple(_read(shots, subject, broken)[: config.num_shots])
    if not problems:
        raise SuiteError(f"suite mmlu: no question in {folder}; expected are {LAYOUT}")
    drawn = draw_items(problems, config)
    return Mmlu(tuple(sorted(drawn, key=lambda p: (p.subject, p.item))), examples, broken.num_rows)


def prompt_of(problem: Problem, examples: tuple[Problem, ...]) -> str:
    """The whole prompt, up to where the letter is due."""
    topic = problem.subject.replace("_", " ")
    shots = "".join(example.text(solved=True) for example in examples)
    return (
        f"The following are multiple choice questions (with answers) about {topic}.\n\n{shots}"
        f"{problem.text(solved=False)}"
    )


def _read(path: Path, subject: str, broken: Broken) -> list[Problem]:
    problems = []
    for place, (question, *choices, letter) in read_csv(path, 2 + len(LETTERS), broken):
        if letter.strip() not in (*LETTERS,):
            broken.skip(place, f"the answer is {letter!r}, not one of A, B, C and D")
            continue
        number = place.rpartition(":")[2]
        problems.append(Problem(f"{subject}/{number}", subject, question, tuple(choices), letter.strip()))
    return problems

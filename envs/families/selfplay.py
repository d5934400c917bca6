"""Self-play: the policy puts calculations together, and others, or it itself, solve them.

`propose-sum` gives the first number and the sign and asks for the second number: random weights find tasks by chance,
and a policy with one habit still proposes many tasks. `propose-formula` leaves all of it to policies that can write.
What was proposed is asked by `proposed-sum` and `proposed-formula` in the words of `arithmetic-dialog`, follow-ups
included: what is learned there carries over. Without a proposal in the task, those two ask a calculation of that
family.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from envs.answers import plain
from envs.chance import digits, pick
from envs.families.arithmetic import (
    LEVELS,
    Problem,
    ask,
    ask_on,
    binary,
    converse,
    num_openings,
    num_wordings,
)
from envs.families.selfplay_phrasings import PHRASINGS
from envs.family import Family, Level, Start
from envs.formulas import FormulaError, parse, value_of
from envs.task import Dialog, Question, Scenario, Task, Transcript
from envs.users import SimulatedUser

NUMBER = re.compile(r"0|[1-9]\d{0,3}", re.ASCII)
SUM = re.compile(r"(\d+)([-+*])(\d+)", re.ASCII)
FORMULA_LEVELS = (0, 4)  # of `arithmetic`, whose words the solver hears
MAX_FORMULA = 24  # characters; a longer one is no question that fits a dialog
MAX_VALUE = 9999  # of a result, either way

SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}


@dataclass(frozen=True, slots=True)
class SumLevel:
    """What may be chosen. The levels are those of `arithmetic` with the same numbers."""

    numbers: range
    operators: str


SUM_LEVELS = (
    SumLevel(range(10), "+-"),
    SumLevel(range(10), "+-"),
    SumLevel(range(10, 100), "+-"),
    SumLevel(range(1, 11), "+-*"),
)


@dataclass(frozen=True, slots=True)
class FormulaLevel:
    """`most`: the largest number in a formula; `max_operators`: how many it may have, one at least."""

    most: int
    max_operators: int
    operators: str


FORMULAS = (FormulaLevel(9, 1, "+-"), FormulaLevel(9, 3, "+-*"))


class ProposeSum:
    """The policy chooses the second number of a calculation for others; the first one and the sign are drawn.

    So tasks differ as the prompts do, and what the proposer learns is which of them are worth solving. Absolute Zero
    (Zhao et al. 2025, 2505.03335) shows its proposers other examples each time, to the same end.
    """

    name = "propose-sum"
    domain = "selfplay"
    languages = tuple(PHRASINGS)
    num_levels = len(SUM_LEVELS)

    def size(self, language: str, level: int) -> int | None:
        rule = SUM_LEVELS[level]
        return len(PHRASINGS[language].number) * len(rule.operators) * len(rule.numbers)

    def dialog(self, task: Task) -> Dialog:
        numbers, wordings = SUM_LEVELS[task.level].numbers, PHRASINGS[task.language].number
        asked = wordings[task.seed % len(wordings)].format(low=numbers[0], high=numbers[-1])
        oracle = str(pick(numbers, task.seed, "second number"))
        return SimulatedUser([Question(f"{_beginning(task)}? {asked}", kind="integer", oracle=oracle)])

    def verify(self, transcript: Transcript) -> float:
        return float(self.proposed(transcript) is not None)

    def proposed(self, transcript: Transcript) -> Task | None:
        task, turn = transcript.task, transcript.last
        said = plain(turn.answer)
        if turn.finish != "stop" or NUMBER.fullmatch(said) is None or int(said) not in SUM_LEVELS[task.level].numbers:
            return None
        return replace(task, scenario=PROPOSED_SUM.name, given=_beginning(task) + said)


def _beginning(task: Task) -> str:
    """The part of a sum that is drawn, such as "7+"."""
    level = SUM_LEVELS[task.level]
    _, operator, first = digits(
        task.seed, len(PHRASINGS[task.language].number), len(level.operators), len(level.numbers)
    )
    return f"{level.numbers[first]}{level.operators[operator]}"


def _solve_sum(task: Task, number: int) -> Dialog:
    if not task.given:
        return ask_on(task, number)
    found = SUM.fullmatch(task.given)
    if found is None:
        raise ValueError(f"{task.given!r} is no sum that `propose-sum` makes")
    return _ask_proposal(task, binary(found[2], int(found[1]), int(found[3])))


class ProposeFormula:
    """The policy writes a calculation of its own, such as (3+4)*2, for others."""

    name = "propose-formula"
    domain = "selfplay"
    languages = tuple(PHRASINGS)
    num_levels = len(FORMULAS)

    def size(self, language: str, level: int) -> int | None:
        return len(PHRASINGS[language].formula)

    def dialog(self, task: Task) -> Dialog:
        rule, wordings = LEVELS[FORMULA_LEVELS[task.level]], PHRASINGS[task.language].formula
        text = wordings[task.seed % len(wordings)].format(high=FORMULAS[task.level].most)
        example = rule.problem(pick(range(rule.num_problems), task.seed, "example")).expression
        return SimulatedUser([Question(text, kind="formula", oracle=example)])

    def verify(self, transcript: Transcript) -> float:
        return float(self.proposed(transcript) is not None)

    def proposed(self, transcript: Transcript) -> Task | None:
        turn = transcript.last
        problem = read_formula(turn.answer, FORMULAS[transcript.task.level]) if turn.finish == "stop" else None
        return replace(transcript.task, scenario=PROPOSED_FORMULA.name, given=problem.expression) if problem else None


def _solve_formula(task: Task, number: int) -> Dialog:
    asked = replace(task, level=FORMULA_LEVELS[task.level])
    if not task.given:
        return ask_on(asked, number)
    problem = read_formula(task.given, FORMULAS[task.level])
    if problem is None:
        raise ValueError(f"{task.given!r} is no formula that `propose-formula` makes")
    return _ask_proposal(asked, problem)


def _solving(name: str, description: str, start: Start, levels: Sequence[int]) -> Family:
    """Asks what was proposed, at these levels of `arithmetic`; without a proposal, a calculation of that level."""
    return Family(
        name,
        "selfplay",
        description,
        tuple(Level(start, partial(num_openings, level=level)) for level in levels),
        tuple(PHRASINGS),
    )


PROPOSED_SUM = _solving(
    "proposed-sum",
    "A calculation that was put together in `propose-sum`, asked as `arithmetic-dialog` asks.",
    _solve_sum,
    range(len(SUM_LEVELS)),
)
PROPOSED_FORMULA = _solving(
    "proposed-formula",
    "A calculation that was written in `propose-formula`, asked as `arithmetic-dialog` asks.",
    _solve_formula,
    FORMULA_LEVELS,
)
SCENARIOS: tuple[Scenario, ...] = (ProposeSum(), PROPOSED_SUM, ProposeFormula(), PROPOSED_FORMULA)


def read_formula(text: str, level: FormulaLevel) -> Problem | None:
    """The calculation in one form, however it is spaced and bracketed; None where the level does not allow it."""
    try:
        tree = parse(plain(text), MAX_FORMULA)
        parts = list(_parts(tree))
        value = int(value_of(tree, {}))  # sums and products of whole numbers
    except FormulaError:
        return None
    operators = [part for part in parts if isinstance(part, str)]
    fits = all(number <= level.most for number in parts if isinstance(number, int))
    if not fits or not set(operators) <= set(level.operators) or abs(value) > MAX_VALUE:
        return None
    if not 1 <= len(operators) <= level.max_operators:
        return None
    return Problem("()", ast.unparse(tree).replace(" ", ""), value)


def _parts(node: ast.expr) -> Iterator[int | str]:
    """The whole numbers and operators of a calculation. Raises `FormulaError` at anything else."""
    match node:
        case ast.Constant(value=int() as number) if type(number) is int:  # True is a number to Python
            yield number
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in SIGNS:
            yield from _parts(left)
            yield SIGNS[type(operator)]
            yield from _parts(right)
        case _:
            raise FormulaError(f"{type(node).__name__} has no place in a calculation")


def _ask_proposal(task: Task, problem: Problem) -> Dialog:
    """In one of the level's wordings; which one depends on the seed alone."""
    count = num_wordings(task.language, task.level, problem.operator)
    return converse(task, ask(task, problem, pick(range(count), task.seed, "wording of a proposal")))

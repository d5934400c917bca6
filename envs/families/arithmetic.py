"""Calculations in many wordings and languages: the first thing that a policy with random weights can learn.

Two scenarios share the questions. `arithmetic` asks one; `arithmetic-dialog` follows up with questions that refer back
to the result ("And plus 2?"). A follow-up builds on the true result, whatever the policy answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from envs.answers import final_number
from envs.chance import digits, pick, scatter
from envs.families.arithmetic_phrasings import PHRASINGS
from envs.family import Family, Level
from envs.task import Dialog, Question, Task
from envs.users import EASYGOING, IMPATIENT, PATIENT, Persona, SimulatedUser

BRACKETS: tuple[tuple[str, Callable[[int, int, int], int]], ...] = (
    ("({a}+{b})*{c}", lambda a, b, c: (a + b) * c),
    ("({a}-{b})*{c}", lambda a, b, c: (a - b) * c),
    ("{a}*({b}-{c})", lambda a, b, c: a * (b - c)),
    ("{a}-({b}+{c})", lambda a, b, c: a - (b + c)),
    ("{a}-({b}-{c})", lambda a, b, c: a - (b - c)),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """A calculation. `operator` "()" stands for brackets, which are asked by their `expression` alone."""

    operator: str
    expression: str
    answer: int
    a: int = 0
    b: int = 0


@dataclass(frozen=True, slots=True)
class Rules:
    """What one level asks.

    Attributes:
        problem: turns each number below `num_problems` into another problem.
        num_wordings: how many of the language's wordings open a dialog; None: all.
        operators, operands: of the follow-up questions.
        num_follow_up_wordings: how many wordings of a follow-up are used; None: all.
    """

    num_problems: int
    problem: Callable[[int], Problem]
    operators: str
    operands: range
    num_follow_ups: int
    num_wordings: int | None = None
    num_follow_up_wordings: int | None = None
    personas: tuple[Persona, ...] = (PATIENT, IMPATIENT)


def calculate(operator: str, a: int, b: int) -> int:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/" if a % b == 0:
            return a // b
    raise ValueError(f"no whole result: {a}{operator}{b}")


def binary(operator: str, a: int, b: int) -> Problem:
    """Raises `ValueError` where a division leaves a remainder."""
    return Problem(operator, f"{a}{operator}{b}", calculate(operator, a, b), a, b)


def _single_digits(number: int) -> Problem:
    b, a, operator = digits(number, 10, 10, 2)
    return binary("+-"[operator], a, b)


def _two_digits(number: int) -> Problem:
    b, a, operator = digits(number, 90, 90, 2)
    return binary("+-"[operator], a + 10, b + 10)


def _times_tables(number: int) -> Problem:
    b, a = digits(number, 10, 10)
    return binary("*", a + 1, b + 1)


def _brackets(number: int) -> Problem:
    c, b, a, form = digits(number, 9, 9, 9, len(BRACKETS))
    expression, value = BRACKETS[form]
    return Problem("()", expression.format(a=a + 1, b=b + 1, c=c + 1), value(a + 1, b + 1, c + 1))


def _larger(number: int) -> Problem:
    b, a, operator = digits(number, 90, 900, 4)
    a, b = a + 100, b + 10
    return binary("/", a * b, b) if operator == 3 else binary("+-*"[operator], a, b)


LEVELS: tuple[Rules, ...] = (
    Rules(
        200,
        _single_digits,
        "+-",
        range(1, 4),
        num_follow_ups=1,
        num_wordings=2,
        num_follow_up_wordings=1,
        personas=(EASYGOING,),
    ),
    Rules(200, _single_digits, "+-", range(1, 10), num_follow_ups=1, personas=(EASYGOING,)),
    Rules(2 * 90 * 90, _two_digits, "+-", range(10, 100), num_follow_ups=2),
    Rules(100, _times_tables, "+-", range(1, 10), num_follow_ups=2),
    Rules(9**3 * len(BRACKETS), _brackets, "+-*", range(2, 10), num_follow_ups=2),
    Rules(4 * 900 * 90, _larger, "+-*/", range(2, 10), num_follow_ups=3),
)


def ask_once(task: Task, number: int) -> Dialog:
    return SimulatedUser(plan(task, number)[:1])


def ask_on(task: Task, number: int) -> Dialog:
    return converse(task, plan(task, number))


def converse(task: Task, questions: Sequence[Question]) -> Dialog:
    """The dialog of somebody who asks these questions and wants a number for each."""
    return SimulatedUser(
        questions,
        persona=pick(LEVELS[task.level].personas, task.seed, "persona"),
        understands=lambda answer: final_number(answer) is not None,
        complaints=PHRASINGS[task.language].complaints,
    )


def plan(task: Task, opening: int) -> tuple[Question, ...]:
    """The opening question and the follow-ups. The follow-ups depend on the seed and not on which opening it gives."""
    level = LEVELS[task.level]
    wording, number = divmod(scatter(opening, num_openings(task.language, task.level)), level.num_problems)
    return ask(task, level.problem(number), wording)


def ask(task: Task, problem: Problem, wording: int) -> tuple[Question, ...]:
    """A problem in one of the `num_wordings` of the level, and the follow-ups that the seed gives."""
    level, phrasings = LEVELS[task.level], PHRASINGS[task.language]
    text = phrasings.openings(problem.operator)[wording].format(e=problem.expression, a=problem.a, b=problem.b)
    questions = [Question(text, str(problem.answer), "integer", calculation=problem.expression)]
    result = problem.answer
    for step in range(level.num_follow_ups):
        operator, operand = _follow_up(level, result, task.seed, step)
        calculation = f"{result}{operator}{operand}"
        result = calculate(operator, result, operand)
        wordings = phrasings.follow_ups[operator][: level.num_follow_up_wordings]
        text = pick(wordings, task.seed, step, "wording").format(n=operand)
        questions.append(Question(text, str(result), "integer", calculation=calculation))
    return tuple(questions)


def _follow_up(level: Rules, result: int, seed: int, step: int) -> tuple[str, int]:
    """What to do with the result next: never a division with a remainder."""
    operator = pick(level.operators, seed, step, "operator")
    operands = level.operands
    if operator == "/":
        divisors = [number for number in operands if result % number == 0]
        return (
            ("/", pick(divisors, seed, step, "operand")) if divisors else ("+", pick(operands, seed, step, "operand"))
        )
    return operator, pick(operands, seed, step, "operand")


def num_openings(language: str, level: int) -> int:
    """Problems times wordings. The operators of one level have equally many wordings."""
    return LEVELS[level].num_problems * num_wordings(language, level, LEVELS[level].problem(0).operator)


def num_wordings(language: str, level: int, operator: str) -> int:
    """In how many ways the level opens a dialog with a problem of this operator."""
    return len(PHRASINGS[language].openings(operator)[: LEVELS[level].num_wordings])


def _levels(start: Callable[[Task, int], Dialog]) -> tuple[Level, ...]:
    return tuple(Level(start, partial(num_openings, level=level)) for level in range(len(LEVELS)))


SCENARIOS = (
    Family(
        "arithmetic",
        "arithmetic",
        "Calculations with whole numbers, one question each; the answer is the number and nothing else.",
        _levels(ask_once),
        tuple(PHRASINGS),
    ),
    Family(
        "arithmetic-dialog",
        "arithmetic",
        "A calculation and one to three follow-up questions that refer back to its result.",
        _levels(ask_on),
        tuple(PHRASINGS),
    ),
)

"""Short Python programs to follow by hand, and expressions to write. Nothing that a policy writes is ever run."""

import ast

from envs.chance import pick
from envs.families.drawn import drawn
from envs.family import Family
from envs.formulas import FormulaError, evaluate, parse
from envs.task import Constraint, Question, Transcript

LARGEST = (5, 9, 30)  # number in a program, by level
LANGUAGES = ("en",)


def loop_value(language: str, level: int, number: int) -> tuple[Question, ...]:
    start, step, turns = (pick(range(1, LARGEST[level] + 1), number, part) for part in ("start", "step", "turns"))
    turns = min(turns, 9)
    due, update = start + step * turns, f"x += {step}"
    if level == 2:
        due, update = start + sum(i * step for i in range(turns)), f"x += i * {step}"
    return (Question(f"x = {start}\nfor i in range({turns}):\n    {update}\nx = ?", str(due), "integer"),)


def indexing(language: str, level: int, number: int) -> tuple[Question, ...]:
    numbers = [pick(range(LARGEST[level] * 2), number, place) for place in range(3 + level)]
    index = pick(range(-len(numbers) if level else 0, len(numbers)), number, "index")
    return (Question(f"a = {numbers}\na[{index}] = ?", str(numbers[index]), "integer"),)


def off_by_one(language: str, level: int, number: int) -> tuple[Question, ...]:
    first = pick(range(1, LARGEST[level] + 1), number, "first")
    last = first + pick(range(1, 10), number, "count")
    wrong = f"for i in range({first}, {last}):"
    text = f"{wrong} stops before {last}. The last number of range({first}, ?) is {last}."
    return (Question(text, str(last + 1), "integer"),)


def complete(language: str, level: int, number: int) -> tuple[Question, ...]:
    """Expressions in x with a wanted value at one place, or at two."""
    step = pick(range(1, LARGEST[level] + 1), number, "step")
    factor = pick(range(1, 2 + 2 * level), number, "factor")
    places = [pick(range(2, 10), number, "place")]
    if level == 2:
        places.append(places[0] + pick(range(1, 10), number, "second"))
    wanted = [(x, factor * x + step) for x in places]
    tests = " and ".join(f"f({x}) == {y}" for x, y in wanted)
    constraints = tuple(Constraint("value_at", f"{x} {y}") for x, y in wanted)
    text = f"def f(x): return ...\nWrite an expression with x so that {tests}."
    oracle = f"x*{factor} + {step}" if factor > 1 else f"x + {step}"
    return (Question(text, kind="expression", oracle=oracle, constraints=constraints),)


def completes(transcript: Transcript) -> float:
    """1 if the expression uses x and has the wanted value wherever one is wanted."""
    turn = transcript.last
    try:
        names = {node.id for node in ast.walk(parse(turn.answer)) if isinstance(node, ast.Name)}
        wanted = [str(constraint.value).split() for constraint in turn.question.constraints]
        return float(names == {"x"} and all(evaluate(turn.answer, {"x": int(x)}) == int(y) for x, y in wanted))
    except FormulaError:
        return 0.0


def condition(language: str, level: int, number: int) -> tuple[Question, ...]:
    """Conditions that are true for the numbers of a range, and for no others."""
    low = pick(range(1, LARGEST[level] + 1), number, "low")
    high = low + pick(range(2, 10), number, "width")
    if level == 0:
        text, oracle, high = f"Write a condition: x is at least {low}.", f"x >= {low}", 100
    else:
        text, oracle = f"Write a condition: x is at least {low} and below {high}.", f"{low} <= x < {high}"
    return (Question(text, kind="condition", oracle=oracle, constraints=(Constraint("true_for", f"{low} {high}"),)),)


def holds_exactly(transcript: Transcript) -> float:
    """1 if the condition is true for the numbers of the range and for no others."""
    turn = transcript.last
    low, high = map(int, str(turn.question.constraints[0].value).split())
    try:
        tried = range(-5, min(high + 5, 100))
        return float(all(evaluate(turn.answer, {"x": x}) is (low <= x < high) for x in tried))
    except FormulaError:
        return 0.0


SCENARIOS = (
    Family("loop-value", "code", "The value of a variable after a loop.", drawn(loop_value, 3), LANGUAGES),
    Family("indexing", "code", "An element of a list.", drawn(indexing, 3), LANGUAGES),
    Family("off-by-one", "code", "A loop that ends one too early.", drawn(off_by_one, 3), LANGUAGES),
    Family("complete-expression", "code", "A function to complete.", drawn(complete, 3), LANGUAGES, completes),
    Family("condition", "code", "A condition to write.", drawn(condition, 3), LANGUAGES, holds_exactly),
)

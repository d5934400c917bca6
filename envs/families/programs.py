"""Writing, completing, repairing and reading small Python programs.

An answer is right if its program passes the question's tests in the sandbox; only what a program prints is compared as
text. From level 1 on a question shows some of its tests and keeps others back, so that a program which only knows the
examples fails. Requests in prose are in English; where examples say what is wanted, other languages ask as well.
"""

from collections.abc import Callable
from functools import cache
from itertools import permutations

from envs.families.program_outputs import OUTPUTS
from envs.families.program_phrasings import PHRASINGS
from envs.families.program_specs import EASY, HARDER, Spec
from envs.family import Family, Level, asking, listed
from envs.program import GAP, demanded_tests, passes, program_of, run_tests
from envs.task import Constraint, Kind, Question, Task, Transcript

NUM_LEVELS = 3
NUM_CONSTANTS = 20
NUM_EXAMPLES = 2
PAIRS = ((7, 3), (9, 4), (9, 2), (11, 3), (11, 4), (13, 5), (17, 5), (19, 4))  # each tells all operators apart
OPERATORS: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
MISTAKEN_OPERATORS = tuple(permutations("+-*", 2))
WRITE = (
    "Write a Python function {signature} that returns {request}. Example: {example}",
    "Define {signature} in Python. It returns {request}, so that {example}",
)
EXPRESS = (
    "Write {request}, as a Python expression. If it is called {signature}: {example}",
    "Which Python expression gives {request}? If it is called {signature}, then {example}",
)


def judge_program(transcript: Transcript) -> float:
    """1 if the program passes all tests. Raises `envs.sandbox_run.SandboxError` where there is no sandbox to tell."""
    turn = transcript.last
    report = run_tests(program_of(turn.question, turn.answer), demanded_tests(turn.question))
    return float(all(report.passed))


@cache
def functions(language: str, level: int) -> tuple[Question, ...]:
    if level == 0:
        numbers = range(NUM_CONSTANTS)
        return tuple(_question(f"f() returns {n}", f"def f(): return {n}", [f"f() == {n}"]) for n in numbers)
    return tuple(
        _question(_request(wording, spec), spec.program, spec.tests) for wording in WRITE for spec in specs_of(level)
    )


@cache
def expressions(language: str, level: int) -> tuple[Question, ...]:
    if level == 0:
        frame = f"def value():\n    return {GAP}"
        numbers = range(NUM_CONSTANTS)
        return tuple(_question(f"The number {n}", str(n), [f"value() == {n}"], frame) for n in numbers)
    return tuple(
        _question(_request(wording, spec), value, spec.tests, spec.program.removesuffix(value) + GAP)
        for wording in EXPRESS
        for spec in specs_of(level)
        if (value := spec.expression) is not None
    )


@cache
def gaps(language: str, level: int) -> tuple[Question, ...]:
    wordings = PHRASINGS[language].gap
    if level == 0:
        frame = f"def f(a, b): return a {GAP} b"
        return tuple(
            _question(wordings[0].format(e=example, p=frame), operator, operator_tests(operator), frame)
            for operator in OPERATORS
            for example in operator_tests(operator)
        )
    return tuple(
        _question(wording.format(e=_examples(spec), p=spec.frame(GAP)), spec.right, spec.tests, spec.frame(GAP))
        for wording in wordings
        for spec in specs_of(level)
        if spec.right
    )


@cache
def mistakes(language: str, level: int) -> tuple[Question, ...]:
    wordings = PHRASINGS[language].mistake
    if level == 0:
        program = "def f(a, b): return a {} b"
        return tuple(
            _question(
                wordings[0].format(e=example, p=program.format(wrong)), program.format(right), operator_tests(right)
            )
            for right, wrong in MISTAKEN_OPERATORS
            for example in operator_tests(right)
        )
    return tuple(
        _question(wording.format(e=_examples(spec), p=spec.mistaken), spec.program, spec.tests)
        for wording in wordings
        for spec in specs_of(level)
    )


def specs_of(level: int) -> tuple[Spec, ...]:
    return (EASY, HARDER)[level - 1]


def operator_tests(operator: str) -> tuple[str, ...]:
    return tuple(f"f({a}, {b}) == {OPERATORS[operator](a, b)}" for a, b in PAIRS)


def _request(wording: str, spec: Spec) -> str:
    return wording.format(signature=spec.signature, request=spec.request, example=spec.tests[0])


def _examples(spec: Spec) -> str:
    return "\n".join(spec.tests[:NUM_EXAMPLES])


def _question(text: str, oracle: str, tests: tuple[str, ...] | list[str], frame: str = "") -> Question:
    constraints = [Constraint("frame", frame)] if frame else []
    return Question(text, kind="code", oracle=oracle, constraints=(*constraints, *map(passes, tests)))


def outputs(level: int) -> Level:
    num_programs, program = OUTPUTS[level]

    def plan(task: Task, number: int) -> tuple[Question, ...]:
        wording, place = divmod(number, num_programs)
        shown = program(place)
        kind: Kind = "integer" if shown.output.lstrip("-").isdecimal() else "exact"
        text = PHRASINGS[task.language].output[wording].format(p=shown.program)
        return (Question(text, shown.output, kind),)

    return Level(asking(plan), lambda language: num_programs * len(PHRASINGS[language].output))


def family(
    name: str, description: str, questions: Callable[[str, int], tuple[Question, ...]], languages: tuple[str, ...]
) -> Family:
    """Dialogs of one question each, which are all listed."""
    levels = listed(lambda language, level: [(question,) for question in questions(language, level)], NUM_LEVELS)
    return Family(name, "code", description, levels, languages, judge_program)


SCENARIOS = (
    family(
        "program-function",
        "A Python function is described; the answer is its code, and tests decide.",
        functions,
        ("en",),
    ),
    family(
        "program-expression",
        "A value is described; the answer is a Python expression that gives it for any input.",
        expressions,
        ("en",),
    ),
    family(
        "program-gap",
        "A Python program has a gap; the answer is what belongs there, given examples of what it returns.",
        gaps,
        tuple(PHRASINGS),
    ),
    family(
        "program-fix",
        "A Python program has one mistake; the answer is the program without it, given examples of what it returns.",
        mistakes,
        tuple(PHRASINGS),
    ),
    Family(
        "program-output",
        "code",
        "A small Python program is shown; the answer is what it prints.",
        tuple(map(outputs, range(len(OUTPUTS)))),
        tuple(PHRASINGS),
    ),
)

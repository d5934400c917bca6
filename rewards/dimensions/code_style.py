"""Is Python in an answer easy to read? Read, never run; answers without code are not judged."""

import ast
import re
from collections.abc import Callable

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.source import functions, nodes, parameters, source_of, tree_of

MAX_LINE = 88
MAX_COMPLEXITY = 10  # of a function (McCabe); beyond it, radon's grade is no longer A or B
MAX_DEPTH = 4  # blocks inside blocks
MAX_BODY = 30  # lines of a function

_SNAKE = re.compile(r"_{0,2}[a-z][a-z0-9]*(?:_[a-z0-9]+)*_{0,2}|_")
_CAMEL = re.compile(r"_?[A-Z][A-Za-z0-9]*")
_BLOCKS = (ast.For, ast.While, ast.If, ast.With, ast.Try)
_BUILTINS = frozenset(
    (
        "list",
        "dict",
        "set",
        "str",
        "int",
        "float",
        "sum",
        "max",
        "min",
        "len",
        "id",
        "input",
        "type",
        "all",
        "any",
        "next",
    )
)


def of_code(measure: Callable[[str], float | None]) -> Callable[[Transcript], float | None]:
    """`measure(code)` of an answer whose Python parses; abstains elsewhere."""

    def score(transcript: Transcript) -> float | None:
        code = source_of(transcript)
        return None if tree_of(code) is None else measure(code)

    return score


def line_length(code: str) -> float:
    """Share of the lines of at most 88 characters."""
    lines = code.splitlines() or [""]
    return sum(len(line) <= MAX_LINE for line in lines) / len(lines)


def indentation(code: str) -> float | None:
    """Share of the indented lines that are indented by a multiple of four spaces."""
    indented = [line for line in code.splitlines() if line[:1] in " \t" and line.strip()]
    if not indented:
        return None
    steps = [line[: len(line) - len(line.lstrip())] for line in indented]
    return sum("\t" not in step and len(step) % 4 == 0 for step in steps) / len(steps)


def docstring(code: str) -> float | None:
    """Share of the functions that say what they do."""
    found = functions(code)
    return sum(ast.get_docstring(function) is not None for function in found) / len(found) if found else None


def names(code: str) -> float | None:
    """Share of the names given that are snake_case, or CamelCase for classes."""
    good = []
    for node in nodes(code):
        match node:
            case ast.FunctionDef(name=name) | ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                good.append(_SNAKE.fullmatch(name) is not None or name.isupper())
            case ast.ClassDef(name=name):
                good.append(_CAMEL.fullmatch(name) is not None)
    return sum(good) / len(good) if good else None


def no_shadowing(code: str) -> float | None:
    """Share of the names given that hide no builtin function."""
    given = [
        node.arg if isinstance(node, ast.arg) else node.id
        for node in nodes(code)
        if isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    ]
    return sum(name not in _BUILTINS for name in given) / len(given) if given else None


def annotations(code: str) -> float | None:
    """Share of the parameters and results of functions that have a type."""
    typed = []
    for function in functions(code):
        typed.append(function.returns is not None)
        typed += [
            argument.annotation is not None for argument in function.args.args if argument.arg not in ("self", "cls")
        ]
    return sum(typed) / len(typed) if typed else None


def complexity(code: str) -> float | None:
    """10 / cyclomatic complexity of the most complex function (radon), at most 1."""
    from radon.complexity import cc_visit_ast

    tree = tree_of(code)
    blocks = cc_visit_ast(tree) if tree is not None else ()
    return min(1.0, MAX_COMPLEXITY / max(block.complexity for block in blocks)) if blocks else None


def nesting(code: str) -> float:
    """4 / depth of the deepest block, at most 1."""
    tree = tree_of(code)
    return min(1.0, MAX_DEPTH / max(_depth(tree), 1)) if tree is not None else 0.0


def _depth(node: ast.AST) -> int:
    inside = max(map(_depth, ast.iter_child_nodes(node)), default=0)
    return inside + isinstance(node, _BLOCKS)


def brevity(code: str) -> float | None:
    """30 / lines of the longest function, at most 1."""
    lengths = [(function.end_lineno or function.lineno) - function.lineno + 1 for function in functions(code)]
    return min(1.0, MAX_BODY / max(lengths)) if lengths else None


def no_prints(code: str) -> float | None:
    """Share of the functions that return something and print nothing."""
    returning = [
        function for function in functions(code) if any(isinstance(node, ast.Return) for node in ast.walk(function))
    ]
    if not returning:
        return None
    return sum(not any(_is_print(node) for node in ast.walk(function)) for function in returning) / len(returning)


def _is_print(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"


def telling_names(code: str) -> float | None:
    """Share of the parameters of functions with three or more of them that have more than one letter."""
    many = [parameters(function) for function in functions(code)]
    given = [name for listed in many if len(listed) > 2 for name in listed]
    return sum(len(name) > 1 for name in given) / len(given) if given else None


def comments(code: str) -> float | None:
    """1 where at most half of the lines are comments, then falling to 0 where all are."""
    lines = [line.strip() for line in code.splitlines() if line.strip()]
    if len(lines) < 4:
        return None
    return min(1.0, 2.0 * (1.0 - sum(line.startswith("#") for line in lines) / len(lines)))


def code(answer: str, question: str = "Write a function add(a, b).") -> Transcript:
    return example(question, f"```python\n{answer}\n```", kind="code")


_DEEP = (
    "def add(a, b):\n" + "".join(f"{'    ' * depth}if a > {depth}:\n" for depth in range(1, 8)) + "    " * 8 + "a = b"
)
_BRANCHES = "def add(a, b):\n" + "".join(f"    if a == {case}:\n        return b\n" for case in range(14))
_LONG = "def add(a, b):\n" + "    a = a + b\n" * 60 + "    return a"
_ADD = "def add(a, b):\n    return a + b"

DIMENSIONS = (
    Dimension(
        "code.line_length",
        "code",
        "Share of the lines of code that are not too long.",
        of_code(line_length),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    return a + b  # " + "and so on " * 9),
    ),
    Dimension(
        "code.indentation",
        "code",
        "Code is indented by four spaces a level.",
        of_code(indentation),
        passes=code(_ADD),
        fails=code("def add(a, b):\n  return a + b"),
    ),
    Dimension(
        "code.docstring",
        "code",
        "Share of the functions that say what they do.",
        of_code(docstring),
        passes=code('def add(a, b):\n    """The sum."""\n    return a + b'),
        fails=code(_ADD),
    ),
    Dimension(
        "code.names",
        "code",
        "Names are snake_case, those of classes CamelCase.",
        of_code(names),
        passes=code(_ADD),
        fails=code("def addNumbers(firstOne, b):\n    return firstOne + b"),
    ),
    Dimension(
        "code.no_shadowing",
        "code",
        "No name hides a builtin function such as list or sum.",
        of_code(no_shadowing),
        passes=code(_ADD),
        fails=code("def add(a, sum):\n    return a + sum"),
    ),
    Dimension(
        "code.annotations",
        "code",
        "Share of the parameters and results that have a type.",
        of_code(annotations),
        passes=code("def add(a: int, b: int) -> int:\n    return a + b"),
        fails=code(_ADD),
    ),
    Dimension(
        "code.complexity",
        "code",
        "No function has too many branches.",
        of_code(complexity),
        passes=code(_ADD),
        fails=code(_BRANCHES),
        cost="moderate",
    ),
    Dimension(
        "code.nesting",
        "code",
        "Blocks are not nested too deep.",
        of_code(nesting),
        passes=code(_ADD),
        fails=code(_DEEP),
    ),
    Dimension(
        "code.brevity",
        "code",
        "No function is too long.",
        of_code(brevity),
        passes=code(_ADD),
        fails=code(_LONG),
    ),
    Dimension(
        "code.no_prints",
        "code",
        "A function that returns something does not print as well.",
        of_code(no_prints),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    print(a)\n    return a + b"),
    ),
    Dimension(
        "code.telling_names",
        "code",
        "Many parameters have names that tell what they are.",
        of_code(telling_names),
        passes=code("def add(first, second, third):\n    return first + second + third"),
        fails=code("def add(a, b, c):\n    return a + b + c"),
    ),
    Dimension(
        "code.comments",
        "code",
        "Code is not drowned by comments.",
        of_code(comments),
        passes=code(f"# The sum.\n{_ADD}\n\nprint(add(1, 2))"),
        fails=code("# The sum\n# of two\n# numbers\nadd = sum"),
    ),
)

"""Do functions and loops in an answer's Python come to an end, and to a result? As far as reading tells; never run."""

import ast
from itertools import pairwise

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.code_style import code, of_code
from rewards.source import Function, functions, nodes, parameters, source_of, tree_of

_ENDS = (ast.Return, ast.Raise, ast.Break, ast.Continue)


def returns(text: str) -> float | None:
    """Share of the functions that return or yield a value."""
    found = functions(text)
    return sum(any(map(_gives, ast.walk(function))) for function in found) / len(found) if found else None


def _gives(node: ast.AST) -> bool:
    return isinstance(node, ast.Yield | ast.YieldFrom) or (isinstance(node, ast.Return) and node.value is not None)


def returns_always(text: str) -> float | None:
    """Of the functions that return a value somewhere, the share that do so on every path."""
    found = [function for function in functions(text) if any(map(_gives, ast.walk(function)))]
    return sum(_always_ends(function.body) for function in found) / len(found) if found else None


def _always_ends(body: list[ast.stmt]) -> bool:
    """Does every path through the statements return or raise? Generators may just end."""
    for statement in body:
        match statement:
            case ast.Return(value=value):
                return value is not None
            case ast.Raise():
                return True
            case ast.If(body=then, orelse=otherwise) if otherwise:
                if _always_ends(then) and _always_ends(otherwise):
                    return True
            case ast.With(body=inside) if _always_ends(inside):
                return True
            case ast.Try(body=tried, handlers=handlers):
                if _always_ends(tried) and all(_always_ends(handler.body) for handler in handlers):
                    return True
            case ast.While(test=ast.Constant(value=True)):
                return True
            case ast.Expr(value=ast.Yield() | ast.YieldFrom()):
                return True
    return False


def loops_end(text: str) -> float | None:
    """Share of the while loops that can end: a condition that the body changes, or a way out."""
    loops = [node for node in nodes(text) if isinstance(node, ast.While)]
    return sum(map(_can_end, loops)) / len(loops) if loops else None


def _can_end(loop: ast.While) -> bool:
    inside = [node for statement in loop.body for node in ast.walk(statement)]
    if any(isinstance(node, ast.Break | ast.Return | ast.Raise | ast.Yield) for node in inside):
        return True
    tested = {node.id for node in ast.walk(loop.test) if isinstance(node, ast.Name)}
    changed = {node.id for node in inside if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    methods = [
        node.func.value for node in inside if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    ]
    called = {owner.id for owner in methods if isinstance(owner, ast.Name)}
    return bool(tested & (changed | called))


def recursion_ends(text: str) -> float | None:
    """Share of the recursive functions with a branch and a return that does not call the function again."""
    recursive = [function for function in functions(text) if _calls(function, function.name)]
    return sum(map(_has_base, recursive)) / len(recursive) if recursive else None


def _calls(tree: ast.AST, name: str) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
        for node in ast.walk(tree)
    )


def _has_base(function: Function) -> bool:
    branches = any(isinstance(node, ast.If | ast.IfExp | ast.BoolOp) for node in ast.walk(function))
    given = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    plain = any(not _calls(node, function.name) or isinstance(node.value, ast.IfExp | ast.BoolOp) for node in given)
    return branches and plain


def nothing_unreachable(text: str) -> float | None:
    """1 / (1 + statements right after one that leaves the block)"""
    bodies = [body for node in nodes(text) if isinstance(body := getattr(node, "body", None), list)]
    if not bodies:
        return None
    return 1.0 / (1.0 + sum(isinstance(first, _ENDS) for body in bodies for first, _ in pairwise(body)))


def no_bare_except(text: str) -> float | None:
    """Share of the exception handlers that name what they catch and do something about it."""
    handlers = [node for node in nodes(text) if isinstance(node, ast.ExceptHandler)]
    if not handlers:
        return None
    return sum(node.type is not None and not isinstance(node.body[0], ast.Pass) for node in handlers) / len(handlers)


def not_written_out(transcript: Transcript) -> float | None:
    """0 for a function that only compares its parameters with constants and returns constants, else 1."""
    text = source_of(transcript)
    found = [function for function in functions(text) if parameters(function)]
    if tree_of(text) is None or not found:
        return None
    return sum(not _only_constants(function) for function in found) / len(found)


def _only_constants(function: Function) -> bool:
    given = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value is not None]
    return bool(given) and all(isinstance(value, ast.Constant) and not isinstance(value.value, bool) for value in given)


_ADD = "def add(a, b):\n    return a + b"

DIMENSIONS = (
    Dimension(
        "code.returns",
        "code",
        "Share of the functions that return a value.",
        of_code(returns),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    a + b"),
    ),
    Dimension(
        "code.returns_always",
        "code",
        "A function that returns a value does so on every path.",
        of_code(returns_always),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    if a:\n        return a + b"),
    ),
    Dimension(
        "code.loops_end",
        "code",
        "Every while loop can end.",
        of_code(loops_end),
        passes=code("n = 3\nwhile n > 0:\n    n -= 1"),
        fails=code("n = 3\nwhile n > 0:\n    m = n"),
    ),
    Dimension(
        "code.recursion_ends",
        "code",
        "A function that calls itself has a case in which it does not.",
        of_code(recursion_ends),
        passes=code("def f(n):\n    if n == 0:\n        return 1\n    return n * f(n - 1)"),
        fails=code("def f(n):\n    return n * f(n - 1)"),
    ),
    Dimension(
        "code.nothing_unreachable",
        "code",
        "No statement comes after one that leaves the block.",
        of_code(nothing_unreachable),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    return a + b\n    a = b"),
    ),
    Dimension(
        "code.no_bare_except",
        "code",
        "Exceptions are caught by name and not ignored.",
        of_code(no_bare_except),
        passes=code("try:\n    n = int('7')\nexcept ValueError:\n    n = 0"),
        fails=code("try:\n    n = int('7')\nexcept:\n    n = 0"),
    ),
    Dimension(
        "code.not_written_out",
        "code",
        "A function computes its result instead of listing results.",
        not_written_out,
        passes=code(_ADD),
        fails=code("def add(a, b):\n    if a == 1:\n        return 3\n    return 7"),
    ),
)

"""Reading the Python that an answer holds, without ever running it."""

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from envs.fences import blocks
from envs.program import framed
from envs.task import Question, Transcript
from rewards.reading import MEMORY

MAX_SOURCE = 4000  # characters; longer ones are not read
MAX_NODES = 3000  # of a tree
MAX_DEPTH = 80
PYTHON = ("", "python", "py")  # what the first line of its block may name

_LOOKS_LIKE_CODE = re.compile(
    r"^\s*(?:def|class|import|from|return|for|while|if|print)\b.*[:(]|^\s*\w+ = ", re.MULTILINE
)
_CALL = re.compile(r"\b([a-z_][a-z0-9_]{0,40})\(([^()]{0,80})\)")
_FUNCTION_NAMED = re.compile(
    r"(?:function|funktion|fonction|función|def)\s+`{0,2}([a-z_][a-z0-9_]{0,40})\(([^()]{0,80})\)", re.IGNORECASE
)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Asked:
    """The function that a question asks for."""

    name: str
    num_parameters: int


def source_of(transcript: Transcript) -> str:
    """The Python of the last answer: where code is due the program as it is run, what fills a gap in its frame; else
    the first block of Python; empty where there is none.
    """
    turn = transcript.last
    return framed(turn.question, turn.answer) if turn.question.kind == "code" else block_of_python(turn.answer)


@lru_cache(MEMORY)
def block_of_python(text: str) -> str:
    part = next((block.code for block in blocks(text) if block.language in PYTHON), "")
    return part if _LOOKS_LIKE_CODE.search(part) else ""


def tree_of(code: str) -> ast.Module | None:
    """None where it does not parse, is too long or nested too deep."""
    tree = _parsed(code)
    return tree if isinstance(tree, ast.Module) else None


def syntax_error(code: str) -> int | None:
    """The line (1-based) of the first thing that is no Python; None where all of it is."""
    line = _parsed(code)
    return line if isinstance(line, int) else None


@lru_cache(MEMORY)
def _parsed(code: str) -> ast.Module | int:
    """The tree, or the line of the first error. What cannot be read within bounds counts as wrong from its start."""
    if not code.strip() or len(code) > MAX_SOURCE:
        return 1
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code, as of strings with odd escapes: not ours to print
            tree = ast.parse(code)
    except SyntaxError as error:
        return error.lineno or 1
    except (ValueError, RecursionError, MemoryError):  # null bytes; nested too deep
        return 1
    return tree if _is_small(tree) else 1


def _is_small(tree: ast.Module) -> bool:
    """Can it be walked by functions that call themselves?"""
    layer: list[ast.AST] = [tree]
    num_nodes = 0
    for _ in range(MAX_DEPTH):
        num_nodes += len(layer)
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
        if not layer or num_nodes > MAX_NODES:
            break
    return not layer and num_nodes <= MAX_NODES


@lru_cache(MEMORY)
def functions(code: str) -> tuple[Function, ...]:
    tree = tree_of(code)
    return tuple(node for node in ast.walk(tree) if isinstance(node, Function)) if tree else ()


@lru_cache(MEMORY)
def nodes(code: str) -> tuple[ast.AST, ...]:
    tree = tree_of(code)
    return tuple(ast.walk(tree)) if tree else ()


def parameters(function: Function) -> list[str]:
    given = function.args
    named = [argument.arg for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    return [name for name in named if name not in ("self", "cls")]


@lru_cache(MEMORY)
def asked_function(question: Question) -> Asked | None:
    """What the question wants defined: by a constraint "passes" ("f(3) == 7") or by "function f(x)" in its text."""
    for constraint in question.constraints:
        if constraint.name in ("passes", "defines") and (call := _CALL.match(str(constraint.value).strip())):
            return Asked(call[1], _num_arguments(call[2]))
    named = _FUNCTION_NAMED.search(question.text)
    return Asked(named[1], _num_arguments(named[2])) if named else None


def _num_arguments(written: str) -> int:
    try:
        call = ast.parse(f"f({written})", mode="eval").body
    except (SyntaxError, ValueError):
        return written.count(",") + 1
    return len(call.args) + len(call.keywords) if isinstance(call, ast.Call) else 0


@lru_cache(MEMORY)
def complaints(code: str) -> tuple[str, ...]:
    """The names of what pyflakes finds, such as "UndefinedName"; empty where nothing parses."""
    tree = tree_of(code)
    if tree is None:
        return ()
    from pyflakes.checker import Checker

    found: Sequence[object] = Checker(tree, filename="<answer>").messages
    return tuple(type(message).__name__ for message in found)

"""Does Python in an answer make sense, as far as reading tells? It is never run here; see the sandbox for that."""

import ast

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.code_style import code, of_code
from rewards.source import (
    asked_function,
    complaints,
    functions,
    nodes,
    parameters,
    source_of,
    syntax_error,
)

_DANGEROUS_CALLS = {"eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "globals"}
_DANGEROUS_MODULES = {"os", "sys", "subprocess", "socket", "shutil", "ctypes", "requests", "urllib", "pickle", "signal"}
_UNUSED = {"UnusedImport", "UnusedVariable", "UnusedAnnotation", "RedefinedWhileUnused"}
_MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp)


def parses(transcript: Transcript) -> float | None:
    """1 if it parses; else half of the share of lines before the first error."""
    text = source_of(transcript)
    if not text.strip():
        return None
    line = syntax_error(text)
    return 1.0 if line is None else 0.5 * min(1.0, (line - 1) / max(len(text.splitlines()), 1))


def defines_asked(transcript: Transcript) -> float | None:
    """1 for the function asked for; a half for others only."""
    asked, text = asked_function(transcript.last.question), source_of(transcript)
    if asked is None or not text:
        return None
    defined = {function.name for function in functions(text)}
    return 1.0 if asked.name in defined else 0.5 * bool(defined)


def num_parameters(transcript: Transcript) -> float | None:
    """The smaller number of parameters, asked or given / the larger, each plus one."""
    asked, text = asked_function(transcript.last.question), source_of(transcript)
    found = [function for function in functions(text) if asked is not None and function.name == asked.name]
    if asked is None or not found:
        return None
    given = len(parameters(found[0]))
    return (min(given, asked.num_parameters) + 1) / (max(given, asked.num_parameters) + 1)


def names_defined(text: str) -> float:
    """1 / (1 + names that nothing defines)"""
    return 1.0 / (1.0 + complaints(text).count("UndefinedName"))


def nothing_unused(text: str) -> float:
    """1 / (1 + imports and variables without use)"""
    return 1.0 / (1.0 + sum(name in _UNUSED for name in complaints(text)))


def nothing_odd(text: str) -> float:
    """1 / (1 + other findings of pyflakes)"""
    return 1.0 / (1.0 + sum(name not in _UNUSED and name != "UndefinedName" for name in complaints(text)))


def harmless(text: str) -> float:
    """1 / (1 + calls and imports that reach outside the program)"""
    return 1.0 / (1.0 + sum(map(_reaches_out, nodes(text))))


def _reaches_out(node: ast.AST) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _DANGEROUS_CALLS
        case ast.Import(names=imported):
            return any(alias.name.partition(".")[0] in _DANGEROUS_MODULES for alias in imported)
        case ast.ImportFrom(module=str(module)):
            return module.partition(".")[0] in _DANGEROUS_MODULES
        case ast.Attribute(attr=name):
            return name.startswith("__") and name.endswith("__") and name != "__init__"
    return False


def parameters_used(text: str) -> float | None:
    """Share of the parameters that their function reads."""
    used = []
    for function in functions(text):
        read = {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
        used += [name in read for name in parameters(function) if not name.startswith("_")]
    return sum(used) / len(used) if used else None


def no_mutable_default(text: str) -> float | None:
    """Share of the default values that calls do not share."""
    defaults = [
        value for function in functions(text) for value in (*function.args.defaults, *function.args.kw_defaults)
    ]
    return sum(not isinstance(value, _MUTABLE) for value in defaults) / len(defaults) if defaults else None


def no_globals(text: str) -> float | None:
    """Share of the functions that change no variable outside."""
    found = functions(text)
    if not found:
        return None
    return sum(not any(isinstance(node, ast.Global) for node in ast.walk(function)) for function in found) / len(found)


_ADD = "def add(a, b):\n    return a + b"

DIMENSIONS = (
    Dimension(
        "code.parses",
        "code",
        "The code is Python; half at most for a good beginning.",
        parses,
        passes=code(_ADD),
        fails=code("def add(a, b)\n    return a + b"),
    ),
    Dimension(
        "code.defines_asked",
        "code",
        "The code defines the function that was asked for.",
        defines_asked,
        passes=code(_ADD),
        fails=code("def plus(a, b):\n    return a + b"),
    ),
    Dimension(
        "code.num_parameters",
        "code",
        "The function asked for takes as many parameters as asked.",
        num_parameters,
        passes=code(_ADD),
        fails=code("def add(a):\n    return a"),
    ),
    Dimension(
        "code.names_defined",
        "code",
        "No name is used that nothing defines (pyflakes).",
        of_code(names_defined),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    return a + c"),
        cost="moderate",
    ),
    Dimension(
        "code.nothing_unused",
        "code",
        "No import or variable is without use (pyflakes).",
        of_code(nothing_unused),
        passes=code(_ADD),
        fails=code("import math\n\ndef add(a, b):\n    return a + b"),
    ),
    Dimension(
        "code.nothing_odd",
        "code",
        "pyflakes finds nothing else, such as a string without the places it formats.",
        of_code(nothing_odd),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    return f'sum'"),
    ),
    Dimension(
        "code.harmless",
        "code",
        "The code does not reach outside the program: no eval, files, processes or network.",
        of_code(harmless),
        passes=code(_ADD),
        fails=code("import os\n\ndef add(a, b):\n    return os.system(a + b)"),
    ),
    Dimension(
        "code.parameters_used",
        "code",
        "Share of the parameters that the function reads.",
        of_code(parameters_used),
        passes=code(_ADD),
        fails=code("def add(a, b):\n    return a + a"),
    ),
    Dimension(
        "code.no_mutable_default",
        "code",
        "No default value is a list or dict that all calls share.",
        of_code(no_mutable_default),
        passes=code("def add(a, b=0):\n    return a + b"),
        fails=code("def add(a, b=[]):\n    return a + b"),
    ),
    Dimension(
        "code.no_globals",
        "code",
        "Functions change no variable outside themselves.",
        of_code(no_globals),
        passes=code(_ADD),
        fails=code("def add(a):\n    global total\n    total = a"),
    ),
)

"""Loading what a user wrote in one Python file of their own, named by its path, and telling what it raised."""

import ast
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType

from envs.task import stable_hash


class UserFileError(ValueError):
    """A user's own Python file cannot be used. The message names the file, the line and the cause."""

    def __init__(self, path: str, line: int, cause: str) -> None:
        super().__init__(f"{path}:{line}: {cause}")
        self.path, self.line, self.cause = path, line, cause

    def __reduce__(self) -> tuple[type["UserFileError"], tuple[str, int, str]]:
        return type(self), (self.path, self.line, self.cause)  # Ray sends errors between processes by pickle


def load_list(path: str, variable: str) -> list[object]:
    """Run the file and return its list `variable`. Raises `UserFileError`.

    Example: `load_list("my_scenarios.py", "SCENARIOS")`
    """
    file = _resolve(path)
    if not file.is_file() or file.suffix != ".py":
        raise UserFileError(path, 1, "no such Python file; give the path of a .py file")
    values = vars(_run(path)).get(variable)
    if values is None:
        raise UserFileError(path, 1, f"defines no {variable}; add a line {variable} = [...]")
    if not isinstance(values, list | tuple) or not values:
        cause = f"{variable} must be a list with something in it, not {values!r:.80}"
        raise UserFileError(path, line_of(path, variable), cause)
    return list(values)


def cause_of(error: BaseException) -> str:
    """What was raised and where: "KeyError: 'no' (my_reward.py, line 9)"."""
    raised_in = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(raised_in.filename).name}, line {raised_in.lineno})"


def line_of(path: str, variable: str) -> int:
    """The line where the file first sets the variable (or else names it), for error messages."""
    names = [node for node in ast.walk(ast.parse(_resolve(path).read_bytes())) if isinstance(node, ast.Name)]
    found = [(isinstance(node.ctx, ast.Load), node.lineno) for node in names if node.id == variable]
    return min(found)[1] if found else 1


def _resolve(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _run(path: str) -> ModuleType:
    file = _resolve(path)
    name = f"user_file_{file.stem}_{stable_hash(str(file)):x}"
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None and spec.loader is not None, file  # always so for the ending .py
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up by its name
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserFileError(path, _line_of_error(file, error), f"{type(error).__name__}: {error}") from error
    return module


def _line_of_error(file: Path, error: BaseException) -> int:
    """The deepest line of the user's file that took part; code that it calls may lie deeper."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno or 1
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return (lines[-1] if lines else None) or 1

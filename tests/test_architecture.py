"""The floors of the project, checked by reading its source: who imports whom, and what importing does."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = {
    "cluster": {"cluster", "rl", "rewards", "envs", "models"},
    "rl": {"rl", "rewards", "envs", "models"},
    "rewards": {"rewards", "envs"},
    "models": {"models"},
    "envs": {"envs"},
}
HOMES = {  # a library, and the only floors that may import it
    "ray": {"cluster"},
    "vllm": {"models"},
    "deepspeed": {"models"},
    "transformers": {"models"},
    "peft": {"models"},
    "torch": {"models", "rl", "cluster"},
}
TOP_LEVEL = {*FLOORS, "tests", "docker", "pyproject.toml", "README.md", "Makefile", "LICENSE"}
MADE_HERE = {"runs", "build", "__pycache__", "zero2one.egg-info"}  # by running and installing; all in .gitignore
SOURCES = sorted(path.relative_to(ROOT) for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def imported(tree: ast.AST) -> set[str]:
    """Top-level names of all modules that the source imports anywhere, inside functions too."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom(level=0, module=str(module)):
                names.add(module)
            case ast.Call(
                func=ast.Name(id="__import__") | ast.Attribute(attr="import_module") | ast.Name(id="import_module"),
                args=[ast.Constant(value=str(module)), *_],
            ):
                names.add(module)
    return {name.partition(".")[0] for name in names}


def violations(floor: str, tree: ast.AST) -> set[str]:
    names = imported(tree)
    upward = (names & FLOORS.keys()) - FLOORS[floor]
    away_from_home = {name for name in names & HOMES.keys() if floor not in HOMES[name]}
    return upward | away_from_home


def run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """All that is evaluated when the module is imported: everything but the bodies of functions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from run_at_import(child)


def touches_environment(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in ("environ", "getenv", "putenv")
        for node in run_at_import(tree)
    )


def parse(source: Path) -> ast.Module:
    return ast.parse((ROOT / source).read_bytes(), filename=str(source))


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_imports_go_down(source: Path) -> None:
    assert not violations(source.parts[0], parse(source))


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_importing_leaves_the_environment_alone(source: Path) -> None:
    assert not touches_environment(parse(source))


@pytest.mark.parametrize("source", [path for path in SOURCES if path.name == "__init__.py"], ids=str)
def test_packages_hold_a_docstring_and_nothing_else(source: Path) -> None:
    tree = parse(source)
    assert len(tree.body) == 1
    assert ast.get_docstring(tree)


def test_every_floor_was_read() -> None:
    assert {source.parts[0] for source in SOURCES} == FLOORS.keys()


def test_nothing_else_lies_at_the_top() -> None:
    entries = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
    assert entries - MADE_HERE <= TOP_LEVEL


@pytest.mark.parametrize(
    ("floor", "source", "found"),
    [
        ("envs", "import rewards.score", {"rewards"}),
        ("models", "def f():\n    from rl import ppo", {"rl"}),
        ("rewards", "if True:\n    import torch.nn as nn", {"torch"}),
        ("rl", "import importlib\nimportlib.import_module('ray.actor')", {"ray"}),
        ("cluster", "import vllm", {"vllm"}),
        ("rl", "import torch\nfrom envs.task import Task\nfrom . import ray", set()),
    ],
)
def test_a_wrong_import_is_found(floor: str, source: str, found: set[str]) -> None:
    assert violations(floor, ast.parse(source)) == found


@pytest.mark.parametrize(
    ("source", "touches"),
    [
        ("import os\nos.environ['A'] = '1'", True),
        ("import os\nclass A:\n    b = os.getenv('A')", True),
        ("from os import environ\ndef f(a=environ): ...", True),
        ("import os\ndef f():\n    os.environ['A'] = '1'", False),
        ("import os\nf = lambda: os.environ", False),
    ],
)
def test_environment_at_import_is_found(source: str, touches: bool) -> None:
    assert touches_environment(ast.parse(source)) == touches

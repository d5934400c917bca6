import pickle
from pathlib import Path

import pytest

from envs.user_file import UserFileError, line_of, load_list


def write(folder: Path, text: str) -> str:
    file = folder / "mine.py"
    file.write_text(text)
    return str(file)


def test_a_list_is_loaded(tmp_path: Path) -> None:
    path = write(tmp_path, "THINGS = [1, 'two']")
    assert load_list(path, "THINGS") == [1, "two"]


def test_dataclasses_with_postponed_annotations_work(tmp_path: Path) -> None:
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    path = write(tmp_path, text + "@dataclass\nclass A:\n    x: int = 3\nTHINGS = [A()]")
    (thing,) = load_list(path, "THINGS")
    assert thing.x == 3  # type: ignore[attr-defined]
    assert type(pickle.loads(pickle.dumps(thing))) is type(thing)


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("x = 1\n\nTHINGS = [1 / 0]\n", 3, "ZeroDivisionError: division by zero"),
        ("def f():\n    return int('x')\n\nTHINGS = [f()]\n", 2, "ValueError: invalid literal"),
        ("x = 1\nTHINGS = [\n", 2, "SyntaxError"),
        ("import no_such_module\n", 1, "ModuleNotFoundError: No module named 'no_such_module'"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
        ("things = [1]\n", 1, "defines no THINGS"),
        ("x = 1\nTHINGS = []\n", 2, "must be a list"),
        ("x = 1\nTHINGS: int = 3\n", 2, "must be a list"),
    ],
)
def test_an_error_names_file_line_and_cause(tmp_path: Path, text: str, line: int, cause: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UserFileError) as caught:
        load_list(path, "THINGS")
    assert str(caught.value).startswith(f"{path}:{line}: ")
    assert cause in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("name", ["none.py", "notes.txt", "."])
def test_what_is_no_python_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("THINGS = [1]")
    with pytest.raises(UserFileError, match="no such Python file"):
        load_list(str(tmp_path / name), "THINGS")


def test_the_line_is_where_the_variable_is_set(tmp_path: Path) -> None:
    path = write(tmp_path, "def f():\n    return THINGS\n\nTHINGS = [f]\nTHINGS += [1]\n")
    assert line_of(path, "THINGS") == 4

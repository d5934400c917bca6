"""A comparison as people and programs see it."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from rl.compare import Comparison, compare
from rl.compare_pages import json_comparison, markdown, print_comparison, write_comparison
from rl.runs import read_run
from tests.rl.hand_made_runs import make_run

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    """To 0.5: 10 and 5 updates for `plain`; 4 and never for `wide`."""
    parts = {"sums": 0.25, "words": 1.0}
    plain = [make_run(tmp_path / "plain-seed1", {0: 0.0, 20: 1.0}, "run.seed=1", by_scenario=parts)]
    plain.append(make_run(tmp_path / "plain-seed2", {0: 0.0, 20: 0.5, 40: 0.75}, "run.seed=2", by_scenario=parts))
    wide = [make_run(tmp_path / "wide-seed1", {0: 0.0, 8: 1.0, 20: 0.5}, "run.seed=1", by_scenario={"sums": 0.5})]
    return compare({"plain": [read_run(run) for run in plain], "wide": [read_run(run) for run in wide]}, 0.5)


@pytest.fixture
def undecided(tmp_path: Path) -> Comparison:
    late, never = make_run(tmp_path / "late", {0: 0.0, 20: 1.0}), make_run(tmp_path / "never", {0: 0.0, 30: 0.25})
    return compare({"late": [read_run(late)], "never": [read_run(never)]}, 0.5)


def shown(comparison: Comparison) -> str:
    console = Console(file=io.StringIO(), width=140)
    print_comparison(comparison, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows(text: str) -> dict[str, list[str]]:
    """First cell -> the others, of lines whose cells are two spaces apart."""
    cells = [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]
    return {first: rest for first, *rest in filter(None, cells)}


def test_in_the_terminal(comparison: Comparison) -> None:
    text = shown(comparison)
    assert "Target: held-out accuracy 50.0%. Medians" in text
    table = rows(text)
    assert table["seeds"] == ["1, 2", "1"]
    assert table["updates"] == ["30 (20 to 40)", "20"]
    assert table["tokens"] == ["3,000 (2,000 to 4,000)", "2,000"]
    assert table["seconds"] == ["60 (40 to 80)", "40"]
    assert table["final accuracy"] == ["87.5% (75.0% to 100.0%)", "50.0%"]
    assert table["best accuracy"] == ["87.5% (75.0% to 100.0%)", "100.0%"]
    assert table["updates until 50.0%"] == ["15.0 (10.0 to 20.0)", "4.0"]
    assert table["tokens until 50.0%"] == ["1,500 (1,000 to 2,000)", "400"]
    assert table["ratio to plain"] == ["1.00", "0.27"]
    assert table["plain-seed2"] == ["plain", "2", "40", "75.0%", "75.0%", "20.0"]
    assert table["sums"] == ["25.0%", "50.0%"]
    assert table["words"] == ["100.0%"]
    assert "by domain" not in text


def test_what_was_not_reached_is_said(undecided: Comparison) -> None:
    table = rows(shown(undecided))
    assert table["updates until 50.0%"] == ["10.0", "not within 30"]
    assert table["seconds until 50.0%"] == ["20", "not within 60"]
    assert table["ratio to late"] == ["1.00"]
    assert table["never"][-1] == "not reached"


def test_a_default_target_is_told_from_a_given_one(tmp_path: Path) -> None:
    right, wrong = (read_run(make_run(tmp_path / name, {0: 0.0, 2: x})) for name, x in (("a", 0.5), ("b", 0.0)))
    assert "accuracy 45.0%, 90% of the lowest median final accuracy above 0." in shown(compare({"a": [right]}))
    text = shown(compare({"b": [wrong]}))
    assert "No target" in text
    assert "until" not in text
    assert "not reached" not in text


def test_the_terminal_is_not_steered(comparison: Comparison) -> None:
    steering = replace(comparison.summaries[0], by_scenario={"a\x1b[2J": 0.5, "b[red]": 0.5})
    text = shown(replace(comparison, summaries=(steering,), warnings=("\x1b[2J",)))
    assert "\x1b" not in text
    assert "b[red]" in text


def test_for_programs(undecided: Comparison) -> None:
    found = json.loads(json.dumps(json_comparison(undecided), allow_nan=False))
    assert (found["target"], found["baseline"], found["warnings"]) == (0.5, "late", [])
    late, never = found["labels"]
    assert late["costs"]["updates"] == {
        "total": {"median": 20, "low": 20, "high": 20},
        "until_target": {"median": 10.0, "low": 10.0, "high": 10.0},
        "ratio": 1.0,
    }
    assert never["costs"]["tokens"]["until_target"] == {"median": None, "low": None, "high": None}
    assert never["costs"]["tokens"]["ratio"] is None
    assert late["runs"][0]["until_target"] == {"updates": 10.0, "tokens": 1000.0, "seconds": 20.0, "accuracy": 0.5}
    assert never["runs"][0]["until_target"] is None
    assert len(never["runs"][0]["milestones"]) == 2


def test_the_page_with_its_curves(comparison: Comparison, tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "out"
    write_comparison(replace(comparison, warnings=("look out",)), folder)
    page = (folder / "compare.md").read_text()
    for part in (
        "# plain, wide\n",
        "**look out**",
        "![held-out accuracy over updates, tokens and seconds](compare.png)",
        "| updates until 50.0% | 15.0 (10.0 to 20.0) | 4.0 |",
        "## Final accuracy by scenario\n\n| scenario | plain | wide |",
        "| words | 100.0% |  |",
    ):
        assert part in page
    assert (folder / "compare.png").read_bytes().startswith(PNG)
    assert json.loads((folder / "compare.json").read_text()) == json_comparison(comparison) | {"warnings": ["look out"]}


def test_more_labels_than_colours(comparison: Comparison, tmp_path: Path) -> None:
    many = tuple(replace(comparison.summaries[1], label=f"label-{number}") for number in range(12))
    write_comparison(replace(comparison, summaries=many), tmp_path)
    assert markdown(replace(comparison, summaries=many)).count("label-11") >= 3

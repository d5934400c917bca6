"""The rewards report as people and programs see it."""

import base64
import io
import json
import re

import numpy as np
import pytest
from rich.console import Console

from rl.gaming import Alarm
from rl.reward_pages import html_report, json_report, print_report
from rl.reward_report import Distribution, Line, Pair, RewardReport

LOW, HIGH = Distribution(0.25, 0.5, 0.0, 0.25, 1.0), Distribution(0.75, 0.125, 0.5, 0.75, 1.0)
EVIL = "my.<script>alert('$x_1$')</script>\x1b[2J"


@pytest.fixture
def report() -> RewardReport:
    lines = (
        Line("answer.correct", 1.0, 0.5, HIGH, LOW, -1.25, "", 0.875),
        Line(EVIL, -0.5, 1.0, LOW, HIGH, 2.0, "", 0.125),
        Line("format.nonempty", 0.0, 1.0, HIGH, HIGH, 0.0, "always 1", None),
        Line("style.calm", 0.0, 1.0, LOW, HIGH, 0.75, "", None),
        Line("code.runs", 0.0, 0.0, None, None, None, "never judged", None),
    )
    return RewardReport(
        name="mine <b>",
        role="assistant",
        num_turns=12_345,
        iterations=(0, 5, 9),
        lines=lines,
        duplicates=(Pair("style.calm", "format.nonempty", 0.99, 800),),
        conflicts=(Pair("answer.correct", EVIL, -0.75, 900),),
        alarms=(Alarm(EVIL, 4, 8, 0.1, 0.9, 1.5, 0.8, 0.2),),
        curves=np.array([[0.1, 0.2, 1.0, 0.3, np.nan]] * 3),
        evaluations=((0, 0.1), (9, 0.4)),
    )


def shown(report: RewardReport) -> str:
    console = Console(file=io.StringIO(), width=160)
    print_report(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_in_the_terminal(report: RewardReport) -> None:
    text = shown(report)
    for part in (
        "12,345 turns of the assistant in 3 iterations between 0 and 9; 5 dimensions, 2 of them with a weight",
        "; gaming alarms: 1",
        "! gaming alarm: my.<script>",
        "Watched dimensions that moved",
        "format.nonempty: always 1",
        "code.runs: never judged",
        "style.calm and format.nonempty: +0.990 over 800 turns",
        "Conflicts between dimensions that train: 1",
    ):
        assert part in text
    row = next(line for line in text.splitlines() if line.startswith("answer.correct "))
    assert row.split() == ["answer.correct", "1", "50%", "0.750", "±", "0.125", "0.250", "±", "0.500", "-1.25", "87.5%"]
    moved = text[text.index("Watched dimensions") : text.index("Dead dimensions")]
    assert "style.calm" in moved
    assert "format.nonempty" not in moved


def test_the_terminal_is_not_steered(report: RewardReport) -> None:
    assert "\x1b" not in shown(report)


def test_the_page_needs_nothing_else_and_escapes_every_name(report: RewardReport) -> None:
    page = html_report(report)
    assert "<script" not in page
    assert "mine &lt;b&gt;" in page
    assert page.count("my.&lt;script&gt;") >= 4
    pictures = re.findall(r'<img alt="[^"]+" src="data:image/png;base64,([^"]+)">', page)
    assert len(pictures) == page.count("<img") == 2
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert not re.findall(r"(?:href|src)=\"(?!data:)", page)
    assert "<td>code.runs</td>" in page
    assert page.count("<td>early</td>") == 4


def test_for_programs(report: RewardReport) -> None:
    found = json.loads(json.dumps(json_report(report)))
    assert found["dimensions"][0] == {
        "name": "answer.correct",
        "weight": 1.0,
        "judged": 0.5,
        "early": {"mean": 0.75, "std": 0.125, "p05": 0.5, "median": 0.75, "p95": 1.0},
        "late": {"mean": 0.25, "std": 0.5, "p05": 0.0, "median": 0.25, "p95": 1.0},
        "drift": -1.25,
        "dead": "",
        "share": 0.875,
    }
    assert found["alarms"][0]["dimension"] == EVIL
    assert found["duplicates"] == [
        {"first": "style.calm", "second": "format.nonempty", "correlation": 0.99, "num_turns": 800}
    ]

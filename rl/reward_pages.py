"""The rewards report for people and machines: in the terminal, as one HTML file that needs nothing else, as JSON."""

import base64
import html
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rl.reward_plots import reward_plots
from rl.reward_report import SAME, Distribution, Line, Pair, RewardReport
from rl.show import printable

MOVED = 0.5  # standard deviations: a dimension without weight is worth a line in the terminal
HEADER = ("dimension", "weight", "judged", "early", "late", "drift", "share", "")
DISTRIBUTION_HEADER = ("dimension", "when", "mean", "std", "5 %", "median", "95 %")
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;font-size:13px}td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;"
    "text-align:right}td:first-child,th:first-child,td:last-child{text-align:left}"
    ".alarm{color:#b00020;font-weight:600}img{max-width:100%}"
)


def print_report(report: RewardReport, console: Console) -> None:
    """The weighted dimensions, the others that moved, and what deserves attention."""
    console.print(Text(_summary(report)))
    for alarm in report.alarms:
        console.print(Text(f"! {printable(str(alarm))}", "bold red"))
    console.print(_table("Dimensions that train", report.by_share()))
    others = [line for line in report.lines if not line.weight and abs(line.drift or 0.0) >= MOVED]
    if others:
        console.print(_table("Watched dimensions that moved", sorted(others, key=lambda x: -abs(x.drift or 0.0))))
    for title, found in _findings(report):
        console.print(Text(f"\n{title}: {len(found)}", "bold"))
        for entry in found:
            console.print(Text(f"  {printable(entry)}"))


def html_report(report: RewardReport) -> str:
    """A page that holds its pictures and its style; every name in it is escaped."""
    alarms = [f'<p class="alarm">{_escape(str(alarm))}</p>' for alarm in report.alarms]
    pictures = [
        f'<h2>{_escape(title)}</h2>\n<img alt="{_escape(title)}" '
        f'src="data:image/png;base64,{base64.b64encode(png).decode()}">'
        for title, png in reward_plots(report).items()
    ]
    rest = [line for line in report.lines if not line.weight]
    sections = [
        f"<h1>Rewards of {_escape(report.name)}</h1>",
        f"<p>{_escape(_summary(report))}</p>",
        *alarms,
        *pictures,
        _html_table("Dimensions that train", HEADER, [_cells(line) for line in report.by_share()]),
        _html_table("Watched dimensions", HEADER, [_cells(line) for line in rest]),
        *(_html_list(title, found) for title, found in _findings(report)),
        _html_table("Distributions", DISTRIBUTION_HEADER, _distributions(report.lines)),
    ]
    title = f"<title>Rewards of {_escape(report.name)}</title>"
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{title}<style>{STYLE}</style></head>'
    return "\n".join([head, "<body>", *(section for section in sections if section), "</body></html>", ""])


def json_report(report: RewardReport) -> dict[str, object]:
    """All but the curves, as plain values."""
    return {
        "name": report.name,
        "role": report.role,
        "num_turns": report.num_turns,
        "iterations": list(report.iterations),
        "dimensions": [asdict(line) for line in report.lines],
        "duplicates": [asdict(pair) for pair in report.duplicates],
        "conflicts": [asdict(pair) for pair in report.conflicts],
        "alarms": [asdict(alarm) for alarm in report.alarms],
    }


def _summary(report: RewardReport) -> str:
    weighted = sum(bool(line.weight) for line in report.lines)
    return (
        f"{report.num_turns:,} turns of the {report.role} in {len(report.iterations)} iterations between "
        f"{report.iterations[0]} and {report.iterations[-1]}; {len(report.lines)} dimensions, {weighted} of them "
        f"with a weight; gaming alarms: {len(report.alarms)}"
    )


def _findings(report: RewardReport) -> list[tuple[str, list[str]]]:
    dead = [f"{line.name}: {line.dead}" for line in report.lines if line.dead]
    return [
        ("Dead dimensions", dead),
        (f"Duplicates (rank correlation above {SAME})", [_describe(pair) for pair in report.duplicates]),
        ("Conflicts between dimensions that train", [_describe(pair) for pair in report.conflicts]),
    ]


def _describe(pair: Pair) -> str:
    return f"{pair.first} and {pair.second}: {pair.correlation:+.3f} over {pair.num_turns:,} turns"


def _cells(line: Line) -> list[str]:
    return [
        line.name,
        f"{line.weight:g}" if line.weight else "",
        f"{line.judged:.0%}",
        _mean(line.early),
        _mean(line.late),
        "" if line.drift is None else f"{line.drift:+.2f}",
        "" if line.share is None else f"{line.share:.1%}",
        line.dead,
    ]


def _mean(distribution: Distribution | None) -> str:
    return "" if distribution is None else f"{distribution.mean:.3f} ± {distribution.std:.3f}"


def _distributions(lines: Sequence[Line]) -> list[list[str]]:
    return [
        [line.name, when, *(f"{x:.3f}" for x in (part.mean, part.std, part.p05, part.median, part.p95))]
        for line in lines
        for when, part in (("early", line.early), ("late", line.late))
        if part is not None
    ]


def _table(title: str, lines: Sequence[Line]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in HEADER:
        table.add_column(name, justify="left" if name in ("dimension", "") else "right")
    for line in lines:
        table.add_row(*(Text(printable(cell)) for cell in _cells(line)))
    return table


def _escape(text: str) -> str:
    return html.escape(printable(text))


def _html_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_escape(cell)}</th>" for cell in header)
    body = "\n".join("<tr>" + "".join(f"<td>{_escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{_escape(title)}</h2>\n<table><tr>{head}</tr>\n{body}</table>"


def _html_list(title: str, entries: Sequence[str]) -> str:
    items = "\n".join(f"<li>{_escape(entry)}</li>" for entry in entries) or "<li>none</li>"
    return f"<h2>{_escape(title)}</h2>\n<ul>{items}</ul>"

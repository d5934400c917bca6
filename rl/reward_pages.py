"""The rewards report for people and machines: in the terminal, as one HTML file that needs nothing else, as JSON."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rl.html import bullets, escape, page, paragraph, picture, table
from rl.reward_plots import reward_plots
from rl.reward_report import SAME, Distribution, Line, Pair, RewardReport
from rl.show import printable

MOVED = 0.5  # standard deviations: a dimension without weight is worth a line in the terminal
HEADER = ("dimension", "weight", "judged", "early", "late", "drift", "share", "")
DISTRIBUTION_HEADER = ("dimension", "when", "mean", "std", "5 %", "median", "95 %")


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
    rest = [line for line in report.lines if not line.weight]
    title = f"Rewards of {report.name}"
    sections = [
        f"<h1>{escape(title)}</h1>",
        paragraph(_summary(report)),
        *(paragraph(str(alarm), alarm=True) for alarm in report.alarms),
        *(picture(name, png) for name, png in reward_plots(report).items()),
        table("Dimensions that train", HEADER, [_cells(line) for line in report.by_share()]),
        table("Watched dimensions", HEADER, [_cells(line) for line in rest]),
        *(bullets(name, found) for name, found in _findings(report)),
        table("Distributions", DISTRIBUTION_HEADER, _distributions(report.lines)),
    ]
    return page(title, sections)


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

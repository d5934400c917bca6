"""A comparison for people and machines: in the terminal, as a page with curves, as JSON."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rl import html
from rl.compare import DEFAULT_SHARE, UNITS, Comparison, Cost, Spread, Summary, band
from rl.compare_policies import PolicyComparison
from rl.files import write_whole
from rl.plots import colour, draw_line, png
from rl.policy_sections import answer_section, json_policies, policy_sections
from rl.report import markdown_table
from rl.sections import Section
from rl.show import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAME = "compare"  # of the files
CURVES = "held-out accuracy over updates, tokens and seconds"


def print_comparison(comparison: Comparison | None, console: Console, policies: PolicyComparison | None = None) -> None:
    """`policies`: what the policies themselves are worth, where that was measured; `comparison`: how runs got there."""
    for line in _lead(comparison, policies):
        console.print(Text(printable(line)))
    for warning in _warnings(comparison, policies):
        console.print(Text(f"! {printable(warning)}", "bold red"))
    for section in _sections(comparison, policies):
        console.print(Text(f"\n{section.title}", "bold"))  # as a title, it would wrap at the width of its table
        table = Table(box=None, pad_edge=False)
        for index, name in enumerate(section.header):
            table.add_column(name, justify="right" if index else "left")
        for row in section.rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        console.print(table)


def write_comparison(comparison: Comparison | None, folder: Path, policies: PolicyComparison | None = None) -> None:
    """`compare.md` with its picture `compare.png`, `compare.html` with the picture inside, and `compare.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    curves = png(_curves(comparison)) if comparison is not None else None
    if curves is not None:
        write_whole(folder / f"{NAME}.png", curves)
    write_whole(folder / f"{NAME}.md", markdown(comparison, policies).encode())
    write_whole(folder / f"{NAME}.html", html_comparison(comparison, policies, curves).encode())
    values = json_comparison(comparison, policies)
    write_whole(folder / f"{NAME}.json", (json.dumps(values, indent=1) + "\n").encode())


def markdown(comparison: Comparison | None, policies: PolicyComparison | None = None) -> str:
    warnings = [f"**{_cell(warning)}**" for warning in _warnings(comparison, policies)]
    tables = [
        markdown_table(section.title, section.header, [[*map(_cell, row)] for row in section.rows])
        for section in [*_sections(comparison, policies), *_answer_sections(policies)]
    ]
    picture = [f"![{CURVES}]({NAME}.png)"] if comparison is not None else []
    parts = [
        f"# {_title(comparison, policies)}",
        *map(_cell, _lead(comparison, policies)),
        *warnings,
        *picture,
        *tables,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def html_comparison(comparison: Comparison | None, policies: PolicyComparison | None, curves: bytes | None) -> str:
    title = _title(comparison, policies)
    sections = [*_sections(comparison, policies), *_answer_sections(policies)]
    return html.page(
        title,
        [
            f"<h1>{html.escape(title)}</h1>",
            *map(html.paragraph, _lead(comparison, policies)),
            *(html.paragraph(warning, alarm=True) for warning in _warnings(comparison, policies)),
            *([html.picture(CURVES, curves)] if curves is not None else []),
            *(
                [html.picture("benchmarks", png(_bars(policies)))]
                if policies is not None and policies.benchmarks
                else []
            ),
            *(html.table(section.title, section.header, section.rows) for section in sections),
        ],
    )


def json_comparison(comparison: Comparison | None, policies: PolicyComparison | None = None) -> dict[str, object]:
    """Plain values; null stands for what was not reached."""
    trained: dict[str, object] = {}
    if comparison is not None:
        trained = {
            "target": comparison.target,
            "target_is_given": comparison.target_is_given,
            "baseline": comparison.summaries[0].label,
            "labels": [_json_summary(summary) for summary in comparison.summaries],
            "warnings": list(comparison.warnings),
        }
    return trained | ({"evaluation": json_policies(policies)} if policies is not None else {})


def _title(comparison: Comparison | None, policies: PolicyComparison | None) -> str:
    if policies is not None:
        return ", ".join(one.label for one in policies.contenders)
    return ", ".join(summary.label for summary in comparison.summaries) if comparison is not None else ""


def _lead(comparison: Comparison | None, policies: PolicyComparison | None) -> list[str]:
    advice = policies.recommendation if policies is not None else ()
    return [*advice, *([_aim(comparison)] if comparison is not None else [])]


def _warnings(comparison: Comparison | None, policies: PolicyComparison | None) -> list[str]:
    return [
        *(comparison.warnings if comparison is not None else ()),
        *(policies.warnings if policies is not None else ()),
    ]


def _sections(comparison: Comparison | None, policies: PolicyComparison | None) -> list[Section]:
    return [
        *(policy_sections(policies) if policies is not None else ()),
        *(_run_sections(comparison) if comparison is not None else ()),
    ]


def _answer_sections(policies: PolicyComparison | None) -> list[Section]:
    return [answer_section(policies)] if policies is not None and policies.samples else []


def _cell(text: str) -> str:
    """What a model wrote, as Markdown that shows it and does nothing else."""
    return html.escape(text).replace("|", "\\|").replace("\n", "<br>")


def _json_summary(summary: Summary) -> dict[str, object]:
    return {
        "label": summary.label,
        "runs": [
            {
                "folder": str(run.folder),
                "seed": run.config.run.seed,
                "final": run.last.accuracy,
                "best": run.best,
                "until_target": asdict(reached) if reached else None,
                "milestones": [asdict(milestone) for milestone in run.milestones],
            }
            for run, reached in zip(summary.runs, summary.arrivals, strict=True)
        ],
        "final": _json_spread(summary.final),
        "best": _json_spread(summary.best),
        "costs": {
            cost.unit: {
                "total": _json_spread(cost.total),
                "until_target": _json_spread(cost.until) if cost.until else None,
                "ratio": cost.ratio,
            }
            for cost in summary.costs
        },
        "by_scenario": summary.by_scenario,
        "by_domain": summary.by_domain,
        "by_language": summary.by_language,
    }


def _json_spread(spread: Spread) -> dict[str, float | None]:
    numbers = {"median": spread.median, "low": spread.low, "high": spread.high}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _aim(comparison: Comparison) -> str:
    if comparison.target is None:
        return "No target: no label was ever right at its end. Give one with --target."
    origin = "" if comparison.target_is_given else f", {DEFAULT_SHARE:.0%} of the lowest median final accuracy above 0"
    return (
        f"Target: held-out accuracy {_percent(comparison.target)}{origin}. Medians over the runs of a label, and "
        "(lowest to highest)."
    )


def _run_sections(comparison: Comparison) -> list[Section]:
    summaries = comparison.summaries
    header = ("", *(summary.label for summary in summaries))
    sections = [
        Section("Held-out accuracy and what it cost", header, _overview(comparison)),
        Section("Runs", ("run", "label", "seed", "updates", "final", "best", "updates to target"), _runs(comparison)),
    ]
    for kind, tables in (
        ("scenario", [summary.by_scenario for summary in summaries]),
        ("domain", [summary.by_domain for summary in summaries]),
        ("language", [summary.by_language for summary in summaries]),
    ):
        rows = _breakdown(tables)
        if len(rows) > 1:
            sections.append(Section(f"Final accuracy by {kind}", (kind, *header[1:]), rows))
    return sections


def _overview(comparison: Comparison) -> tuple[tuple[str, ...], ...]:
    summaries, target = comparison.summaries, comparison.target
    rows = [
        ("seeds", *(", ".join(str(run.config.run.seed) for run in summary.runs) for summary in summaries)),
        ("final accuracy", *(_spread(summary.final, _percent) for summary in summaries)),
        ("best accuracy", *(_spread(summary.best, _percent) for summary in summaries)),
    ]
    by_unit = list(zip(*(summary.costs for summary in summaries), strict=True))
    rows += [(costs[0].unit, *(_spread(cost.total, _whole) for cost in costs)) for costs in by_unit]
    if target is not None:
        for costs in by_unit:
            rows.append((f"{costs[0].unit} until {_percent(target)}", *(_until(cost) for cost in costs)))
            rows.append((f"  ratio to {summaries[0].label}", *(_ratio(cost.ratio) for cost in costs)))
    return tuple(rows)


def _runs(comparison: Comparison) -> tuple[tuple[str, ...], ...]:
    missing = "" if comparison.target is None else "not reached"
    return tuple(
        (
            run.folder.name,
            summary.label,
            str(run.config.run.seed),
            _whole(run.milestones[-1].updates),
            _percent(run.last.accuracy),
            _percent(run.best),
            _tenth(reached.updates) if reached else missing,
        )
        for summary in comparison.summaries
        for run, reached in zip(summary.runs, summary.arrivals, strict=True)
    )


def _breakdown(tables: Sequence[Mapping[str, float]]) -> tuple[tuple[str, ...], ...]:
    names = sorted({name for table in tables for name in table})
    return tuple((name, *(_percent(table[name]) if name in table else "" for table in tables)) for name in names)


def _until(cost: Cost) -> str:
    if cost.until is None:
        return ""
    if math.isinf(cost.until.median):
        return f"not within {_whole(cost.total.low)}"
    return _spread(cost.until, _tenth if cost.unit == "updates" else _whole)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _spread(spread: Spread, form: Callable[[float], str]) -> str:
    if spread.low == spread.high:
        return form(spread.median)
    high = form(spread.high) if math.isfinite(spread.high) else "not reached"
    return f"{form(spread.median)} ({form(spread.low)} to {high})"


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _tenth(value: float) -> str:
    return f"{value:,.1f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


def _curves(comparison: Comparison) -> "Figure":
    """A line for the median of each label, in a band from its lowest to its highest run; dashed: the target."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.4), layout="constrained")
    for axes, unit in zip(figure.subplots(1, len(UNITS), sharey=True), UNITS, strict=True):
        for index, summary in enumerate(comparison.summaries):
            places, spreads = band(summary.runs, unit)
            draw_line(axes, index, summary.label, places, [spread.median for spread in spreads])
            low, high = [spread.low for spread in spreads], [spread.high for spread in spreads]
            axes.fill_between(places, low, high, color=colour(index), alpha=0.18, lw=0)
        if comparison.target is not None:
            axes.axhline(comparison.target, color="grey", lw=0.8, ls="--")
        axes.set(ylim=(-0.02, 1.02), xlabel=unit)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    figure.axes[0].set_ylabel("held-out accuracy")
    figure.axes[0].set_title("Median of the runs, between the lowest and the highest", loc="left")
    figure.axes[0].legend(frameon=False, loc="best")
    return figure


def _bars(policies: PolicyComparison) -> "Figure":
    """The headline of every suite that counts items, with its interval, a colour for each label."""
    from matplotlib.figure import Figure

    shown = [
        row
        for row in policies.benchmarks
        if any(cell is not None and cell.num_items and cell.high <= 1 for cell in row.cells)
    ]
    figure = Figure(figsize=(9, 1.2 + 0.32 * max(1, len(shown)) * len(policies.contenders)), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(policies.contenders)
    for index, one in enumerate(policies.contenders):
        found = [(place, cell) for place, row in enumerate(shown) if (cell := row.cells[index]) is not None]
        axes.barh(
            [place + width * index for place, _ in found],
            [cell.value for _, cell in found],
            width,
            xerr=[[c.value - c.low for _, c in found], [c.high - c.value for _, c in found]],
            color=colour(index),
            label=one.label,
        )
    axes.set_yticks([place + 0.4 - width / 2 for place in range(len(shown))], [f"{r.suite}: {r.metric}" for r in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.legend(frameon=False)
    return figure

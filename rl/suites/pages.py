"""Results of an evaluation in the terminal."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rl.show import printable
from rl.suites.results import SuiteResult
from rl.suites.statistics import LEVEL, Estimate

MAX_GROUPS = 12


def print_results(results: Sequence[SuiteResult], console: Console) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("suite", "metric", "value", f"{LEVEL:.0%} interval", "items"):
        table.add_column(name, justify="left" if name in ("suite", "metric") else "right")
    for result in results:
        for metric, value in result.metrics.items():
            cells = (result.suite, metric, number(value.value), interval(value), str(result.num_items or ""))
            table.add_row(*(Text(printable(cell)) for cell in cells))
    console.print(table)
    for result in results:
        for line in _remarks(result):
            console.print(Text(f"{result.suite}: {printable(line)}"))


def number(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:,.0f}"


def interval(value: Estimate) -> str:
    return "" if value.low == value.high else f"{number(value.low)} to {number(value.high)}"


def _remarks(result: SuiteResult) -> list[str]:
    lines = [f"{count} items skipped: {cause}" for cause, count in result.skipped.items()]
    if 1 < len(result.groups) <= MAX_GROUPS:
        lines.append(", ".join(f"{name} {number(value.value)}" for name, value in result.groups.items()))
    if result.contamination is not None:
        found = result.contamination
        lines.append(
            f"{found.seen_share:.1%} of the items were asked in training word for word, {found.overlap_share:.1%} "
            f"share a long run of words with it ({found.num_texts:,} questions of its PPO dialogs; what the model had "
            "been shown before was not compared)"
        )
    elif result.num_items:
        lines.append("not compared with what the policy was trained on: there are no PPO dialogs of it")
    return [*lines, *result.notes]

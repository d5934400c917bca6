"""The pictures of the rewards report, as PNG data."""

from typing import TYPE_CHECKING

import numpy as np

from rl.plots import COLOURS, draw_line, png
from rl.reward_report import RewardReport
from rl.show import printable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_CURVES = 12  # panels of dimensions: more cannot be told apart


def reward_plots(report: RewardReport) -> dict[str, bytes]:
    """Title -> PNG, as far as there is something to see."""
    figures = {
        "Dimensions with the largest share of the signal, and held-out success": _curves(report),
        "Share of the signal": _shares(report),
    }
    return {title: png(figure, dpi=110) for title, figure in figures.items() if figure is not None}


def _curves(report: RewardReport) -> "Figure | None":
    """A small panel for each dimension, all on one time axis."""
    from matplotlib.figure import Figure

    chosen = [report.lines.index(line) for line in report.by_share()[:MAX_CURVES]]
    num_panels = len(chosen) + bool(report.evaluations)
    rows = (num_panels + 3) // 4
    figure = Figure(figsize=(12, 2.3 * rows), layout="constrained")
    grid = iter(figure.subplots(rows, 4, squeeze=False, sharex=True).ravel())
    if report.evaluations:
        steps, success = [step for step, _ in report.evaluations], [value for _, value in report.evaluations]
        _panel(next(grid), 1, "held-out success", steps, success)
    for column in chosen:
        values = report.curves[:, column]
        known = np.flatnonzero(~np.isnan(values))
        steps = [report.iterations[i] for i in known]
        _panel(next(grid), 0, report.lines[column].name, steps, values[known].tolist())
    for axes in grid:
        axes.set_axis_off()
    return figure


def _panel(axes: "Axes", index: int, title: str, steps: list[int], values: list[float]) -> None:
    draw_line(axes, index, title, steps, values)
    axes.set_title(printable(title), loc="left", fontsize=9, parse_math=False)
    axes.tick_params(labelsize=7, labelbottom=True)


def _shares(report: RewardReport) -> "Figure | None":
    lines = [line for line in report.by_share()[:30] if line.share]
    if not lines:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.8 + 0.24 * len(lines)), layout="constrained")
    axes = figure.subplots()
    shares = [line.share or 0.0 for line in lines]
    axes.barh(range(len(lines)), shares, color=[COLOURS[0] if share > 0 else COLOURS[1] for share in shares])
    axes.set_yticks(range(len(lines)), [printable(line.name) for line in lines], fontsize=8, parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel("of the variance of the reward")
    return figure

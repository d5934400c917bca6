"""The curves of a run as PNG files, in colours and markers that everybody can tell apart."""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rl.files import write_whole
from rl.metrics import MetricsLine, series
from rl.results import EvalResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe and Ito
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")  # one more than colours: 56 pairs until one comes back


@dataclass(frozen=True, slots=True)
class Panel:
    """One small chart: metric name -> label of its line."""

    title: str
    unit: str
    lines: dict[str, str]


LEVEL = re.compile(r"curriculum/.+/level")

SELFPLAY = (
    Panel(
        "Proposals",
        "share of the policy's own",
        {"selfplay/validity": "valid", "selfplay/distinct": "valid and distinct", "selfplay/new": "new"},
    ),
    Panel(
        "Their solvers",
        "0 to 1",
        {"selfplay/difficulty": "difficulty, 1 - p", "selfplay/learnable": "worth learning, 4p(1 - p)"},
    ),
)

TRAINING = (
    Panel("Reward", "mean scalar per turn", {"reward/mean": "reward"}),
    Panel("Entropy", "nats per token", {"actor/entropy": "entropy"}),
    Panel(
        "KL divergence",
        "nats per token",
        {"actor/ppo_kl": "update", "actor/ref_kl": "reference", "mismatch/kl": "sampler"},
    ),
    Panel("Response length", "tokens per turn", {"response_length/mean": "length"}),
)


def draw(folder: Path, lines: Sequence[MetricsLine], evals: Sequence[EvalResult]) -> list[str]:
    """Write the curves of learning, training, curriculum and self-play, as far as there is something to see; returns
    the files' names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = {
        "learning_curve.png": _learning_curve(evals),
        "training.png": _panels(lines, TRAINING),
        "curriculum.png": _curriculum(lines),
        "selfplay.png": _panels(lines, SELFPLAY),
    }
    written = []
    for name, figure in figures.items():
        if figure is not None:
            write_whole(folder / name, png(figure))
            written.append(name)
    return written


def _learning_curve(evals: Sequence[EvalResult]) -> "Figure | None":
    if not evals:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.5, 4.2), layout="constrained")
    axes = figure.subplots()
    steps = [result.step for result in evals]
    draw_line(axes, 0, "all turns", steps, [result.accuracy for result in evals])
    draw_line(axes, 1, "first turn", steps, [result.first_turn for result in evals])
    later = [(result.step, result.follow_up) for result in evals if result.follow_up is not None]
    draw_line(axes, 2, "follow-up", [step for step, _ in later], [value for _, value in later])
    axes.set(ylim=(-0.02, 1.02), ylabel="held-out accuracy", xlabel="iteration")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_title("Held-out dialogs, answered greedily", loc="left")
    axes.legend(frameon=False, loc="best")
    return figure


def _panels(lines: Sequence[MetricsLine], known: Sequence[Panel]) -> "Figure | None":
    panels = [panel for panel in known if any(series(lines, name)[0] for name in panel.lines)]
    if not panels:
        return None
    from matplotlib.figure import Figure

    rows = (len(panels) + 1) // 2
    figure = Figure(figsize=(9, 2.9 * rows), layout="constrained")
    grid = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes, panel in zip(grid, panels, strict=False):
        for index, (name, label) in enumerate(panel.lines.items()):
            draw_line(axes, index, label, *series(lines, name))
        axes.set_title(panel.title, loc="left")
        axes.set(xlabel="iteration", ylabel=panel.unit)
        if len(axes.lines) > 1:
            axes.legend(frameon=False)
    for axes in grid[len(panels) :]:
        axes.set_axis_off()
    return figure


def _curriculum(lines: Sequence[MetricsLine]) -> "Figure | None":
    """The level that each scenario is asked at, over the run: a row each, for there may be dozens."""
    names = sorted({name for line in lines for name in line.values if LEVEL.fullmatch(name)})
    if not names:
        return None
    from matplotlib.figure import Figure

    levels = [[line.values.get(name, math.nan) for line in lines] for name in names]
    figure = Figure(figsize=(9, 1.4 + 0.28 * len(names)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(levels, aspect="auto", interpolation="nearest", cmap="viridis", vmin=0)
    axes.set_yticks(range(len(names)), [name.split("/")[1] for name in names])
    axes.set(xlabel="iteration")
    axes.set_title("Curriculum: level that most questions are asked at", loc="left")
    figure.colorbar(image, ax=axes, label="level")
    return figure


def png(figure: "Figure", dpi: int = 130) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def colour(index: int) -> str:
    return COLOURS[index % len(COLOURS)]


def draw_line(axes: "Axes", index: int, label: str, steps: Sequence[float], values: Sequence[float]) -> None:
    """A line in the colour and with the marker of `index`; nothing where there are no steps."""
    if not steps:
        return
    every = max(1, len(steps) // 12)
    axes.plot(
        steps,
        values,
        label=label,
        color=colour(index),
        marker=MARKERS[index % len(MARKERS)],
        markevery=every,
        markersize=4,
        lw=1.6,
    )
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.25)

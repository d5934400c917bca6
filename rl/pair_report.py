"""What a reward model came to: `report.json`, `report.md` and a plot, from its scores of held-out pairs."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rl.files import write_whole
from rl.metrics import MetricsLine, read_metrics, series
from rl.pair_stage import Judged, read_judged
from rl.pair_statistics import (
    accuracy,
    bootstrap_interval,
    expected_calibration_error,
    rank_correlation,
    reliability,
)
from rl.plots import COLOURS, draw_line, png
from rl.report import markdown_table
from rl.supervised_loop import SupervisedSummary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOT = "reward_model.png"


def write_pair_report(run_dir: Path, summary: SupervisedSummary) -> None:
    lines, judged = read_metrics(run_dir), read_judged(run_dir)
    losses = series(lines, "train/loss")[1]
    machine = asdict(summary) | {
        "loss": {"first": losses[0], "last": losses[-1]},
        "pairs": describe(judged),
        "seconds": sum(line.values.get("timing_s/step", 0.0) for line in lines),
    }
    write_whole(run_dir / PLOT, png(_figure(lines, judged)))
    write_whole(run_dir / "report.json", (json.dumps(machine, indent=1) + "\n").encode())
    write_whole(run_dir / "report.md", _page(summary, losses, machine["pairs"]).encode())


def describe(judged: Judged) -> dict[str, Any]:
    """The figures of a reward model as JSON takes them; None where there is nothing to take a figure of."""
    margins, lengths = judged.margins, judged.lengths
    low, high = bootstrap_interval((margins > 0) + 0.5 * (margins == 0))
    longer = lengths[:, 0] - lengths[:, 1]
    sources = np.array(judged.sources)
    by_length = {"shorter": longer < 0, "equal": longer == 0, "longer": longer > 0}
    by_source = {source: sources == source for source in sorted(set(judged.sources))}
    return {
        "num_pairs": len(margins),
        "accuracy": accuracy(margins),
        "accuracy_interval": [low, high],
        "mean_margin": float(margins.mean()),
        "mean_score": float(judged.scores.mean()),
        "calibration_error": expected_calibration_error(margins),
        "reliability": [asdict(part) for part in reliability(margins)],
        "length_correlation": _or_none(rank_correlation(judged.scores.ravel(), lengths.ravel())),
        "by_chosen_length": {name: _part(margins, inside) for name, inside in by_length.items()},
        "by_source": {name: _part(margins, inside) for name, inside in by_source.items()},
    }


def _part(margins: np.ndarray, inside: np.ndarray) -> dict[str, float | int | None]:
    return {"num_pairs": int(inside.sum()), "accuracy": _or_none(accuracy(margins[inside]))}


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value


def _page(summary: SupervisedSummary, losses: list[float], pairs: dict[str, Any]) -> str:
    low, high = pairs["accuracy_interval"]
    facts = [
        f"held-out pair accuracy: **{pairs['accuracy']:.1%}** ({low:.1%} to {high:.1%}, 95 % bootstrap interval; "
        f"{pairs['num_pairs']:,} pairs)",
        f"expected calibration error of sigmoid(margin): {pairs['calibration_error']:.3f}",
        f"rank correlation of score and answer length: {_number(pairs['length_correlation'], '.2f')}",
        f"mean score {pairs['mean_score']:.2f}, mean margin {pairs['mean_margin']:.2f}",
        f"{summary.step:,} optimiser steps on {summary.num_tokens:,} tokens",
        f"loss: {losses[0]:.3f} at the first step, **{losses[-1]:.3f}** at the last, nats per pair",
        f"final weights: SHA-256 `{summary.final_weights_sha256}`",
    ]
    overview = "\n".join([f"# {summary.name} ({summary.kind})", "", *(f"- {fact}" for fact in facts)])
    calibration = [
        [f"{part['low']:.2f} to {part['high']:.2f}", f"{part['num_pairs']:,}"]
        + [f"{part[name]:.1%}" for name in ("predicted", "observed")]
        for part in pairs["reliability"]
    ]
    sections = [
        overview,
        f"![accuracy, calibration, scores by length]({PLOT})",
        markdown_table("By source", ["pairs from", "number", "accuracy"], _rows(pairs["by_source"])),
        markdown_table("Calibration", ["probability", "pairs", "predicted", "observed"], calibration),
        markdown_table("Length bias", ["the better answer is", "number", "accuracy"], _rows(pairs["by_chosen_length"])),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _rows(parts: dict[str, Any]) -> list[list[str]]:
    return [[name, f"{part['num_pairs']:,}", _number(part["accuracy"], ".1%")] for name, part in parts.items()]


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _figure(lines: list[MetricsLine], judged: Judged) -> "Figure":
    """Held-out accuracy over the steps; the reliability diagram; scores against lengths."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    learning, calibration, length = figure.subplots(1, 3)
    draw_line(learning, 0, "held-out", *series(lines, "eval/accuracy"))
    draw_line(learning, 1, "training batch", *series(lines, "train/accuracy"))
    learning.set(xlabel="step", ylabel="pair accuracy", ylim=(0, 1.02))
    learning.set_title("Accuracy", loc="left")
    learning.legend(frameon=False)
    bins = reliability(judged.margins)
    calibration.plot([0.5, 1], [0.5, 1], color="0.7", lw=1)
    draw_line(calibration, 0, "pairs", [part.predicted for part in bins], [part.observed for part in bins])
    calibration.set(xlabel="predicted, sigmoid(margin)", ylabel="observed", xlim=(0.48, 1.02), ylim=(-0.02, 1.02))
    calibration.set_title("Calibration", loc="left")
    for side, label in enumerate(("chosen", "rejected")):
        length.scatter(
            judged.lengths[:, side], judged.scores[:, side], s=6, alpha=0.4, color=COLOURS[side], label=label
        )
    length.set(xlabel="tokens of the answer", ylabel="score")
    length.set_title("Score and length", loc="left")
    length.spines[["top", "right"]].set_visible(False)
    length.legend(frameon=False)
    return figure

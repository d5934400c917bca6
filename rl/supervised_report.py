"""What a supervised stage did, when it ends: `report.json` for machines, `report.md` for people."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rl.files import write_whole
from rl.metrics import MetricsLine, read_metrics, series
from rl.rejection import FOLDER, RejectionReport, read_report
from rl.report import markdown_table
from rl.supervised_loop import SupervisedSummary

BITS, PERPLEXITY = "eval/bits_per_byte", "eval/perplexity"
LEVEL = "curriculum/level/"


def write_supervised_report(run_dir: Path, summary: SupervisedSummary) -> None:
    lines = read_metrics(run_dir)
    by_language = {
        name.removeprefix(f"{BITS}/"): (series(lines, name), series(lines, name.replace(BITS, PERPLEXITY)))
        for name in sorted({name for line in lines for name in line.values if name.startswith(f"{BITS}/")})
    }
    own = read_report(run_dir / FOLDER)
    losses = series(lines, "train/loss")[1]
    machine = asdict(summary) | {
        "rejection": asdict(own) if own else None,
        "loss": {"first": losses[0], "last": losses[-1]},
        "bits_per_byte": {language: bits[1][-1] for language, (bits, _) in by_language.items()},
        "perplexity": {language: values[1][-1] for language, (_, values) in by_language.items()},
        "seconds": sum(line.values.get("timing_s/step", 0.0) for line in lines),
    }
    rows = [
        [language, f"{bits[1][0]:.3f}", f"{bits[1][-1]:.3f}", f"{values[1][-1]:.2f}"]
        for language, (bits, values) in by_language.items()
    ]
    header = ["language", "bits per byte, first", "bits per byte, last", "perplexity per token, last"]
    facts = [
        f"{summary.step:,} optimiser steps on {summary.num_tokens:,} tokens",
        f"loss: {losses[0]:.3f} at the first step, **{losses[-1]:.3f}** at the last, nats per token",
        f"final weights: SHA-256 `{summary.final_weights_sha256}`",
    ]
    overview = "\n".join([f"# {summary.name} ({summary.kind})", "", *(f"- {fact}" for fact in facts)])
    sections = [
        overview,
        _rejection(own, run_dir / FOLDER),
        _curriculum(lines),
        markdown_table("Held-out text", header, rows),
    ]
    write_whole(run_dir / "report.json", (json.dumps(machine, indent=1) + "\n").encode())
    write_whole(run_dir / "report.md", ("\n\n".join(section for section in sections if section) + "\n").encode())


def _rejection(own: RejectionReport | None, folder: Path) -> str:
    """What the model's own dialogs were like, and those of them that it was trained on."""
    if own is None:
        return ""
    share = f"{own.num_kept / own.num_dialogs:.1%}" if own.num_dialogs else ""
    rows = [
        ["all that were judged", f"{own.num_judged:,} of {own.num_dialogs:,}", "", *_means(own.reward, own.success)],
        ["kept", f"{own.num_kept:,}", share, *_means(own.kept_reward, own.kept_success)],
    ]
    header = [f"of {own.num_tasks:,} tasks", "dialogs", "share", "mean reward", "mean success"]
    table = markdown_table("Rejection sampling: the model's own dialogs", header, rows)
    note = f"{own.num_cut_off:,} dialogs had an answer that was cut off or empty, and could not be kept."
    return f"{table}\n\n{note} All are in the store: `zero2one show {folder}`."


def _means(reward: float | None, success: float | None) -> list[str]:
    return ["" if reward is None else f"{reward:.3f}", "" if success is None else f"{success:.1%}"]


def _curriculum(lines: Sequence[MetricsLine], num_points: int = 5) -> str:
    """The share of each level at a few steps spread evenly over the stage."""
    names = [name for name in lines[0].values if name.startswith(LEVEL)]
    places = sorted({round(index * (len(lines) - 1) / (num_points - 1)) for index in range(num_points)})
    header = ["level", *(f"step {lines[place].step}" for place in places)]
    rows = [[name.removeprefix(LEVEL), *(f"{lines[place].values[name]:.1%}" for place in places)] for name in names]
    return markdown_table("Curriculum: share of the rows by level", header, rows)

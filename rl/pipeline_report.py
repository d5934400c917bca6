"""What a pipeline did: `report.json` and `report.md`, a section for each stage that leads to the stage's own report."""

import json
from pathlib import Path
from typing import Any

from rl.files import write_whole
from rl.pipeline import Pipeline
from rl.report import markdown_table


def write_pipeline_report(pipeline: Pipeline) -> None:
    reports = {stage.name: _report(pipeline.directory(stage.name)) for stage in pipeline.stages}
    machine = {
        "name": pipeline.name,
        "stages": [
            {"name": stage.name, "kind": stage.kind, "start_from": stage.start_from, "report": reports[stage.name]}
            for stage in pipeline.stages
        ],
    }
    rows = []
    for stage in pipeline.stages:
        report = reports[stage.name]
        link = f"[{stage.name}](stages/{stage.name}/report.md)"
        came_out, seconds = _came_out(report), _seconds(report)
        rows.append([link, stage.kind, stage.start_from or "", str(report["step"]), f"{seconds:,.0f}", came_out])
    header = ["stage", "kind", "starts from", "steps", "seconds", "what came of it"]
    links = [
        f"- {stage.name}: the {'module' if stage.module else 'model'} is in "
        f"`{pipeline.output(stage.name).relative_to(pipeline.folder)}`"
        for stage in pipeline.stages
    ]
    sections = [f"# {pipeline.name}", markdown_table("Stages", header, rows), "\n".join(links)]
    write_whole(pipeline.folder / "report.json", (json.dumps(machine, indent=1) + "\n").encode())
    write_whole(pipeline.folder / "report.md", ("\n\n".join(sections) + "\n").encode())


def _report(directory: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((directory / "report.json").read_bytes())
    return report


def _came_out(report: dict[str, Any]) -> str:
    """The figure that a stage is judged by, before and after."""
    if evals := report.get("eval"):
        return f"held-out accuracy {evals[0]['accuracy']:.1%} -> {evals[-1]['accuracy']:.1%}"
    if pairs := report.get("pairs"):
        low, high = pairs["accuracy_interval"]
        return f"held-out pair accuracy {pairs['accuracy']:.1%} ({low:.1%} to {high:.1%})"
    loss = f"loss {report['loss']['first']:.3f} -> {report['loss']['last']:.3f}"
    bits = list(report["bits_per_byte"].values())
    return f"{loss}; held-out bits per byte {sum(bits) / len(bits):.3f}" if bits else loss


def _seconds(report: dict[str, Any]) -> float:
    """Of all phases, or of the stage as one."""
    seconds = report["seconds"]
    return float(sum(seconds.values()) if isinstance(seconds, dict) else seconds)

"""Run directories made by hand, as far as reading them back goes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from rl.checkpoint import RunState
from rl.load_config import load_config, save_config
from rl.results import EvalResult

TOKENS, SECONDS = 100, 2.0  # of every update


def evaluation(step: int, accuracy: float, by_scenario: Mapping[str, float] | None = None) -> EvalResult:
    return EvalResult(step, accuracy, accuracy, None, None, 1.0, dict(by_scenario or {}), 4)


def make_run(
    folder: Path,
    accuracies: Mapping[int, float],
    *overrides: str,
    finished: bool = True,
    by_scenario: Mapping[str, float] | None = None,
) -> Path:
    """A run of the smoke recipe with these accuracies by step. It has come to its end, or to its last checkpoint.

    The last evaluation has `by_scenario`.
    """
    evals = [evaluation(step, accuracy) for step, accuracy in accuracies.items()]
    evals[-1:] = [evaluation(last.step, last.accuracy, by_scenario) for last in evals[-1:]]
    steps = max(accuracies, default=0)
    folder.mkdir(parents=True)
    config = load_config(
        "r1_zero_smoke", [f"run.num_iterations={max(steps, 1)}", *overrides, f"run.name={folder.name}"]
    )
    save_config(config, folder / "config.yaml")
    lines = [
        json.dumps({"step": step, "wall_time": 0.0, "throughput/tokens": TOKENS, "timing_s/step": SECONDS}) + "\n"
        for step in range(steps)
    ]
    (folder / "metrics.jsonl").write_text("".join(lines))
    if finished:
        write_report(folder, steps, evals)
    else:
        write_checkpoint(folder, steps, evals)
    return folder


def write_report(folder: Path, step: int, evals: Sequence[EvalResult]) -> None:
    (folder / "report.json").write_text(json.dumps({"step": step, "eval": [asdict(result) for result in evals]}))


def write_checkpoint(folder: Path, step: int, evals: Sequence[EvalResult]) -> None:
    checkpoint = folder / "checkpoints" / f"step-{step:06d}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "state.json").write_text(RunState(step=step, evals=tuple(evals)).model_dump_json())

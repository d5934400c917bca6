"""Runs of the real command, for the benchmarks that measure a whole run."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.metrics import MetricsLine, read_metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "benchmarks"
FLOORS = ("cluster", "rl", "models", "rewards", "envs")
RECIPE_RUN = "r1_zero_short"
RECIPE_OVERRIDES = ("run.num_iterations=4", "eval.every=0", "eval.num_tasks=20")


@dataclass(frozen=True, slots=True)
class RealRun:
    """What a finished run left behind.

    Attributes:
        lines: metrics of every iteration but the first, in which everything is done for the first time.
        report: of `report.json`.
    """

    lines: Sequence[MetricsLine]
    report: dict[str, Any]

    def total(self, metric: str) -> float:
        return sum(line.values[metric] for line in self.lines)

    def shares(self) -> dict[str, float]:
        """Of wall time, by what the run waited for."""
        phases = ("rollout", "reward", "learner", "sync", "other")
        return {phase: self.total(f"timing_s/{phase}") / self.total("timing_s/step") for phase in phases}


def run_recipe(name: str, overrides: Sequence[str]) -> RealRun:
    """`zero2one train r1_zero` from start to end, below `build/`."""
    shutil.rmtree(FOLDER / name, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("zero2one")), "train", "r1_zero"]
    command += [f"run.folder={FOLDER}", f"run.name={name}", *overrides]
    offline = {"HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run(command, stdout=sys.stderr, env=os.environ | offline, cwd=ROOT, check=True)
    return _read(name)


def last_run(name: str, overrides: Sequence[str]) -> RealRun:
    """The run of that name that another benchmark has just made, unless a source file is newer; then a run of it."""
    finished = FOLDER / name / "report.json"
    sources = [path for floor in FLOORS for path in (ROOT / floor).rglob("*") if path.suffix in (".py", ".yaml")]
    if finished.exists() and finished.stat().st_mtime > max(path.stat().st_mtime for path in sources):
        return _read(name)
    return run_recipe(name, overrides)


def _read(name: str) -> RealRun:
    report = json.loads((FOLDER / name / "report.json").read_text())
    return RealRun(read_metrics(FOLDER / name)[1:], report)

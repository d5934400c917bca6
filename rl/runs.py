"""A run read back from its directory: how it was configured, how well it did, and what that had cost."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from pydantic import JsonValue, TypeAdapter

from rl.checkpoint import newest_state
from rl.config import Config
from rl.load_config import load_config
from rl.metrics import read_metrics
from rl.results import EvalResult


class RunError(ValueError):
    """A folder that does not hold what is asked of a run."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """Held-out accuracy, from 0 to 1, and what it had cost: updates, tokens that the policy wrote in training dialogs,
    and seconds of wall time since the workers were ready, with evaluations and checkpoints.
    """

    updates: float
    tokens: float
    seconds: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Run:
    """A run with a milestone for each of its evaluations, at least one; `last` is the newest of these."""

    folder: Path
    config: Config
    milestones: tuple[Milestone, ...]
    last: EvalResult

    @property
    def best(self) -> float:
        return max(milestone.accuracy for milestone in self.milestones)


@dataclass(frozen=True, slots=True)
class Reported:
    """What `report.json` says of the end of a run: the updates that were done, and all evaluations."""

    step: int
    eval: tuple[EvalResult, ...]


def read_report(run_dir: Path) -> Reported | None:
    """None: the run has never come to its end."""
    path = run_dir / "report.json"
    if not path.exists():
        return None
    try:
        return TypeAdapter(Reported).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(f"{path} is damaged, or not the report of a run") from error


def read_run(run_dir: Path) -> Run:
    """Raises RunError where the run has not been evaluated yet."""
    evals = _evaluations(run_dir)
    if not evals:
        raise RunError(f"{run_dir} has no evaluations: neither its report nor its checkpoints hold any")
    lines = read_metrics(run_dir)
    steps = [line.step for line in lines]
    tokens, seconds = (
        list(accumulate((line.values.get(name, 0.0) for line in lines), initial=0.0))
        for name in ("throughput/tokens", "timing_s/step")
    )
    milestones = []
    for result in evals:
        done = bisect_left(steps, result.step)  # lines of updates before it
        milestones.append(Milestone(result.step, tokens[done], seconds[done], result.accuracy))
    return Run(run_dir, load_config(str(run_dir / "config.yaml")), tuple(milestones), evals[-1])


def different_keys(first: Config, second: Config) -> list[str]:
    """Dotted keys whose values differ; a list is one value."""
    return list(differences(first.model_dump(mode="json"), second.model_dump(mode="json")))


def differences(first: JsonValue, second: JsonValue, key: str = "") -> Iterator[str]:
    """Dotted keys, inside `key`, of the values that differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        for name in first | second:
            yield from differences(first.get(name), second.get(name), f"{key}.{name}" if key else name)
    elif first != second:
        yield key


def _evaluations(run_dir: Path) -> tuple[EvalResult, ...]:
    """Of the report or of the newest checkpoint, whichever knows more: a finished run may have been made longer."""
    report, state = read_report(run_dir), newest_state(run_dir)
    return max(report.eval if report else (), state.evals if state else (), key=len)

"""Runs side by side: how far each label came, and what it cost to come as far as a target.

The arithmetic alone: `rl/runs.py` reads, `rl/compare_pages.py` shows. The runs of one label differ in their seeds: what
is said of the label is the median over them, with the lowest and the highest.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from rl.runs import Milestone, Run, different_keys

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
UNITS: dict[str, Callable[[Milestone], float]] = {
    "updates": lambda milestone: milestone.updates,
    "tokens": lambda milestone: milestone.tokens,
    "seconds": lambda milestone: milestone.seconds,
}
SEED = re.compile(r"-s(eed)?\d+$")  # at the end of a run's name
DEFAULT_SHARE = 0.9  # of the lowest median final accuracy, for a target
# what evaluations ask; where it differs, their accuracies are of different things
ASKED = ("tasks.mix", "tasks.files", "tasks.questions", "eval.num_tasks", "rollout.max_turns")


class CompareError(ValueError):
    """Runs that cannot be put side by side."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One number over the runs of a label. Infinite stands for what a run has not reached."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What the runs of a label took, in one of `UNITS`.

    Attributes:
        total: up to the last evaluation.
        until: up to the target; None without a target.
        ratio: median `until` over that of the first label; None where either has not reached the target.
    """

    unit: str
    total: Spread
    until: Spread | None
    ratio: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the runs of one label did.

    Attributes:
        arrivals: where each run reached the target; None: it did not.
        costs: one for each of `UNITS`.
        by_scenario, by_domain, by_language: median accuracy in the last evaluation.
    """

    label: str
    runs: tuple[Run, ...]
    arrivals: tuple[Milestone | None, ...]
    costs: tuple[Cost, ...]
    final: Spread
    best: Spread
    by_scenario: dict[str, float]
    by_domain: dict[str, float]
    by_language: dict[str, float]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`target` is None where none was given and no label was ever right; the first summary is the baseline."""

    target: float | None
    target_is_given: bool
    summaries: tuple[Summary, ...]
    warnings: tuple[str, ...]


def parse_groups(arguments: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Label -> runs, from `LABEL=RUN,RUN` or `RUN,RUN`; without a label it is the first run's name but for its seed.

    Example: `parse_groups(["old=a,b", "runs/wide-seed1"]) == {"old": ("a", "b"), "wide": ("runs/wide-seed1",)}`
    """
    groups: dict[str, tuple[str, ...]] = {}
    for argument in arguments:
        label, equals, names = argument.rpartition("=")
        runs = tuple(names.split(","))
        if not all(runs):
            raise CompareError(f"{argument!r}: must look like LABEL=RUN or LABEL=RUN,RUN")
        label = label if equals else SEED.sub("", Path(runs[0]).name)
        if not LABEL.fullmatch(label):
            raise CompareError(f"{argument!r}: {label!r} is no label; give one of letters, digits, '.', '_' and '-'")
        if label in groups:
            raise CompareError(f"two labels {label!r}: join the seeds of one as {label}=RUN,RUN, or name them apart")
        groups[label] = runs
    return groups


def compare(groups: Mapping[str, Sequence[Run]], target: float | None = None) -> Comparison:
    """The labels in their order, the first as the baseline.

    `target` is an accuracy; None: 90 % of the lowest median final accuracy among labels that were ever right.
    """
    for label, runs in groups.items():
        if len({run.folder.resolve() for run in runs}) < len(runs):
            raise CompareError(f"{label}: the same run is given twice")
    finals = [statistics.median([run.last.accuracy for run in runs]) for runs in groups.values()]
    given = target is not None
    if target is None and any(finals):
        target = DEFAULT_SHARE * min(final for final in finals if final > 0)
    summaries: list[Summary] = []
    for label, runs in groups.items():
        summaries.append(_summarize(label, runs, target, summaries[0] if summaries else None))
    everyone = [run for runs in groups.values() for run in runs]
    return Comparison(target, given, tuple(summaries), tuple(_warnings(everyone)))


def arrival(milestones: Sequence[Milestone], target: float) -> Milestone | None:
    """Where accuracy first reaches `target`, on the straight line between the two evaluations around it."""
    if milestones[0].accuracy >= target:
        return milestones[0]
    for before, after in pairwise(milestones):
        if after.accuracy >= target:
            share = (target - before.accuracy) / (after.accuracy - before.accuracy)
            return Milestone(
                before.updates + share * (after.updates - before.updates),
                before.tokens + share * (after.tokens - before.tokens),
                before.seconds + share * (after.seconds - before.seconds),
                target,
            )
    return None


def band(runs: Sequence[Run], unit: str) -> tuple[list[float], list[Spread]]:
    """Accuracy over an axis in `unit`, wherever one of the runs was evaluated and all of them were on their way.

    Between its evaluations, the accuracy of a run is on a straight line.
    """
    axes = [[UNITS[unit](milestone) for milestone in run.milestones] for run in runs]
    first, last = max(axis[0] for axis in axes), min(axis[-1] for axis in axes)
    places = sorted({place for axis in axes for place in axis if first <= place <= last})
    curves = [
        np.interp(places, axis, [milestone.accuracy for milestone in run.milestones])
        for axis, run in zip(axes, runs, strict=True)
    ]
    return places, [_spread(column) for column in np.stack(curves, axis=1).tolist()]


def _summarize(label: str, runs: Sequence[Run], target: float | None, baseline: Summary | None) -> Summary:
    arrivals = tuple(None if target is None else arrival(run.milestones, target) for run in runs)
    costs = []
    for index, (unit, along) in enumerate(UNITS.items()):
        total, until, ratio = _spread([along(run.milestones[-1]) for run in runs]), None, None
        if target is not None:
            until = _spread([along(reached) if reached else math.inf for reached in arrivals])
            ratio = _ratio(until, baseline.costs[index].until if baseline else until)
        costs.append(Cost(unit, total, until, ratio))
    return Summary(
        label=label,
        runs=tuple(runs),
        arrivals=arrivals,
        costs=tuple(costs),
        final=_spread([run.last.accuracy for run in runs]),
        best=_spread([run.best for run in runs]),
        by_scenario=_medians([run.last.by_scenario for run in runs]),
        by_domain=_medians([run.last.by_domain for run in runs]),
        by_language=_medians([run.last.by_language for run in runs]),
    )


def _ratio(mine: Spread, baseline: Spread | None) -> float | None:
    if baseline is None or math.isinf(mine.median) or not 0 < baseline.median < math.inf:
        return None
    return mine.median / baseline.median


def _spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def _medians(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    names = sorted({name for table in tables for name in table})
    return {name: statistics.median([table[name] for table in tables if name in table]) for name in names}


def _warnings(runs: Sequence[Run]) -> Iterator[str]:
    keys = {key for run in runs[1:] for key in different_keys(runs[0].config, run.config)}
    asked = [name for name in ASKED if name in keys]
    if asked:
        yield f"the evaluations do not ask the same: {', '.join(asked)} differ"
    for run in runs:
        done, planned = int(run.milestones[-1].updates), run.config.run.num_iterations
        if done < planned:
            yield f"{run.folder} is unfinished: its last evaluation is of update {done} of {planned}"

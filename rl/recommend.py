"""A recommendation in words, drawn from the numbers of a comparison and from nothing else.

A benchmark decides between two labels only where their intervals do not overlap, which is stricter than a test at the
same level. The first label is the baseline; what is said of the others is against it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

MIN_ITEMS = 100  # below it, an interval of 95 % is wider than 20 points
MIN_RUNS = 3  # seeds
CHEAPER = 0.8  # of the baseline's cost: less than that is worth a word, and so is its inverse


@dataclass(frozen=True, slots=True)
class Measured:
    """A benchmark's number with its interval, over `num_items` items and the `num_runs` seeds of a label."""

    value: float
    low: float
    high: float
    num_items: int
    num_runs: int = 1
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a label.

    Attributes:
        updates_ratio: updates until the target over those of the baseline; None: one of them did not reach it, or
            there were no updates.
        parameters: of its policy; 0: not known.
    """

    label: str
    benchmarks: Mapping[str, Measured] = field(default_factory=dict)
    updates_ratio: float | None = None
    parameters: int = 0


def recommend(evidence: Sequence[Evidence]) -> list[str]:
    """One line for each label but the first, and the caveats; pure."""
    if len(evidence) < 2:
        return ["There is nothing to choose between: name a second run or model."]
    baseline, *others = evidence
    lines = [_against(baseline, other) for other in others]
    return lines + _caveats(evidence)


def decided(first: Measured, other: Measured) -> int:
    """1 where `other` is better than `first` beyond both intervals, -1 where it is worse, 0 where they overlap."""
    sign = -1 if first.lower_is_better else 1
    if other.low > first.high:
        return sign
    if other.high < first.low:
        return -sign
    return 0


def _against(baseline: Evidence, other: Evidence) -> str:
    common = [name for name in baseline.benchmarks if name in other.benchmarks]
    by_outcome: dict[int, list[str]] = {1: [], 0: [], -1: []}
    for name in common:
        by_outcome[decided(baseline.benchmarks[name], other.benchmarks[name])].append(name)
    better, undecided, worse = (
        [_with_ratio(name, baseline, other) for name in by_outcome[outcome]] for outcome in (1, 0, -1)
    )
    cost = _cost(baseline, other)
    if not common:
        return f"{other.label} and {baseline.label} share no benchmark: evaluate both with the same suites first{cost}."
    if better and not worse:
        rest = f"; no difference is shown in {_listed(undecided)}" if undecided else ""
        return f"Prefer {other.label} to {baseline.label}: better in {_listed(better)}{rest}{cost}."
    if worse and not better:
        return f"{baseline.label} is enough: {other.label} is better in nothing and worse in {_listed(worse)}{cost}."
    if better:
        return (
            f"It depends on what counts: {other.label} is better than {baseline.label} in {_listed(better)}, and worse "
            f"in {_listed(worse)}{cost}."
        )
    return (
        f"Nothing measured separates {other.label} from {baseline.label} ({_listed(undecided)}), so quality is no "
        f"reason to leave {baseline.label}{cost}."
    )


def _with_ratio(name: str, baseline: Evidence, other: Evidence) -> str:
    first, second = baseline.benchmarks[name], other.benchmarks[name]
    if first.value == 0:
        return f"{name} ({first.value:.3g} -> {second.value:.3g})"
    return f"{name} ({first.value:.3g} -> {second.value:.3g}, x {second.value / first.value:.2f})"


def _cost(baseline: Evidence, other: Evidence) -> str:
    """What it costs, where that differs by more than a little."""
    parts = []
    ratio = other.updates_ratio
    if ratio is not None and not CHEAPER < ratio < 1 / CHEAPER:
        parts.append(f"it takes {ratio:.2f} x the updates to the target")
    if baseline.parameters and other.parameters:
        size = other.parameters / baseline.parameters
        if not CHEAPER < size < 1 / CHEAPER:
            parts.append(f"has {size:.2f} x the parameters")
    return f"; {' and '.join(parts)}" if parts else ""


def _caveats(evidence: Sequence[Evidence]) -> list[str]:
    few_items = sorted(
        {name for one in evidence for name, found in one.benchmarks.items() if 0 < found.num_items < MIN_ITEMS}
    )
    few_runs = [one.label for one in evidence if any(found.num_runs < MIN_RUNS for found in one.benchmarks.values())]
    lines = []
    if few_items:
        lines.append(f"Thin evidence: fewer than {MIN_ITEMS} items in {_listed(few_items)}; raise --limit.")
    if few_runs:
        lines.append(
            f"Thin evidence: fewer than {MIN_RUNS} seeds of {_listed(few_runs)}; their intervals say how sure the "
            "number of one policy is, not how another seed would do."
        )
    return lines


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

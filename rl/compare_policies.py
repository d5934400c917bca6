"""Policies side by side: their benchmarks, what a solved item costs, their shape, their rewards, and what they say.

Beside `rl/compare.py`, which compares how runs got there; a model folder has no such past, and is compared here alone.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rl.compare import Comparison
from rl.load_config import load_config
from rl.recommend import Evidence, Measured, recommend
from rl.reward_report import RewardReportError, report_rewards
from rl.suites.architecture import Architecture, read_architecture
from rl.suites.policies import Policy, is_ppo, policy_sha256
from rl.suites.results import SuiteResult, read_answers, read_results
from rl.suites.suite import Row

NUM_SAMPLES = 2  # items of each suite whose answers are shown
# what decides about the items and the answers; where it differs, results are of different things
ASKED = ("suites.limit", "suites.seed", "suites.num_shots", "rollout.max_response_length")


@dataclass(frozen=True, slots=True)
class Contender:
    """The policies of one label, which differ in their seeds. `results`: by suite, of each policy."""

    label: str
    policies: tuple[Policy, ...]
    results: tuple[dict[str, SuiteResult], ...]
    architecture: Architecture
    rewards: Mapping[str, float]

    def of(self, suite: str) -> list[SuiteResult]:
        return [results[suite] for results in self.results if suite in results]


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A metric of a suite. `cells`: by label, None where it was not measured; `ratios`: to the first label."""

    suite: str
    metric: str
    cells: tuple[Measured | None, ...]
    ratios: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class SolvedCost:
    """By label: tokens that the policy writes, and seconds of the evaluation, per solved item; None: none solved."""

    suite: str
    tokens: tuple[float | None, ...]
    seconds: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class SampleAnswers:
    """One item of a suite with the greedy answer of each label's first policy."""

    suite: str
    question: str
    due: str
    answers: tuple[str, ...]
    scores: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PolicyComparison:
    contenders: tuple[Contender, ...]
    benchmarks: tuple[Benchmark, ...]
    costs: tuple[SolvedCost, ...]
    samples: tuple[SampleAnswers, ...]
    recommendation: tuple[str, ...]
    warnings: tuple[str, ...]


def read_contender(label: str, policies: Sequence[Policy]) -> Contender:
    """Raises `models.tokenizer.ModelError` and `rl.suites.suite.SuiteError`."""
    return Contender(
        label,
        tuple(policies),
        tuple(read_results(policy.results) for policy in policies),
        read_architecture(policies[0].weights),
        _late_rewards([policy.home for policy in policies if policy.is_run and is_ppo(policy.home)]),
    )


def compare_policies(contenders: Sequence[Contender], trained: Comparison | None) -> PolicyComparison:
    """`trained`: how the runs among them got there; the first contender is the baseline of all ratios."""
    suites = list(dict.fromkeys(suite for one in contenders for results in one.results for suite in results))
    benchmarks = [row for suite in suites for row in benchmark_rows(suite, [one.of(suite) for one in contenders])]
    return PolicyComparison(
        contenders=tuple(contenders),
        benchmarks=tuple(benchmarks),
        costs=tuple(cost for suite in suites if (cost := _solved_cost(suite, contenders)) is not None),
        samples=tuple(sample for suite in suites for sample in _samples(suite, contenders)),
        recommendation=tuple(recommend([_evidence(one, trained) for one in contenders])),
        warnings=tuple(_warnings(contenders)),
    )


def benchmark_rows(suite: str, by_label: Sequence[Sequence[SuiteResult]]) -> list[Benchmark]:
    """The suite's headline first, then its other metrics in their order."""
    results = [result for label in by_label for result in label]
    names = list(dict.fromkeys([results[0].headline, *(name for result in results for name in result.metrics)]))
    rows = []
    for name in names:
        cells = tuple(measured([result for result in label if name in result.metrics], name) for label in by_label)
        rows.append(Benchmark(suite, name, cells, tuple(_ratio(cells[0], cell) for cell in cells)))
    return rows


def measured(results: Sequence[SuiteResult], metric: str) -> Measured | None:
    """Median over the seeds; the interval reaches from the lowest end of theirs to the highest."""
    if not results:
        return None
    values = [result.metrics[metric] for result in results]
    return Measured(
        statistics.median([value.value for value in values]),
        min(value.low for value in values),
        max(value.high for value in values),
        num_items=min(result.num_items for result in results),
        num_runs=len(results),
        lower_is_better=results[0].lower_is_better,
    )


def _ratio(baseline: Measured | None, other: Measured | None) -> float | None:
    return None if baseline is None or other is None or baseline.value == 0 else other.value / baseline.value


def _solved_cost(suite: str, contenders: Sequence[Contender]) -> SolvedCost | None:
    """None for a suite that counts no solved items."""
    results = [one.of(suite) for one in contenders]
    known = [result for label in results for result in label]
    if any(result.lower_is_better or not result.num_tokens for result in known):
        return None
    return SolvedCost(
        suite,
        tuple(_per_solved(label, [result.num_tokens for result in label]) for label in results),
        tuple(_per_solved(label, [result.seconds for result in label]) for label in results),
    )


def _per_solved(results: Sequence[SuiteResult], spent: Sequence[float]) -> float | None:
    solved = sum(result.value.value * result.num_items for result in results)
    return sum(spent) / solved if solved else None


def _samples(suite: str, contenders: Sequence[Contender]) -> list[SampleAnswers]:
    """Of the items that all have answered, some evenly spread: a sample, not a selection."""
    if not all(one.of(suite) and one.of(suite)[0].num_items for one in contenders):
        return []
    tables: list[dict[str, Row]] = []
    for one in contenders:
        first = next(p for p, results in zip(one.policies, one.results, strict=True) if suite in results)
        tables.append({row.item: row for row in read_answers(first.results, suite) if row.sample == 0})
    common = sorted(set.intersection(*(set(table) for table in tables)))
    chosen = common[:: max(1, len(common) // NUM_SAMPLES)][:NUM_SAMPLES]
    return [
        SampleAnswers(
            suite,
            tables[0][item].question,
            tables[0][item].due,
            tuple(table[item].answer for table in tables),
            tuple(table[item].score for table in tables),
        )
        for item in chosen
    ]


def _evidence(one: Contender, trained: Comparison | None) -> Evidence:
    summary = next((s for s in trained.summaries if s.label == one.label), None) if trained else None
    suites = dict.fromkeys(suite for results in one.results for suite in results)
    found = {suite: measured(one.of(suite), one.of(suite)[0].headline) for suite in suites}
    return Evidence(
        one.label,
        {suite: number for suite, number in found.items() if number is not None and number.num_items},
        next((cost.ratio for cost in summary.costs if cost.unit == "updates"), None) if summary else None,
        one.architecture.parameters,
    )


def _late_rewards(run_dirs: Sequence[Path]) -> dict[str, float]:
    """Mean of every weighted dimension in the last quarter of training, median over the runs."""
    found: dict[str, list[float]] = {}
    for run_dir in run_dirs:
        weights = load_config(str(run_dir / "config.yaml")).rewards.weights
        try:
            lines = report_rewards(run_dir).lines
        except RewardReportError:
            continue  # nothing was judged yet
        for line in lines:
            if line.name in weights and line.late is not None:
                found.setdefault(line.name, []).append(line.late.mean)
    return {name: statistics.median(values) for name, values in found.items()}


def _warnings(contenders: Sequence[Contender]) -> list[str]:
    """Results that are of another policy, or were asked otherwise than those beside them."""
    warnings = []
    asked: dict[str, dict[str, str]] = {}
    for one in contenders:
        for policy, results in zip(one.policies, one.results, strict=True):
            current = policy_sha256(policy) if results else ""
            for suite, result in results.items():
                if result.policy != current:
                    warnings.append(f"{policy.results}/{suite}.json is of an older policy; run the suite again")
                first = asked.setdefault(suite, result.settings)
                different = [name for name in ASKED if first.get(name) != result.settings.get(name)]
                if different:
                    warnings.append(f"{policy.results}/{suite}.json was asked otherwise: {', '.join(different)} differ")
    return warnings

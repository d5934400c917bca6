"""What an evaluation leaves behind: `eval/SUITE.parquet`, a row per answer, and `eval/SUITE.json`, what it comes to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from rl.files import write_whole
from rl.suites.contamination import Contamination
from rl.suites.statistics import Estimate, estimate, majority, pass_at_k
from rl.suites.suite import Examination, Row, Suite, SuiteError

KS = (1, 2, 4, 8, 16, 32, 64, 100)  # of pass@k and maj@k, as far as there are samples
SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("item", "group")),
        ("sample", pa.int32()),
        *((name, pa.string()) for name in ("question", "answer", "due")),
        ("score", pa.float64()),
        *((name, pa.string()) for name in ("final", "finish")),
        ("num_tokens", pa.int32()),
        ("seconds", pa.float64()),
        ("detail", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """A suite's numbers for one policy.

    Attributes:
        headline: the metric that stands for the suite; one of `metrics`.
        metrics: name -> mean over items with its interval.
        groups: group -> the headline's mean within it.
        num_items: that were asked; `skipped` ones are not among them.
        extras: numbers without an interval.
        policy: SHA-256 of the policy, as `rl.suites.policies.policy_sha256` has it.
        settings: how it was asked, as dotted names.
    """

    suite: str
    headline: str
    lower_is_better: bool
    metrics: dict[str, Estimate]
    groups: dict[str, Estimate]
    num_items: int
    num_tokens: int
    skipped: dict[str, int]
    extras: dict[str, float]
    notes: tuple[str, ...]
    contamination: Contamination | None
    policy: str
    seconds: float
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def value(self) -> Estimate:
        return self.metrics[self.headline]


def summarize(
    suite: Suite,
    found: Examination,
    *,
    contamination: Contamination | None,
    policy: str,
    seconds: float,
    seed: int,
    num_resamples: int,
    settings: Mapping[str, str],
) -> SuiteResult:
    """Raises SuiteError where not a single item was asked."""
    greedy = [row for row in found.rows if row.sample == 0]
    metrics = _measured(found.extras) if not found.rows else {}
    if not greedy and suite.headline not in metrics:
        causes = ", ".join(f"{count} {cause}" for cause, count in found.skipped.items()) or "the suite is empty"
        raise SuiteError(f"suite {suite.name}: no item could be asked: {causes}")

    def mean(values: Sequence[float]) -> Estimate:
        return estimate(values, seed=seed, num_resamples=num_resamples)

    if greedy:
        metrics[suite.headline] = mean([row.score for row in greedy])
        metrics |= {name: mean(values) for name, values in sampled_metrics(found.rows).items()}
    if contamination is not None and contamination.clean:
        clean = [row.score for row in greedy if row.item in contamination.clean]
        metrics[f"{suite.headline}, unseen in training"] = mean(clean)
    names = sorted({row.group for row in greedy})
    return SuiteResult(
        suite=suite.name,
        headline=suite.headline,
        lower_is_better=suite.lower_is_better,
        metrics=metrics,
        groups={name: mean([row.score for row in greedy if row.group == name]) for name in names},
        num_items=len(greedy),
        num_tokens=sum(row.num_tokens for row in found.rows),
        skipped=found.skipped,
        extras=found.extras,
        notes=found.notes,
        contamination=contamination,
        policy=policy,
        seconds=seconds,
        settings=dict(settings),
    )


def sampled_metrics(rows: Sequence[Row]) -> dict[str, list[float]]:
    """pass@k of the drawn answers, and maj@k where answers come to one thing that is due: a value per item."""
    by_item: dict[str, list[Row]] = {}
    for row in rows:
        if row.sample > 0:
            by_item.setdefault(row.item, []).append(row)
    if not by_item:
        return {}
    drawn = min(map(len, by_item.values()))
    found = {}
    for k in (k for k in KS if k <= drawn):
        found[f"pass@{k}"] = [
            pass_at_k(len(answers), sum(row.score == 1.0 for row in answers), k) for answers in by_item.values()
        ]
        if k > 2 and any(row.final for row in rows):  # of two there is no majority
            found[f"maj@{k}"] = [
                float(majority([row.final or None for row in answers[:k]]) == answers[0].due)
                for answers in by_item.values()
            ]
    return found


def _measured(extras: Mapping[str, float]) -> dict[str, Estimate]:
    return {name: Estimate(value, value, value) for name, value in extras.items()}


def write_result(folder: Path, result: SuiteResult, rows: Sequence[Row]) -> None:
    """The rows first: a summary means that they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = {column.name: [getattr(row, column.name) for row in rows] for column in fields(Row)}
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.table(columns, SCHEMA), buffer, compression="zstd")
    write_whole(folder / f"{result.suite}.parquet", memoryview(buffer.getvalue()))
    write_whole(folder / f"{result.suite}.json", (json.dumps(asdict(result), indent=1) + "\n").encode())


def read_results(folder: Path) -> dict[str, SuiteResult]:
    """All summaries in a folder, by suite; none where it is not there. Raises SuiteError for a damaged one."""
    results = {}
    for path in sorted(folder.glob("*.json")):
        try:
            result = TypeAdapter(SuiteResult).validate_json(path.read_bytes())
        except (OSError, ValueError) as error:
            raise SuiteError(f"{path}: damaged, or not of an evaluation; remove it and run the suite again") from error
        results[result.suite] = result
    return results


def read_answers(folder: Path, suite: str) -> list[Row]:
    """The stored rows of a suite. Raises SuiteError."""
    path = folder / f"{suite}.parquet"
    try:
        return [Row(**values) for values in pq.read_table(path, schema=SCHEMA, partitioning=None).to_pylist()]
    except (OSError, pa.ArrowException, TypeError) as error:
        raise SuiteError(f"{path}: cannot be read: {error}") from error

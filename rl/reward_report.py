"""What the reward of a run was made of, from its stored dialogs: `zero2one rewards report RUN`.

It is about one role at a time, the assistant unless asked: a sum and a proposal of one are judged by other standards.

Distributions and drift, dimensions that say nothing, pairs that say the same or pull apart, each dimension's share of
the signal, gaming alarms. The analysis alone, in pure functions over arrays; `rl/reward_pages.py` shows it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from rewards.signal import Moments, Signal, Weights
from rl.checkpoint import newest_state
from rl.gaming import Alarm, GamingWatch, snapshot
from rl.load_config import load_config
from rl.store import Judgements, Query, judgements, parts
from rl.tasks import signal_of
from rl.trajectory import Role

MAX_ITERATIONS = 40  # read of a run, evenly spread, its first and last among them
MAX_TURNS = 1000  # of each, evenly spread
SAME = 0.98  # rank correlation above which two dimensions say the same
OPPOSED = -0.5  # and below which two weighted ones pull apart
MIN_COMMON = 50  # turns that both have judged


class RewardReportError(ValueError):
    """There is nothing to report on."""


@dataclass(frozen=True, slots=True)
class Distribution:
    mean: float
    std: float
    p05: float
    median: float
    p95: float


@dataclass(frozen=True, slots=True)
class Line:
    """One dimension over a run.

    Attributes:
        judged: share of the turns that it did not abstain from.
        early, late: in the first and the last quarter of the iterations; None where it judged nothing.
        drift: late mean minus early mean, in standard deviations over both; None where either is missing.
        dead: why it can teach nothing, or "".
        share: of the variance of the reward (see `signal_shares`); None without a weight.
    """

    name: str
    weight: float
    judged: float
    early: Distribution | None
    late: Distribution | None
    drift: float | None
    dead: str
    share: float | None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dimensions and their rank correlation over the turns that both have judged."""

    first: str
    second: str
    correlation: float
    num_turns: int


@dataclass(frozen=True, slots=True)
class RewardReport:
    """What `report_rewards` found.

    Attributes:
        role: whose turns these are; `alarms` and `evaluations` are always the assistant's.
        iterations: those that were read.
        curves: [iterations, D], mean of each of `lines`, NaN where it judged nothing.
        evaluations: step and held-out success.
    """

    name: str
    role: Role
    num_turns: int
    iterations: tuple[int, ...]
    lines: tuple[Line, ...]
    duplicates: tuple[Pair, ...]
    conflicts: tuple[Pair, ...]
    alarms: tuple[Alarm, ...]
    curves: np.ndarray
    evaluations: tuple[tuple[int, float], ...]

    def by_share(self) -> list[Line]:
        """The weighted dimensions, those that bring most of the signal first."""
        return sorted((line for line in self.lines if line.weight), key=lambda line: -abs(line.share or 0.0))


def report_rewards(run_dir: Path, role: Role = "assistant") -> RewardReport:
    """Read a run, going on or ended. Raises RewardReportError if nothing of this role has been judged in training."""
    config = load_config(str(run_dir / "config.yaml"))
    state = newest_state(run_dir)
    signal = signal_of(config.rewards).reweighted(state.weights if state else Weights())
    iterations = sorted({part.iteration for part in parts(run_dir, Query(purpose="train"))})
    groups = [g for g in (_read_iteration(run_dir, signal, role, i) for i in spread(iterations, MAX_ITERATIONS)) if g]
    if not any(len(group.success) for group in groups):
        raise RewardReportError(f"{run_dir}: no training dialog of the {role} has been judged yet")
    vector = np.concatenate([group.vector for group in groups])
    success = np.concatenate([group.success for group in groups])
    quarter = max(1, len(groups) // 4)
    early, late = (np.concatenate([g.vector for g in some]) for some in (groups[:quarter], groups[-quarter:]))
    brought = signal.contributions(vector, success, Moments.of(signal.transformed(vector)))
    watch, evaluations = _watch(run_dir, signal, signal.weights_by_name)
    return RewardReport(
        name=config.run.name,
        role=role,
        num_turns=len(success),
        iterations=tuple(group.iteration for group in groups),
        lines=tuple(describe(signal, vector, early, late, signal_shares(brought))),
        duplicates=tuple(pairs(signal.names, vector, above=SAME)),
        conflicts=tuple(pairs(signal.names, brought, below=OPPOSED, among=np.flatnonzero(signal.weights))),
        alarms=watch.alarms,
        curves=np.array([_means(group.vector) for group in groups]),
        evaluations=evaluations,
    )


def spread(items: Sequence[int], limit: int) -> list[int]:
    """At most `limit` of the items, evenly spread, the first and the last among them."""
    if len(items) <= limit:
        return list(items)
    return [items[i] for i in np.linspace(0, len(items) - 1, limit).round().astype(int)]


def describe(
    signal: Signal, vector: np.ndarray, early: np.ndarray, late: np.ndarray, shares: np.ndarray
) -> Iterator[Line]:
    """A line for each dimension: [N, D] values of all turns, of the early and of the late ones, [D] shares."""
    for column, name in enumerate(signal.names):
        judged = _judged(vector[:, column])
        before, after = (distribution(part[:, column]) for part in (early, late))
        weight = float(signal.weights[column])
        yield Line(
            name=name,
            weight=weight,
            judged=len(judged) / len(vector),
            early=before,
            late=after,
            drift=drift(early[:, column], late[:, column]) if before and after else None,
            dead="never judged" if not len(judged) else f"always {judged[0]:g}" if np.ptp(judged) == 0 else "",
            share=float(shares[column]) if weight else None,
        )


def distribution(values: np.ndarray) -> Distribution | None:
    """Of [N] values without the NaN among them; None if none are left."""
    judged = _judged(values)
    if not len(judged):
        return None
    return Distribution(float(judged.mean()), float(judged.std()), *np.quantile(judged, [0.05, 0.5, 0.95]).tolist())


def drift(early: np.ndarray, late: np.ndarray) -> float:
    """Late mean minus early mean over the standard deviation of both together; 0 where nothing varies."""
    before, after = _judged(early), _judged(late)
    spread = np.concatenate([before, after]).std()
    return float((after.mean() - before.mean()) / spread) if spread > 0 else 0.0


def signal_shares(brought: np.ndarray) -> np.ndarray:
    """Share of the variance of the reward that comes with each dimension's part of it: [N, D] -> [D], the sum is 1.

        share_d = cov(c_d, sum of all c) / var(sum of all c),    c_d 0 where it abstains

    Negative: the dimension damps what the others say.
    """
    parts = np.nan_to_num(brought, nan=0.0).astype(np.float64)
    parts = parts - parts.mean(0)
    total = parts.sum(1)
    variance = float(total @ total)
    return parts.T @ total / variance if variance > 0 else np.zeros(parts.shape[1])


def pairs(
    names: Sequence[str],
    values: np.ndarray,
    *,
    above: float = np.inf,
    below: float = -np.inf,
    among: np.ndarray | None = None,
) -> list[Pair]:
    """Pairs of columns of `values` [N, D] whose rank correlation is above or below the bounds, the strongest first.

    All pairs are screened with the ranks that a value has among everything its dimension judged, which differ from
    those among the common turns where either abstains. So what comes near a bound is computed again, exactly.
    """
    columns = np.arange(len(names)) if among is None else among
    rough, common = rank_correlations(values[:, columns])
    near = (rough > above - 0.1) | (rough < below + 0.1)
    found = []
    for i, j in np.argwhere(np.triu(near & (common >= MIN_COMMON), k=1)):
        first, second = columns[i], columns[j]
        correlation = spearman(values[:, first], values[:, second])
        if correlation > above or correlation < below:
            found.append(Pair(names[first], names[second], correlation, int(common[i, j])))
    return sorted(found, key=lambda pair: -abs(pair.correlation))


def rank_correlations(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of the columns' ranks over the rows where both are known, and the number of these rows.

    [N, D] -> [D, D], [D, D]; NaN where one of the two does not vary there.
    """
    known = ~np.isnan(values)
    ranks = np.zeros(values.shape)
    for column in range(values.shape[1]):
        own = known[:, column]
        ranks[own, column] = _ranks(values[own, column])
        ranks[own, column] -= ranks[own, column].mean() if own.any() else 0.0
    mask = known.astype(np.float64)
    n, total, square = mask.T @ mask, ranks.T @ mask, (ranks**2).T @ mask
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt(np.maximum(n * square - total**2, 0.0))
        return (n * (ranks.T @ ranks) - total * total.T) / (spread * spread.T), n.astype(int)


def spearman(first: np.ndarray, second: np.ndarray) -> float:
    """Rank correlation over the rows where both are known, ties sharing their mean rank; NaN if one does not vary."""
    common = ~np.isnan(first) & ~np.isnan(second)
    ranks = np.stack([_ranks(first[common]), _ranks(second[common])])
    if not common.any() or np.any(np.ptp(ranks, axis=1) == 0):
        return float("nan")
    return float(np.corrcoef(ranks)[0, 1])


def _ranks(values: np.ndarray) -> np.ndarray:
    """Rank of each value, from 0; equal values share the mean of theirs."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2.0)[index]


def _judged(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)].astype(np.float64)


def _means(vector: np.ndarray) -> np.ndarray:
    moments = Moments.of(vector)
    return np.where(moments.count > 0, moments.mean, np.nan)


def _read_iteration(run_dir: Path, signal: Signal, role: Role, iteration: int) -> Judgements | None:
    """Up to `MAX_TURNS` turns of an iteration, over all of its parts."""
    read = _joined(list(judgements(run_dir, signal.names, Query("train", iteration, iteration, role=role))))
    rows = spread(range(len(read.success)), MAX_TURNS)
    if not rows:
        return None
    return Judgements(iteration, read.num_dialogs, read.vector[rows], read.scalar[rows], read.success[rows])


def _joined(found: Sequence[Judgements]) -> Judgements:
    return Judgements(
        found[0].iteration,
        sum(part.num_dialogs for part in found),
        np.concatenate([part.vector for part in found]),
        np.concatenate([part.scalar for part in found]),
        np.concatenate([part.success for part in found]),
    )


def _watch(
    run_dir: Path, signal: Signal, weights: Mapping[str, float]
) -> tuple[GamingWatch, tuple[tuple[int, float], ...]]:
    """The gaming alarm over the stored evaluations, as the loop has raised it; and their success."""
    watch, evaluations = GamingWatch(), []
    found = judgements(run_dir, signal.names, Query(purpose="eval"))
    for step, of_step in groupby(found, key=lambda part: part.iteration):
        read = _joined(list(of_step))
        if len(read.success):
            now = snapshot(step, read.vector, read.success, read.num_dialogs, signal)
            watch = watch.after(now, weights)
            evaluations.append((step, now.success))
    return watch, tuple(evaluations)

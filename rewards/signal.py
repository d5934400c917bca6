"""From the vector of an answer to the one number that trains: transform, normalise, weigh, gate, add up.

Dimensions are combined here and nowhere else. All of it is pure: the training loop owns the moments, and moves them on
once per iteration, after their use, so that neither the number of workers nor a resumed run changes a reward.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from rewards.dimension import Dimension
from rewards.resolve import RewardConfigError
from rewards.score import SUCCESS, weighted_sum

TransformKind = Literal["center", "log1p", "sigmoid", "clip", "power"]
MAX_DEVIATION = 5.0  # standard deviations: a dimension that hardly ever moves must not drown the others when it does
EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Transform:
    """What a dimension's value x becomes before anything else.

    Attributes:
        kind: "center", its range onto [-1, 1], so that a bad answer loses; "log1p", sign(x) log(1 + |x|); "sigmoid",
            1 / (1 + exp(-x)); "clip", to [low, high]; "power", sign(x) |x|^exponent, above 1 to pay for the best.
    """

    kind: TransformKind
    low: float = 0.0
    high: float = 1.0
    exponent: float = 1.0


@dataclass(frozen=True, slots=True)
class Gate:
    """Where `when` (a dimension, or "success") is below `below`, what each of `cap` (names or families) brings to the
    reward is at most `at`. An abstention of `when` shuts nothing, and a penalty stays a penalty.
    """

    when: str
    cap: tuple[str, ...]
    below: float = 0.5
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and spread of D dimensions over the turns that each has judged.

    Attributes:
        count, mean, m2: [D] float64; m2 is the sum of squared deviations from the mean.
    """

    count: np.ndarray
    mean: np.ndarray
    m2: np.ndarray

    @classmethod
    def none(cls, num_dimensions: int) -> "Moments":
        return cls(*np.zeros((3, num_dimensions)))

    @classmethod
    def of(cls, values: np.ndarray) -> "Moments":
        """Of `values` [N, D], NaN for an abstention."""
        judged = ~np.isnan(values)
        count = judged.sum(0).astype(np.float64)
        mean = np.where(judged, values, 0.0).sum(0, dtype=np.float64) / np.maximum(count, 1.0)
        return cls(count, mean, np.square(np.where(judged, values - mean, 0.0)).sum(0))

    @property
    def std(self) -> np.ndarray:
        return np.sqrt(self.m2 / np.maximum(self.count, 1.0))

    def merge(self, other: "Moments") -> "Moments":
        """Of both together (Chan, Golub and LeVeque 1979)."""
        count = self.count + other.count
        share = other.count / np.maximum(count, 1.0)
        apart = other.mean - self.mean
        return Moments(count, self.mean + apart * share, self.m2 + other.m2 + apart**2 * self.count * share)

    def by_name(self, names: Sequence[str]) -> dict[str, tuple[float, float, float]]:
        """As a checkpoint keeps them: name -> count, mean, m2."""
        rows = zip(self.count.tolist(), self.mean.tolist(), self.m2.tolist(), strict=True)
        return dict(zip(names, rows, strict=True))

    @classmethod
    def from_names(cls, state: Mapping[str, tuple[float, float, float]], names: Sequence[str]) -> "Moments":
        """What `by_name` gave. A dimension that is new since then starts from nothing."""
        return cls(*np.array([state.get(name, (0.0, 0.0, 0.0)) for name in names]).reshape(-1, 3).T)


@dataclass(frozen=True, slots=True)
class Weights:
    """What dimensions weigh, by name. Version 0 is the recipe's, later ones are corrections by human feedback."""

    version: int = 0
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Signal:
    """How D dimensions are combined; `build_signal` makes it from names.

    Attributes:
        names: [D], the columns of a reward vector.
        weights: [D] float32.
        version: of the weights, see `Weights`.
        transforms: by column, with the range of the dimension.
        normalize: whether a value counts in standard deviations from its mean so far.
        gates: the column of `when` (None: success), `below`, the mask [D] of what is capped, `at`.
    """

    names: tuple[str, ...]
    weights: np.ndarray
    transforms: tuple[tuple[int, Transform, float, float], ...] = ()
    normalize: bool = False
    gates: tuple[tuple[int | None, float, np.ndarray, float], ...] = ()
    version: int = 0

    @property
    def weights_by_name(self) -> dict[str, float]:
        """Of the dimensions that have one."""
        return {name: float(weight) for name, weight in zip(self.names, self.weights, strict=True) if weight}

    def reweighted(self, weights: Weights) -> "Signal":
        """With these weights; a dimension that they do not name keeps its own. Raises `RewardConfigError` for a name
        that is not scored.
        """
        for name in weights.values:
            if name not in self.names:
                raise RewardConfigError(
                    f"weights of version {weights.version}: {name} is not scored here; give it a weight or monitor it"
                )
        pairs = zip(self.names, self.weights.tolist(), strict=True)
        values = np.array([weights.values.get(name, own) for name, own in pairs], np.float32)
        return replace(self, weights=values, version=weights.version)

    def transformed(self, vector: np.ndarray) -> np.ndarray:
        """What moments are taken of. [N, D] -> [N, D], NaN stays NaN."""
        if not self.transforms:
            return vector
        values = vector.astype(np.float64)
        for column, transform, low, high in self.transforms:
            values[:, column] = _apply(transform, values[:, column], low, high)
        return values

    def values(self, vector: np.ndarray, moments: Moments) -> np.ndarray:
        """Transformed and normalised. A dimension without two judged turns in `moments` is taken as it is."""
        values = self.transformed(vector)
        if not self.normalize:
            return values
        deviation = np.clip((values - moments.mean) / (moments.std + EPS), -MAX_DEVIATION, MAX_DEVIATION)
        return np.where(moments.count >= 2, deviation, values)

    def contributions(self, vector: np.ndarray, success: np.ndarray, moments: Moments) -> np.ndarray:
        """What each dimension brings to the scalar: [N, D], [N] -> [N, D] float64, NaN where it abstained."""
        brought = self.values(vector, moments).astype(np.float64) * self.weights
        for column, below, capped, at in self.gates:
            shut = (success if column is None else vector[:, column]) < below
            brought = np.where(shut[:, None] & capped, np.minimum(brought, at), brought)
        return brought

    def scalar(self, vector: np.ndarray, success: np.ndarray, moments: Moments) -> np.ndarray:
        """The reward of N turns: the sum of what the dimensions bring. [N, D], [N] -> [N] float32."""
        if self.gates:
            return np.nansum(self.contributions(vector, success, moments), axis=1).astype(np.float32)
        return weighted_sum(self.values(vector, moments), self.weights).astype(np.float32, copy=False)


def build_signal(
    dimensions: Sequence[Dimension],
    weights: Mapping[str, float],
    transforms: Mapping[str, Transform] | None = None,
    gates: Sequence[Gate] = (),
    *,
    normalize: bool = False,
) -> Signal:
    """The signal of a run. Raises `RewardConfigError` for a name that is not among `dimensions`."""
    names = tuple(dimension.name for dimension in dimensions)
    for section, wanted in (("weights", weights), ("transforms", transforms or {})):
        for name in wanted:
            if name not in names:
                raise RewardConfigError(f"rewards.{section}: {name} is not scored; give it a weight or monitor it")
    columns = []
    for name, transform in (transforms or {}).items():
        column = names.index(name)
        columns.append((column, transform, dimensions[column].low, dimensions[column].high))
    return Signal(
        names=names,
        weights=np.array([weights.get(name, 0.0) for name in names], np.float32),
        transforms=tuple(columns),
        normalize=normalize,
        gates=tuple(_columns_of(gate, dimensions) for gate in gates),
    )


def _columns_of(gate: Gate, dimensions: Sequence[Dimension]) -> tuple[int | None, float, np.ndarray, float]:
    names = [dimension.name for dimension in dimensions]
    known = {*names, *(dimension.family for dimension in dimensions)}
    for name in gate.cap:
        if name not in known:
            raise RewardConfigError(f"rewards.gates: cap names {name}, which is no dimension or family that is scored")
    if gate.when != SUCCESS and gate.when not in names:
        raise RewardConfigError(f"rewards.gates: when names {gate.when}, which is not scored; monitor it")
    capped = np.array([d.name in gate.cap or d.family in gate.cap for d in dimensions])
    return None if gate.when == SUCCESS else names.index(gate.when), gate.below, capped, gate.at


def _apply(transform: Transform, x: np.ndarray, low: float, high: float) -> np.ndarray:
    match transform.kind:
        case "center":
            return 2.0 * (x - low) / (high - low) - 1.0
        case "log1p":
            return np.sign(x) * np.log1p(np.abs(x))
        case "sigmoid":
            return 0.5 * (1.0 + np.tanh(0.5 * x))  # the same curve, and no overflow
        case "clip":
            return np.clip(x, transform.low, transform.high)
        case "power":
            return np.sign(x) * np.abs(x) ** transform.exponent

"""Reward weights re-fitted to ordered pairs, in pure functions of arrays: Bradley-Terry with the recipe as its prior.

The reward of an answer is linear in the weights, w . v. With P(a is preferred to b) = sigmoid(beta r(a, b) + d . x),
where r is the difference of the two rewards under the recipe's weights w0, x that of the values, and beta >= 0, what
maximises the penalised likelihood of the pairs

    sum over pairs of log P  -  strength / 2 sum over k of (d_k s_k)^2  -  small beta^2,     s_k^2 the mean of x_k^2

is a reward again: beta w0 + d. Without evidence d stays 0, which is the recipe's reward at any scale. (Bradley and
Terry 1952; Christiano et al. 2017, arXiv:1706.03741, eq. 1.) Pairs tell the order of answers and no scale, so that is
the recipe's: the differences of rewards stay as large as learning rate, KL and entropy terms were set against.
"""

from dataclasses import dataclass

import numpy as np

SCALE_STRENGTH = 0.01  # on beta, so that pairs that the recipe orders perfectly do not send it to infinity
MAX_STEPS = 50
TOLERANCE = 1e-8
SIGNIFICANT_Z = 1.645  # one-sided 5 %


@dataclass(frozen=True, slots=True)
class Pairs:
    """P ordered pairs over K dimensions that may be weighed anew.

    Attributes:
        values: [P, K], better minus worse, of transformed and normalised values; 0 for what a gate has capped.
        rewards: [P], better minus worse, of rewards under the recipe's weights.
        ties: [P] bool, neither is better.
        folds: [P] int.
    """

    values: np.ndarray
    rewards: np.ndarray
    ties: np.ndarray
    folds: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Pairs":
        return Pairs(self.values[rows], self.rewards[rows], self.ties[rows], self.folds[rows])


def fit(pairs: Pairs, prior: np.ndarray, *, strength: float) -> np.ndarray:
    """Weights [K] from the recipe's weights `prior` [K], at the scale of the recipe; all 0 where nothing tells apart
    what people do.
    """
    spread = _size(pairs.values)
    moves = spread > 0
    scale = float(_size(pairs.rewards)) or 1.0
    columns = np.column_stack([pairs.rewards / scale, pairs.values[:, moves] / spread[moves]])
    penalty = np.array([SCALE_STRENGTH, *[strength] * int(moves.sum())])
    target = np.where(pairs.ties, 0.5, 1.0)
    solution = logistic(columns, target, penalty)
    if solution[0] < 0:  # the prior points the wrong way altogether: on the bound, the problem is convex as before
        solution = np.concatenate([[0.0], logistic(columns[:, 1:], target, penalty[1:])])
    weights = solution[0] / scale * prior
    weights[moves] += solution[1:] / spread[moves]
    fitted = float(_size(pairs.values @ weights))
    return weights * (float(_size(pairs.values @ prior)) / fitted if fitted > TOLERANCE else 0.0)


def logistic(columns: np.ndarray, target: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """argmin over t of sum [log(1 + exp(z)) - target z] + sum penalty t^2 / 2, z = columns t. [P, K], [P], [K] -> [K].

    Newton's method with halved steps; the objective is strictly convex, so there is one answer.
    """

    def objective(point: np.ndarray) -> float:
        z = columns @ point
        return float(np.sum(np.logaddexp(0.0, z) - target * z) + 0.5 * np.sum(penalty * point**2))

    point = np.zeros(columns.shape[1])
    value = objective(point)
    for _ in range(MAX_STEPS):
        chance = 0.5 * (1.0 + np.tanh(0.5 * (columns @ point)))
        gradient = columns.T @ (chance - target) + penalty * point
        curvature = (columns * (chance * (1.0 - chance))[:, None]).T @ columns + np.diag(penalty)
        step = np.linalg.solve(curvature, gradient)
        size = 1.0
        while objective(point - size * step) > value and size > TOLERANCE:
            size /= 2.0
        point = point - size * step
        value, before = objective(point), value
        if before - value < TOLERANCE:
            break
    return point


def held_out(pairs: Pairs, prior: np.ndarray, *, strength: float) -> np.ndarray:
    """Difference of the rewards of each pair under weights that were fitted without its fold: [P]."""
    differences = np.zeros(len(pairs.rewards))
    for fold in np.unique(pairs.folds):
        inside = pairs.folds == fold
        weights = fit(pairs[~inside], prior, strength=strength)
        differences[inside] = pairs.values[inside] @ weights
    return differences


def agrees(differences: np.ndarray, ties: np.ndarray) -> np.ndarray:
    """1 where the better one has the higher reward, 1/2 where both have the same, 0 else; of pairs that are no ties."""
    decided = differences[~ties]
    return np.where(np.abs(decided) < TOLERANCE, 0.5, (decided > 0).astype(np.float64))


def improvement_z(before: np.ndarray, after: np.ndarray) -> float:
    """How clear the gain of agreement is, in standard errors of what chance does: sum(d) / sqrt(sum(d^2)) for
    d = after - before, pair by pair (McNemar 1947); 0 where nothing changes.
    """
    gained = after - before
    return float(gained.sum() / np.sqrt(np.sum(gained**2))) if gained.any() else 0.0


def _size(differences: np.ndarray) -> np.ndarray:
    """Root of the mean square over pairs, [P, ...] -> [...]."""
    return np.sqrt(np.mean(np.square(differences), axis=0))

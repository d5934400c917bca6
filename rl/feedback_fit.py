"""Reward weights re-fitted to ordered pairs, in pure functions of arrays: Bradley-Terry with the recipe as its prior.

The reward of an answer is linear in the weights, w . v. With P(a is preferred to b) = sigmoid(beta r(a, b) + d . x),
where r is the difference of the two rewards under the recipe's weights w0, x that of the values, and beta >= 0, what
maximises the penalised likelihood of the pairs

    sum over pairs of log P  -  strength / 2 sum over k of (d_k s_k)^2  -  small beta^2

is a reward again: f = beta w0 + d. (Bradley and Terry 1952; Christiano et al. 2017, arXiv:1706.03741, eq. 1.) s_k^2 is
the mean of x_k^2 over the pairs that differ in dimension k, so that strength weighs against the number of these.

Pairs tell the order of answers and no scale, so that is the recipe's: the differences of rewards stay as large as
learning rate, KL and entropy terms were set against. And what nobody has been asked about stays as it is: each weight
goes from the recipe's to the fitted one by as much as the pairs have narrowed it down,

    w_k = w0_k + t_k (c f_k - w0_k),    t_k = 1 - posterior variance of d_k / prior variance of d_k

where the variances are those of the design alone, with the information of even chances in every pair.
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
    """Weights [K] from the recipe's weights `prior` [K]; see the top of this module."""
    num_differing = (pairs.values != 0).sum(0)
    asked = num_differing > 0
    spread = np.sqrt(np.square(pairs.values[:, asked]).sum(0) / num_differing[asked])
    scale = _size(pairs.rewards) or 1.0
    columns = np.column_stack([pairs.rewards / scale, pairs.values[:, asked] / spread])
    penalty = np.array([SCALE_STRENGTH, *[strength] * len(spread)])
    target = np.where(pairs.ties, 0.5, 1.0)
    solution = logistic(columns, target, penalty)
    if solution[0] < 0:  # the recipe points the wrong way altogether: on the bound, the problem is convex as before
        solution = np.concatenate([[0.0], logistic(columns[:, 1:], target, penalty[1:])])
    fitted = solution[0] / scale * prior[asked] + solution[1:] / spread
    differences = pairs.values[:, asked]
    fitted *= _size(differences @ prior[asked]) / max(_size(differences @ fitted), TOLERANCE)
    information = _curvature(columns[:, 1:], np.zeros(len(spread)), penalty[1:])
    told = 1.0 - strength * np.diag(np.linalg.inv(information))
    weights = prior.copy()
    weights[asked] += told * (fitted - prior[asked])
    return weights


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
        step = np.linalg.solve(_curvature(columns, point, penalty), gradient)
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


def _curvature(columns: np.ndarray, point: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """Second derivative of the objective of `logistic`: [K, K]."""
    chance = 0.5 * (1.0 + np.tanh(0.5 * (columns @ point)))
    return (columns * (chance * (1.0 - chance))[:, None]).T @ columns + np.diag(penalty)


def _size(differences: np.ndarray) -> float:
    """Root of the mean square, [P] -> one number."""
    return float(np.sqrt(np.mean(np.square(differences))))

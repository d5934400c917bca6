"""How far raters agree beyond chance: Krippendorff's alpha, which takes any number of raters and missing ratings.

With two raters, no rating missing and many items, the nominal alpha is Scott's pi and close to Cohen's kappa.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rl.ratings import KINDS, Rating, RatingKind

Level = Literal["nominal", "ordinal", "interval"]
LEVELS: dict[RatingKind, Level] = {"thumbs": "nominal", "stars": "ordinal", "pair": "ordinal"}


@dataclass(frozen=True, slots=True)
class RaterAgreement:
    """`alpha` over the `num_items` that more than one rater has rated; None where alpha is not defined."""

    kind: RatingKind
    num_ratings: int
    num_raters: int
    num_items: int
    alpha: float | None


def rater_agreement(ratings: Iterable[Rating]) -> list[RaterAgreement]:
    """For each kind that has been used. Free texts are counted, and agree with nothing."""
    given = list(ratings)
    found = []
    for kind in KINDS:
        own = [rating for rating in given if rating.kind == kind]
        if own:
            units: dict[tuple[str, ...], dict[str, int]] = {}
            for rating in own:
                if isinstance(rating.opinion, int):
                    units.setdefault(rating.item[1:], {})[rating.rater] = rating.opinion
            shared = sum(len(unit) > 1 for unit in units.values())
            alpha = None if kind == "text" else krippendorff_alpha(units.values(), LEVELS[kind])
            found.append(RaterAgreement(kind, len(own), len({rating.rater for rating in own}), shared, alpha))
    return found


def krippendorff_alpha(units: Iterable[dict[Hashable, int]] | Iterable[dict[str, int]], level: Level) -> float | None:
    """Krippendorff's alpha of units (rater -> value); units with fewer than two values say nothing.

        o_ck  = sum over units u of (pairs of a value c and a value k in u) / (m_u - 1)     coincidences
        alpha = 1 - (n - 1) sum_c sum_k o_ck d_ck / sum_c sum_k n_c n_k d_ck,     n_c = sum_k o_ck,  n = sum_c n_c

    where d_ck is the squared difference: 1 for unequal nominal values, (c - k)^2 for intervals, and
    (n_c / 2 + sum of n_g strictly between + n_k / 2)^2 for ordinal ones. (Krippendorff 2011, "Computing
    Krippendorff's Alpha-Reliability".) None: fewer than two values, or all of them equal.
    """
    paired = [list(unit.values()) for unit in units if len(unit) > 1]
    values = sorted({value for unit in paired for value in unit})
    if len(values) < 2:
        return None
    coincidences = np.zeros((len(values), len(values)))
    for unit in paired:
        counts = np.array([unit.count(value) for value in values], np.float64)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    totals = coincidences.sum(0)
    apart = _squared_differences(np.array(values, np.float64), totals, level)
    expected = float(totals @ apart @ totals)
    return 1.0 - (totals.sum() - 1.0) * float((coincidences * apart).sum()) / expected


def _squared_differences(values: np.ndarray, totals: np.ndarray, level: Level) -> np.ndarray:
    """d_ck for all pairs of the V values: [V, V]."""
    match level:
        case "nominal":
            return 1.0 - np.eye(len(values))
        case "interval":
            return (values[:, None] - values[None, :]) ** 2
        case "ordinal":
            middle = np.cumsum(totals) - totals / 2.0  # the mean rank of each value, but for a constant
            return (middle[:, None] - middle[None, :]) ** 2

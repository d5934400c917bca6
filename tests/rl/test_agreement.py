import numpy as np
import pytest

from rl.agreement import Level, krippendorff_alpha, rater_agreement
from rl.ratings import Rating

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", section C: four observers, twelve units; . missing
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def units_of(rows: tuple[str, ...]) -> list[dict[str, int]]:
    columns = zip(*rows, strict=True)
    return [{f"rater {r}": int(value) for r, value in enumerate(column) if value != "."} for column in columns]


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_the_example_of_the_paper(level: Level, alpha: float) -> None:
    assert krippendorff_alpha(units_of(OBSERVERS), level) == pytest.approx(alpha, abs=5e-4)


def test_worked_by_hand() -> None:
    """Two raters, four items: 11, 00, 10, 1 alone. Coincidences: o11 = 2, o00 = 2, o10 = o01 = 1; n1 = n0 = 3, n = 6.
    alpha = 1 - 5 * (1 + 1) / (2 * 3 * 3) = 4/9.
    """
    units = [{"a": 1, "b": 1}, {"a": 0, "b": 0}, {"a": 1, "b": 0}, {"a": 1}]
    assert krippendorff_alpha(units, "nominal") == pytest.approx(4 / 9)


def test_the_order_of_raters_and_items_does_not_matter() -> None:
    units = units_of(OBSERVERS)
    turned = [dict(reversed(unit.items())) for unit in reversed(units)]
    assert krippendorff_alpha(turned, "ordinal") == pytest.approx(krippendorff_alpha(units, "ordinal"))


def test_chance_is_zero_and_consent_is_one() -> None:
    rng = np.random.default_rng(0)
    drawn = [{"a": int(a), "b": int(b)} for a, b in rng.integers(1, 6, (4000, 2))]
    alpha = krippendorff_alpha(drawn, "ordinal")
    assert alpha is not None
    assert abs(alpha) < 0.05
    assert krippendorff_alpha([{"a": 1, "b": 1}, {"a": 5, "b": 5}], "ordinal") == 1.0


def test_nothing_to_agree_on_is_no_number() -> None:
    assert krippendorff_alpha([], "nominal") is None
    assert krippendorff_alpha([{"a": 1, "b": 1}, {"a": 2}], "nominal") is None


def test_a_pair_means_the_same_in_either_order() -> None:
    ratings = [
        Rating("ana", "pair", "train-0-0-0", "train-0-0-1", value=1),
        Rating("bob", "pair", "train-0-0-1", "train-0-0-0", value=-1),
        Rating("ana", "pair", "train-0-1-0", "train-0-1-1", value=-1),
        Rating("bob", "pair", "train-0-1-0", "train-0-1-1", value=-1),
        Rating("ana", "text", "train-0-0-0", text="odd"),
    ]
    pair, text = rater_agreement(ratings)
    assert (pair.kind, pair.num_raters, pair.num_items, pair.alpha) == ("pair", 2, 2, 1.0)
    assert (text.kind, text.num_ratings, text.alpha) == ("text", 1, None)

from pathlib import Path

import pytest

from rewards.signal import Weights
from rl.corrections import Adoption, Correction, adopt, adoptions, keep_fit, last_fit
from rl.ratings import RatingError


def fitted(weight: float = 0.5, refused: str = "") -> Correction:
    return Correction("abc", 100, 0, 2, 80, {"a.b": 1.0}, {"a.b": weight}, 0.5, 0.75, refused=refused)


def test_corrections_are_numbered_and_refusals_are_not(tmp_path: Path) -> None:
    assert keep_fit(tmp_path, fitted(0.5)).weights == Weights(1, {"a.b": 0.5})
    assert keep_fit(tmp_path, fitted(0.4, refused="no better")).version == 0
    assert keep_fit(tmp_path, fitted(0.3)).version == 2
    last = last_fit(tmp_path)
    assert last is not None
    assert (last.version, last.weights_after) == (2, {"a.b": 0.3})


def test_a_correction_counts_once_and_is_noted(tmp_path: Path) -> None:
    assert adopt(tmp_path, 0, current=0) is None
    keep_fit(tmp_path, fitted())
    first = adopt(tmp_path, 3, current=0)
    assert first is not None
    assert first.version == 1
    assert adopt(tmp_path, 4, current=1) is None
    assert adoptions(tmp_path) == [Adoption(1, 3)]


def test_a_run_that_is_resumed_changes_its_weights_where_it_did_before(tmp_path: Path) -> None:
    keep_fit(tmp_path, fitted())
    adopt(tmp_path, 3, current=0)
    keep_fit(tmp_path, fitted())
    adopt(tmp_path, 5, current=1)
    versions, current = [], 0
    for iteration in range(2, 7):  # from the checkpoint after iteration 1
        correction = adopt(tmp_path, iteration, current)
        current = correction.version if correction else current
        versions.append(current)
    assert versions == [0, 1, 1, 2, 2]
    assert adoptions(tmp_path) == [Adoption(1, 3), Adoption(2, 5)]


def test_what_people_say_after_the_crash_counts_at_once(tmp_path: Path) -> None:
    keep_fit(tmp_path, fitted())
    adopt(tmp_path, 5, current=0)
    keep_fit(tmp_path, fitted())
    correction = adopt(tmp_path, 2, current=0)
    assert correction is not None
    assert correction.version == 2
    assert adopt(tmp_path, 5, current=2) is None


def test_a_damaged_correction_is_named(tmp_path: Path) -> None:
    keep_fit(tmp_path, fitted())
    (tmp_path / "feedback" / "correction-000001.json").write_text("{}")
    with pytest.raises(RatingError, match=r"correction-000001\.json is damaged"):
        adopt(tmp_path, 0, current=0)


def test_a_fit_in_words() -> None:
    assert str(fitted(refused="too few")) == (
        "100 ratings of 2 raters, 80 ordered pairs; held-out agreement 50.0% before, 75.0% after: "
        "nothing changes: too few"
    )

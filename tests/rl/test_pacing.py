"""The curriculum of supervised stages: shares by hand, and batches that hold what is open and nothing else."""

from pathlib import Path

import numpy as np
import pytest

from rl.documents import Documents, Mixture, Paced, write_documents
from rl.pacing import Pacing, bands, paced_shares
from rl.stage_config import SFTConfig
from rl.stage_data import build_mixture
from tests.rl.test_documents import END, tokenised


def test_levels_open_one_after_the_other() -> None:
    pacing = Pacing(num_levels=3, start_levels=1, full_step=100)
    for step, opened in ((0, [1, 0, 0]), (25, [1, 0.5, 0]), (50, [1, 1, 0]), (75, [1, 1, 0.5]), (100, [1, 1, 1])):
        np.testing.assert_allclose(pacing.opened(step), opened)
    np.testing.assert_allclose(pacing.opened(1000), [1, 1, 1])
    np.testing.assert_allclose(Pacing(3, 2, 100).opened(50), [1, 1, 0.5])
    np.testing.assert_allclose(Pacing(2, 9, 100).opened(0), [1, 1])
    np.testing.assert_allclose(Pacing(2, 1, 0).opened(0), [1, 1])


def test_shares_by_hand() -> None:
    groups, tokens = np.array([0.75, 0.25]), np.array([[10, 30], [0, 50]])
    np.testing.assert_allclose(paced_shares(groups, tokens, np.array([1.0, 0.0])), [[1, 0], [0, 0]])
    # half of 30 against 10; the second group has nothing else than its upper level
    half = [[0.75 * 10 / 25, 0.75 * 15 / 25], [0, 0.25]]
    np.testing.assert_allclose(paced_shares(groups, tokens, np.array([1.0, 0.5])), half)
    whole = [[0.75 * 10 / 40, 0.75 * 30 / 40], [0, 0.25]]
    np.testing.assert_allclose(paced_shares(groups, tokens, np.array([1.0, 1.0])), whole)


def test_bands_of_length_have_about_as_many_tokens() -> None:
    np.testing.assert_array_equal(bands(np.array([8, 2, 4, 2]), 2), [1, 0, 0, 0])
    lengths = np.arange(1, 200)
    found = bands(lengths, 4)
    assert (np.diff(found) >= 0).all()
    assert [int(lengths[found == band].sum()) for band in range(4)] == pytest.approx([4975] * 4, rel=0.05)
    assert len(bands(np.zeros(0, np.int64), 4)) == 0


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    """Levels 0, 1 and 4 of German, 1 alone of Lithuanian; document n has the ids from 1000 n on."""
    german = [(number, "de", (0, 1, 4)[number % 3]) for number in range(1, 61)]
    lithuanian = [(number, "lt", 1) for number in range(101, 121)]
    write_documents((tokenised(n, 10, group, level=level) for n, group, level in german + lithuanian), tmp_path / "d")
    return Documents.open(tmp_path / "d")


def mixture(documents: Documents, paced: Paced | None) -> Mixture:
    return Mixture(
        documents,
        seed=1,
        num_steps=200,
        batch_rows=4,
        row_length=16,
        temperature=1.0,
        split=False,
        eval_tokens=0,
        pad_token_id=END,
        paced=paced,
    )


def levels_at(batches: Mixture, documents: Documents, step: int) -> list[int]:
    """The level of every document in the batch of a step."""
    tokens = batches.batch(step).tokens
    numbers = {int(token) // 1000 for token in tokens.ravel() if token != END}
    by_number = dict(zip(documents.ids[documents.offsets[:-1] + 1] // 1000, documents.levels, strict=True))
    return sorted(int(by_number[number]) for number in numbers)


def test_a_batch_holds_what_is_open_at_its_step(documents: Documents) -> None:
    batches = mixture(documents, Paced(start_levels=1, full_step=100))
    assert set(levels_at(batches, documents, 0)) == {0}
    until_half = {level for step in range(50) for level in levels_at(batches, documents, step)}
    assert until_half == {0, 1}
    after = [level for step in range(100, 200) for level in levels_at(batches, documents, step)]
    assert [after.count(level) / len(after) for level in (0, 1, 4)] == pytest.approx([0.25, 0.5, 0.25], abs=0.06)
    assert batches.metrics(0) == {
        "curriculum/level/0": 1.0,
        "curriculum/level/1": 0.0,
        "curriculum/level/4": 0.0,
        "curriculum/mean_level": 0.0,
    }
    assert batches.metrics(100)["curriculum/mean_level"] == pytest.approx(0.5 * 1 + 0.25 * 4)


def test_a_batch_depends_on_its_step_alone(documents: Documents) -> None:
    """A resumed stage goes on as if nothing had been, also within the curriculum."""
    paced = Paced(start_levels=1, full_step=100)
    first, second = mixture(documents, paced), mixture(documents, paced)
    for step in (150, 60, 3, 60):
        np.testing.assert_array_equal(first.batch(step).tokens, second.batch(step).tokens)
    again = [mixture(documents, paced).batch(60).tokens for _ in range(2)]
    np.testing.assert_array_equal(again[0], first.batch(60).tokens)


def test_with_all_levels_open_it_is_the_mixture_without(documents: Documents) -> None:
    plain, open_ = mixture(documents, None), mixture(documents, Paced(start_levels=9, full_step=100))
    np.testing.assert_allclose(open_.cell_shares(0).sum(1), plain.cell_shares(0)[:, 0])
    assert plain.metrics(0) == {}


def test_bands_of_length_open_from_short_to_long(tmp_path: Path) -> None:
    write_documents((tokenised(n, n + 2, "de") for n in range(1, 11)), tmp_path / "d")
    batches = mixture(Documents.open(tmp_path / "d"), Paced(start_levels=1, full_step=100, num_bands=2))
    short = {int(t) // 1000 for step in range(2) for t in batches.batch(step).tokens.ravel() if t != END}
    assert max(short) <= 7  # 3 + ... + 9 are 42 of the 75 tokens
    late = {int(t) // 1000 for step in range(100, 200) for t in batches.batch(step).tokens.ravel() if t != END}
    assert late == set(range(1, 11))


def test_the_recipe_says_when_all_is_open(documents: Documents) -> None:
    config = SFTConfig.model_validate(
        {
            "run": {"num_iterations": 40},
            "model": {"max_length": 16},
            "tasks": {"mix": [{"scenario": "arithmetic-dialog"}]},
            "curriculum": {"enabled": True, "full_at": 0.25},
        }
    )
    batches = build_mixture(config, documents, pad_token_id=END)
    shares = [batches.metrics(step)["curriculum/level/4"] for step in (0, 5, 9, 10, 39)]
    assert shares[:2] == [0.0, 0.0]
    assert 0 < shares[2] < shares[3] == shares[4] == pytest.approx(0.25)
    off = config.model_copy(update={"curriculum": config.curriculum.model_copy(update={"enabled": False})})
    assert build_mixture(off, documents, pad_token_id=END).metrics(0) == {}

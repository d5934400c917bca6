"""Batches are functions of (seed, step): the right shares, everything once a pass, nothing held out."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.packing import PADDING
from rl.documents import Documents, Mixture, Tokenised, mixture_shares, write_documents

END = 0


def tokenised(number: int, length: int, group: str, held_out: bool = False, level: int = 0) -> Tokenised:
    """A document whose ids tell it from all others."""
    ids = np.array([END, *range(1000 * number + 1, 1000 * number + length - 1), END], np.int32)
    return Tokenised(ids, np.arange(length) > 0, length - 2, group, held_out, level)


def corpus() -> list[Tokenised]:
    """Two languages, one with eight times the tokens of the other; every tenth document is held out."""
    german = [tokenised(number, 10, "de", number % 10 == 0) for number in range(1, 81)]
    return german + [tokenised(number, 10, "lt", number % 10 == 0) for number in range(101, 111)]


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    write_documents(corpus(), tmp_path / "data")
    return Documents.open(tmp_path / "data")


def mixture(documents: Documents, **changes: Any) -> Mixture:
    how = {"seed": 1, "num_steps": 200, "batch_rows": 4, "row_length": 16, "temperature": 3.0, "split": True}
    return Mixture(documents, **(how | {"eval_tokens": 40, "pad_token_id": END} | changes))


def test_documents_come_back_as_they_were_written(documents: Documents) -> None:
    assert documents.names == ("de", "lt")
    for number, document in enumerate(corpus()):
        place = slice(documents.offsets[number], documents.offsets[number + 1])
        np.testing.assert_array_equal(documents.ids[place], document.ids)
        np.testing.assert_array_equal(documents.loss_mask[place], document.loss_mask)
        assert documents.names[documents.groups[number]] == document.group
        assert documents.held_out[number] == document.held_out


def test_shares_by_hand() -> None:
    np.testing.assert_allclose(mixture_shares([8, 1], 3.0), [2 / 3, 1 / 3])
    np.testing.assert_allclose(mixture_shares([8, 1], 1.0), [8 / 9, 1 / 9])
    np.testing.assert_allclose(mixture_shares([8, 0, 8], 3.0), [0.5, 0.0, 0.5])
    with pytest.raises(ValueError, match="no document to train on"):
        mixture_shares([0, 0], 3.0)


def test_languages_are_drawn_by_their_shares(documents: Documents) -> None:
    batches = mixture(documents)
    tokens = np.concatenate([batches.batch(step).tokens.ravel() for step in range(200)])
    lithuanian = (tokens > 100_000).sum() / (tokens != END).sum()
    assert batches.shares == pytest.approx([0.667, 0.333], abs=0.01)
    assert lithuanian == pytest.approx(0.333, abs=0.06)


@pytest.mark.parametrize("split", [True, False])
def test_a_pass_reads_every_training_document_once(split: bool, documents: Documents) -> None:
    batches = mixture(documents, split=split, batch_rows=1, num_steps=2000)
    counts: Counter[int] = Counter()
    rows = [batches.batch(step) for step in range(2000)]
    for row in rows:
        counts.update(int(token) for token in row.tokens[row.documents != PADDING] if 0 < token < 100_000)
    trained = {int(t) for d in corpus() if d.group == "de" and not d.held_out for t in d.ids if t != END}
    assert counts.keys() == trained
    assert max(counts.values()) - min(counts.values()) <= 1


def test_a_batch_depends_on_the_seed_and_the_step_alone(documents: Documents) -> None:
    first, second = mixture(documents), mixture(documents, num_steps=500)
    for step in (150, 3, 0):
        np.testing.assert_array_equal(first.batch(step).tokens, second.batch(step).tokens)
    assert (mixture(documents, seed=2).batch(3).tokens != first.batch(3).tokens).any()
    assert (first.batch(4).tokens != first.batch(3).tokens).any()


def test_what_is_held_out_is_measured_whole_up_to_a_limit(documents: Documents) -> None:
    found = {name: (rows, num_bytes) for name, rows, num_bytes in mixture(documents).held_out()}
    assert found.keys() == {"de", "lt"}
    rows, num_bytes = found["de"]
    assert int(rows.loss_mask.sum()) == 4 * 9  # 40 tokens: four documents of ten, each but its first token
    assert num_bytes == 4 * 8
    assert set(rows.tokens[rows.tokens != END] // 1000) <= {10, 20, 30, 40}


def test_unfinished_writing_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    def failing():
        yield tokenised(1, 5, "de")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_documents(failing(), tmp_path / "data")
    assert not (tmp_path / "data").exists()
    write_documents([tokenised(2, 5, "de")], tmp_path / "data")
    assert len(Documents.open(tmp_path / "data").lengths) == 1

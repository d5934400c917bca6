"""Packed documents are what they are alone, and no token is lost or doubled on the way into rows."""

import numpy as np
import pytest
import torch
from transformers import PretrainedConfig, PreTrainedModel, Qwen3Config

from models.packing import PADDING, PackedRows, lay_out, pack_rows, packed_logits
from models.policy import forward_logits, random_policy
from tests.models.ranks import tiny_config

LENGTHS = (5, 1, 9, 3, 12, 7)


def documents(lengths: tuple[int, ...] = LENGTHS) -> list[np.ndarray]:
    random = np.random.default_rng(1)
    return [random.integers(6, 64, length).astype(np.int32) for length in lengths]


def packed(row_length: int, *, split: bool) -> tuple[PackedRows, list[list[np.ndarray]]]:
    """The documents in rows, and the stretches that each row is made of."""
    texts = documents()
    layout = lay_out(np.array(LENGTHS), row_length, split=split)
    rows = [
        [
            texts[layout.documents[span]][layout.starts[span] : layout.stops[span]]
            for span in range(layout.cuts[row], layout.cuts[row + 1])
        ]
        for row in range(len(layout))
    ]
    whole = [[(stretch, np.ones(len(stretch), bool)) for stretch in row] for row in rows]
    return pack_rows(whole, row_length, pad_token_id=0), rows


def configs() -> list[PretrainedConfig]:
    llama = tiny_config()
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    shape = {name: getattr(llama, name) for name in (*names, "num_key_value_heads", "head_dim", "initializer_range")}
    return [llama, Qwen3Config(**shape, tie_word_embeddings=False)]


@torch.no_grad()
def logprobs_of(model: PreTrainedModel, document: np.ndarray) -> torch.Tensor:
    return forward_logits(model, torch.from_numpy(document)[None].long())[0].log_softmax(-1)


@pytest.mark.parametrize("config", configs(), ids=lambda config: config.model_type)
@pytest.mark.parametrize("split", [True, False])
@torch.no_grad()
def test_a_packed_document_has_the_logprobs_of_a_single_one(config: PretrainedConfig, split: bool) -> None:
    model = random_policy(config, seed=0)
    rows, stretches = packed(16, split=split)
    logits = packed_logits(model, torch.from_numpy(rows.tokens).long(), torch.from_numpy(rows.documents))
    for row, parts in enumerate(stretches):
        start = 0
        for part in parts:
            together = logits[row, start : start + len(part)].log_softmax(-1)
            torch.testing.assert_close(together, logprobs_of(model, part), atol=1e-5, rtol=0)
            start += len(part)


@torch.no_grad()
def test_without_the_mask_they_would_differ() -> None:
    """The test above can fail."""
    model = random_policy(tiny_config(), seed=0)
    rows, stretches = packed(16, split=False)
    joined = forward_logits(model, torch.from_numpy(rows.tokens).long())[0].log_softmax(-1)
    second = stretches[0][1]
    start = len(stretches[0][0])
    gap = (joined[start : start + len(second)] - logprobs_of(model, second)).abs().max()
    assert gap > 1e-2


@pytest.mark.parametrize("row_length", [1, 4, 12, 16, 37, 100])
def test_split_rows_are_full_and_hold_every_token_once(row_length: int) -> None:
    rows, _ = packed(row_length, split=True)
    assert (rows.lengths[:-1] == row_length).all()
    np.testing.assert_array_equal(rows.tokens[rows.documents != PADDING], np.concatenate(documents()))


@pytest.mark.parametrize("row_length", [12, 16, 37, 100])
def test_whole_documents_stay_whole(row_length: int) -> None:
    rows, stretches = packed(row_length, split=False)
    assert [len(part) for row in stretches for part in row] == list(LENGTHS)
    np.testing.assert_array_equal(rows.tokens[rows.documents != PADDING], np.concatenate(documents()))


def test_by_hand() -> None:
    rows, _ = packed(6, split=True)
    np.testing.assert_array_equal(rows.documents[0], [0, 0, 0, 0, 0, 1])
    np.testing.assert_array_equal(rows.documents[1], [0] * 6)
    np.testing.assert_array_equal(rows.documents[2], [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(rows.loss_mask[2], [False, True, True, False, True, True])
    np.testing.assert_array_equal(rows.documents[6], [0, PADDING, PADDING, PADDING, PADDING, PADDING])
    assert not rows.loss_mask[6].any()


def test_a_document_that_fits_no_row() -> None:
    with pytest.raises(ValueError, match="a document of 12 tokens does not fit into rows of 11"):
        lay_out(np.array(LENGTHS), 11, split=False)


def test_no_documents() -> None:
    for split in (True, False):
        assert len(lay_out(np.zeros(0, np.int64), 8, split=split)) == 0

"""Several documents in one row of tokens, each as if it stood alone.

Rows of full length waste nothing on padding. What keeps the documents apart is a mask: attention never crosses from one
to the next, and positions start again at 0, so a document has the log-probs that it has in a row of its own.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

PADDING = -1


@dataclass(frozen=True, slots=True)
class PackedRows:
    """B rows of T tokens.

    Attributes:
        tokens: [B, T] int32.
        documents: [B, T] int32, the number of a token's document in its row; `PADDING` behind the last one.
        loss_mask: [B, T] bool, the tokens to predict; never the first one of a document.
    """

    tokens: np.ndarray
    documents: np.ndarray
    loss_mask: np.ndarray

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def num_tokens(self) -> int:
        """How many are to be predicted."""
        return int(self.loss_mask.sum())

    @property
    def lengths(self) -> np.ndarray:
        """[B] tokens before the padding."""
        return (self.documents != PADDING).sum(1)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which stretch of which document stands where.

    Attributes:
        documents, starts, stops: [S], span s is the tokens `starts[s]:stops[s]` of document `documents[s]`.
        cuts: [R + 1], row r holds the spans `cuts[r]:cuts[r + 1]`.
    """

    documents: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    cuts: np.ndarray

    def __len__(self) -> int:
        return len(self.cuts) - 1


def lay_out(lengths: np.ndarray, row_length: int, *, split: bool) -> Layout:
    """Documents of `lengths` tokens, in their order, in rows of `row_length`.

    With `split` they are laid end to end and cut where a row ends: all rows but the last are full. Without, each stays
    whole, and a row ends where the next one does not fit; ValueError where one is longer than a row.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    if split:
        total = int(ends[-1]) if len(ends) else 0
        row_starts = np.arange(0, total, row_length)
        points = np.union1d(starts[lengths > 0], row_starts)
        documents = np.searchsorted(ends, points, side="right")
        begins = points - starts[documents]
        stops = np.append(points[1:], total) - starts[documents]
        return Layout(documents, begins, stops, np.append(np.searchsorted(points, row_starts), len(points)))
    if len(lengths) and int(lengths.max()) > row_length:
        raise ValueError(f"a document of {int(lengths.max())} tokens does not fit into rows of {row_length}")
    cuts, room = [], 0
    for index, length in enumerate(lengths.tolist()):
        if length > room or not cuts:
            cuts.append(index)
            room = row_length
        room -= length
    documents = np.arange(len(lengths))
    return Layout(documents, np.zeros_like(lengths), lengths, np.array([*cuts, len(lengths)]))


def pack_rows(
    rows: Sequence[Sequence[tuple[np.ndarray, np.ndarray]]], row_length: int, *, pad_token_id: int
) -> PackedRows:
    """Rows of (tokens, loss mask) of the stretches that stand in them."""
    packed = PackedRows(
        tokens=np.full((len(rows), row_length), pad_token_id, np.int32),
        documents=np.full((len(rows), row_length), PADDING, np.int32),
        loss_mask=np.zeros((len(rows), row_length), bool),
    )
    for row, stretches in enumerate(rows):
        start = 0
        for number, (tokens, mask) in enumerate(stretches):
            place = slice(start, start + len(tokens))
            packed.tokens[row, place], packed.documents[row, place] = tokens, number
            packed.loss_mask[row, place] = mask
            packed.loss_mask[row, start] = False  # nothing stands before it that could predict it
            start += len(tokens)
    return packed


def packed_logits(
    model: Callable[..., Any], tokens: Tensor, documents: Tensor, *, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Logits [B, T, V] after each position of `tokens` [B, T], which sees its own document alone.

    `documents` [B, T] as in `PackedRows`. The mask is added to attention scores, [B, 1, T, T] in the network's `dtype`:
    every attention of transformers but the flash kernels takes it. Logits of the padding mean nothing.
    """
    length = tokens.shape[1]
    index = torch.arange(length, device=tokens.device).expand_as(tokens)
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    positions = index - torch.where(begins, index, 0).cummax(1).values
    visible = (documents[:, :, None] == documents[:, None, :]).tril()
    mask = torch.zeros(visible.shape, dtype=dtype, device=tokens.device)
    mask.masked_fill_(~visible, torch.finfo(dtype).min)
    return model(input_ids=tokens, position_ids=positions, attention_mask=mask[:, None], use_cache=False).logits

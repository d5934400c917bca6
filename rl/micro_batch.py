"""How a minibatch goes through the network: micro-batches within a token budget, the same number on every rank."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rl.batch import Advantages, Annotations, Batch


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Rows that go through the network together, cut to their longest length. No rows: a step that only keeps pace.

    `counts` says how many equal rows of the minibatch each one stands for.
    """

    rows: np.ndarray
    counts: np.ndarray
    length: int


def merge_twins(rows: np.ndarray, *columns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One of each set of rows that are equal in all `columns` ([B, T] of 4-byte numbers).

    Samples of one prompt become alike as a policy converges; equal rows have equal losses, so one goes through the
    network with the weight of all.

    Returns:
        The rows kept, in their order; how many each stands for; for each of `rows`, the place of the one kept for it.
    """
    keys = np.concatenate([column[rows].view(np.int32) for column in columns], axis=1)
    _, first, inverse, counts = np.unique(keys, axis=0, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(first)
    return rows[first[order]], counts[order], np.argsort(order)[inverse.ravel()]


def plan_micro_batches(
    lengths: np.ndarray, rows: np.ndarray, counts: np.ndarray, *, budget: int, num_ranks: int
) -> list[list[MicroBatch]]:
    """Split `rows` into micro-batches of at most `budget` padded tokens; the same number of them for every rank.

    Rows are sorted by length, so that little is padded, and dealt to the ranks in turn, so that all have as much to do.
    A single row longer than the budget is a micro-batch of its own. Returns a list per rank.
    """
    by_length = np.argsort(lengths[rows], kind="stable")
    shares = [
        _pack(lengths, rows[part], counts[part], budget) for part in (by_length[r::num_ranks] for r in range(num_ranks))
    ]
    num_steps = max(len(share) for share in shares)
    idle = MicroBatch(rows[:0], counts[:0], 1)
    return [share + [idle] * (num_steps - len(share)) for share in shares]


def _pack(lengths: np.ndarray, rows: np.ndarray, counts: np.ndarray, budget: int) -> list[MicroBatch]:
    """Consecutive rows, sorted by length, in micro-batches within the budget."""
    micro_batches = []
    start = 0
    for end in range(1, len(rows) + 1):
        full = end < len(rows) and (end + 1 - start) * int(lengths[rows[end]]) > budget
        if full or end == len(rows):
            chunk = rows[start:end]
            micro_batches.append(MicroBatch(chunk, counts[start:end], int(lengths[chunk].max())))
            start = end
    return micro_batches


@dataclass(frozen=True, slots=True)
class Part:
    """The tensors of one micro-batch, [b, t] each; `counts` [b, 1]: how many rows of the minibatch each stands for."""

    tokens: Tensor
    counts: Tensor
    action_mask: Tensor
    logprobs: Tensor
    sampler_logprobs: Tensor
    advantages: Tensor
    returns: Tensor
    ref_logprobs: Tensor | None
    values: Tensor | None

    @classmethod
    def cut(cls, batch: Batch, notes: Annotations, advantages: Advantages, micro: MicroBatch, device: str) -> "Part":
        def take(array: np.ndarray) -> Tensor:
            if not len(micro.rows):  # one row that nothing counts
                return torch.zeros((1, micro.length), dtype=torch.from_numpy(array[:0]).dtype, device=device)
            return torch.from_numpy(array[micro.rows, : micro.length]).to(device)

        counts = torch.from_numpy(micro.counts) if len(micro.rows) else torch.zeros(1, dtype=torch.long)
        return cls(
            tokens=token_ids(batch, micro, device),
            counts=counts[:, None].to(device),
            action_mask=take(batch.action_mask),
            logprobs=take(notes.logprobs),
            sampler_logprobs=take(batch.sampler_logprobs),
            advantages=take(advantages.advantages),
            returns=take(advantages.returns),
            ref_logprobs=None if notes.ref_logprobs is None else take(notes.ref_logprobs),
            values=None if notes.values is None else take(notes.values[:, :-1]),
        )


def token_ids(batch: Batch, micro: MicroBatch, device: str) -> Tensor:
    """[b, t] int64 on `device`; one row of zeros for a micro-batch without rows."""
    if not len(micro.rows):
        return torch.zeros((1, micro.length), dtype=torch.long, device=device)
    return torch.from_numpy(batch.tokens[micro.rows, : micro.length].astype(np.int64)).to(device)

"""Tokenised documents on disk, and which of them a training step reads: a function of (seed, step).

The ids of all documents lie end to end in one file that is mapped into memory, so a corpus may be larger than that.
What is kept per document is a few numbers. A batch is found from its step alone, so a resumed stage needs no state of
its data, and no batch comes twice or is left out.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.packing import Layout, PackedRows, lay_out, pack_rows

IDS, MASK, INDEX, NAMES = "ids.bin", "mask.bin", "index.npz", "groups.json"


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One document. `loss_mask`: which ids are to be predicted; `num_bytes`: of the text that those stand for."""

    ids: np.ndarray
    loss_mask: np.ndarray
    num_bytes: int
    group: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents of several groups, which are languages here.

    Attributes:
        ids, loss_mask: [N] int32 and bool, of all documents end to end.
        offsets: [D + 1], document d is `offsets[d]:offsets[d + 1]`.
        groups: [D], the place of its group in `names`.
        num_bytes, held_out: [D]
    """

    ids: np.ndarray
    loss_mask: np.ndarray
    offsets: np.ndarray
    groups: np.ndarray
    num_bytes: np.ndarray
    held_out: np.ndarray
    names: tuple[str, ...]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def chosen(self, group: int, *, held_out: bool) -> np.ndarray:
        """The numbers of a group's documents that are, or are not, held out."""
        return np.flatnonzero((self.groups == group) & (self.held_out == held_out))

    def measured(self, group: int, num_tokens: int) -> np.ndarray:
        """The first held-out documents of a group, `num_tokens` altogether at most: the same at every evaluation."""
        members = self.chosen(group, held_out=True)
        return members[np.cumsum(self.lengths[members]) <= num_tokens]

    @classmethod
    def open(cls, folder: Path) -> "Documents":
        with np.load(folder / INDEX) as index:
            arrays = {name: index[name] for name in ("offsets", "groups", "num_bytes", "held_out")}
        size = int(arrays["offsets"][-1])
        ids = np.memmap(folder / IDS, np.int32, "r", shape=(size,)) if size else np.zeros(0, np.int32)
        mask = np.memmap(folder / MASK, np.bool_, "r", shape=(size,)) if size else np.zeros(0, np.bool_)
        return cls(ids=ids, loss_mask=mask, names=tuple(json.loads((folder / NAMES).read_bytes())), **arrays)


def write_documents(documents: Iterable[Tokenised], folder: Path) -> None:
    """Write `folder`, which is whole or absent, one document at a time."""
    unfinished = folder.with_name(f".{folder.name}.writing")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    names: dict[str, int] = {}
    lengths, groups, num_bytes, held_out = [0], [], [], []
    with (unfinished / IDS).open("wb") as ids, (unfinished / MASK).open("wb") as mask:
        for document in documents:
            ids.write(document.ids.astype(np.int32).tobytes())
            mask.write(document.loss_mask.astype(np.bool_).tobytes())
            lengths.append(len(document.ids))
            groups.append(names.setdefault(document.group, len(names)))
            num_bytes.append(document.num_bytes)
            held_out.append(document.held_out)
    np.savez(
        unfinished / INDEX,
        offsets=np.cumsum(lengths, dtype=np.int64),
        groups=np.array(groups, np.int32),
        num_bytes=np.array(num_bytes, np.int64),
        held_out=np.array(held_out, np.bool_),
    )
    (unfinished / NAMES).write_text(json.dumps(list(names)), encoding="utf-8")
    unfinished.rename(folder)


class Mixture:
    """Batches over groups, each drawn with p ~ n^(1/T) where it has n tokens (XLM, 1901.07291; mT5, 2010.11934).

    The documents of a group are packed once, in an order drawn from the seed, and its rows come in another order at
    every pass: who stands next to whom in a row makes no difference.
    """

    def __init__(
        self,
        documents: Documents,
        *,
        seed: int,
        num_steps: int,
        batch_rows: int,
        row_length: int,
        temperature: float,
        split: bool,
        eval_tokens: int,
        pad_token_id: int,
    ) -> None:
        self._documents, self._seed, self._batch_rows = documents, seed, batch_rows
        self._row_length, self._eval_tokens, self._pad = row_length, eval_tokens, pad_token_id
        chosen = [documents.chosen(group, held_out=False) for group in range(len(documents.names))]
        self._members = [_shuffled(members, seed, group) for group, members in enumerate(chosen)]
        lengths = documents.lengths
        self._layouts = [lay_out(lengths[members], row_length, split=split) for members in self._members]
        self.shares = mixture_shares([int(lengths[members].sum()) for members in self._members], temperature)
        self._groups, self._turns = _schedule(self.shares, num_steps * batch_rows, seed)
        self._order = lru_cache(maxsize=len(documents.names) + 1)(self._permutation)

    def batch(self, step: int) -> PackedRows:
        """[batch_rows, row_length] of the given step."""
        places = range(step * self._batch_rows, (step + 1) * self._batch_rows)
        rows = [self._row(int(self._groups[place]), int(self._turns[place])) for place in places]
        return pack_rows(rows, self._row_length, pad_token_id=self._pad)

    def held_out(self) -> Iterator[tuple[str, PackedRows, int]]:
        documents = self._documents
        for group, name in enumerate(documents.names):
            members = documents.measured(group, self._eval_tokens)
            if len(members):
                layout = lay_out(documents.lengths[members], self._row_length, split=False)
                rows = [self._stretches(layout, row, members) for row in range(len(layout))]
                packed = pack_rows(rows, self._row_length, pad_token_id=self._pad)
                yield name, packed, int(documents.num_bytes[members].sum())

    def _row(self, group: int, turn: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The row of a group that is due at its `turn`, counted from the start of training."""
        layout = self._layouts[group]
        turn_of_pass, place = divmod(turn, len(layout))
        return self._stretches(layout, int(self._order(group, turn_of_pass)[place]), self._members[group])

    def _permutation(self, group: int, turn_of_pass: int) -> np.ndarray:
        return np.random.default_rng([self._seed, group, turn_of_pass]).permutation(len(self._layouts[group]))

    def _stretches(self, layout: Layout, row: int, members: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        found = []
        for span in range(int(layout.cuts[row]), int(layout.cuts[row + 1])):
            start = int(self._documents.offsets[members[layout.documents[span]]])
            place = slice(start + int(layout.starts[span]), start + int(layout.stops[span]))
            found.append((np.asarray(self._documents.ids[place]), np.asarray(self._documents.loss_mask[place])))
        return found


def mixture_shares(num_tokens: Sequence[int], temperature: float) -> np.ndarray:
    """[G] probabilities p ~ n^(1/T); a group without tokens has none. ValueError where no group has any.

    Example: `mixture_shares([8, 1], 3.0)` is 2/3 and 1/3.
    """
    counts = np.array(num_tokens, np.float64)
    if not counts.any():
        raise ValueError("there is no document to train on")
    weights = np.where(counts > 0, counts ** (1.0 / temperature), 0.0)
    return weights / weights.sum()


def _schedule(shares: np.ndarray, num_rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row of the whole training, its group, and how many rows of that group came before it."""
    groups = np.random.default_rng([seed, len(shares)]).choice(len(shares), size=num_rows, p=shares)
    turns = np.zeros(num_rows, np.int64)
    for group in range(len(shares)):
        where = np.flatnonzero(groups == group)
        turns[where] = np.arange(len(where))
    return groups.astype(np.int32), turns


def _shuffled(members: np.ndarray, seed: int, group: int) -> np.ndarray:
    return members[np.random.default_rng([seed, group]).permutation(len(members))]

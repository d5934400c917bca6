"""Tokenised documents on disk, and which of them a training step reads: a function of (seed, step).

The ids of all documents lie end to end in one file that is mapped into memory, so a corpus may be larger than that.
What is kept per document is a few numbers. A batch is found from its step alone, so a resumed stage needs no state of
its data, and no batch comes twice or is left out.
"""

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from models.packing import Layout, PackedRows, lay_out, pack_rows
from rl.pacing import Pacing, bands, paced_shares

IDS, MASK, INDEX, NAMES = "ids.bin", "mask.bin", "index.npz", "groups.json"


@dataclass(frozen=True, slots=True)
class Tokenised:
    """One document. `loss_mask`: which ids are to be predicted; `num_bytes`: of the text that those stand for; `level`:
    how difficult it is.
    """

    ids: np.ndarray
    loss_mask: np.ndarray
    num_bytes: int
    group: str
    held_out: bool
    level: int = 0


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents of several groups, which are languages here.

    Attributes:
        ids, loss_mask: [N] int32 and bool, of all documents end to end.
        offsets: [D + 1], document d is `offsets[d]:offsets[d + 1]`.
        groups: [D], the place of its group in `names`.
        num_bytes, held_out, levels: [D]
    """

    ids: np.ndarray
    loss_mask: np.ndarray
    offsets: np.ndarray
    groups: np.ndarray
    num_bytes: np.ndarray
    held_out: np.ndarray
    levels: np.ndarray
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
            arrays = {name: index[name] for name in ("offsets", "groups", "num_bytes", "held_out", "levels")}
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
    lengths, groups, num_bytes, held_out, levels = [0], [], [], [], []
    with (unfinished / IDS).open("wb") as ids, (unfinished / MASK).open("wb") as mask:
        for document in documents:
            ids.write(document.ids.astype(np.int32).tobytes())
            mask.write(document.loss_mask.astype(np.bool_).tobytes())
            lengths.append(len(document.ids))
            groups.append(names.setdefault(document.group, len(names)))
            num_bytes.append(document.num_bytes)
            held_out.append(document.held_out)
            levels.append(document.level)
    np.savez(
        unfinished / INDEX,
        offsets=np.cumsum(lengths, dtype=np.int64),
        groups=np.array(groups, np.int32),
        num_bytes=np.array(num_bytes, np.int64),
        held_out=np.array(held_out, np.bool_),
        levels=np.array(levels, np.int32),
    )
    (unfinished / NAMES).write_text(json.dumps(list(names)), encoding="utf-8")
    unfinished.rename(folder)


@dataclass(frozen=True, slots=True)
class Paced:
    """Which documents come first. `num_bands` None: by their levels; else by bands of length. See `rl.pacing`."""

    start_levels: int
    full_step: int
    num_bands: int | None = None

    def levels(self, documents: Documents) -> np.ndarray:
        """[D] the level of each document, or its band among those that are not held out."""
        if self.num_bands is None:
            return documents.levels
        found, train = np.zeros(len(documents.groups), np.int32), ~documents.held_out
        found[train] = bands(documents.lengths[train], self.num_bands)
        return found


class Mixture:
    """Batches over groups, each drawn with p ~ n^(1/T) where it has n tokens (XLM, 1901.07291; mT5, 2010.11934); within
    a group over its levels, where they are `paced`.

    The documents of a group and level are packed once, in an order drawn from the seed, and its rows come in another
    order at every pass: who stands next to whom in a row makes no difference.
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
        paced: Paced | None = None,
    ) -> None:
        self._documents, self._seed, self._batch_rows = documents, seed, batch_rows
        self._row_length, self._eval_tokens, self._pad = row_length, eval_tokens, pad_token_id
        lengths, train = documents.lengths, ~documents.held_out
        levels = paced.levels(documents) if paced else np.zeros_like(documents.groups)
        self.levels = np.unique(levels[train])  # [L] those that there are; a cell is a group at one of them
        cells = [(group, level) for group in range(len(documents.names)) for level in self.levels]
        chosen = [np.flatnonzero((documents.groups == group) & (levels == level) & train) for group, level in cells]
        self._members = [_shuffled(members, seed, cell) for cell, members in enumerate(chosen)]
        self._layouts = [lay_out(lengths[members], row_length, split=split) for members in self._members]
        num_tokens = np.array([int(lengths[members].sum()) for members in self._members])
        self._tokens = num_tokens.reshape(len(documents.names), len(self.levels))
        self.shares = mixture_shares(self._tokens.sum(1).tolist(), temperature)
        full_step = paced.full_step if paced else 0
        self._pacing = Pacing(len(self.levels), paced.start_levels if paced else 1, full_step)
        self._is_paced = paced is not None
        self._cells, self._turns = _schedule(self.cell_shares, num_steps, batch_rows, seed, full_step, len(cells))
        self._order = lru_cache(maxsize=len(cells) + 1)(self._permutation)

    def cell_shares(self, step: int) -> np.ndarray:
        """[G, L] probabilities of a row of each group and level."""
        return paced_shares(self.shares, self._tokens, self._pacing.opened(step))

    def metrics(self, step: int) -> dict[str, float]:
        """The share of each level, and their mean; nothing without a curriculum."""
        if not self._is_paced:
            return {}
        shares = self.cell_shares(step).sum(0)
        named = {f"curriculum/level/{level}": float(share) for level, share in zip(self.levels, shares, strict=True)}
        return named | {"curriculum/mean_level": float(shares @ self.levels)}

    def batch(self, step: int) -> PackedRows:
        """[batch_rows, row_length] of the given step."""
        places = range(step * self._batch_rows, (step + 1) * self._batch_rows)
        rows = [self._row(int(self._cells[place]), int(self._turns[place])) for place in places]
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

    def _row(self, cell: int, turn: int) -> list[tuple[np.ndarray, np.ndarray]]:
        """The row of a cell that is due at its `turn`, counted from the start of training."""
        layout = self._layouts[cell]
        turn_of_pass, place = divmod(turn, len(layout))
        return self._stretches(layout, int(self._order(cell, turn_of_pass)[place]), self._members[cell])

    def _permutation(self, cell: int, turn_of_pass: int) -> np.ndarray:
        return np.random.default_rng([self._seed, cell, turn_of_pass]).permutation(len(self._layouts[cell]))

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


def _schedule(
    shares: Callable[[int], np.ndarray], num_steps: int, batch_rows: int, seed: int, full_step: int, num_cells: int
) -> tuple[np.ndarray, np.ndarray]:
    """For each row of the whole training, its cell, and how many rows of that cell came before it.

    `shares(step)` are the probabilities of the cells, the same from `full_step` on.
    """
    points = np.random.default_rng([seed, num_cells]).random((num_steps, batch_rows))
    by_step = np.zeros((num_steps, batch_rows), np.int64)
    for step in range(min(full_step, num_steps)):
        by_step[step] = _cells_at(points[step], shares(step))
    by_step[full_step:] = _cells_at(points[full_step:], shares(full_step))
    cells = by_step.ravel()
    turns = np.zeros(len(cells), np.int64)
    for cell in range(num_cells):
        where = np.flatnonzero(cells == cell)
        turns[where] = np.arange(len(where))
    return cells.astype(np.int32), turns


def _cells_at(points: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The cell that holds each point of [0, 1) when the cells lie end to end in the lengths of their shares."""
    ends = np.cumsum(shares)
    return (ends / ends[-1]).searchsorted(points, side="right")


def _shuffled(members: np.ndarray, seed: int, cell: int) -> np.ndarray:
    return members[np.random.default_rng([seed, cell]).permutation(len(members))]

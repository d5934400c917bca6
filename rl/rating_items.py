"""What a rater is shown next: a function of the run's store, of who rates, and of what that person has rated.

Every fourth item comes from one order that all raters share, so that their agreement can be measured; the others from
an order of each rater's own, so that together they see more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from envs.task import stable_hash
from rl.ratings import RatingBook, RatingKind, item_of
from rl.store import Part, Query, load_part, parts

SHARED_EVERY = 4
RATEABLE = ("ok", "truncated")
COLUMNS = ("id", "purpose", "iteration", "group", "status", "text")


@dataclass(frozen=True, slots=True)
class Item:
    """A dialog to rate; or two samples of one prompt with different words, in the order in which they are shown."""

    dialog: str
    other: str = ""


def find_items(run_dir: Path, query: Query, kind: RatingKind) -> list[Item]:
    """All that can be rated: the assistant's finished dialogs, or disjoint pairs of them."""
    groups: dict[tuple[str, int, int], dict[str, str]] = {}
    for part in parts(run_dir, query):
        for row in _rateable(part, query).to_pylist():
            same_prompt = groups.setdefault((row["purpose"], row["iteration"], row["group"]), {})
            same_prompt.setdefault(row["text"], row["id"])  # the same words, said again, would be no choice
    if kind != "pair":
        return [Item(dialog) for group in groups.values() for dialog in group.values()]
    return [item for group in groups.values() for item in _pairs(sorted(group.values()))]


class Queue:
    """Hands out the items that a rater has not rated. Example: `while (item := queue.next()) is not None: ...`"""

    def __init__(self, items: Sequence[Item], book: RatingBook, rater: str, kind: RatingKind) -> None:
        self._open = [item for item in items if not book.has_rated(item_of(rater, kind, item.dialog, item.other))]
        self._num_rated = len(items) - len(self._open)
        self._rater = rater
        self.num_items = len(items)

    def __len__(self) -> int:
        return len(self._open)

    def next(self) -> Item | None:
        """Each item once, whatever becomes of it."""
        if not self._open:
            return None
        order = "" if self._num_rated % SHARED_EVERY == 0 else self._rater
        item = min(self._open, key=lambda item: (stable_hash("show", order, item.dialog, item.other), item.dialog))
        self._open.remove(item)
        self._num_rated += 1
        return item


def _rateable(part: Part, query: Query) -> pa.Table:
    """What the assistant has said to the end, with the columns that matter here."""
    table = load_part(part, query, columns=list(COLUMNS))
    finished = pc.and_(pc.is_in(table["status"], pa.array(RATEABLE)), pc.not_equal(table["text"], ""))
    return table.filter(finished)


def _pairs(dialogs: Sequence[str]) -> Iterator[Item]:
    """Two by two, in an order and with a first that chance has chosen, once for all raters."""
    shuffled = sorted(dialogs, key=lambda dialog: stable_hash("pair", dialog))
    for dialog, other in zip(shuffled[::2], shuffled[1::2], strict=False):
        yield Item(dialog, other)

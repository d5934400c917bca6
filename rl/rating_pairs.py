"""From ratings to ordered pairs: which of two dialogs, or of two answers to the same question, somebody likes better.

A rating of a pair is one already. Thumbs and stars of one rater are put side by side, first among dialogs of the same
task and then, what is left, the better half of them with the worse half: another rater's three stars may mean something
else, so raters are never compared with each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from envs.task import Turn, stable_hash
from rl.ratings import Rating
from rl.store import Record

NUM_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Preference:
    """`better` is preferred to `worse`, or neither is where `tie`.

    Attributes:
        turn: the one turn that this is about, with all earlier ones alike in both; None: the whole dialogs.
        fold: 0 to `NUM_FOLDS` - 1, by what the dialogs open with. The two of a pair are always in the same.
    """

    better: Record
    worse: Record
    rater: str
    turn: int | None
    fold: int
    tie: bool = False


def preferences(ratings: Iterable[Rating], records: Mapping[str, Record]) -> list[Preference]:
    """Of ratings whose dialogs are among `records` and have been judged; the others say nothing here.

    Two orders of the same ratings give the same pairs.
    """
    usable = [r for r in ratings if all(_is_judged(records.get(name)) for name in (r.dialog, r.other) if name)]
    found = [pair for rating in usable if rating.kind == "pair" for pair in _of_pair(rating, records)]
    for rater, kind in sorted({(r.rater, r.kind) for r in usable if r.kind in ("thumbs", "stars")}):
        own = [r for r in usable if (r.rater, r.kind) == (rater, kind)]
        for fold in range(NUM_FOLDS):
            found += _of_marks([r for r in own if fold_of(records[r.dialog]) == fold], records, fold)
    return found


def fold_of(record: Record) -> int:
    """Dialogs that open with the same question share it, whatever their seeds."""
    return stable_hash("fold", record.trajectory.turns[0].question.text) % NUM_FOLDS


def parting_turn(first: Record, second: Record) -> int | None:
    """The turn at which two dialogs part: the first with different answers. None where they have nothing in common, or
    everything.
    """
    for index, (one, other) in enumerate(zip(first.trajectory.turns, second.trajectory.turns, strict=False)):
        if one.question != other.question:
            return None
        if one.answer != other.answer:
            return index
    return None


def messages_before(record: Record, turn: int) -> list[dict[str, str]]:
    """The dialog up to and with the question of `turn`, as chat messages."""

    def messages(said: Turn) -> list[dict[str, str]]:
        return [{"role": "user", "content": said.question.text}, {"role": "assistant", "content": said.answer}]

    so_far = [message for said in record.trajectory.turns[: turn + 1] for message in messages(said)]
    return so_far[:-1]


def _is_judged(record: Record | None) -> bool:
    return record is not None and record.scored.score is not None and bool(record.trajectory.turns)


def _of_pair(rating: Rating, records: Mapping[str, Record]) -> list[Preference]:
    names = (rating.other, rating.dialog) if rating.value == -1 else (rating.dialog, rating.other)
    better, worse = (records[name] for name in names)
    turn = parting_turn(better, worse)
    if turn is None:
        return []
    return [Preference(better, worse, rating.rater, turn, fold_of(better), tie=rating.value == 0)]


def _of_marks(ratings: Sequence[Rating], records: Mapping[str, Record], fold: int) -> list[Preference]:
    """Thumbs or stars of one rater in one fold."""
    ranked = sorted(ratings, key=lambda r: (-(r.value or 0), stable_hash("order", r.dialog)))
    by_task: dict[str, list[Rating]] = {}
    for rating in ranked:
        by_task.setdefault(records[rating.dialog].trajectory.request.task.id, []).append(rating)
    pairs = [
        (high, low) for group in by_task.values() for high, low in combinations(group, 2) if high.value != low.value
    ]
    paired = {rating.dialog for pair in pairs for rating in pair}
    left = [rating for rating in ranked if rating.dialog not in paired]
    half = (len(left) + 1) // 2
    pairs += [(high, low) for high, low in zip(left, left[half:], strict=False) if high.value != low.value]
    return [_whole(records[high.dialog], records[low.dialog], high.rater, fold) for high, low in pairs]


def _whole(better: Record, worse: Record, rater: str, fold: int) -> Preference:
    return Preference(better, worse, rater, None, fold)

"""What people say of a run's dialogs: one rating per line of `feedback/ratings.jsonl`, which only ever grows.

A rater says one thing of each kind about a dialog, or about a pair of answers. Saying it twice changes nothing.
Saying something else the second time is a contradiction, which is refused and counted, and does not average out.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

FOLDER = "feedback"
FILE = "ratings.jsonl"
RatingKind = Literal["thumbs", "stars", "pair", "text"]
KINDS: tuple[RatingKind, ...] = get_args(RatingKind)
Item = tuple[str, RatingKind, str, str]  # rater, kind, "" or a dialog, a dialog
ALLOWED: dict[RatingKind, tuple[int, ...]] = {"thumbs": (-1, 1), "stars": (1, 2, 3, 4, 5), "pair": (-1, 0, 1)}


class RatingError(ValueError):
    """A rating that cannot be used, or a file of them; the message says which and why."""


def item_of(rater: str, kind: RatingKind, dialog: str, other: str = "") -> Item:
    """What a rater can be asked about once."""
    return (rater, kind, min(dialog, other), max(dialog, other))


@dataclass(frozen=True, slots=True)
class Rating:
    """One judgement of one rater.

    Attributes:
        dialog: id of the episode.
        other: of a pair, the id of the other episode, a sample of the same prompt; else empty.
        value: thumbs, 1 up and -1 down; stars, 1 to 5; pair, 1 where `dialog` is better, -1 where `other` is, 0 where
            neither is; text, None.
        text: free words, of any kind of rating.
        wall_time: seconds since 1970.
    """

    rater: str
    kind: RatingKind
    dialog: str
    other: str = ""
    value: int | None = None
    text: str = ""
    wall_time: float = 0.0

    def __post_init__(self) -> None:
        if not self.rater or not self.dialog:
            raise RatingError(f"{'dialog' if self.rater else 'rater'} is empty")
        if self.kind not in KINDS:
            raise RatingError(f"kind {self.kind!r} is not one of {', '.join(KINDS)}")
        if (self.kind == "pair") != bool(self.other) or self.other == self.dialog:
            raise RatingError(f"a rating of kind {self.kind} with dialog {self.dialog!r} and other {self.other!r}")
        if self.kind == "text" and (self.value is not None or not self.text):
            raise RatingError(f"a text of {self.text!r} with value {self.value!r}; it has words and no value")
        if self.kind != "text" and self.value not in ALLOWED[self.kind]:
            allowed = ", ".join(map(str, ALLOWED[self.kind]))
            raise RatingError(f"value {self.value!r} is not one of {allowed}, for kind {self.kind}")

    @property
    def item(self) -> Item:
        """What is rated and by whom; the same for both orders of a pair."""
        return item_of(self.rater, self.kind, self.dialog, self.other)

    @property
    def opinion(self) -> int | str | None:
        """What is said about `item`, whichever way round a pair was shown."""
        if self.kind == "text":
            return self.text
        return -self.value if self.kind == "pair" and self.value and self.dialog > self.other else self.value


COLUMNS = tuple(field.name for field in fields(Rating))
REQUIRED = ("rater", "kind", "dialog")


def parse_rating(values: Mapping[str, Any]) -> Rating:
    """A rating from a row of a file, in which only `REQUIRED` must be there. Raises RatingError."""
    given = {name: values[name] for name in COLUMNS if values.get(name) is not None}
    for name, value in given.items():
        wanted: tuple[type, ...] = (str,)
        if name in ("value", "wall_time"):
            wanted = (int,) if name == "value" else (int, float)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise RatingError(f"{name} {value!r} is a {type(value).__name__}, not a {wanted[-1].__name__}")
    return Rating(**given)


class RatingBook:
    """The ratings of one run, open for more. Several people may write in it at once.

    Example: `book = RatingBook(run_dir); book.note(Rating("ana", "thumbs", "train-3-0-1", value=1)); book.save()`
    """

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / FOLDER / FILE
        self._opinions: dict[Item, list[int | str | None]] = {}
        self._unsaved: list[Rating] = []
        for rating in read_ratings(run_dir):
            self._opinions.setdefault(rating.item, []).append(rating.opinion)

    def has_rated(self, item: Item) -> bool:
        return item in self._opinions

    def note(self, rating: Rating) -> bool:
        """Whether it is new; then `save` writes it. Raises RatingError where its rater has said something else."""
        said = self._opinions.setdefault(rating.item, [])
        if rating.opinion in said:
            return False
        if said and rating.kind != "text":  # of words there can be more
            _, kind, *dialogs = rating.item
            rated = " and ".join(filter(None, dialogs))
            raise RatingError(
                f"contradicts {rating.rater}, who has said {said[0]:+d} ({kind}) of {rated} before, and not "
                f"{rating.opinion:+d}"
            )
        said.append(rating.opinion)
        self._unsaved.append(rating)
        return True

    def save(self) -> None:
        """All that is new is on disk when this returns. Raises RatingError."""
        if self._unsaved:
            _append(self._path, self._unsaved)
        self._unsaved = []


def read_ratings(run_dir: Path) -> list[Rating]:
    """All ratings, in the order in which they came. A last line that a power cut tore is left out."""
    path = run_dir / FOLDER / FILE
    if not path.exists():
        return []
    ratings = []
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        if number == len(lines) and not line.endswith(b"\n"):
            break
        try:
            ratings.append(parse_rating(json.loads(line)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise RatingError(f"{path}:{number}: not a rating: {error}; mend the line or remove it") from error
    return ratings


def _append(path: Path, ratings: Sequence[Rating]) -> None:
    """Whole lines at the end of the file, on disk when this returns; a torn line of a power cut goes first."""
    lines = "".join(json.dumps(asdict(rating), ensure_ascii=False) + "\n" for rating in ratings).encode()
    try:
        path.parent.mkdir(exist_ok=True)
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RatingError(f"{path}: cannot be written: {error.strerror or error}") from error

"""`zero2one rate`: one dialog after the other in the terminal, and what a person says of each, saved at once.

A rater sees neither the reward nor its dimensions, which would be taken for the right opinion.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from rl.rating_items import Item, Queue, find_items
from rl.rating_pairs import parting_turn
from rl.ratings import Rating, RatingBook, RatingError, RatingKind
from rl.show import dialog_lines
from rl.store import Query, Record, read

ANSWERS: Mapping[RatingKind, Mapping[str, int]] = {
    "thumbs": {"+": 1, "-": -1, "y": 1, "n": -1},
    "stars": {str(stars): stars for stars in range(1, 6)},
    "pair": {"1": 1, "2": -1, "=": 0},
}
QUESTIONS: Mapping[RatingKind, str] = {
    "thumbs": "Good? + or -",
    "stars": "How good, 1 (bad) to 5?",
    "pair": "Which is better? 1, 2, or = for neither",
    "text": "What is there to say?",
}
CONTROLS = "Enter: skip, q: quit"

Ask = Callable[[str], str]  # a prompt in, a typed line out; raises EOFError where there are no more


@dataclass(frozen=True, slots=True)
class Session:
    """What a session of rating came to; `num_left`: items that the rater has not rated yet, skipped ones among them."""

    num_rated: int
    num_left: int


def rate(
    run_dir: Path, *, rater: str, kind: RatingKind, query: Query, console: Console, ask: Ask, limit: int | None = None
) -> Session:
    """Show what `rater` has not rated yet and write down the answers, until nothing is left or the rater quits.

    Raises RatingError where there is nothing of this kind to rate.
    """
    book = RatingBook(run_dir)
    items = find_items(run_dir, query, kind)
    if not items:
        wanted = "two different answers to the same prompt" if kind == "pair" else "finished dialog"
        raise RatingError(f"{run_dir} holds no {wanted} to rate here; more may come while it trains")
    queue = Queue(items, book, rater, kind)
    num_open, num_rated = len(queue), 0
    while num_rated != limit and (item := queue.next()) is not None:
        console.print(f"[dim]{queue.num_items - len(queue)} of {queue.num_items}[/dim]")
        shown = _show(run_dir, item, console)
        typed = _answer(kind, console, ask) if shown else ""
        if typed == "q":
            break
        if typed:
            value = None if kind == "text" else ANSWERS[kind][typed]
            words = typed if kind == "text" else ""
            book.note(Rating(rater, kind, item.dialog, item.other, value, words, time.time()))
            book.save()
            num_rated += 1
    return Session(num_rated, num_open - num_rated)


def _answer(kind: RatingKind, console: Console, ask: Ask) -> str:
    """One of the answers that are possible, "" to skip, "q" to quit."""
    while True:
        try:
            typed = ask(f"{QUESTIONS[kind]} ({CONTROLS}) ").strip()
        except (EOFError, KeyboardInterrupt):
            console.print()
            return "q"
        if typed in ("", "q") or kind == "text" or typed in ANSWERS[kind]:
            return typed
        console.print(f"{typed!r} is none of {', '.join(ANSWERS[kind])}", markup=False)


def _show(run_dir: Path, item: Item, console: Console) -> bool:
    """False: there is nothing to choose between."""
    wanted = tuple(filter(None, (item.dialog, item.other)))
    records = {record.trajectory.request.id: record for record in read(run_dir, Query(ids=wanted))}
    if not item.other:
        console.print(_panel(records[item.dialog], item.dialog))
        return True
    first, second = records[item.dialog], records[item.other]
    turn = parting_turn(first, second)
    if turn is None:
        return False
    console.print(_panel(first, "1", turn))
    console.print(Panel(dialog_lines(second.trajectory.turns[turn], "assistant")[1], title="2", title_align="left"))
    return True


def _panel(record: Record, title: str, last: int | None = None) -> Panel:
    """The dialog up to and with turn `last`; None: all of it."""
    turns = record.trajectory.turns if last is None else record.trajectory.turns[: last + 1]
    lines: list[Text] = [line for turn in turns for line in dialog_lines(turn, "assistant")]
    return Panel(Group(*lines), title=title, title_align="left")

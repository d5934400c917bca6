import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from rl.rate import Session, rate
from rl.rating_items import Item, Queue, find_items
from rl.ratings import RatingBook, RatingError, RatingKind, read_ratings
from rl.store import EVERYTHING, Query, TrajectoryStore
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Six prompts with four samples, of which two say the same; and what nobody should be asked about."""
    dialogs = [
        scored(trajectory(request(0, group, sample), (str(sample % 3),))) for group in range(6) for sample in range(4)
    ]
    TrajectoryStore(tmp_path, DIMENSIONS).write([*dialogs, lost(request(0, 9))])
    return tmp_path


def session(
    run_dir: Path,
    typed: Sequence[str],
    kind: RatingKind = "thumbs",
    rater: str = "ana",
    limit: int | None = None,
    query: Query = EVERYTHING,
) -> tuple[Session, str]:
    keys: Iterator[str] = iter(typed)

    def ask(prompt: str) -> str:
        try:
            return next(keys)
        except StopIteration:
            raise EOFError from None

    console = Console(file=io.StringIO(), width=100)
    done = rate(run_dir, rater=rater, kind=kind, query=query, console=console, ask=ask, limit=limit)
    assert isinstance(console.file, io.StringIO)
    return done, console.file.getvalue()


def order(run_dir: Path, rater: str, kind: RatingKind = "thumbs") -> list[Item]:
    queue = Queue(find_items(run_dir, EVERYTHING, kind), RatingBook(run_dir), rater, kind)
    return list(iter(queue.next, None))


def test_every_answer_is_saved_at_once_and_quitting_loses_nothing(run: Path) -> None:
    done, _ = session(run, ["+", "", "-", "q"])
    assert done == Session(num_rated=2, num_left=16)
    assert [rating.value for rating in read_ratings(run)] == [1, -1]
    assert read_ratings(run)[0].wall_time > 0


def test_nothing_is_shown_twice_but_what_was_skipped(run: Path) -> None:
    for _ in range(9):
        session(run, ["+", "-"])
    assert session(run, ["+"])[0] == Session(0, 0)
    rated = [rating.dialog for rating in read_ratings(run)]
    assert len(rated) == len(set(rated)) == 18  # 6 prompts with 3 different answers
    assert session(run, ["+"], rater="bob")[0] == Session(1, 17)


def test_the_order_is_a_function_of_who_rates(run: Path) -> None:
    ana, bob = order(run, "ana"), order(run, "bob")
    assert ana == order(run, "ana")
    assert ana != bob
    assert sorted(ana, key=str) == sorted(bob, key=str)
    assert ana[0] == bob[0]  # every fourth is the same for all


def test_a_session_goes_on_where_the_last_one_ended(run: Path) -> None:
    expected = [item.dialog for item in order(run, "ana")]
    session(run, ["+"] * 5 + ["q"])
    session(run, ["-"] * 3)
    assert [rating.dialog for rating in read_ratings(run)] == expected[:8]


def test_pairs_are_two_answers_to_one_prompt(run: Path) -> None:
    items = find_items(run, EVERYTHING, "pair")
    assert len(items) == 6  # three different answers make one disjoint pair
    assert all(item.dialog.split("-")[2] == item.other.split("-")[2] for item in items)
    done, text = session(run, ["3", "1", "=", "2", "q"], "pair")
    assert "'3' is none of 1, 2, =" in text
    assert done.num_rated == 3
    assert [rating.value for rating in read_ratings(run)] == [1, 0, -1]


def test_raters_do_not_see_the_reward(run: Path) -> None:
    _, text = session(run, ["q"])
    assert "What is" in text
    assert "reward" not in text
    assert "math.correct" not in text


def test_words_and_stars(run: Path) -> None:
    session(run, ["too long", "q"], "text")
    session(run, ["6", "5"], "stars", limit=1)
    assert [(r.kind, r.value, r.text) for r in read_ratings(run)] == [("text", None, "too long"), ("stars", 5, "")]


def test_a_run_without_anything_to_rate_says_so(run: Path) -> None:
    with pytest.raises(RatingError, match="no two different answers to the same prompt"):
        session(run, [], "pair", query=Query(first=7))

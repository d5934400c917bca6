import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from rl.ratings import FILE, FOLDER, Rating, RatingBook, RatingError, parse_rating, read_ratings

UP = Rating("ana", "thumbs", "train-0-0-0", value=1)
PAIR = Rating("ana", "pair", "train-0-0-0", "train-0-0-1", value=1)


def saved(run_dir: Path, *ratings: Rating) -> RatingBook:
    book = RatingBook(run_dir)
    for rating in ratings:
        book.note(rating)
    book.save()
    return book


def test_ratings_come_back_in_their_order(tmp_path: Path) -> None:
    words = Rating("bob", "text", "train-0-0-0", text="zu lang, aber schön")
    saved(tmp_path, UP, PAIR)
    saved(tmp_path, words)
    assert read_ratings(tmp_path) == [UP, PAIR, words]


@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"kind": "thumbs", "dialog": "d", "value": 1}, "rater is empty"),
        ({"rater": "ana", "kind": "likes", "dialog": "d"}, "kind 'likes' is not one of thumbs, stars, pair, text"),
        ({"rater": "ana", "kind": "stars", "dialog": "d", "value": 6}, "value 6 is not one of 1, 2, 3, 4, 5"),
        ({"rater": "ana", "kind": "stars", "dialog": "d", "value": "5"}, "value '5' is a str, not a int"),
        ({"rater": "ana", "kind": "thumbs", "dialog": "d", "value": True}, "value True is a bool, not a int"),
        ({"rater": "ana", "kind": "pair", "dialog": "d", "value": 1}, "kind pair with dialog 'd' and other ''"),
        ({"rater": "ana", "kind": "pair", "dialog": "d", "other": "d", "value": 1}, "and other 'd'"),
        ({"rater": "ana", "kind": "text", "dialog": "d"}, "it has words and no value"),
    ],
)
def test_what_is_no_rating_is_refused(values: dict[str, Any], cause: str) -> None:
    with pytest.raises(RatingError, match=cause):
        parse_rating({"rater": ""} | values)


def test_saying_it_again_changes_nothing_and_the_opposite_is_refused(tmp_path: Path) -> None:
    saved(tmp_path, UP, PAIR)
    book = RatingBook(tmp_path)
    assert not book.note(UP)
    assert not book.note(Rating("ana", "pair", "train-0-0-1", "train-0-0-0", value=-1))  # the same, turned round
    with pytest.raises(RatingError, match=r"contradicts ana, who has said \+1 \(thumbs\) of train-0-0-0 before"):
        book.note(Rating("ana", "thumbs", "train-0-0-0", value=-1))
    with pytest.raises(RatingError, match="of train-0-0-0 and train-0-0-1 before"):
        book.note(Rating("ana", "pair", "train-0-0-1", "train-0-0-0", value=1))
    assert book.note(Rating("bob", "thumbs", "train-0-0-0", value=-1))  # somebody else may


def test_a_torn_line_is_left_out_and_goes_with_the_next_rating(tmp_path: Path) -> None:
    saved(tmp_path, UP)
    path = tmp_path / FOLDER / FILE
    with path.open("ab") as file:
        file.write(b'{"rater": "ana", "ki')
    assert read_ratings(tmp_path) == [UP]
    saved(tmp_path, PAIR)
    assert read_ratings(tmp_path) == [UP, PAIR]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    saved(tmp_path, UP)
    path = tmp_path / FOLDER / FILE
    path.write_text("not json\n" + path.read_text())
    with pytest.raises(RatingError, match=r"ratings\.jsonl:1: not a rating"):
        read_ratings(tmp_path)


def _rate_many(run_dir: Path, rater: str) -> None:
    for number in range(50):
        saved(run_dir, Rating(rater, "thumbs", f"train-0-{number}-0", value=1))


def test_several_people_may_rate_at_once(tmp_path: Path) -> None:
    people = [
        multiprocessing.get_context("fork").Process(target=_rate_many, args=(tmp_path, n)) for n in ("ana", "bob")
    ]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert len(read_ratings(tmp_path)) == 100

from rl.rating_pairs import Preference, fold_of, messages_before, parting_turn, preferences
from rl.ratings import Rating
from rl.store import Record
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory


def record(group: int, sample: int, *answers: str, questions: tuple[str, ...] = ()) -> Record:
    asked = request(0, group, sample)
    return Record(scored(trajectory(asked, answers, questions=questions)), DIMENSIONS, None)


def by_id(*records: Record) -> dict[str, Record]:
    return {r.trajectory.request.id: r for r in records}


def names(found: list[Preference]) -> set[tuple[str, str]]:
    return {(p.better.trajectory.request.id, p.worse.trajectory.request.id) for p in found}


def test_a_pair_is_about_the_turn_at_which_the_dialogs_part() -> None:
    first, second = record(3, 0, "3", "4", "9"), record(3, 1, "3", "5", "9")
    (found,) = preferences([Rating("ana", "pair", "train-0-3-0", "train-0-3-1", value=-1)], by_id(first, second))
    assert (found.better, found.worse, found.turn, found.tie) == (second, first, 1, False)
    assert messages_before(first, 1) == [
        {"role": "user", "content": "What is 3 + 0?"},
        {"role": "assistant", "content": "3"},
        {"role": "user", "content": "What is 3 + 1?"},
    ]


def test_dialogs_with_another_question_or_the_same_words_do_not_part() -> None:
    assert parting_turn(record(1, 0, "1"), record(2, 0, "2")) is None
    assert parting_turn(record(1, 0, "1"), record(1, 1, "1")) is None


def test_marks_are_paired_within_the_task_first() -> None:
    records = by_id(record(0, 0, "0"), record(0, 1, "1"), record(0, 2, "2"), record(7, 0, "7"))
    stars = {"train-0-0-0": 5, "train-0-0-1": 3, "train-0-0-2": 3, "train-0-7-0": 1}
    found = preferences([Rating("ana", "stars", name, value=v) for name, v in stars.items()], records)
    assert names(found) == {("train-0-0-0", "train-0-0-1"), ("train-0-0-0", "train-0-0-2")}
    assert all(pair.turn is None for pair in found)


def test_what_is_left_is_paired_across_tasks_of_a_fold_and_never_across_raters() -> None:
    records = by_id(*(record(group, 0, "x", questions=("Same?",)) for group in range(4)))
    ratings = [Rating("ana", "thumbs", f"train-0-{group}-0", value=1 if group < 2 else -1) for group in range(4)]
    found = preferences(ratings, records)
    assert len(found) == 2
    assert {better for better, _ in names(found)} == {"train-0-0-0", "train-0-1-0"}
    assert names(preferences(list(reversed(ratings)), records)) == names(found)
    by_two = [Rating(f"rater {r.value}", "thumbs", r.dialog, value=r.value) for r in ratings]
    assert not preferences(by_two, records)


def test_both_dialogs_of_a_pair_are_in_one_fold() -> None:
    records = [record(group, 0, "x") for group in range(40)]
    ratings = [
        Rating("ana", "thumbs", r.trajectory.request.id, value=1 if n % 2 else -1) for n, r in enumerate(records)
    ]
    found = preferences(ratings, by_id(*records))
    assert len({fold_of(r) for r in records}) == 5
    assert all(fold_of(pair.better) == fold_of(pair.worse) == pair.fold for pair in found)


def test_a_dialog_that_is_gone_or_was_not_judged_says_nothing() -> None:
    failed = Record(lost(request(0, 5)), DIMENSIONS, None)
    ratings = [Rating("ana", "thumbs", "train-0-5-0", value=1), Rating("ana", "thumbs", "train-9-9-9", value=-1)]
    assert not preferences(ratings, by_id(failed))

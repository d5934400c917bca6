"""Pauses between the workers of a place, and when it is given up."""

from cluster.places import MAX_LOSSES_IN_A_ROW, MAX_PAUSE_SECONDS, Place


def test_the_first_successor_starts_at_once_and_the_others_later_and_later() -> None:
    place, pauses = Place(), []
    for _ in range(12):
        place.lost()
        pauses.append(place.pause_seconds)
    assert pauses[:5] == [0.0, 1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == MAX_PAUSE_SECONDS
    for _ in range(5000):
        place.lost()
    assert place.pause_seconds == MAX_PAUSE_SECONDS


def test_too_many_losses_in_a_row_are_the_end() -> None:
    place = Place()
    for _ in range(MAX_LOSSES_IN_A_ROW):
        place.lost()
        assert not place.is_hopeless
    place.lost()
    assert place.is_hopeless


def test_work_wipes_them_out() -> None:
    place = Place()
    for _ in range(10 * MAX_LOSSES_IN_A_ROW):
        place.lost()
        place.worked()
        assert (place.is_hopeless, place.pause_seconds) == (False, 0.0)


def test_excused_losses_bring_pauses_and_no_end() -> None:
    place = Place()
    for _ in range(10 * MAX_LOSSES_IN_A_ROW):
        place.lost(is_excused=True)
    assert (place.is_hopeless, place.pause_seconds) == (False, MAX_PAUSE_SECONDS)

"""Weights by hand; then, over thousands of dialogs, the shares that the parameters promise."""

from collections import Counter, defaultdict
from math import sqrt

import pytest

from envs.arrival import Arrival, Visit, shape
from envs.library import ScenarioError
from envs.mix import MixLine, draw
from envs.task import Task
from tests.envs.arrivals import LIBRARY, LINES

NUM_DRAWS = 5000


def is_near(count: int, share: float, total: int) -> bool:
    """Within three standard errors of a share."""
    return abs(count - share * total) < 3 * sqrt(total * share * (1 - share))


def tasks(arrival: Arrival, lines: tuple[MixLine, ...] = LINES, number: int = NUM_DRAWS) -> list[Task]:
    mix = shape(LIBRARY, lines, arrival)
    return [draw(LIBRARY, mix, 42, 0, index, arrivals=arrival) for index in range(number)]


def weights(arrival: Arrival, lines: tuple[MixLine, ...] = LINES) -> dict[str, float]:
    return {line.scenario: line.weight for line in shape(LIBRARY, lines, arrival)}


def test_zipf_runs_over_the_lines_of_a_domain_in_their_order() -> None:
    assert weights(Arrival(zipf_exponent=1.0)) == pytest.approx(
        {"sums": 3 * 6 / 11, "products": 3 * 3 / 11, "roots": 3 * 2 / 11, "riddles": 1.0}
    )
    assert weights(Arrival(zipf_exponent=2.0), LINES[1::-1])["sums"] == pytest.approx(2 * 1 / 5)


def test_domains_share_as_they_are_told_and_lines_as_they_are_weighed() -> None:
    lines = (MixLine("sums", 3.0), MixLine("products", 1.0), MixLine("riddles", 4.0))
    assert weights(Arrival(domains={"math": 1.0, "logic": 3.0}), lines) == pytest.approx(
        {"sums": 1.5, "products": 0.5, "riddles": 6.0}
    )


def test_the_defaults_leave_a_mixture_as_it_is() -> None:
    assert shape(LIBRARY, LINES, Arrival()) == LINES


def test_lines_speak_what_somebody_uses() -> None:
    lines = shape(LIBRARY, LINES, Arrival(languages={"fr": 2.0, "de": 1.0}))
    assert {line.scenario: line.languages for line in lines} == {
        "sums": ("de", "fr"),
        "products": ("de", "fr"),
        "roots": ("de",),
        "riddles": ("de", "fr"),
    }


@pytest.mark.parametrize(
    ("arrival", "cause"),
    [
        (Arrival(domains={"math": 1.0}), "no weight for 'logic', the domain of riddles"),
        (
            Arrival(domains={"math": 1.0, "logic": 1.0, "lgoic": 1.0}),
            "no line of the mix has domain 'lgoic'.*math, logic",
        ),
        (Arrival(languages={"fr": 1.0}), "roots speaks none of tasks.arrival.languages"),
    ],
)
def test_what_does_not_fit_the_mixture_is_refused(arrival: Arrival, cause: str) -> None:
    with pytest.raises(ScenarioError, match=cause):
        shape(LIBRARY, LINES, arrival)


def test_draws_follow_the_shares() -> None:
    arrival = Arrival(1.0, {"math": 3.0, "logic": 1.0}, {"en": 6.0, "de": 3.0, "fr": 1.0})
    drawn = tasks(arrival)
    topics = Counter(task.scenario for task in drawn)
    for name, share in (("sums", 4.5 / 11), ("products", 2.25 / 11), ("roots", 1.5 / 11), ("riddles", 0.25)):
        assert is_near(topics[name], share, NUM_DRAWS), (name, topics[name])
    roots = Counter(task.language for task in drawn if task.scenario == "roots")
    assert is_near(roots["en"], 2 / 3, roots.total())  # nobody can ask about them in French
    others = Counter(task.language for task in drawn if task.scenario != "roots")
    for language, share in (("en", 0.6), ("de", 0.3), ("fr", 0.1)):
        assert is_near(others[language], share, others.total())


def test_a_dialog_is_the_same_in_any_order() -> None:
    arrival = Arrival(1.0, {}, {"en": 2.0, "de": 1.0}, 3.0, 0.7, 0.5)
    mix = shape(LIBRARY, LINES, arrival)
    forth = [draw(LIBRARY, mix, 42, 3, index, 0.1, arrival) for index in range(60)]
    back = [draw(LIBRARY, mix, 42, 3, index, 0.1, arrival) for index in reversed(range(60))]
    assert forth == back[::-1]
    assert forth != [draw(LIBRARY, mix, 43, 3, index, 0.1, arrival) for index in range(60)]


def test_draws_never_change_between_versions() -> None:
    """A resumed run continues with the same tasks, so what a key gives is a promise."""
    arrival = Arrival(1.0, {}, {"en": 2.0, "de": 1.0}, 3.0, 0.7, 0.5)
    assert [arrival.visit(42, 0, index).user for index in range(4)] == ["once-0-0", "once-0-1", "once-0-1", "user-10"]
    assert [task.id for task in tasks(arrival, number=4)] == [
        "riddles/en/0/7e897b224ea185dc",
        "sums/en/0/71ae68c51e7f7db4",
        "sums/en/0/201bb6aa1a832566",
        "products/en/0/3464515c4a2a83eb",
    ]


def test_sessions_have_their_mean_length_and_one_user_each() -> None:
    arrival = Arrival(mean_session_length=4.0, returning_share=0.3)
    visits = [arrival.visit(42, 0, index) for index in range(NUM_DRAWS)]
    starts = {visit.session for visit in visits}
    assert is_near(len(starts), 1 / 4, NUM_DRAWS)
    assert all(visits[start].session == start for start in starts)
    assert all(visit.session <= index for index, visit in enumerate(visits))
    assert len({(visit.session, visit.user) for visit in visits}) == len(starts)
    returning = sum(visits[start].is_returning for start in starts)
    assert is_near(returning, 0.3, len(starts))


def test_without_sessions_every_dialog_is_for_itself() -> None:
    assert [Arrival().visit(7, 2, index) for index in range(3)] == [
        Visit(f"once-2-{index}", index, is_returning=False) for index in range(3)
    ]
    assert Arrival(mean_session_length=1e9).visit(7, 2, 5).session == 0


def test_returning_users_return_and_the_first_most_often() -> None:
    arrival = Arrival(returning_share=1.0, num_users=4, user_zipf_exponent=1.0)
    early, late = (Counter(arrival.visit(42, i, index).user for index in range(1200)) for i in (0, 1))
    assert set(early) == set(late) == {f"user-{rank}" for rank in range(4)}
    for rank in range(4):
        assert is_near(early[f"user-{rank}"], 12 / 25 / (rank + 1), 1200)


def test_a_user_keeps_language_and_favourite_topic() -> None:
    arrival = Arrival(0.0, {}, {"en": 1.0, "de": 1.0}, 1.0, 1.0, 1.0, num_users=40)
    mix = shape(LIBRARY, LINES, arrival)
    habits: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for index in range(400):
        task = draw(LIBRARY, mix, 42, 0, index, arrivals=arrival)
        habits[arrival.visit(42, 0, index).user].add((task.scenario, task.language))
    assert all(len(habit) == 1 for habit in habits.values())
    seen = set.union(*habits.values())
    assert (len({topic for topic, _ in seen}), {language for _, language in seen}) == (4, {"en", "de"})


def test_a_favourite_outlives_a_curriculum() -> None:
    """Other lines come, go and change; the levels of the favourite are split."""
    arrival = Arrival(topic_stickiness=1.0, returning_share=1.0, num_users=30)
    later = (MixLine("sums", 0.2), MixLine("sums", 0.8, levels=(1,)), *LINES[1:3], MixLine("verses", 0.5))

    def favourites(mix: tuple[MixLine, ...]) -> dict[str, str]:
        chosen = {}
        for index in range(300):
            chosen[arrival.visit(42, 0, index).user] = arrival.choose(LIBRARY, mix, 42, 0, index)[0].scenario
        return chosen

    before, after = favourites(LINES), favourites(later)
    changed = {user for user in before if before[user] != after[user]}
    assert {before[user] for user in set(before) - changed} == {"sums", "products", "roots"}
    assert all(before[user] == "riddles" or after[user] == "verses" for user in changed)


def test_the_topic_sticks_as_often_as_it_is_told() -> None:
    drawn = [task.scenario for task in tasks(Arrival(topic_stickiness=0.6, returning_share=1.0, num_users=1))]
    favourite, count = Counter(drawn).most_common(1)[0]
    assert favourite in {line.scenario for line in LINES}
    assert is_near(count, 0.6 + 0.4 / 4, NUM_DRAWS)

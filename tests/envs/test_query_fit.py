"""Fits by hand, and a log that a known `Arrival` wrote gives its parameters back."""

from math import log

import pytest
import yaml

from envs.arrival import Arrival, shape
from envs.load import Load
from envs.mix import MixLine, check_mix, draw, expand
from envs.query_fit import DAY_SECONDS, LogFit, compare, fit, fit_rhythm, fit_zipf
from envs.query_log import Query
from envs.query_report import describe, recipe
from tests.envs.arrivals import LIBRARY, LINES

HOUR = 3600.0
KNOWN = Arrival(
    zipf_exponent=1.2,
    domains={"math": 0.8, "logic": 0.2},
    languages={"en": 0.7, "de": 0.3},
    mean_session_length=3.0,
    topic_stickiness=0.6,
    returning_share=0.5,
    num_users=150,
    user_zipf_exponent=0.5,
)


def sample(arrival: Arrival, number: int) -> list[Query]:
    """A minute between the queries of a session, an hour between sessions."""
    mix = shape(LIBRARY, LINES, arrival)
    queries, seconds = list[Query](), 0.0
    for index in range(number):
        visit = arrival.visit(42, 0, index)
        seconds += HOUR if visit.session == index else 60.0
        task = draw(LIBRARY, mix, 42, 0, index, arrivals=arrival)
        queries.append(Query(seconds, visit.user, task.scenario, task.language))
    return queries


@pytest.fixture(scope="module")
def known() -> LogFit:
    return fit(sample(KNOWN, 12_000), LIBRARY)


def test_a_log_gives_back_what_made_it(known: LogFit) -> None:
    assert known.topic_zipf.exponent == pytest.approx(1.2, abs=0.15)
    assert known.domains == pytest.approx(dict(KNOWN.domains), abs=0.05)
    assert known.languages == pytest.approx(dict(KNOWN.languages), abs=0.05)
    assert known.mean_session_length == pytest.approx(3.0, rel=0.05)
    assert known.topic_stickiness == pytest.approx(0.6, abs=0.04)
    assert known.returning_share == pytest.approx(0.5, abs=0.03)
    assert known.num_returning_users == pytest.approx(150, abs=4)
    assert known.user_zipf.exponent == pytest.approx(0.5, abs=0.1)


def test_what_fits_is_close_to_the_log(known: LogFit) -> None:
    for goodness in (known.topic_zipf.goodness, known.sessions_goodness, known.user_zipf.goodness):
        assert goodness is not None
        assert goodness.distance < 0.05
        assert 0.0 <= goodness.counted_log_likelihood - goodness.log_likelihood < 0.02


def test_sessions_and_users_by_hand() -> None:
    times = (
        ("a", 0, "sums"),
        ("a", 1800, "sums"),
        ("b", 1900, "riddles"),
        ("a", 3601, "riddles"),
        ("b", 3700, "refunds"),
    )
    queries = [Query(float(seconds), user, topic, "en") for user, seconds, topic in times]
    found = fit(queries, LIBRARY)
    assert (found.num_users, found.num_sessions, found.mean_session_length) == (2, 3, pytest.approx(5 / 3))
    assert (found.returning_share, found.num_returning_users) == (pytest.approx(2 / 3), 1)
    assert found.same_topic_share == pytest.approx(1 / 2)
    chance = 0.4**2 + 0.4**2 + 0.2**2
    assert found.topic_stickiness**2 * (1 - chance) + chance == pytest.approx(1 / 2)
    assert found.domains == {"logic": 0.4, "math": 0.4}
    assert list(found.topics) == ["riddles", "sums", "refunds"]
    assert found.rhythm is None


def test_sessions_of_one_query_each_have_no_stickiness() -> None:
    found = fit([Query(float(day), str(day), "sums", "en") for day in range(3)], LIBRARY)
    assert (found.same_topic_share, found.topic_stickiness, found.returning_share) == (None, 0.0, 0.0)
    assert (found.sessions_goodness.distance, found.topic_zipf.goodness) == (0.0, None)


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0, 2.0])
def test_exact_zipf_counts_give_their_exponent(exponent: float) -> None:
    groups = [
        [round(scale * rank**-exponent) for rank in range(1, number + 1)] for scale, number in ((1e7, 9), (1e6, 4))
    ]
    found = fit_zipf(group[::-1] for group in groups)
    assert found.exponent == pytest.approx(exponent, abs=1e-4)
    assert found.goodness is not None
    assert found.goodness.distance < 1e-4


def test_goodness_by_hand() -> None:
    found = compare([3, 1, 0], [0.5, 0.25, 0.25])
    assert found.log_likelihood == pytest.approx((3 * log(0.5) + log(0.25)) / 4)
    assert found.counted_log_likelihood == pytest.approx((3 * log(0.75) + log(0.25)) / 4)
    assert found.distance == pytest.approx(0.25)


def test_a_log_of_another_shape_shows_it() -> None:
    counts = {"sums": 48, "products": 48, "roots": 4}
    queries = [Query(HOUR * i, "a", topic, "en") for topic, n in counts.items() for i in range(n)]
    found = fit(sorted(queries, key=lambda query: query.seconds), LIBRARY)
    assert found.topic_zipf.goodness is not None
    assert found.topic_zipf.goodness.distance > 0.1
    assert "poor (KS distance 0." in describe(found, LIBRARY)
    assert [line["weight"] for line in yaml.safe_load(recipe(found, LIBRARY))["tasks"]["mix"]] == [0.48, 0.48, 0.04]


def test_the_rhythm_of_whole_days() -> None:
    load = Load(0.02, amplitude=0.6, peak_seconds=15 * HOUR)
    times = list(load.arrival_times(9, until=4.5 * DAY_SECONDS))
    found = fit_rhythm(times)
    assert found is not None
    assert found.amplitude == pytest.approx(0.6, abs=0.06)
    assert found.peak_seconds == pytest.approx(15 * HOUR, abs=0.5 * HOUR)
    assert found.goodness.distance < 0.03
    assert fit_rhythm([0.0, DAY_SECONDS - 1.0]) is None


def test_the_recipe_asks_as_the_log_did(known: LogFit) -> None:
    section = yaml.safe_load(recipe(known, LIBRARY))["tasks"]
    fields = dict(section["arrival"])
    assert fields.pop("enabled") is True
    load = fields.pop("load")
    arrival = Arrival(**fields)
    mix = expand(LIBRARY, [MixLine(line["scenario"]) for line in section["mix"]])
    check_mix(LIBRARY, mix)
    again = {line.scenario: line.weight for line in shape(LIBRARY, mix, arrival)}
    expected = {line.scenario: line.weight for line in shape(LIBRARY, LINES, KNOWN)}
    assert again == pytest.approx(expected, abs=0.2)
    assert 0.0 <= load["amplitude"] <= 1.0


def test_domains_stand_for_the_scenarios_that_the_log_does_not_name() -> None:
    topics = ("math", "math", "sums", "words", "refunds")
    found = fit([Query(float(i), "a", topic, "de") for i, topic in enumerate(topics)], LIBRARY)
    section = yaml.safe_load(recipe(found, LIBRARY))["tasks"]
    assert section["mix"] == [{"scenario": "domain:math", "languages": ["de"]}, {"scenario": "sums"}]
    assert section["arrival"]["languages"] == {"de": 1.0}
    assert "refunds 20.0%" in describe(found, LIBRARY)


def test_a_log_about_other_things_makes_no_recipe() -> None:
    found = fit([Query(0.0, "a", "refunds", "en")], LIBRARY)
    assert recipe(found, LIBRARY).startswith("# no topic of the log is a scenario")
    assert "not in the library" in describe(found, LIBRARY)

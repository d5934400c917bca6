"""The parameters of `envs.arrival.Arrival` and `envs.load.Load` that are nearest to a log, and how near they are.

Shares are counted; exponents maximise the likelihood; stickiness and the daily rhythm match a moment. Everything that
is fitted rather than counted comes with its goodness, so that a log which is not of this shape shows it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import atan2, cos, hypot, log, sin, sqrt, tau

from envs.library import Library
from envs.query_log import Query

SESSION_GAP_SECONDS = 1800.0
DAY_SECONDS = 86_400.0
MAX_EXPONENT = 20.0


@dataclass(frozen=True, slots=True)
class Goodness:
    """How near a fitted distribution is to the counted one.

    Attributes:
        log_likelihood: of an observation, on average, in nats.
        counted_log_likelihood: the same under the counted shares: the most that any distribution reaches.
        distance: largest gap between the cumulative shares (Kolmogorov and Smirnov), 0 to 1.
    """

    log_likelihood: float
    counted_log_likelihood: float
    distance: float


@dataclass(frozen=True, slots=True)
class Zipf:
    """Shares in proportion to 1 / rank^exponent; `goodness` is None where there is nothing to compare."""

    exponent: float
    goodness: Goodness | None


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A day's rise and fall, see `envs.load.Load`. `peak_seconds` after midnight, UTC."""

    amplitude: float
    peak_seconds: float
    goodness: Goodness


@dataclass(frozen=True, slots=True)
class LogFit:
    """A log in numbers.

    Attributes:
        first_seconds, last_seconds: of the log, since 1970.
        topics, domains, languages: shares of the queries, largest first. Only domains of the library count as such.
        topic_zipf: over the topics of a domain by their number of queries, one exponent for all domains.
        num_sessions: runs of a user's queries without a break of more than half an hour.
        sessions_goodness: of geometric lengths with this mean.
        same_topic_share: how often a query has the topic of the one before it in its session; None: no session has two.
        topic_stickiness: the probability of a favourite topic that makes it so.
        returning_share: share of the sessions of users who have several; `num_returning_users` are they.
        user_zipf: over these users by their number of sessions.
        rhythm: of the whole days in the log; None where it is shorter than a day.
    """

    num_queries: int
    num_users: int
    first_seconds: float
    last_seconds: float
    topics: Mapping[str, float]
    domains: Mapping[str, float]
    languages: Mapping[str, float]
    topic_zipf: Zipf
    num_sessions: int
    mean_session_length: float
    sessions_goodness: Goodness
    same_topic_share: float | None
    topic_stickiness: float
    returning_share: float
    num_returning_users: int
    user_zipf: Zipf
    rhythm: Rhythm | None


def fit(queries: Sequence[Query], library: Library) -> LogFit:
    """`queries` by time, one at least."""
    topics = Counter(query.topic for query in queries)
    domains = {topic: domain_of(topic, library) for topic in topics}
    groups = [[n for topic, n in topics.items() if domains[topic] == name] for name in dict.fromkeys(domains.values())]
    sessions = _sessions(queries)
    lengths = Counter(len(session) for session in sessions)
    visits = Counter(session[0].user for session in sessions)
    several = [count for count in visits.values() if count > 1]
    same, stickiness = _stickiness(sessions, _shares(topics))
    return LogFit(
        num_queries=len(queries),
        num_users=len(visits),
        first_seconds=queries[0].seconds,
        last_seconds=queries[-1].seconds,
        topics=_shares(topics),
        domains={name: share for name, share in _shares(domains[q.topic] for q in queries).items() if name},
        languages=_shares(query.language for query in queries),
        topic_zipf=fit_zipf(groups),
        num_sessions=len(sessions),
        mean_session_length=len(queries) / len(sessions),
        sessions_goodness=_geometric_goodness(lengths),
        same_topic_share=same,
        topic_stickiness=stickiness,
        returning_share=sum(several) / len(sessions),
        num_returning_users=len(several),
        user_zipf=fit_zipf([several]),
        rhythm=fit_rhythm([query.seconds for query in queries]),
    )


def domain_of(topic: str, library: Library) -> str:
    """The domain of the scenario of that name, or else that domain; empty where the library has neither."""
    for scenario in library.scenarios:
        if scenario.name == topic:
            return scenario.domain
    return topic if any(scenario.domain == topic for scenario in library.scenarios) else ""


def fit_zipf(groups: Iterable[Sequence[int]]) -> Zipf:
    """The exponent of greatest likelihood for all groups of counts together, each ranked for itself.

    There, the mean log rank is what the exponent makes one expect, a falling function of it: found by bisection.
    """
    ranked = sorted(sorted(group, reverse=True) for group in groups if group)
    total = sum(map(sum, ranked))
    if not total:
        return Zipf(0.0, None)
    mean_log_rank = sum(n * log(rank) for group in ranked for rank, n in enumerate(group, start=1)) / total

    def expected(exponent: float) -> float:
        return sum(
            sum(group) / total * p * log(rank)
            for group in ranked
            for rank, p in enumerate(_zipf_shares(len(group), exponent), start=1)
        )

    low, high = 0.0, MAX_EXPONENT
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) > mean_log_rank else (low, middle)
    counts = [n for group in ranked for n in group]
    shares = [sum(group) / total * p for group in ranked for p in _zipf_shares(len(group), low)]
    return Zipf(low, compare(counts, shares) if len(counts) > len(ranked) else None)


def fit_rhythm(seconds: Sequence[float]) -> Rhythm | None:
    """The first harmonic of the time of day, over the whole days from the first time on; `seconds` rise.

    Of a rate 1 + a cos(t - peak), the mean of (cos t, sin t) is a / 2 long and points to the peak.
    """
    days = (seconds[-1] - seconds[0]) // DAY_SECONDS
    if days < 1:
        return None
    parts = [(time % DAY_SECONDS) / DAY_SECONDS for time in seconds if time < seconds[0] + days * DAY_SECONDS]
    x = sum(cos(tau * part) for part in parts) / len(parts)
    y = sum(sin(tau * part) for part in parts) / len(parts)
    amplitude, peak = min(1.0, 2.0 * hypot(x, y)), (atan2(y, x) / tau) % 1.0
    hours = Counter(int(part * 24) for part in parts)
    ends = [hour / 24 + amplitude / tau * sin(tau * (hour / 24 - peak)) for hour in range(25)]
    goodness = compare([hours[hour] for hour in range(24)], [end - start for start, end in pairwise(ends)])
    return Rhythm(amplitude, peak * DAY_SECONDS, goodness)


def compare(counts: Sequence[int], probabilities: Sequence[float]) -> Goodness:
    """The goodness of probabilities for counts of the same outcomes, in an order in which they may be cumulated."""
    total = sum(counts)
    seen = [(n, p) for n, p in zip(counts, probabilities, strict=True) if n]
    gaps = accumulate(n / total - p for n, p in zip(counts, probabilities, strict=True))
    return Goodness(
        log_likelihood=sum(n * log(max(p, 1e-300)) for n, p in seen) / total,
        counted_log_likelihood=sum(n * log(n / total) for n, _ in seen) / total,
        distance=max(map(abs, gaps)),
    )


def _sessions(queries: Sequence[Query]) -> list[list[Query]]:
    """Each user's queries, cut where there was a long break."""
    by_user: defaultdict[str, list[list[Query]]] = defaultdict(list)
    for query in queries:
        sessions = by_user[query.user]
        if sessions and query.seconds - sessions[-1][-1].seconds <= SESSION_GAP_SECONDS:
            sessions[-1].append(query)
        else:
            sessions.append([query])
    return [session for sessions in by_user.values() for session in sessions]


def _stickiness(sessions: Sequence[Sequence[Query]], topics: Mapping[str, float]) -> tuple[float | None, float]:
    """How often the topic stays, and the stickiness s that makes it so.

    Two queries are both about the favourite with probability s^2; else they agree by chance, c: s^2 + (1 - s^2) c.
    """
    pairs = [(before.topic, after.topic) for session in sessions for before, after in pairwise(session)]
    if not pairs:
        return None, 0.0
    same = sum(before == after for before, after in pairs) / len(pairs)
    chance = sum(share**2 for share in topics.values())
    return same, sqrt(max(0.0, (same - chance) / (1.0 - chance))) if len(topics) > 1 else 0.0


def _geometric_goodness(lengths: Counter[int]) -> Goodness:
    """Of the probabilities p (1 - p)^(length - 1), p = 1 / mean length."""
    stop = lengths.total() / sum(length * count for length, count in lengths.items())
    longest = max(lengths)
    counts = [lengths[length] for length in range(1, longest + 1)]
    return compare(counts, [stop * (1.0 - stop) ** (length - 1) for length in range(1, longest + 1)])


def _zipf_shares(number: int, exponent: float) -> list[float]:
    weights = [rank**-exponent for rank in range(1, number + 1)]
    total = sum(weights)
    return [weight / total for weight in weights]


def _shares(names: Iterable[str] | Counter[str]) -> dict[str, float]:
    """Largest first; among equals, by name."""
    counts = Counter(names)
    return {name: n / counts.total() for name, n in sorted(counts.items(), key=lambda item: (-item[1], item[0]))}

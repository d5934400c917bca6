"""What a fitted log says: in words for people, and as the `tasks:` section of a recipe."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from envs.library import Library
from envs.mix import DOMAIN
from envs.query_fit import Goodness, LogFit, domain_of

CLOSE, POOR = 0.05, 0.1  # distances: a close fit is nearer than the one, a poor one farther than the other
NUM_LISTED = 10


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the recipe's mixture and its share of the log."""

    scenario: str
    domain: str
    languages: tuple[str, ...]
    share: float


def describe(fit: LogFit, library: Library) -> str:
    """A line for each thing that was fitted or counted, with the goodness of what was fitted."""
    first, last = (
        datetime.fromtimestamp(s, UTC).strftime("%Y-%m-%d %H:%M") for s in (fit.first_seconds, fit.last_seconds)
    )
    unknown = {topic: share for topic, share in fit.topics.items() if not domain_of(topic, library)}
    facts = [
        ("log", f"{fit.num_queries:,} queries by {fit.num_users:,} users, {first} to {last} UTC"),
        ("topics", _listed(fit.topics)),
        ("domains", _listed(fit.domains) or "none of the library's"),
        ("languages", _listed(fit.languages)),
        ("topics, Zipf", f"exponent {fit.topic_zipf.exponent:.2f} within domains; {_judged(fit.topic_zipf.goodness)}"),
        (
            "sessions",
            f"{fit.num_sessions:,} of {fit.mean_session_length:.2f} queries on average; "
            f"geometric lengths: {_judged(fit.sessions_goodness)}",
        ),
        ("stickiness", f"{fit.topic_stickiness:.2f}; the topic stays {_stays(fit.same_topic_share)}"),
        ("returning", f"{fit.returning_share:.1%} of the sessions, by {fit.num_returning_users:,} users"),
        ("users, Zipf", f"exponent {fit.user_zipf.exponent:.2f}; {_judged(fit.user_zipf.goodness)}"),
        ("day", _day(fit)),
    ]
    if unknown:
        facts.append(("not in the library", _listed(unknown)))
    width = max(len(name) for name, _ in facts)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in facts)


def recipe(fit: LogFit, library: Library) -> str:
    """The section `tasks:`, as YAML; a comment alone where no topic of the log is in the library.

    Lines stand in the order of their shares, which the exponent weighs. Where that fits poorly, the shares themselves
    are their weights.
    """
    lines = _lines(fit, library)
    if not lines:
        return "# no topic of the log is a scenario or a domain here; `zero2one scenarios` lists what there is"
    goodness = fit.topic_zipf.goodness
    is_zipf = goodness is None or goodness.distance <= POOR
    domains: dict[str, float] = {}
    for line in lines:
        domains[line.domain] = domains.get(line.domain, 0.0) + line.share
    spoken = {language for line in lines for language in line.languages}
    section = ["tasks:", "  mix:", *(_mix_line(line, with_weight=not is_zipf) for line in lines)]
    section += ["  arrival:", "    enabled: true"]
    if not is_zipf:
        section.append("    # topics are not Zipf-like: the weights above are their shares")
    parameters: dict[str, object] = {
        "zipf_exponent": _short(fit.topic_zipf.exponent) if is_zipf else 0.0,
        "domains": {name: _short(share) for name, share in domains.items()},
        "languages": {name: _short(share) for name, share in fit.languages.items() if name in spoken},
        "mean_session_length": _short(fit.mean_session_length),
        "topic_stickiness": _short(fit.topic_stickiness),
        "returning_share": _short(fit.returning_share),
        "num_users": max(1, fit.num_returning_users),
        "user_zipf_exponent": _short(fit.user_zipf.exponent),
    }
    section += [f"    {name}: {_yaml(value)}" for name, value in parameters.items()]
    return "\n".join([*section, *_load(fit)])


def _lines(fit: LogFit, library: Library) -> list[Line]:
    """The topics that the library has, in a language of the log, as lines that a recipe can hold together."""
    lines = []
    for topic, share in fit.topics.items():
        domain = domain_of(topic, library)
        own = [scenario for scenario in library.scenarios if scenario.name == topic]
        others = [s for s in library.scenarios if s.domain == topic and s.name not in fit.topics]
        speakers = own or others
        spoken = tuple(code for code in fit.languages if any(code in s.languages for s in speakers))
        if domain and spoken:
            lines.append(Line(topic if own else DOMAIN + topic, domain, spoken, share))
    return lines


def _mix_line(line: Line, *, with_weight: bool) -> str:
    fields: dict[str, object] = {"scenario": line.scenario}
    if with_weight:
        fields["weight"] = _short(line.share)
    if line.scenario.startswith(DOMAIN):  # a scenario alone is limited by the languages of the arrivals
        fields["languages"] = line.languages
    return f"    - {_yaml(fields)}"


def _load(fit: LogFit) -> list[str]:
    if fit.rhythm is None:
        return []
    seconds = fit.last_seconds - fit.first_seconds
    parameters = {
        "requests_per_second": _short(fit.num_queries / seconds),
        "amplitude": _short(fit.rhythm.amplitude),
        "peak_seconds": _short(fit.rhythm.peak_seconds),
    }
    return ["    load:", *(f"      {name}: {_yaml(value)}" for name, value in parameters.items())]


def _day(fit: LogFit) -> str:
    if fit.rhythm is None:
        return "the log is shorter than a day"
    hours, minutes = divmod(round(fit.rhythm.peak_seconds / 60) % 1440, 60)
    peak = f"busiest at {hours:02}:{minutes:02} UTC, {fit.rhythm.amplitude:.0%} above the mean"
    return f"{peak}; {_judged(fit.rhythm.goodness)}"


def _stays(share: float | None) -> str:
    return "unknown: no session has two queries" if share is None else f"{share:.1%} of the time within a session"


def _judged(goodness: Goodness | None) -> str:
    """A word for the goodness, and its numbers."""
    if goodness is None:
        return "too few to compare"
    word = "close" if goodness.distance < CLOSE else "fair" if goodness.distance <= POOR else "poor"
    return (
        f"{word} (KS distance {goodness.distance:.3f}; log-likelihood {goodness.log_likelihood:.3f}, "
        f"at best {goodness.counted_log_likelihood:.3f})"
    )


def _listed(shares: Mapping[str, float]) -> str:
    """The largest shares, and how many more there are."""
    largest = [f"{name} {share:.1%}" for name, share in list(shares.items())[:NUM_LISTED]]
    more = len(shares) - len(largest)
    return ", ".join(largest) + (f", and {more} more" if more else "")


def _short(number: float) -> float:
    """Four digits, wherever the point is."""
    return float(f"{number:.4g}")


def _yaml(value: object) -> str:
    """In one line: JSON, which YAML includes, so a name may hold anything."""
    return json.dumps(value, ensure_ascii=False)

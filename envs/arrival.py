"""Who asks next: the mixture of a run as the queries that a service gets, in sessions of users who return.

Nothing is kept between dialogs. The session, user, topic and language of each are functions of (run seed, iteration,
index), so dialogs may be drawn in any order, and a resumed run needs no state. Topics are weighed before any curriculum
(`shape`), so a curriculum moves the weights of arrivals as it moves those of a plain mixture.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import accumulate
from math import log

from envs.chance import uniform
from envs.library import Library, ScenarioError
from envs.mix import MixLine, pick_line


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose dialog it is. `session` is the index of the session's first dialog within the iteration."""

    user: str
    session: int
    is_returning: bool


@dataclass(frozen=True, slots=True)
class Arrival:
    """How queries arrive. The defaults are a mixture without users: every dialog for itself.

    Over many users, topics and languages have their shares exactly; a few users who come often move them towards their
    own habits.

    Attributes:
        zipf_exponent: the k-th line of a domain is weighed by 1 / k^zipf_exponent; 0 leaves the lines' own weights.
        domains: domain -> weight; empty: a domain weighs what its lines weigh together.
        languages: language -> weight; empty: all that a line speaks alike. Others than these are not spoken.
        mean_session_length: dialogs; lengths are geometric, and cut where an iteration ends.
        topic_stickiness: probability that a dialog is about its user's favourite topic, else it is about any.
        returning_share: share of the sessions that belong to the pool of users who return; others come once.
        num_users, user_zipf_exponent: size of that pool; its k-th user comes in proportion to 1 / k^user_zipf_exponent.
    """

    zipf_exponent: float = 0.0
    domains: Mapping[str, float] = field(default_factory=dict)
    languages: Mapping[str, float] = field(default_factory=dict)
    mean_session_length: float = 1.0
    topic_stickiness: float = 0.0
    returning_share: float = 0.0
    num_users: int = 1000
    user_zipf_exponent: float = 1.0

    def visit(self, run_seed: int, iteration: int, index: int) -> Visit:
        """The session that the dialog belongs to: the latest one that opens at or before it."""
        session = index
        while session > 0 and uniform("opens", run_seed, iteration, session) * self.mean_session_length >= 1.0:
            session -= 1
        key = ("session", run_seed, iteration, session)
        if uniform(*key, "returning") >= self.returning_share:
            return Visit(f"once-{iteration}-{session}", session, is_returning=False)
        ends = _zipf_ends(self.num_users, self.user_zipf_exponent)
        rank = bisect_right(ends, uniform(*key, "user") * ends[-1])
        return Visit(f"user-{rank}", session, is_returning=True)

    def choose(
        self, library: Library, mix: Sequence[MixLine], run_seed: int, iteration: int, index: int
    ) -> tuple[MixLine, str]:
        """The line and the language of a dialog, from a mixture that `shape` has weighed.

        The topic comes first. A user who asks about what is not offered in their language uses the next one that they
        prefer, so topics have their shares whatever languages they speak.
        """
        user = self.visit(run_seed, iteration, index).user
        key = ("arrival", run_seed, iteration, index)
        lines = mix
        if uniform(*key, "sticks") < self.topic_stickiness:
            topic = _preferred(_topic_weights(mix), run_seed, user, "topic")
            lines = [line for line in mix if line.scenario == topic]
        line = pick_line(lines, uniform(*key, "line"))
        spoken = line.languages or tuple(library.find(line.scenario).languages)
        weights = {language: self.languages[language] if self.languages else 1.0 for language in spoken}
        return line, _preferred(weights, run_seed, user, "language")


def shape(library: Library, lines: Sequence[MixLine], arrival: Arrival) -> tuple[MixLine, ...]:
    """The lines with the weights and languages of `arrival`; their weights sum to what they summed to before.

    Raises `ScenarioError` where a line's domain has no weight, where no line has a domain that has one, and where a
    line speaks none of the languages.
    """
    domains = [library.find(line.scenario).domain for line in lines]
    _check_domains(lines, domains, arrival.domains)
    ranks: defaultdict[str, int] = defaultdict(int)
    asked: defaultdict[str, float] = defaultdict(float)
    inside: defaultdict[str, float] = defaultdict(float)
    weights: list[float] = []
    for line, domain in zip(lines, domains, strict=True):
        ranks[domain] += 1
        weights.append(line.weight * ranks[domain] ** -arrival.zipf_exponent)
        inside[domain] += weights[-1]
        asked[domain] += line.weight
    wanted: Mapping[str, float] = arrival.domains or asked
    scale = sum(asked.values()) / sum(wanted.values())
    return tuple(
        replace(
            line,
            weight=scale * wanted[domain] * weight / inside[domain],
            languages=_languages(library, line, arrival.languages),
        )
        for line, domain, weight in zip(lines, domains, weights, strict=True)
    )


def _check_domains(lines: Sequence[MixLine], domains: Sequence[str], weights: Mapping[str, float]) -> None:
    if not weights:
        return
    for line, domain in zip(lines, domains, strict=True):
        if domain not in weights:
            raise ScenarioError(f"tasks.arrival.domains has no weight for {domain!r}, the domain of {line.scenario}")
    for domain in weights:
        if domain not in domains:
            known = ", ".join(dict.fromkeys(domains))
            raise ScenarioError(f"tasks.arrival.domains: no line of the mix has domain {domain!r}; they have: {known}")


def _languages(library: Library, line: MixLine, weights: Mapping[str, float]) -> tuple[str, ...]:
    """What the line speaks and somebody uses; the line's own where no weights are given."""
    if not weights:
        return line.languages
    spoken = line.languages or tuple(library.find(line.scenario).languages)
    used = tuple(language for language in spoken if language in weights)
    if not used:
        raise ScenarioError(
            f"{line.scenario} speaks none of tasks.arrival.languages ({', '.join(weights)}); "
            "take the line out, limit its languages, or give one of them a weight"
        )
    return used


def _topic_weights(mix: Sequence[MixLine]) -> dict[str, float]:
    """By scenario: a curriculum may have split its line into one for each level."""
    weights: defaultdict[str, float] = defaultdict(float)
    for line in mix:
        weights[line.scenario] += line.weight
    return weights


def _preferred(weights: Mapping[str, float], *key: str | int) -> str:
    """One name, in proportion to its weight over many keys: the fastest of exponential clocks.

    Each name has a clock of its own, so a key keeps its name when others come, go or lose weight (Efraimidis and
    Spirakis 2006, "Weighted random sampling with a reservoir").
    """
    return min(weights, key=lambda name: -log(1.0 - uniform(*key, name)) / weights[name])


@lru_cache(maxsize=8)
def _zipf_ends(number: int, exponent: float) -> tuple[float, ...]:
    """Cumulative weights of ranks 1 .. number."""
    return tuple(accumulate(rank**-exponent for rank in range(1, number + 1)))

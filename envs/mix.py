"""Which task comes next: a function of (run seed, iteration, index), so a resumed run needs no loader state.

The held-out split is by the text of the opening question. The same text is always or never held out, in every
scenario, language and run; training never sees a held-out one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from math import floor
from typing import Protocol

from envs.chance import pick, uniform
from envs.library import Library, ScenarioError
from envs.task import Scenario, Task, stable_hash

MAX_DRAWS = 1000
EVERYTHING = "*"
DOMAIN = "domain:"


@dataclass(frozen=True, slots=True)
class MixLine:
    """One line of the mixture. No languages means all that the scenario speaks.

    `expand` makes several of one whose scenario is "domain:logic" (all of a domain) or "*" (all there are).
    """

    scenario: str
    weight: float = 1.0
    languages: tuple[str, ...] = ()
    levels: tuple[int, ...] = (0,)


class Arrivals(Protocol):
    """Who asks next, where that is more than a matter of weights; see `envs.arrival.Arrival`."""

    def choose(
        self, library: Library, mix: Sequence[MixLine], run_seed: int, iteration: int, index: int
    ) -> tuple[MixLine, str]:
        """The line and the language of the dialog at `index` of an iteration."""
        ...


def expand(library: Library, mix: Sequence[MixLine]) -> tuple[MixLine, ...]:
    """A line for every scenario that is meant. What another line names more closely is not meant.

    Each has an equal part of the weight, and those of the languages and levels that its scenario has; a scenario that
    has none of them is left out. Raises `ScenarioError` where nothing is left, or nothing has a language or level.
    """
    expanded: list[MixLine] = []
    for line in mix:
        if line.scenario != EVERYTHING and not line.scenario.startswith(DOMAIN):
            expanded.append(line)
            continue
        members = _members(library, line, {other.scenario for other in mix})
        parts = [_fit(line, scenario) for scenario in members]
        parts = [p for p in parts if bool(p.levels) == bool(line.levels) and bool(p.languages) == bool(line.languages)]
        for language in line.languages:
            if not any(language in part.languages for part in parts):
                raise ScenarioError(f"{line.scenario}: none of its scenarios speaks {language!r} at these levels")
        for level in line.levels:
            if not any(level in part.levels for part in parts):
                raise ScenarioError(f"{line.scenario}: none of its scenarios has level {level} in these languages")
        expanded += [replace(part, weight=line.weight / len(parts)) for part in parts]
    return tuple(expanded)


def check_mix(library: Library, mix: Sequence[MixLine]) -> None:
    """Raises `ScenarioError` where a line asks for what its scenario does not have."""
    if not mix:
        raise ScenarioError("the mix is empty; name at least one scenario")
    for line in mix:
        scenario = library.find(line.scenario)
        if not line.weight > 0:
            raise ScenarioError(f"{line.scenario}: weight {line.weight} must be above 0")
        for language in line.languages:
            if language not in scenario.languages:
                known = ", ".join(scenario.languages)
                raise ScenarioError(f"{line.scenario}: no language {language!r}; it speaks: {known}")
        for level in line.levels:
            if not 0 <= level < scenario.num_levels:
                raise ScenarioError(f"{line.scenario}: no level {level}; it has 0 to {scenario.num_levels - 1}")
        if not line.levels:
            raise ScenarioError(f"{line.scenario}: levels are empty; name at least one")


def is_held_out(opening: str, fraction: float) -> bool:
    """Whether the question belongs to the share `fraction` that is never trained on."""
    return uniform("held out", opening) < fraction


def draw(
    library: Library,
    mix: Sequence[MixLine],
    run_seed: int,
    iteration: int,
    index: int,
    held_out_fraction: float = 0.0,
    arrivals: Arrivals | None = None,
) -> Task:
    """The training task at `index` of an iteration. Its opening question is not held out.

    Without `arrivals`, every dialog is for itself: a line by its weight, any of its languages.
    """
    key = ("train", run_seed, iteration, index)
    if arrivals is None:
        line = pick_line(mix, uniform(*key, "line"))
        language = pick(line.languages or library.find(line.scenario).languages, *key, "language")
    else:
        line, language = arrivals.choose(library, mix, run_seed, iteration, index)
    level = pick(line.levels, *key, "level")
    for attempt in range(MAX_DRAWS):
        task = Task(line.scenario, language, level, seed=stable_hash(*key, attempt))
        if not is_held_out(library.opening(task), held_out_fraction):
            return task
    raise ScenarioError(
        f"{line.scenario}/{language}/{level}: {MAX_DRAWS} draws gave held-out questions only; "
        f"lower tasks.held_out_fraction ({held_out_fraction}) or use a level with more questions"
    )


def evaluation_tasks(library: Library, mix: Sequence[MixLine], num_tasks: int, seed: int = 0) -> list[Task]:
    """The same tasks at every evaluation, held-out and trained ones alike (`is_held_out` tells them apart).

    They are shared out over the lines by weight, then evenly over languages and levels. Where the openings are few
    enough to list, they are asked in order, each at most once; so there may be fewer than `num_tasks`.
    """
    tasks = []
    for line, share in zip(mix, _apportion(num_tasks, [line.weight for line in mix]), strict=True):
        scenario = library.find(line.scenario)
        cells = [(language, level) for level in line.levels for language in line.languages or scenario.languages]
        for (language, level), count in zip(cells, _apportion(share, [1.0] * len(cells)), strict=True):
            size = scenario.size(language, level)
            key = ("evaluation", seed, line.scenario, language, level)
            seeds = [stable_hash(*key, i) for i in range(count)] if size is None else range(min(count, size))
            tasks += [Task(line.scenario, language, level, seed) for seed in seeds]
    return tasks


def pick_line(mix: Sequence[MixLine], point: float) -> MixLine:
    """The line that holds `point`, in [0, 1), when the lines lie end to end in the lengths of their weights."""
    ends = list(accumulate(line.weight for line in mix))
    return next(line for line, end in zip(mix, ends, strict=True) if point * ends[-1] < end)


def _members(library: Library, line: MixLine, named: set[str]) -> list[Scenario]:
    """The scenarios that a line means which names more than one."""
    domains = list(dict.fromkeys(scenario.domain for scenario in library.scenarios))
    if line.scenario == EVERYTHING:
        meant = [scenario for scenario in library.scenarios if DOMAIN + scenario.domain not in named]
    else:
        domain = line.scenario.removeprefix(DOMAIN)
        if domain not in domains:
            raise ScenarioError(f"unknown domain {domain!r}; known are: {', '.join(domains)}")
        meant = [scenario for scenario in library.scenarios if scenario.domain == domain]
    members = [scenario for scenario in meant if scenario.name not in named]
    if not members:
        raise ScenarioError(f"{line.scenario}: other lines name all of its scenarios; take this one out")
    return members


def _fit(line: MixLine, scenario: Scenario) -> MixLine:
    """The line as one of the scenario, with as many of its languages and levels as that has."""
    return replace(
        line,
        scenario=scenario.name,
        languages=tuple(language for language in line.languages if language in scenario.languages),
        levels=tuple(level for level in line.levels if 0 <= level < scenario.num_levels),
    )


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares that sum to `total`, by largest remainder; among equals the first ones get more."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares

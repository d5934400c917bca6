"""Which task comes next: a function of (run seed, iteration, index), so a resumed run needs no loader state.

The held-out split is by the text of the opening question. The same text is always or never held out, in every
scenario, language and run; training never sees a held-out one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import floor

from envs.chance import pick, uniform
from envs.library import Library, ScenarioError
from envs.task import Task, stable_hash

MAX_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class MixLine:
    """One line of the mixture. No languages means all that the scenario speaks."""

    scenario: str
    weight: float = 1.0
    languages: tuple[str, ...] = ()
    levels: tuple[int, ...] = (0,)


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
    library: Library, mix: Sequence[MixLine], run_seed: int, iteration: int, index: int, held_out_fraction: float = 0.0
) -> Task:
    """The training task at `index` of an iteration. Its opening question is not held out."""
    key = ("train", run_seed, iteration, index)
    line = _pick_line(mix, uniform(*key, "line"))
    language = pick(line.languages or library.find(line.scenario).languages, *key, "language")
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


def _pick_line(mix: Sequence[MixLine], point: float) -> MixLine:
    """The line that holds `point`, in [0, 1), when the lines lie end to end in the lengths of their weights."""
    ends = list(accumulate(line.weight for line in mix))
    return next(line for line, end in zip(mix, ends, strict=True) if point * ends[-1] < end)


def _apportion(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares that sum to `total`, by largest remainder; among equals the first ones get more."""
    exact = [total * weight / sum(weights) for weight in weights]
    shares = [floor(share) for share in exact]
    by_remainder = sorted(range(len(weights)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: total - sum(shares)]:
        shares[i] += 1
    return shares

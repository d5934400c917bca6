"""The curriculum: what is asked next follows what the policy can do.

Two rules, both functions of the dialogs that an update has used. So a synchronous run with a curriculum is still a
function of its configuration; an asynchronous one that was resumed draws what had been in flight anew.

- Within a line of the mixture, levels are a ladder. Most questions come from one rung, the frontier; it moves up when
  the policy succeeds often enough there and down when it hardly ever does. Some questions go to the rungs below.
- Between lines, those that move get more: a line's share grows with its learning progress, the gap between a fast and
  a slow average of its success (Graves et al. 2017, 1704.03003; Matiisen et al. 2017, 1707.00183).

A mixture comes out in the form in which the recipe states one, so drawing tasks knows nothing of curricula.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from pydantic import JsonValue, TypeAdapter

from envs.mix import MixLine
from envs.task import Task
from rl.config import CurriculumConfig
from rl.trajectory import Scored

SLOWER = 4  # the slow average of a line has this many times the half-life of the fast one
MIN_MEASURED = 8  # dialogs of a level in the first evaluation, below which it says too little about the level
DIGITS = 4  # that a share keeps, wherever its point: among a hundred lines, some have very little


class CurriculumError(ValueError):
    """A mixture that a curriculum cannot follow, or a checkpoint of another one."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Where one line of the mixture stands.

    Attributes:
        frontier: index into the line's levels.
        num_dialogs: judged at the frontier since it is there.
        success: average success at the frontier since then.
        fast, slow: averages of the line's success over its whole history; None before the first dialog.
    """

    frontier: int = 0
    num_dialogs: int = 0
    success: float = 0.0
    fast: float | None = None
    slow: float | None = None

    @property
    def progress(self) -> float:
        return 0.0 if self.fast is None or self.slow is None else abs(self.fast - self.slow)


Step = tuple[str, tuple[int, ...], Ladder]  # what a checkpoint keeps: scenario and levels of a line, and its ladder


@dataclass(frozen=True, slots=True)
class Curriculum:
    """A ladder for each line of the recipe's mixture. Immutable: `advance` returns the next one.

    Example: `curriculum = curriculum.advance([(task, 1.0)])`, then draw the next tasks from `curriculum.mix`.
    """

    config: CurriculumConfig
    lines: tuple[MixLine, ...]
    ladders: tuple[Ladder, ...]

    @classmethod
    def start(cls, config: CurriculumConfig, lines: Sequence[MixLine]) -> "Curriculum":
        """At the lowest level of every line, all lines at their weights; see `placed`.

        Raises CurriculumError where a scenario has several lines: a dialog could not be counted for one of them.
        """
        names = [line.scenario for line in lines]
        twice = sorted({name for name in names if names.count(name) > 1})
        if config.enabled and twice:
            raise CurriculumError(f"tasks.mix: with curriculum.enabled a scenario has one line, {twice[0]!r} has more")
        return cls(config, tuple(lines), tuple(Ladder() for _ in lines))

    @property
    def mix(self) -> tuple[MixLine, ...]:
        """What to draw from next: the recipe's own mixture without a curriculum; else a line for each rung in use."""
        if not self.config.enabled:
            return self.lines
        return tuple(
            replace(line, weight=float(f"{share * part:.{DIGITS}g}"), levels=(level,))
            for line, ladder, share in zip(self.lines, self.ladders, self._shares(), strict=True)
            for level, part in _rungs(line, ladder.frontier, self.config.rehearsal)
            if share * part > 0
        )

    def placed(self, outcomes: Iterable[tuple[Task, float]]) -> "Curriculum":
        """Before the first update, by the outcomes of the first evaluation: each line at its lowest level that the
        policy does not master yet, which is where the stages before have left it. They hand on no levels of their own:
        a fine-tuning stage shows all levels in the end, and what was shown is not what was learnt.
        """
        if not self.config.enabled or self.config.start == "lowest":
            return self
        by_rung: dict[tuple[int, int], list[float]] = defaultdict(list)
        for task, success in outcomes:
            by_rung[self._line_of(task), task.level].append(success)

        def frontier(index: int, line: MixLine) -> int:
            mastered = (self._is_mastered(by_rung[index, level]) for level in line.levels[:-1])
            return sum(1 for _ in takewhile(bool, mastered))

        return replace(self, ladders=tuple(Ladder(frontier(i, line)) for i, line in enumerate(self.lines)))

    def advance(self, outcomes: Iterable[tuple[Task, float]]) -> "Curriculum":
        """After an update. `outcomes`: each dialog's task and its mean success over turns, in [0, 1]."""
        if not self.config.enabled:
            return self
        by_line: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for task, success in outcomes:
            by_line[self._line_of(task)].append((task.level, success))
        ladders = [
            self._climb(line, _judge(ladder, line, by_line[index], self.config.half_life))
            for index, (line, ladder) in enumerate(zip(self.lines, self.ladders, strict=True))
        ]
        return replace(self, ladders=tuple(ladders))

    def metrics(self) -> dict[str, float]:
        """The frontier and the share of each line, by scenario; nothing without a curriculum."""
        if not self.config.enabled:
            return {}
        shares = self._shares()
        found = {}
        for line, ladder, share in zip(self.lines, self.ladders, shares, strict=True):
            found[f"curriculum/{line.scenario}/level"] = float(line.levels[ladder.frontier])
            found[f"curriculum/{line.scenario}/share"] = share / sum(shares)
        return found

    def to_json(self) -> JsonValue:
        """Nothing without a curriculum; else the ladder of each line, with what the line asks."""
        return STEPS.dump_python(self._steps(self.ladders), mode="json") if self.config.enabled else None

    def restore(self, value: JsonValue) -> "Curriculum":
        """The curriculum of a checkpoint, which may have been saved without one. Raises CurriculumError where it is of
        another mixture.
        """
        if value is None or not self.config.enabled:
            return self
        steps = STEPS.validate_python(value)
        ladders = tuple(ladder for _, _, ladder in steps)
        if len(ladders) != len(self.lines) or steps != self._steps(ladders):
            raise CurriculumError("tasks.mix is not that of the checkpoint, whose curriculum cannot go on with it")
        return replace(self, ladders=ladders)

    def _steps(self, ladders: Sequence[Ladder]) -> tuple[Step, ...]:
        return tuple((line.scenario, line.levels, ladder) for line, ladder in zip(self.lines, ladders, strict=True))

    def _shares(self) -> list[float]:
        """weight * (floor + (1 - floor) * progress / largest progress)"""
        largest = max(ladder.progress for ladder in self.ladders)
        floor = self.config.floor if largest > 0 else 1.0
        return [
            line.weight * (floor + (1.0 - floor) * (ladder.progress / largest if largest > 0 else 0.0))
            for line, ladder in zip(self.lines, self.ladders, strict=True)
        ]

    def _climb(self, line: MixLine, ladder: Ladder) -> Ladder:
        """One rung up or down where the success at the frontier, once it is known well enough, leaves the band."""
        if ladder.num_dialogs < self.config.half_life:
            return ladder
        if ladder.success >= self.config.success_high and ladder.frontier + 1 < len(line.levels):
            return replace(ladder, frontier=ladder.frontier + 1, num_dialogs=0, success=0.0)
        if ladder.success < self.config.success_low and ladder.frontier > 0:
            return replace(ladder, frontier=ladder.frontier - 1, num_dialogs=0, success=0.0)
        return ladder

    def _is_mastered(self, successes: Sequence[float]) -> bool:
        return len(successes) >= MIN_MEASURED and sum(successes) / len(successes) >= self.config.success_high

    def _line_of(self, task: Task) -> int:
        return next(index for index, line in enumerate(self.lines) if line.scenario == task.scenario)


STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])


def outcomes(scored: Iterable[Scored]) -> list[tuple[Task, float]]:
    """What `Curriculum.advance` learns from: the task and mean success of each dialog that was judged, of those in
    which the assistant answers a task of the library.
    """
    requests = [(s.trajectory.request, s.score) for s in scored]
    own = [(r.task, score) for r, score in requests if r.role == "assistant" and not r.task.given]
    return [(task, float(score.success.mean())) for task, score in own if score is not None]


def _rungs(line: MixLine, frontier: int, rehearsal: float) -> list[tuple[int, float]]:
    """Levels in use and their parts of the line's share; levels in the order in which the line names them."""
    if frontier == 0:
        return [(line.levels[0], 1.0)]
    below = [(level, rehearsal / frontier) for level in line.levels[:frontier]]
    return [*below, (line.levels[frontier], 1.0 - rehearsal)]


def _judge(ladder: Ladder, line: MixLine, outcomes: Sequence[tuple[int, float]], half_life: int) -> Ladder:
    """The ladder with the outcomes in its averages."""
    if not outcomes:
        return ladder
    successes = [success for _, success in outcomes]
    at_frontier = [success for level, success in outcomes if level == line.levels[ladder.frontier]]
    first = ladder.num_dialogs == 0
    return replace(
        ladder,
        num_dialogs=ladder.num_dialogs + len(at_frontier),
        success=_average(None if first else ladder.success, at_frontier, half_life) or 0.0,
        fast=_average(ladder.fast, successes, half_life),
        slow=_average(ladder.slow, successes, SLOWER * half_life),
    )


def _average(before: float | None, values: Sequence[float], half_life: int) -> float | None:
    """Moving average in which a value counts half as much after `half_life` more; the first values start it."""
    if not values:
        return before
    mean = sum(values) / len(values)
    kept = 0.5 ** (len(values) / half_life)
    return mean if before is None else kept * before + (1.0 - kept) * mean

"""Suites out of the scenario library: the same dialogs for every policy, at all levels and in all languages.

They are drawn for an evaluation, whatever a run has asked; what it did ask is told by the contamination check.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from envs.library import Library
from envs.mix import MixLine, evaluation_tasks
from envs.task import Scenario, Task
from rl.suites.config import SuitesConfig
from rl.suites.dialogs import Item, Verdict, examine_dialogs
from rl.suites.suite import Examination, Subject
from rl.trajectory import Trajectory

Grouping = Callable[[Task], str]
Judge = Callable[[Scenario, Trajectory], Verdict]

WORD_PROBLEMS = ("shopping", "gifts", "giving", "sharing", "ages", "rates")
PROGRAMS = ("program-function", "program-expression", "program-gap", "program-fix", "program-output")
IN_32_LANGUAGES = ("translate-numbers", "translate-weekdays", "translate-months", "weekdays", "months", "number-words")


def by_scenario(task: Task) -> str:
    return task.scenario


def by_language(task: Task) -> str:
    return task.language


def mean_success(scenario: Scenario, dialog: Trajectory) -> Verdict:
    """The scenario's own verdict, mean over the turns."""
    verdicts = [scenario.verify(dialog.transcript.upto(turn)) for turn in range(len(dialog.turns))]
    return Verdict(sum(verdicts) / len(verdicts))


def retention_error(scenario: Scenario, dialog: Trajectory) -> Verdict:
    """1 where the last turn, which asks for what earlier ones have told, is not answered right; a dialog that outgrew
    the policy's length before it could be asked is an error too.
    """
    if dialog.status == "truncated" and dialog.turns[-1].finish == "stop":
        return Verdict(1.0, detail="the dialog outgrew the policy")
    return Verdict(1.0 - scenario.verify(dialog.transcript))


@dataclass(frozen=True, slots=True)
class ScenarioSuite:
    """Dialogs of some scenarios, an equal part of each."""

    name: str
    headline: str
    scenarios: tuple[str, ...]
    config: SuitesConfig
    grouping: Grouping = by_scenario
    judge: Judge = mean_success
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        items = scenario_items(subject.library, self.scenarios, self.config, self.grouping, self.judge)
        return await examine_dialogs(subject, items, self.config, notes=("dialogs of the scenario library",))


def scenario_items(
    library: Library, names: Sequence[str], config: SuitesConfig, grouping: Grouping, judge: Judge
) -> list[Item]:
    lines = [MixLine(name, levels=tuple(range(library.find(name).num_levels))) for name in names]
    return [
        Item(
            name=task.id,
            group=grouping(task),
            task=task,
            question=library.opening(task),
            due="",
            judge=partial(judge, library.find(task.scenario)),
        )
        for task in evaluation_tasks(library, lines, config.limit, config.seed)
    ]


def context(config: SuitesConfig) -> ScenarioSuite:
    """Multi-turn retention: what was said some turns ago. The number is an error, so lower is better."""
    names = tuple(f"memory-{kind}" for kind in ("recall", "update", "speaker", "list", "total", "first", "count"))
    return ScenarioSuite("context", "error", names, config, judge=retention_error, lower_is_better=True)


def language(config: SuitesConfig) -> ScenarioSuite:
    """Numbers, weekdays and months in 32 languages, and their translation."""
    return ScenarioSuite("language", "accuracy", IN_32_LANGUAGES, config, grouping=by_language)


def math(config: SuitesConfig) -> ScenarioSuite:
    """Word problems of the library, for policies that GSM8K is too hard for."""
    return ScenarioSuite("math", "accuracy", WORD_PROBLEMS, config)


def programs(config: SuitesConfig) -> ScenarioSuite:
    """Small programs of the library, run in the sandbox, for policies that HumanEval is too hard for."""
    return ScenarioSuite("programs", "accuracy", PROGRAMS, config)

"""Proposer and solver: the policy makes some of its own training tasks (Absolute Zero, Zhao et al. 2025, 2505.03335).

An iteration has two waves. First, proposers put tasks together (`envs.task.Proposing`), and a program checks them.
Tasks that are valid and new take the place of some of the library's; all are solved, and the proposers are paid for
what came of theirs. Everything here is a function of the state before the iteration and of dialogs in the order of
their requests, so it does not matter which worker held them when.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from envs.deadline import DeadlineError, call_within
from envs.library import Library, ScenarioError
from envs.mix import MixLine, draw, is_held_out
from envs.task import Outcome, Proposing, Task, Transcript, Turn
from envs.user_file import cause_of
from rl.config import Config
from rl.trajectory import EpisodeRequest, Scored, Trajectory


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a proposer's dialog has made.

    Attributes:
        task: None where a verifier could not check it.
        new: whether others shall solve it: it is the first of its kind in this iteration, is not among those
            proposed lately, and its question is not held out.
    """

    dialog: Trajectory
    task: Task | None
    new: bool


class Proposals:
    """The rules of a run's self-play; holds no state.

    Raises `ScenarioError` where the scenario proposes nothing.
    """

    def __init__(self, config: Config, library: Library) -> None:
        self._config, self._library = config, library
        self._line = proposal_line(config)
        self._scenario = proposing(library, self._line.scenario)

    def requests(self, iteration: int, opponent: str) -> list[EpisodeRequest]:
        """The proposers' dialogs, each a group of its own after those of the solvers. The last ones are said by
        `opponent` where there is one: of two equal proposals, the current policy's counts.
        """
        run, rollout, selfplay = self._config.run, self._config.rollout, self._config.selfplay
        num_own = selfplay.num_proposals - round(selfplay.past_share * selfplay.num_proposals if opponent else 0)
        groups = range(rollout.rollout_batch_size, rollout.rollout_batch_size + selfplay.num_proposals)
        return [
            EpisodeRequest(
                draw(self._library, [self._line], run.seed, iteration, group),
                iteration,
                group,
                0,
                run.seed,
                role="proposer",
                opponent="" if index < num_own else opponent,
            )
            for index, group in enumerate(groups)
        ]

    def read(self, dialogs: Sequence[Trajectory], known: Iterable[str]) -> list[Proposal]:
        """What each dialog has proposed, in order. `known`: see `key_of`. Raises as `ask_for_task` does."""
        seen, proposals = set(known), []
        for dialog in dialogs:
            task = self._task_of(dialog)
            new = task is not None and key_of(task) not in seen and not self.is_held_out(task)
            if task is not None and new:
                seen.add(key_of(task))
            proposals.append(Proposal(dialog, task, new))
        return proposals

    def _task_of(self, dialog: Trajectory) -> Task | None:
        if not dialog.turns:
            return None
        return ask_for_task(self._scenario, dialog.transcript, self._config.rollout.episode_timeout_seconds)

    def is_held_out(self, task: Task) -> bool:
        """Whether evaluation may ask the very question that the solver of this task is asked first."""
        return is_held_out(self._library.opening(task), self._config.tasks.held_out_fraction)


def proposal_line(config: Config) -> MixLine:
    """What the proposers are asked."""
    return MixLine(config.selfplay.scenario, 1.0, config.selfplay.languages, config.selfplay.levels)


def proposing(library: Library, name: str) -> Proposing:
    """The scenario as one that proposes. Raises `ScenarioError`."""
    scenario = library.find(name)
    if not isinstance(scenario, Proposing):
        known = ", ".join(s.name for s in library.scenarios if isinstance(s, Proposing))
        raise ScenarioError(f"selfplay.scenario: {name!r} makes no tasks for others; these do: {known}")
    return scenario


def ask_for_task(scenario: Proposing, transcript: Transcript, timeout_seconds: float) -> Task | None:
    """What the dialog has proposed. Raises `ScenarioError` where the scenario raises anything or does not return in
    time, or where what it returns is no task of its own, which nobody could be paid for.
    """
    try:
        task = call_within(timeout_seconds, partial(scenario.proposed, transcript))
    except DeadlineError as error:
        limit = f"rollout.episode_timeout_seconds = {timeout_seconds:g}"
        raise ScenarioError(f"{transcript.task.id}: `proposed` did not return within {limit}") from error
    except Exception as error:  # a user's scenario may do anything
        raise ScenarioError(f"{transcript.task.id}: `proposed` raised {cause_of(error)}") from error
    if task is not None and not (isinstance(task, Task) and task.given):
        cause = "it must be None, or an envs.task.Task with what was proposed as its `given`"
        raise ScenarioError(f"{transcript.task.id}: `proposed` returned {task!r:.200}; {cause}")
    return task


def make_tasks(library: Library, line: MixLine, *, max_turns: int, timeout_seconds: float) -> list[Task]:
    """A task out of each language and level, made by somebody who answers right; solving it is rehearsed too.

    Raises `ScenarioError` where that is not possible here.
    """
    scenario, made = proposing(library, line.scenario), []
    for language in line.languages or library.find(line.scenario).languages:
        for level in line.levels:
            task = Task(line.scenario, language, level, 0)
            asked = library.questions(task, max_turns=max_turns)
            turns = tuple(Turn(question, question.demonstration, "stop", num_tokens=1) for question in asked)
            proposed = ask_for_task(scenario, Transcript(task, turns), timeout_seconds)
            if proposed is None:
                cause = f"makes no task within rollout.max_turns = {max_turns}"
                raise ScenarioError(f"selfplay.scenario: {task.id} {cause}, even with the right answers")
            library.rehearse(proposed, max_turns=max_turns)
            made.append(proposed)
    return made


def key_of(task: Task) -> str:
    """Equal for tasks that are the same but for their wording."""
    return f"{task.scenario}/{task.language}/{task.level}/{task.given}"


def with_proposals(requests: Sequence[EpisodeRequest], proposals: Sequence[Proposal]) -> list[EpisodeRequest]:
    """The solvers' requests with the new tasks in the last groups, in the place of what the library would ask."""
    tasks = [proposal.task for proposal in proposals if proposal.task is not None and proposal.new]
    groups = sorted({request.group for request in requests})
    asked = dict(zip(groups[len(groups) - len(tasks) :], tasks, strict=True))
    return [
        replace(request, task=asked[request.group], opponent="") if request.group in asked else request
        for request in requests
    ]


def with_outcomes(proposals: Sequence[Proposal], solved: Sequence[Scored]) -> list[Trajectory]:
    """The proposers' dialogs with what came of them; one that failed stays as it is.

    Success is that of the assistant's first answer: what follows it was not proposed.
    """
    success: dict[Task, list[float]] = defaultdict(list)
    for s in solved:
        request = s.trajectory.request
        # where a model plays the user, it has a side of its own, and may have left the assistant nothing to answer
        if request.task.given and request.role == "assistant" and s.score is not None and len(s.score.success):
            success[request.task].append(float(s.score.success[0]))
    return [
        proposal.dialog
        if proposal.dialog.status == "failed"
        else replace(proposal.dialog, outcome=_outcome(proposal, success))
        for proposal in proposals
    ]


def _outcome(proposal: Proposal, success: dict[Task, list[float]]) -> Outcome:
    found = success.get(proposal.task, []) if proposal.task is not None and proposal.new else []
    mean = float(np.mean(found)) if found else None
    return Outcome(valid=proposal.task is not None, new=proposal.new, success=mean, proposed=True)


def remembered(known: Sequence[str], proposals: Sequence[Proposal], limit: int) -> tuple[str, ...]:
    """The newest tasks that somebody has been asked to solve, at most `limit`, the newest last."""
    asked = [key_of(proposal.task) for proposal in proposals if proposal.task is not None and proposal.new]
    everything = (*known, *asked)
    return everything[max(0, len(everything) - limit) :]


def proposal_metrics(judged: Sequence[Scored], proposals: Sequence[Proposal], rules: Proposals) -> dict[str, float]:
    """What the current policy has proposed in an iteration, and how its solvers fared; shares of its proposals.

    Nothing where it has proposed nothing that was judged. `judged`: the dialogs of the `proposals`, in their order.
    """
    told = [(s, p) for s, p in zip(judged, proposals, strict=True) if not s.trajectory.request.opponent]
    outcomes = [s.trajectory.outcome for s, _ in told if s.trajectory.outcome is not None]
    if not outcomes:
        return {}
    tasks = [proposal.task for _, proposal in told if proposal.task is not None]
    success = np.array([outcome.success for outcome in outcomes if outcome.success is not None])
    found = {
        "selfplay/validity": len(tasks) / len(outcomes),
        "selfplay/distinct": len({key_of(task) for task in tasks}) / len(outcomes),
        "selfplay/new": sum(outcome.new for outcome in outcomes) / len(outcomes),
        "selfplay/held_out": sum(rules.is_held_out(task) for task in tasks) / len(outcomes),
    }
    rewards = [s.score.scalar for s, _ in told if s.score is not None]
    if rewards:
        found["selfplay/reward_proposer"] = float(np.concatenate(rewards).mean())
    if len(success):
        found["selfplay/difficulty"] = float(1.0 - success.mean())
        found["selfplay/learnable"] = float((4.0 * success * (1.0 - success)).mean())
    return found

"""Held-out accuracy: fixed tasks, answered greedily by the rollout workers at the current weights."""

from collections.abc import Collection, Sequence

import numpy as np

from envs.library import Library
from envs.task import Task
from rl.results import EvalResult
from rl.trajectory import EpisodeRequest, Scored


def evaluation_requests(tasks: Sequence[Task], *, step: int, run_seed: int) -> list[EpisodeRequest]:
    return [EpisodeRequest(task, step, index, 0, run_seed, "eval") for index, task in enumerate(tasks)]


def summarize(scored: Sequence[Scored], library: Library, *, step: int, seen: Collection[str]) -> EvalResult:
    """Mean success of the judged dialogs. `seen`: the opening questions that training has asked."""
    judged = [s for s in scored if s.score is not None]
    if not judged:
        raise RuntimeError(
            f"evaluation at step {step}: every dialog failed; `zero2one show RUN --status failed` says why"
        )
    tasks = [s.trajectory.request.task for s in judged]
    openings = [library.opening(task) for task in tasks]
    success = [s.score.success for s in judged if s.score is not None]
    unseen = [values for values, opening in zip(success, openings, strict=True) if opening not in seen]
    follow_ups = [values[1:] for values in success if len(values) > 1]
    return EvalResult(
        step=step,
        accuracy=_mean(success),
        first_turn=_mean([values[:1] for values in success]),
        follow_up=_mean(follow_ups) if follow_ups else None,
        unseen=_mean(unseen) if unseen else None,
        seen_share=len(set(openings).intersection(seen)) / len(set(openings)),
        by_scenario=_means_by([task.scenario for task in tasks], success),
        num_dialogs=len(judged),
        by_domain=_means_by([library.find(task.scenario).domain for task in tasks], success),
        by_language=_means_by([task.language for task in tasks], success),
    )


def _means_by(names: Sequence[str], success: Sequence[np.ndarray]) -> dict[str, float]:
    """Mean success over the turns of the dialogs that share a name."""
    pairs = list(zip(names, success, strict=True))
    return {name: _mean([values for other, values in pairs if other == name]) for name in sorted(set(names))}


def _mean(parts: Sequence[np.ndarray]) -> float:
    return float(np.concatenate(parts).mean())

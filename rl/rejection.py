"""Rejection sampling: the policy answers tasks several times, and the best of its own dialogs become demonstrations.

As the RAFT of Dong et al. (2304.06767) and the rejection sampling of Llama 2 (2307.09288, 3.2.3): tasks of the stage's
own mixture, dialogs held by the rollout workers with the model that the stage starts from, judged by the reward
workers. What comes out is a file of dialogs like any other, next to the trajectories that it was chosen from; its
report is written last, so its existence means that the file is whole.

What was left out: a dialog in which an answer was cut off never becomes a demonstration, whatever it earned, for as a
demonstration it would end there.
"""

import glob
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from envs.library import Library
from envs.mix import MixLine, draw
from rewards.signal import Moments, Signal
from rl.collect import Collector
from rl.control import Control, RunStoppedError
from rl.files import write_whole
from rl.interfaces import World
from rl.records import Records
from rl.stage_config import DialogFileConfig, RejectionConfig, SFTConfig
from rl.trajectory import EpisodeRequest, Scored

FOLDER = "rejection"  # inside the stage's run directory
DIALOGS, REPORT = "dialogs.jsonl", "report.json"
ITERATION = 1  # of its tasks, for those of 0 are answered by the scenarios' own demonstrations

Turns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RejectionReport:
    """What was sampled and what was kept. Rewards and successes are means over dialogs of their means over turns.

    Attributes:
        num_dialogs: held; num_judged: of these.
        num_cut_off: of the judged, those with an answer that was cut off or empty.
        reward, success: of all that were judged; kept_reward, kept_success: of what was kept. None: of none.
    """

    num_tasks: int
    num_dialogs: int
    num_judged: int
    num_cut_off: int
    num_kept: int
    reward: float | None
    kept_reward: float | None
    success: float | None
    kept_success: float | None


class Verdict(NamedTuple):
    """What is remembered of a dialog that was judged: the dialogs themselves are on disk, and may be many."""

    reward: float
    success: float
    is_cut_off: bool


def is_sampled(folder: Path) -> bool:
    return (folder / REPORT).exists()


def read_report(folder: Path) -> RejectionReport | None:
    """None where nothing has been sampled."""
    path = folder / REPORT
    return TypeAdapter(RejectionReport).validate_json(path.read_bytes()) if path.exists() else None


def dialog_file(folder: Path) -> DialogFileConfig:
    """How the dialogs that were kept are read."""
    return DialogFileConfig(
        path=glob.escape(str(folder / DIALOGS)),
        messages_column="messages",
        language_column="language",
        level_column="level",
    )


async def sample_dialogs(
    config: SFTConfig,
    library: Library,
    mix: Sequence[MixLine],
    signal: Signal,
    world: World,
    records: Records,
    control: Control,
) -> RejectionReport:
    """Hold, judge and choose the dialogs, and write them into the directory of `records`: a function of the weights
    that `world` serves and of (run.seed, index), whichever worker holds them. `rollout.rollout_batch_size` tasks are
    under way at once. `control`: of the stage, which may be asked to stop; then RunStoppedError is raised.
    """
    rejection, seen = config.demonstrations.rejection, set[Turns]()
    collector, moments = Collector(world, records, _served), Moments.none(len(signal.names))
    await world.weights.publish(0)
    num_dialogs = 0
    judged: list[Verdict] = []
    rows: list[Scored] = []
    requests = _requests(config, library, mix)
    while chunk := list(islice(requests, config.rollout.rollout_batch_size * rejection.samples_per_task)):
        if control.is_stop_asked:
            raise RunStoppedError(
                f"stopped in rejection sampling, after {num_dialogs} of "
                f"{rejection.num_tasks * rejection.samples_per_task} dialogs; the next start samples them anew"
            )
        found = await collector.collect(chunk, signal, moments)
        for start in range(0, len(found), rejection.samples_per_task):
            rows += choose(found[start : start + rejection.samples_per_task], rejection, seen)
        num_dialogs += len(found)
        judged += [_verdict(dialog) for dialog in found if dialog.score is not None]
        records.say(f"rejection sampling: {num_dialogs} dialogs, {len(rows)} kept")
    await records.settle()
    report = _report(rejection.num_tasks, num_dialogs, judged, rows)
    lines = "".join(json.dumps(_row(kept), ensure_ascii=False) + "\n" for kept in rows)
    write_whole(records.run_dir / DIALOGS, lines.encode())
    write_whole(records.run_dir / REPORT, (json.dumps(asdict(report), indent=1) + "\n").encode())
    return report


async def _served() -> None:
    """The one version of the weights is out before anything is asked for."""


def choose(dialogs: Sequence[Scored], rejection: RejectionConfig, seen: set[Turns]) -> list[Scored]:
    """The best of a task's dialogs by mean reward of a turn, the first of equal ones. What is in `seen` is not chosen
    again; what is chosen is added to it.
    """
    best = sorted((s for s in dialogs if _is_good(s, rejection)), key=lambda s: -_mean_reward(s))  # stable
    chosen: list[Scored] = []
    for dialog in best:
        if len(chosen) < rejection.keep and turns_of(dialog) not in seen:
            seen.add(turns_of(dialog))
            chosen.append(dialog)
    return chosen


def turns_of(dialog: Scored) -> Turns:
    return tuple((turn.question.text, turn.answer) for turn in dialog.trajectory.turns)


def clear(folder: Path) -> None:
    """An empty folder, in place of what an interrupted sampling has left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _requests(config: SFTConfig, library: Library, mix: Sequence[MixLine]) -> Iterator[EpisodeRequest]:
    seed, rejection = config.run.seed, config.demonstrations.rejection
    for index in range(rejection.num_tasks):
        task = draw(library, mix, seed, ITERATION, index, config.tasks.held_out_fraction)
        for sample in range(rejection.samples_per_task):
            yield EpisodeRequest(task, ITERATION, index, sample, seed)


def _is_good(dialog: Scored, rejection: RejectionConfig) -> bool:
    if dialog.score is None or _is_cut_off(dialog):
        return False
    if rejection.min_reward is not None and _mean_reward(dialog) < rejection.min_reward:
        return False
    return _mean_success(dialog) >= rejection.min_success


def _is_cut_off(dialog: Scored) -> bool:
    """Whether an answer was, or is empty: there is nothing to imitate in it."""
    return any(turn.finish != "stop" or not turn.answer.strip() for turn in dialog.trajectory.turns)


def _verdict(dialog: Scored) -> Verdict:
    return Verdict(_mean_reward(dialog), _mean_success(dialog), _is_cut_off(dialog))


def _mean_reward(dialog: Scored) -> float:
    assert dialog.score is not None
    return float(dialog.score.scalar.mean())


def _mean_success(dialog: Scored) -> float:
    assert dialog.score is not None
    return float(dialog.score.success.mean())


def _row(dialog: Scored) -> dict[str, object]:
    request = dialog.trajectory.request
    messages = [
        {"role": role, "content": text}
        for turn in turns_of(dialog)
        for role, text in zip(("user", "assistant"), turn, strict=True)
    ]
    return {
        "messages": messages,
        "language": request.task.language,
        "level": request.task.level,
        "task": request.task.id,
        "sample": request.sample,
        "reward": _mean_reward(dialog),
        "success": _mean_success(dialog),
    }


def _report(num_tasks: int, num_dialogs: int, judged: Sequence[Verdict], kept: Sequence[Scored]) -> RejectionReport:
    return RejectionReport(
        num_tasks=num_tasks,
        num_dialogs=num_dialogs,
        num_judged=len(judged),
        num_cut_off=sum(verdict.is_cut_off for verdict in judged),
        num_kept=len(kept),
        reward=_average(verdict.reward for verdict in judged),
        kept_reward=_average(map(_mean_reward, kept)),
        success=_average(verdict.success for verdict in judged),
        kept_success=_average(map(_mean_success, kept)),
    )


def _average(values: Iterable[float]) -> float | None:
    found = list(values)
    return sum(found) / len(found) if found else None

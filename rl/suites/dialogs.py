"""Suites whose items are dialogs: asked greedily, and as often again as is wanted, then judged one by one."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envs.task import Task
from rl.suites.config import SuitesConfig
from rl.suites.suite import Examination, Row, Subject
from rl.trajectory import EpisodeRequest, Trajectory


@dataclass(frozen=True, slots=True)
class Verdict:
    """`score`: 0 to 1. `final`: what of the answer was compared with what is due, for the majority of several."""

    score: float
    final: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to ask. `judge` sees the finished dialog, which has one answer at least."""

    name: str
    group: str
    task: Task
    question: str
    due: str
    judge: Callable[[Trajectory], Verdict]


async def examine_dialogs(
    subject: Subject, items: Sequence[Item], config: SuitesConfig, *, notes: tuple[str, ...] = ()
) -> Examination:
    """Judged in a thread, so that who waits for workers meanwhile still hears of them. Dialogs that failed are skipped
    and counted by their cause.
    """
    requests = [
        EpisodeRequest(item.task, 0, index, sample, config.seed, "eval")
        for index, item in enumerate(items)
        for sample in range(1 + config.num_samples)
    ]
    dialogs = await subject.answer(requests)
    rows, skipped = await asyncio.to_thread(_judge, items, dialogs)
    return Examination(rows=tuple(rows), skipped=dict(skipped), notes=notes)


def _judge(items: Sequence[Item], dialogs: Sequence[Trajectory]) -> tuple[list[Row], Counter[str]]:
    rows, skipped = [], Counter[str]()
    for dialog in dialogs:
        item = items[dialog.request.group]
        if dialog.turns:
            rows.append(_row(item, dialog, item.judge(dialog)))
        elif dialog.request.sample == 0:
            skipped[dialog.error.rpartition(": ")[2] or "no answer"] += 1
    return rows, skipped


def _row(item: Item, dialog: Trajectory, verdict: Verdict) -> Row:
    last = dialog.turns[-1]
    return Row(
        item=item.name,
        group=item.group,
        sample=dialog.request.sample,
        question=item.question,
        answer=_spoken(dialog),
        due=item.due,
        score=verdict.score,
        final=verdict.final,
        finish=last.finish,
        num_tokens=dialog.num_action_tokens,
        seconds=dialog.seconds,
        detail=verdict.detail,
    )


def _spoken(dialog: Trajectory) -> str:
    """The answer; of several turns, the whole dialog from the first answer on."""
    first, *others = dialog.turns
    return "\n".join([first.answer, *(f"> {turn.question.text}\n{turn.answer}" for turn in others)])

"""Pairs from the store of a finished run: answers to the same question, ranked by how they were judged."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np

from rl.preferences import Dialog, Preference
from rl.rows import DataFileError
from rl.stage_config import PairRunConfig
from rl.store import Query, Record, StoreError, read

QUERY_STATUSES = ("ok", "truncated")


def from_runs(runs: Iterable[PairRunConfig]) -> Iterator[Preference]:
    """The pairs of all runs. Raises DataFileError where one has no store, or lacks a dimension with a weight."""
    for run in runs:
        try:
            yield from _from_run(run)
        except StoreError as error:
            raise DataFileError(str(error)) from error


def _from_run(run: PairRunConfig) -> Iterator[Preference]:
    query = Query(purpose="train", first=run.first, last=run.last, role="assistant")
    left = run.num_pairs
    for _, records in groupby(read(Path(run.run), query), key=lambda record: record.trajectory.request.iteration):
        grades: dict[Dialog, dict[str, float]] = {}  # what leads to a question, with it -> answer -> grade
        for record in records:
            if record.trajectory.status in QUERY_STATUSES and record.scored.score is not None:
                _add(grades, record, _grades(record, run))
        for context, answers in grades.items():
            for pair in _pairs(context, answers, run)[:left]:
                left -= 1
                yield pair
        if not left:
            return


def _grades(record: Record, run: PairRunConfig) -> np.ndarray:
    """[N] of the turns: the scalar that trained the policy, or the weighted dimensions; what abstained counts 0."""
    assert record.scored.score is not None
    if not run.weights:
        return record.scored.score.scalar
    columns = []
    for name in run.weights:
        if name not in record.dimensions:
            known = ", ".join(record.dimensions)
            raise DataFileError(f"{run.run}: its dialogs were not judged in {name!r}; they were in {known}")
        columns.append(record.dimensions.index(name))
    weights = np.array(list(run.weights.values()), np.float32)
    return np.nan_to_num(record.scored.score.vector[:, columns], nan=0.0) @ weights


def _add(grades: dict[Dialog, dict[str, float]], record: Record, values: np.ndarray) -> None:
    earlier: Dialog = ()
    for turn, value in zip(record.trajectory.turns, values, strict=True):
        context = (*earlier, (turn.question.text, ""))
        grades.setdefault(context, {}).setdefault(turn.answer, float(value))
        earlier = (*earlier, (turn.question.text, turn.answer))


def _pairs(context: Dialog, answers: dict[str, float], run: PairRunConfig) -> list[Preference]:
    """The best answer against the worst, the next against the next, as far as they are `min_margin` apart."""
    ranked = sorted(answers, key=lambda answer: (-answers[answer], answer))
    source, earlier, question = f"run/{Path(run.run).name}", context[:-1], context[-1][0]
    return [
        Preference((*earlier, (question, better)), (*earlier, (question, worse)), source)
        for better, worse in zip(ranked[: len(ranked) // 2], reversed(ranked), strict=False)
        if answers[better] - answers[worse] >= run.min_margin
    ][: run.per_question]

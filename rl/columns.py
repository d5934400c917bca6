"""A trajectory as one row of an Arrow table, and back: the format of the store, exact in both directions."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from envs.task import Outcome, Question, Task, ToolUse, Turn
from rl.trajectory import EpisodeRequest, Role, Score, Scored, Trajectory

TOOL_USE = pa.struct([("tool", pa.string()), ("call", pa.string()), ("output", pa.string()), ("position", pa.int32())])
TURN = pa.struct(
    [
        ("question", pa.string()),
        ("expected", pa.string()),  # null: no single right answer
        ("kind", pa.string()),
        ("answer", pa.string()),
        ("finish", pa.string()),
        ("num_tokens", pa.int32()),
        ("tool_uses", pa.list_(TOOL_USE)),
    ]
)
OUTCOME = pa.struct([(f.name, pa.float64() if f.name == "success" else pa.bool_()) for f in fields(Outcome)])
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("purpose", pa.string()),
        ("iteration", pa.int32()),
        ("group", pa.int32()),
        ("sample", pa.int32()),
        ("scenario", pa.string()),
        ("language", pa.string()),
        ("level", pa.int32()),
        ("task_seed", pa.uint64()),
        ("given", pa.string()),
        ("run_seed", pa.uint64()),
        ("role", pa.string()),
        ("opponent", pa.string()),  # empty: the current policy
        ("outcome", OUTCOME),  # null: nothing that matters here
        ("status", pa.string()),
        ("error", pa.string()),
        ("worker", pa.string()),
        ("seconds", pa.float64()),
        ("oldest_version", pa.int32()),
        ("reward", pa.float32()),  # mean scalar of the turns; null without a score
        ("text", pa.string()),  # the dialog for people; the policy read and wrote `tokens`
        ("turns", pa.list_(TURN)),
        ("turn_ends", pa.list_(pa.int32())),
        ("tokens", pa.list_(pa.int32())),
        ("action_mask", pa.list_(pa.bool_())),
        ("logprobs", pa.list_(pa.float32())),
        ("versions", pa.list_(pa.int32())),
        ("vector", pa.list_(pa.list_(pa.float32()))),  # [N, D], the D names in the metadata; null without a score
        ("scalar", pa.list_(pa.float32())),
        ("success", pa.list_(pa.float32())),
    ]
)
DIMENSIONS = b"dimensions"
OTHER_SIDE: dict[Role, str] = {"assistant": "user", "user": "told", "proposer": "told"}


def to_table(rows: Sequence[Scored], dimensions: Sequence[str]) -> pa.Table:
    """One row per dialog; `dimensions` names the columns of the reward vectors. Raises ValueError if they differ."""
    for row in rows:
        wanted = (len(row.trajectory.turns), len(dimensions))
        if row.score is not None and row.score.vector.shape != wanted:
            raise ValueError(
                f"trajectory {row.trajectory.request.id}: rewards {row.score.vector.shape}, wanted {wanted}"
            )
    episodes = [row.trajectory for row in rows]
    requests = [episode.request for episode in episodes]
    tasks = [request.task for request in requests]
    scores = [row.score for row in rows]
    columns = {
        "id": [request.id for request in requests],
        "purpose": [request.purpose for request in requests],
        "iteration": [request.iteration for request in requests],
        "group": [request.group for request in requests],
        "sample": [request.sample for request in requests],
        "scenario": [task.scenario for task in tasks],
        "language": [task.language for task in tasks],
        "level": [task.level for task in tasks],
        "task_seed": [task.seed for task in tasks],
        "given": [task.given for task in tasks],
        "run_seed": [request.run_seed for request in requests],
        "role": [request.role for request in requests],
        "opponent": [request.opponent for request in requests],
        "outcome": [asdict(episode.outcome) if episode.outcome else None for episode in episodes],
        "status": [episode.status for episode in episodes],
        # an error may quote anything, and must not be the reason why its own record is lost
        "error": [episode.error.encode("utf-8", "replace").decode() for episode in episodes],
        "worker": [episode.worker for episode in episodes],
        "seconds": [episode.seconds for episode in episodes],
        "oldest_version": [episode.oldest_version for episode in episodes],
        "reward": [mean_reward(score) for score in scores],
        "text": [_text(episode) for episode in episodes],
        "turns": _turn_lists([episode.turns for episode in episodes]),
        "turn_ends": lists([episode.turn_ends for episode in episodes], pa.int32()),
        "tokens": lists([episode.tokens for episode in episodes], pa.int32()),
        "action_mask": lists([episode.action_mask for episode in episodes], pa.bool_()),
        "logprobs": lists([episode.logprobs for episode in episodes], pa.float32()),
        "versions": lists([episode.versions for episode in episodes], pa.int32()),
        "vector": _matrices([score.vector if score else None for score in scores]),
        "scalar": lists([score.scalar if score else None for score in scores], pa.float32()),
        "success": lists([score.success if score else None for score in scores], pa.float32()),
    }
    return pa.table(columns, schema=SCHEMA.with_metadata({DIMENSIONS: json.dumps(list(dimensions))}))


def from_table(table: pa.Table) -> Iterator[Scored]:
    """The dialogs that `to_table` was given. Their arrays are read-only views of the table."""
    table = table.combine_chunks()
    depth = len(dimensions_of(table))
    arrays = {
        name: split(table[name])
        for name in ("tokens", "action_mask", "logprobs", "versions", "turn_ends", "scalar", "success")
    }
    flat = _flat(_flat(table["vector"])).to_numpy(zero_copy_only=False)
    vectors = np.split(flat, np.cumsum(_lengths(table["vector"]))[:-1] * depth) if len(table) else []
    light = [name for name in table.column_names if name not in arrays and name != "vector"]
    for row, cells in enumerate(table.select(light).to_pylist()):
        task = Task(
            cells["scenario"], cells["language"], cells["level"], cells["task_seed"], given=cells.get("given", "")
        )
        request = EpisodeRequest(
            task=task,
            iteration=cells["iteration"],
            group=cells["group"],
            sample=cells["sample"],
            run_seed=cells["run_seed"],
            purpose=cells["purpose"],
            role=cells.get("role", "assistant"),  # runs of old have neither self-play nor its columns
            opponent=cells.get("opponent", ""),
        )
        outcome = cells.get("outcome")
        turns = tuple(
            Turn(
                Question(t["question"], t["expected"], t["kind"]),
                t["answer"],
                t["finish"],
                t["num_tokens"],
                tuple(ToolUse(**use) for use in t.get("tool_uses", ())),  # runs of old have none
            )
            for t in cells["turns"]
        )
        trajectory = Trajectory(
            request=request,
            tokens=arrays["tokens"][row],
            action_mask=arrays["action_mask"][row],
            logprobs=arrays["logprobs"][row],
            versions=arrays["versions"][row],
            turns=turns,
            turn_ends=arrays["turn_ends"][row],
            status=cells["status"],
            worker=cells["worker"],
            seconds=cells["seconds"],
            error=cells["error"],
            outcome=None if outcome is None else Outcome(**outcome),
        )
        score = None
        if table["scalar"][row].is_valid:
            score = Score(vectors[row].reshape(len(turns), depth), arrays["scalar"][row], arrays["success"][row])
        yield Scored(trajectory, score)


def dimensions_of(table: pa.Table) -> tuple[str, ...]:
    return tuple(json.loads(table.schema.metadata[DIMENSIONS]))


def mean_reward(score: Score | None) -> float | None:
    """Mean scalar reward of the turns; None for what has no turn or was never judged."""
    return float(score.scalar.mean()) if score is not None and len(score.scalar) else None


def lists(arrays: Sequence[np.ndarray | None], kind: pa.DataType) -> pa.ListArray:
    """A list column from one array per row; None is null."""
    present = [array for array in arrays if array is not None]
    values = np.concatenate(present) if present else np.zeros(0)
    flat = pa.array(values.astype(kind.to_pandas_dtype(), copy=False), kind)
    return _nest(flat, arrays)


def split(column: pa.ChunkedArray) -> list[np.ndarray]:
    """One array per row of a list column: the inverse of `lists`, except that null comes back as an empty array."""
    flat = _flat(column).to_numpy(zero_copy_only=False)
    return np.split(flat, np.cumsum(_lengths(column))[:-1]) if len(column) else []


def _text(trajectory: Trajectory) -> str:
    """The dialog as its policy saw it: in the role of the user, too, it is told something and answers."""
    role, other = trajectory.request.role, OTHER_SIDE[trajectory.request.role]
    return "\n".join(f"{other}: {turn.question.text}\n{role}: {turn.text}" for turn in trajectory.turns)


def _turn_lists(dialogs: Sequence[tuple[Turn, ...]]) -> pa.ListArray:
    turns = [turn for dialog in dialogs for turn in dialog]
    cells = (
        [turn.question.text for turn in turns],
        [turn.question.answer for turn in turns],
        [turn.question.kind for turn in turns],
        [turn.answer for turn in turns],
        [turn.finish for turn in turns],
        [turn.num_tokens for turn in turns],
        pa.array([[asdict(use) for use in turn.tool_uses] for turn in turns], pa.list_(TOOL_USE)),
    )
    arrays = [pa.array(values, field.type) for values, field in zip(cells, TURN, strict=True)]
    return _nest(pa.StructArray.from_arrays(arrays, fields=list(TURN)), dialogs)


def _matrices(matrices: Sequence[np.ndarray | None]) -> pa.ListArray:
    """A column of lists of lists from one [N, D] matrix per row; None is null."""
    rows = [row for matrix in matrices if matrix is not None for row in matrix]
    return _nest(lists(rows, pa.float32()), matrices)


def _nest(flat: pa.Array, rows: Sequence[Sequence | np.ndarray | None]) -> pa.ListArray:
    ends = np.cumsum([0, *(0 if row is None else len(row) for row in rows)])
    missing = pa.array([row is None for row in rows], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), flat, mask=missing)


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.flatten()


def _lengths(column: pa.ChunkedArray) -> np.ndarray:
    return pc.fill_null(pc.list_value_length(column), 0).to_numpy()

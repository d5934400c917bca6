"""Every trajectory of a run as Parquet, written as it completes.

Inspection, the reward model, human rating and recovery read this store, and so can any tool that knows Parquet:

    trajectories/train-000012-part000.parquet       the dialogs of iteration 12, in as many parts as were completed
    trajectories/eval-000020-part000.parquet        those of an evaluation
    trajectories/advantages-000012.parquet          what only the update knows: the mean advantage of each turn

A part is whole once it has its name, and its pages carry checksums. A resumed run reads back what it finds (see
`rl/replay.py`); only what does not belong to it any more is dropped.
"""

import heapq
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rl.columns import dimensions_of, from_table, lists, mean_reward, split, to_table
from rl.files import write_whole
from rl.trajectory import Purpose, Role, Scored, Status, Trajectory

FOLDER = "trajectories"
PART_NAME = re.compile(r"(train|eval)-(\d+)-part(\d+)\.parquet")
ADVANTAGES_NAME = re.compile(r"advantages-(\d+)\.parquet")
EPISODE_ID = re.compile(r"(train|eval)-(\d+)-\d+-\d+(-user|-proposer)?")
# worth a dictionary
REPEATING = ("purpose", "scenario", "language", "role", "opponent", "status", "worker", "versions.list.element")


class StoreError(RuntimeError):
    """A trajectory file cannot be written or read."""


@dataclass(frozen=True, slots=True)
class Record:
    """One stored dialog.

    Attributes:
        dimensions: the D names of the columns of `scored.score.vector`.
        advantages: [N] float32, mean over the action tokens of each turn, NaN for a turn without any; None before
            the update, and for what no learner saw.
    """

    scored: Scored
    dimensions: tuple[str, ...]
    advantages: np.ndarray | None

    @property
    def trajectory(self) -> Trajectory:
        return self.scored.trajectory

    @property
    def reward(self) -> float | None:
        return mean_reward(self.scored.score)


@dataclass(frozen=True, slots=True)
class Query:
    """Which records to read; the default is all of them.

    Attributes:
        first, last: iterations, both included.
        ids: of episodes; empty: any.
        task: a task id or its beginning: "arithmetic", "arithmetic/en", "arithmetic/en/0", "arithmetic/en/0/1f".
        min_reward, max_reward: bounds on the mean scalar reward, both included.
    """

    purpose: Purpose | None = None
    first: int = 0
    last: int | None = None
    ids: tuple[str, ...] = ()
    task: str = ""
    role: Role | None = None
    status: Status | None = None
    min_reward: float | None = None
    max_reward: float | None = None


EVERYTHING = Query()


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A file of the store, in the order in which they are read."""

    iteration: int
    purpose: Purpose
    number: int
    path: Path


@dataclass(frozen=True, slots=True)
class Judgements:
    """The N judged turns of dialogs of one iteration: `vector` [N, D], `scalar` and `success` [N], float32."""

    iteration: int
    num_dialogs: int
    vector: np.ndarray
    scalar: np.ndarray
    success: np.ndarray


class TrajectoryStore:
    """The writing end; a run has one, in the process that holds its lock."""

    def __init__(self, run_dir: Path, dimensions: Sequence[str]) -> None:
        self._folder = run_dir / FOLDER
        self._dimensions = tuple(dimensions)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for leftover in self._folder.glob(".*.tmp"):
                leftover.unlink()
        except OSError as error:
            raise StoreError(f"cannot write to {self._folder}: {error.strerror or error}") from error
        self._run_dir = run_dir
        self._next_part = Counter[tuple[Purpose, int]]()
        for part in parts(run_dir):  # by the highest number, for one that was damaged may be missing
            home = part.purpose, part.iteration
            self._next_part[home] = max(self._next_part[home], part.number + 1)

    def write(self, scored: Sequence[Scored]) -> None:
        """Add finished dialogs, failed ones included, as one new part of each iteration among them."""
        homes: dict[tuple[Purpose, int], list[Scored]] = {}
        for item in scored:
            request = item.trajectory.request
            homes.setdefault((request.purpose, request.iteration), []).append(item)
        for home, rows in homes.items():
            purpose, iteration = home
            name = f"{purpose}-{iteration:06d}-part{self._next_part[home]:03d}.parquet"
            _write(self._folder / name, to_table(rows, self._dimensions))
            self._next_part[home] += 1

    def write_advantages(
        self, iteration: int, trajectories: Sequence[Trajectory], turn_index: np.ndarray, advantages: np.ndarray
    ) -> None:
        """Add what the learner made of an iteration: `turn_index`, `advantages` [B, T] as in `Batch`, row for row."""
        means = [
            turn_means(row, values, num_turns=len(trajectory.turns))
            for trajectory, row, values in zip(trajectories, turn_index, advantages, strict=True)
        ]
        ids = pa.array([trajectory.request.id for trajectory in trajectories], pa.string())
        table = pa.table({"id": ids, "advantages": lists(means, pa.float32())})
        _write(self._folder / _advantages_name(iteration), table)

    def discard_after(self, iteration: int, purpose: Purpose) -> list[str]:
        """Remove the files of later iterations, which a resumed run collects again. Returns their names."""
        doomed = [path for path in self._folder.iterdir() if _belongs(path, purpose) > iteration]
        for path in doomed:
            path.unlink()
        for home in [home for home in self._next_part if home[0] == purpose and home[1] > iteration]:
            del self._next_part[home]
        return sorted(path.name for path in doomed)

    def remove(self, purpose: Purpose, iteration: int, ids: Collection[str]) -> None:
        """Take dialogs out of an iteration."""
        for part in parts(self._run_dir, Query(purpose=purpose, first=iteration, last=iteration)):
            table = load_part(part, EVERYTHING)
            left = table.filter(pc.invert(pc.is_in(table["id"], pa.array(ids, pa.string()))))
            if not len(left):
                part.path.unlink()
            elif len(left) < len(table):
                _write(part.path, left)


def turn_means(turn_index: np.ndarray, values: np.ndarray, *, num_turns: int) -> np.ndarray:
    """Mean of `values` [T] over the action tokens of each turn: [N] float32, NaN for a turn without any."""
    inside = turn_index >= 0
    count = np.bincount(turn_index[inside], minlength=num_turns)
    total = np.bincount(turn_index[inside], weights=values[inside], minlength=num_turns)
    return np.divide(total, count, out=np.full(num_turns, np.nan), where=count > 0).astype(np.float32)


def parts(run_dir: Path, query: Query = EVERYTHING) -> list[Part]:
    """The files that hold dialogs which the query may concern, oldest first, judged by their names alone."""
    folder = run_dir / FOLDER
    if not folder.is_dir():
        raise StoreError(f"{run_dir} is not a run directory: it holds no folder {FOLDER}/")
    homes = {(match[1], int(match[2])) for match in map(EPISODE_ID.fullmatch, query.ids) if match}
    found = []
    for path in folder.iterdir():
        if match := PART_NAME.fullmatch(path.name):
            part = Part(int(match[2]), cast(Purpose, match[1]), int(match[3]), path)
            inside = part.iteration >= query.first and (query.last is None or part.iteration <= query.last)
            if inside and query.purpose in (None, part.purpose):
                found.append(part)
    return sorted(part for part in found if not query.ids or (part.purpose, part.iteration) in homes)


def read(run_dir: Path, query: Query = EVERYTHING, *, newest_first: bool = False) -> Iterator[Record]:
    """Stored dialogs in the order of their iterations, or from the last one back."""
    for part in sorted(parts(run_dir, query), reverse=newest_first):
        yield from _records(part, load_part(part, query))


def read_extreme(run_dir: Path, query: Query, limit: int, *, worst: bool = False) -> list[Record]:
    """The `limit` dialogs with the highest (or lowest) mean reward; those without a reward do not take part."""
    candidates: list[tuple[float, Part, int]] = []
    for part in parts(run_dir, query):
        rewards = load_part(part, query, columns=["reward"])["reward"].to_pylist()
        candidates += [(reward, part, row) for row, reward in enumerate(rewards) if reward is not None]
    pick = heapq.nsmallest if worst else heapq.nlargest
    chosen = pick(limit, candidates, key=lambda candidate: candidate[0])
    return [record for _, part, row in chosen for record in _records(part, load_part(part, query).slice(row, 1))]


def judgements(run_dir: Path, names: Sequence[str], query: Query = EVERYTHING) -> Iterator[Judgements]:
    """What was judged of the run's own policy, a part of an iteration at a time, without what was said; `names` chooses
    and orders the columns. A dimension that a part does not know has abstained from it.
    """
    for part in parts(run_dir, query):
        table = load_part(part, query, columns=["vector", "scalar", "success", "oldest_version"])
        own = pc.greater_equal(table["oldest_version"], 0)  # an opponent's words have no version
        table = table.filter(pc.and_(pc.is_valid(table["scalar"]), own)).combine_chunks()
        flat = pc.list_flatten(pc.list_flatten(table["vector"])).to_numpy(zero_copy_only=False)
        known = dimensions_of(table)
        stored = flat.reshape(-1, len(known)) if len(known) else flat.reshape(0, 0)
        success = pc.list_flatten(table["success"]).to_numpy(zero_copy_only=False)
        vector = np.full((len(success), len(names)), np.nan, np.float32)
        columns = [index for index, name in enumerate(names) if name in known]
        vector[:, columns] = stored[:, [known.index(names[index]) for index in columns]]
        scalar = pc.list_flatten(table["scalar"]).to_numpy(zero_copy_only=False)
        yield Judgements(part.iteration, len(table), vector, scalar, success)


def opening_questions(run_dir: Path, purpose: Purpose, *, last: int | None = None) -> set[str]:
    """The text of every dialog's first question, up to the iteration `last`, whatever scenario asked it; see `envs.mix`
    on what is held out.
    """
    seen: set[str] = set()
    for part in parts(run_dir, Query(purpose=purpose, last=last)):
        table = load_part(part, EVERYTHING, columns=["turns"])
        table = table.filter(pc.greater(pc.list_value_length(table["turns"]), 0))
        seen.update(pc.struct_field(pc.list_element(table["turns"], 0), "question").to_pylist())
    return seen


def _write(path: Path, table: pa.Table) -> None:
    buffer = pa.BufferOutputStream()
    repeating = [name for name in REPEATING if name.split(".")[0] in table.column_names]
    pq.write_table(
        table,
        buffer,
        compression="zstd",
        use_dictionary=repeating,
        write_statistics=False,
        write_page_checksum=True,
    )
    try:
        write_whole(path, memoryview(buffer.getvalue()))
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; make room or get access there, then resume the run"
        ) from error


def load_part(part: Part, query: Query, columns: list[str] | None = None) -> pa.Table:
    """Of the rows that the query concerns, all columns or some. Raises StoreError."""
    try:
        filters = _condition(query, pq.read_schema(part.path).names)
        return pq.read_table(
            part.path, columns=columns, filters=filters, partitioning=None, page_checksum_verification=True
        )
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"cannot read {part.path}: {error}") from error


def _condition(query: Query, columns: Collection[str]) -> pc.Expression | None:
    """What the names of the files do not answer, for a file with these columns."""
    scenario, language, level, seed = [*query.task.split("/"), "", "", ""][:4]
    if level and not level.isdigit():
        raise ValueError(f"task {query.task!r}: level {level!r} is not a number; write scenario/language/level/seed")
    conditions = [
        pc.field(name) == value
        for name, value in (("status", query.status), ("scenario", scenario), ("language", language))
        if value
    ]
    if query.ids:
        conditions.append(pc.field("id").isin(query.ids))
    if level:
        conditions.append(pc.field("level") == int(level))
    if seed:
        conditions.append(pc.field("task_seed") == pa.scalar(int(seed, 16), pa.uint64()))
    if query.role is not None:  # runs of old have no such column, and the assistant alone
        conditions.append(pc.field("role") == query.role if "role" in columns else pc.scalar(query.role == "assistant"))
    if query.min_reward is not None:
        conditions.append(pc.field("reward") >= query.min_reward)
    if query.max_reward is not None:
        conditions.append(pc.field("reward") <= query.max_reward)
    result = None
    for condition in conditions:
        result = condition if result is None else result & condition
    return result


def _records(part: Part, table: pa.Table) -> Iterator[Record]:
    side = part.path.with_name(_advantages_name(part.iteration))
    advantages: dict[str, np.ndarray] = {}
    if part.purpose == "train" and side.exists():
        columns = pq.read_table(side, partitioning=None)
        advantages = dict(zip(columns["id"].to_pylist(), split(columns["advantages"]), strict=True))
    dimensions = dimensions_of(table)
    for scored in from_table(table):
        yield Record(scored, dimensions, advantages.get(scored.trajectory.request.id))


def _advantages_name(iteration: int) -> str:
    return f"advantages-{iteration:06d}.parquet"


def _belongs(path: Path, purpose: Purpose) -> int:
    """The iteration of a file of this purpose; -1 for any other file."""
    if (match := PART_NAME.fullmatch(path.name)) and match[1] == purpose:
        return int(match[2])
    if (match := ADVANTAGES_NAME.fullmatch(path.name)) and purpose == "train":
        return int(match[1])
    return -1

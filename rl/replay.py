"""What a resumed run takes from its store instead of doing it again: the dialogs that had ended.

A task is a function of (seed, iteration, index) and the learner's arithmetic of its batch, so a run that resumes from a
checkpoint gets to where it was by reading back what it had collected since then. A dialog is taken only as the answer
to the very request that is made now, under the very settings (`digest_conditions`); all else makes room.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pydantic import BaseModel

from rl.columns import dimensions_of, from_table
from rl.store import EVERYTHING, Part, Query, StoreError, TrajectoryStore, load_part, parts
from rl.trajectory import EpisodeRequest, Purpose, Scored

DAMAGED = ".damaged"
CONDITIONS = "conditions.sha256"  # in the run directory: of what dialogs were collected under, see `digest_conditions`
SECTIONS = {"tasks", "rollout", "rewards", "selfplay"}
INDIFFERENT: dict[str, Any] = {  # what changes no dialog and no reward
    "rollout": {
        "num_rollout_workers",
        "autoscale",
        "num_threads",
        "max_num_seqs",
        "kv_cache_gib",
        "max_worker_losses",
    },
    "rewards": {
        "num_reward_workers": True,
        "timeout_seconds": True,
        "max_retries": True,
        "model": {"num_workers", "num_threads", "num_gpus"},
    },
}

Home = tuple[Purpose, int]
Dialogs = dict[str, Scored]


class Replay:
    """The stored dialogs of a run from the iterations `first` on, as they were when it was resumed.

    `dimensions`: those of the rewards now. `say` hears of whatever cannot be taken.
    """

    def __init__(
        self,
        store: TrajectoryStore,
        run_dir: Path,
        dimensions: Sequence[str],
        first: Mapping[Purpose, int],
        say: Callable[[str], None],
    ) -> None:
        self._store, self._dimensions, self._say = store, tuple(dimensions), say
        self._parts: dict[Home, list[Part]] = defaultdict(list)
        for purpose, iteration in first.items():
            for part in parts(run_dir, Query(purpose=purpose, first=iteration)):
                self._parts[purpose, part.iteration].append(part)

    def holds(self, purpose: Purpose, iteration: int) -> bool:
        """Whether any dialog of an iteration can be taken."""
        return (purpose, iteration) in self._parts

    def drop_after(self, iteration: int) -> None:
        """Forget and remove what is stored of later iterations: another policy has said it."""
        for purpose in ("train", "eval"):
            self._store.discard_after(iteration, purpose)
        self._parts = {home: found for home, found in self._parts.items() if home[1] <= iteration}

    def take(self, requests: Sequence[EpisodeRequest]) -> dict[str, tuple[Scored, ...]]:
        """By id, those of the requested dialogs that are there: all their sides, as they were judged."""
        stored: Dialogs = {}
        for home in {(request.purpose, request.iteration) for request in requests} & self._parts.keys():
            stored |= self._load(home)
        taken: dict[str, tuple[Scored, ...]] = {}
        strange: dict[Home, list[str]] = defaultdict(list)
        for request in requests:
            if request.id not in stored:
                continue
            sides = _sides(request, stored)
            if sides[0].trajectory.request == request:
                taken[request.id] = sides
            else:
                strange[request.purpose, request.iteration] += [side.trajectory.request.id for side in sides]
        for (purpose, iteration), ids in strange.items():
            self._say(f"{purpose} iteration {iteration}: {len(ids)} stored dialogs answer something else; held again")
            self._store.remove(purpose, iteration, ids)
        return taken

    def _load(self, home: Home) -> Dialogs:
        dialogs: Dialogs = {}
        num_rows = 0
        for part in [part for part in self._parts[home] if part.path.exists()]:  # `take` may have emptied some
            try:
                rows = self._rows(part)
            except (StoreError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
                self._set_aside(home, part, error)
                continue
            num_rows += len(rows)
            for row in rows:
                dialogs.setdefault(row.trajectory.request.id, row)
        if num_rows > len(dialogs):
            self._say(
                f"{home[0]} iteration {home[1]}: {num_rows - len(dialogs)} dialogs stored twice; the first counts"
            )
        return dialogs

    def _rows(self, part: Part) -> list[Scored]:
        table = load_part(part, EVERYTHING)
        if dimensions_of(table) != self._dimensions:
            raise ValueError("it was judged in other dimensions")
        return list(from_table(table))

    def _set_aside(self, home: Home, part: Part, error: Exception) -> None:
        path = part.path.rename(part.path.with_name(f"{part.path.name}{DAMAGED}"))
        self._parts[home].remove(part)
        self._say(f"{part.path.name} cannot be used ({error}): it is {path.name} now, and its dialogs are held again")


def _sides(request: EpisodeRequest, stored: Dialogs) -> tuple[Scored, ...]:
    """What was asked for, and the user's side where a model played it: they were written at once."""
    user = stored.get(replace(request, role="user").id) if request.role == "assistant" else None
    return (stored[request.id],) if user is None else (stored[request.id], user)


def digest_conditions(config: BaseModel) -> str:
    """SHA-256 of the settings by which a run asks for dialogs, holds and judges them; empty where there are none."""
    if SECTIONS.isdisjoint(type(config).model_fields):
        return ""
    return hashlib.sha256(config.model_dump_json(include=SECTIONS, exclude=INDIFFERENT).encode()).hexdigest()

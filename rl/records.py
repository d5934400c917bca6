"""What a run leaves behind while it runs, and what it starts again from: one object for the loop to talk to.

Trajectories are written in the background as dialogs end, so that neither engine nor learner waits for a disk.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from rl.batch import Advantages, Batch, usable
from rl.checkpoint import Checkpoint, Checkpoints, RunState
from rl.commits import Commit, CommitLog
from rl.config import Config
from rl.control import Control
from rl.files import write_whole
from rl.metrics import MetricsLog, Phase, PhaseTimer
from rl.pool import PoolFolder
from rl.replay import CONDITIONS, Replay, digest_conditions
from rl.stage_config import StageConfig
from rl.store import TrajectoryStore, opening_questions
from rl.trajectory import EpisodeRequest, Purpose, Scored

FLUSH_SECONDS = 5.0


class Records:
    """The run directory, open for writing. The caller holds its lock.

    `say` gets a line of progress now and then; `identity` is what checkpoints must agree in, see `Checkpoints`.
    """

    def __init__(
        self,
        run_dir: Path,
        config: StageConfig,
        dimensions: Sequence[str],
        identity: Mapping[str, JsonValue],
        say: Callable[[str], None],
    ) -> None:
        self.run_dir, self.say, self.dimensions = run_dir, say, tuple(dimensions)
        self.opponents = PoolFolder(run_dir)
        self.control = Control(run_dir)
        self.control.clear()
        self._config = config
        self._store = TrajectoryStore(run_dir, dimensions)
        self._checkpoints = Checkpoints(run_dir, identity)
        self._timer = PhaseTimer()
        self._log: MetricsLog | None = None
        self._commits = CommitLog(run_dir)
        self._replay: Replay | None = None  # where there is something to resume from
        self._waiting: list[Scored] = []
        self._flushed = time.monotonic()
        self._writes: set[asyncio.Task[None]] = set()
        self._writing = threading.Lock()  # two writes at once would give their parts the same number

    def restore(self) -> Checkpoint | None:
        """The newest usable checkpoint. The dialogs of what came after it can be read back with `finished`; the numbers
        that were recorded of it are dropped, for the run will record them again.
        """
        self._checkpoints.clean()
        latest = self._checkpoints.latest()
        for reason in latest.refused:
            self.say(f"checkpoint refused: {reason}")
        state = latest.checkpoint.state if latest.checkpoint else RunState(step=0)
        self._replay = self._open_replay(state)
        if self._log is not None:
            self._log.close()
        self._log = MetricsLog(
            self.run_dir,
            resume_step=state.step,
            wandb_project=self._config.run.wandb_project,
            config=self._config.model_dump(mode="json"),
        )
        if isinstance(self._config, Config) and self._config.keeps_past_policies:
            self.opponents.restore(state.pool, state.step)
        self._timer.lap()
        return latest.checkpoint

    def _open_replay(self, state: RunState) -> Replay:
        """What belongs to the run is what it had collected up to the first iteration that is not committed, and as far
        ahead of it as it may collect.
        """
        is_as_before = self._collects_as_before()
        if not is_as_before:
            self.say("what decides on dialogs and rewards has changed: all since the checkpoint are held again")
            self._commits.drop_from(state.step)
        open_iteration = self._commits.first_open(state.step)
        ahead = self._config.rollout.max_staleness if isinstance(self._config, Config) else 0
        self._commits.drop_from(open_iteration)
        self._store.discard_after(open_iteration + ahead if is_as_before else state.step - 1, "train")
        self._store.discard_after(open_iteration if is_as_before else state.step - 1, "eval")
        first_eval = max((result.step + 1 for result in state.evals), default=0)
        last = self._commits.find(state.step - 1)
        first_train = state.step - 1 if last and last.late else state.step
        first: dict[Purpose, int] = {"train": first_train, "eval": first_eval}
        return Replay(self._store, self.run_dir, self.dimensions, first, self.say)

    def _collects_as_before(self) -> bool:
        """Whether dialogs are asked for, held and judged as when the run was last started; notes how they are now."""
        path, now = self.run_dir / CONDITIONS, digest_conditions(self._config)
        before = path.read_text("utf-8") if path.exists() else ""
        if before != now:
            write_whole(path, now.encode())
        return before in ("", now)

    async def finished(self, requests: Sequence[EpisodeRequest]) -> dict[str, tuple[Scored, ...]]:
        """Those of the dialogs, by id, that had ended before the run was resumed: all sides, as they were judged."""
        if self._replay is None or not any(self._replay.holds(r.purpose, r.iteration) for r in requests):
            return {}
        return await asyncio.to_thread(self._read_back, self._replay, requests)

    def has_begun(self, iteration: int) -> bool:
        """Whether this iteration was committed, or some of its dialogs had ended, before the run was resumed."""
        had_dialogs = self._replay is not None and self._replay.holds("train", iteration)
        return had_dialogs or self.committed(iteration) is not None

    def committed(self, iteration: int) -> Commit | None:
        return self._commits.find(iteration)

    @property
    def num_commits(self) -> int:
        return len(self._commits)

    async def commit(self, commit: Commit) -> bool:
        """Note an iteration as done, once its dialogs are on disk. False where it had been done before with another
        outcome: what is stored of later iterations is dropped then, for another policy has said it.
        """
        await self.settle()
        known = self._commits.find(commit.iteration)
        if known is None:
            self._commits.append(commit)
            return True
        if known.weights_sha256 == commit.weights_sha256:
            return True
        self.say(
            f"iteration {commit.iteration} ends in weights {commit.weights_sha256[:12]}, and not in "
            f"{known.weights_sha256[:12]} as before the run was resumed: the machine or the configuration is another "
            "one. From here on dialogs are held again"
        )
        assert self._replay is not None, "restore first"
        self._waiting = [s for s in self._waiting if s.trajectory.request.iteration <= commit.iteration]
        await asyncio.to_thread(self._drop_after, self._replay, commit.iteration)
        self._commits.drop_from(commit.iteration)
        self._commits.append(commit)
        return False

    def asked_openings(self, step: int) -> set[str]:
        """The opening questions of all training dialogs that are stored of the iterations before `step`."""
        return opening_questions(self.run_dir, "train", last=step - 1)

    def phase(self, name: Phase) -> AbstractContextManager[None]:
        """Everything inside counts as time of this phase."""
        return self._timer.phase(name)

    def lap(self) -> dict[str, float]:
        """Seconds per phase since the last call."""
        return self._timer.lap()

    def keep(self, scored: Sequence[Scored]) -> None:
        """Store finished episodes, a few seconds from now at the latest."""
        self._waiting.extend(scored)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Start writing whatever waits."""
        rows, self._waiting, self._flushed = self._waiting, [], time.monotonic()
        if rows:
            self._in_background(self._store.write, rows)

    def keep_advantages(self, iteration: int, scored: Sequence[Scored], batch: Batch, advantages: Advantages) -> None:
        rows = [s.trajectory for s in usable(scored)]
        self._in_background(
            self._store.write_advantages, iteration, rows, batch.turn_index, np.asarray(advantages.advantages)
        )

    async def settle(self) -> None:
        """Wait until everything is on disk. Raises what a write raised, once the others have ended."""
        self.flush()
        while self._writes:
            done, _ = await asyncio.wait(self._writes)
            for write in done:
                write.result()

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        assert self._log is not None, "restore first"
        self._log.write(step, metrics)

    def saving(self, state: RunState) -> AbstractAsyncContextManager[Path]:
        """A folder for the learner to fill; complete when the block ends."""
        evaluated = state.evals and state.evals[-1].step == state.step  # else it was of other weights
        return self._checkpoints.saving(state, metric=state.evals[-1].accuracy if evaluated else None)

    def prune(self, step: int) -> None:
        """Remove old checkpoints, and past policies that no checkpoint plays with."""
        self._checkpoints.prune(step, keep=self._config.checkpoint.keep)
        self.opponents.prune(self._checkpoints.opponents())

    def close(self) -> None:
        if self._log is not None:
            self._log.close()

    def _read_back(self, replay: Replay, requests: Sequence[EpisodeRequest]) -> dict[str, tuple[Scored, ...]]:
        with self._writing:
            return replay.take(requests)

    def _drop_after(self, replay: Replay, iteration: int) -> None:
        with self._writing:
            replay.drop_after(iteration)

    def _in_background(self, write: Callable[..., None], *args: object) -> None:
        task = asyncio.create_task(asyncio.to_thread(self._write, write, *args))
        self._writes.add(task)
        task.add_done_callback(self._forget)

    def _write(self, write: Callable[..., None], *args: object) -> None:
        with self._writing:
            write(*args)

    def _forget(self, write: asyncio.Task[None]) -> None:
        """A failed write stays among the writes, so that `settle` raises it."""
        if not write.cancelled() and write.exception() is None:
            self._writes.discard(write)

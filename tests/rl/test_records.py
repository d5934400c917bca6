import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from envs.task import Outcome
from rl.batch import Advantages, pack
from rl.checkpoint import RunState
from rl.commits import Commit, read_commits
from rl.metrics import read_metrics
from rl.records import Records
from rl.results import EvalResult
from rl.store import Query, StoreError, read
from rl.trajectory import Scored
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory
from tests.rl.fakes import IDENTITY, small_config


def with_records(run_dir: Path, use: Callable[[Records], Awaitable[None]], said: list[str] | None = None) -> None:
    """Open the records, use them in an event loop, close them."""

    async def session() -> None:
        say = [].append if said is None else said.append
        records = Records(run_dir, small_config("checkpoint.keep=1"), DIMENSIONS, IDENTITY, say)
        try:
            await use(records)
        finally:
            records.close()

    asyncio.run(session())


def dialogs(iteration: int, count: int = 3) -> list[Scored]:
    return [scored(trajectory(request(iteration, group))) for group in range(count)]


def ids(run_dir: Path) -> list[str]:
    return sorted(record.trajectory.request.id for record in read(run_dir))


def committed(iteration: int, weights: str) -> Commit:
    return Commit.of(iteration, dialogs(iteration), version=iteration + 1, weights_sha256=weights)


def evaluated(step: int, accuracy: float) -> EvalResult:
    return EvalResult(step, accuracy, accuracy, None, None, 0.0)


async def save(records: Records, state: RunState) -> None:
    async with records.saving(state) as folder:
        (folder / "weights").write_text("w")


def test_kept_dialogs_are_on_disk_once_settled(tmp_path: Path) -> None:
    async def use(records: Records) -> None:
        records.keep(dialogs(0))
        records.keep([lost(request(0, 9))])
        assert ids(tmp_path) == []
        await records.settle()
        assert ids(tmp_path) == ["train-0-0-0", "train-0-1-0", "train-0-2-0", "train-0-9-0"]
        await records.settle()

    with_records(tmp_path, use)
    assert len(list((tmp_path / "trajectories").iterdir())) == 1


def test_dialogs_are_flushed_after_a_few_seconds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(records: Records) -> None:
        records.keep(dialogs(0, count=1))
        monkeypatch.setattr("rl.records.FLUSH_SECONDS", 0.0)
        records.keep(dialogs(1, count=1))
        monkeypatch.undo()
        records.keep(dialogs(2, count=1))
        deadline = time.monotonic() + 10
        while len(ids(tmp_path)) < 2 and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert ids(tmp_path) == ["train-0-0-0", "train-1-0-0"]

    with_records(tmp_path, use)


def test_writes_that_overlap_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow disk: the next parts of an iteration are due while its first one is still being written."""
    monkeypatch.setattr("rl.records.FLUSH_SECONDS", -1.0)

    def slow(path: Path, data: memoryview) -> None:
        time.sleep(0.05)
        path.write_bytes(data)

    monkeypatch.setattr("rl.store.write_whole", slow)

    async def use(records: Records) -> None:
        for row in dialogs(0, count=4):
            records.keep([row])
        await records.settle()

    with_records(tmp_path, use)
    assert ids(tmp_path) == [f"train-0-{group}-0" for group in range(4)]


def test_a_failed_write_is_raised_by_every_settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_once(path: Path, data: memoryview) -> None:
        if path.name.startswith("train-000000"):
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("rl.store.write_whole", full_once)

    async def use(records: Records) -> None:
        records.keep(dialogs(0, count=1))
        records.flush()
        records.keep(dialogs(1, count=1))  # a later write that succeeds does not hide it
        for _ in range(2):
            with pytest.raises(StoreError, match="No space left on device"):
                await records.settle()

    with_records(tmp_path, use)
    assert ids(tmp_path) == ["train-1-0-0"]


def test_advantages_of_what_trained(tmp_path: Path) -> None:
    rows = [*dialogs(0, count=2), lost(request(0, 7)), scored(trajectory(request(0, 8), status="stale"))]

    async def use(records: Records) -> None:
        batch = pack(rows, reward_clip=10.0)
        advantages = np.where(batch.action_mask, [[1.5], [-2.0]], 0).astype(np.float32)
        records.keep(rows)
        records.keep_advantages(0, rows, batch, Advantages(advantages, advantages))
        await records.settle()

    with_records(tmp_path, use)
    found = {r.trajectory.request.id: r.advantages for r in read(tmp_path)}
    assert [found["train-0-0-0"].tolist(), found["train-0-1-0"].tolist()] == [[1.5], [-2.0]]
    assert found["train-0-7-0"] is found["train-0-8-0"] is None


def test_a_new_run_has_nothing_to_restore(tmp_path: Path) -> None:
    async def use(records: Records) -> None:
        assert records.restore() is None
        records.log(0, {"reward/mean": 0.5})

    with_records(tmp_path, use)
    assert [(line.step, line.values) for line in read_metrics(tmp_path)] == [(0, {"reward/mean": 0.5})]


def test_restoring_keeps_the_dialogs_up_to_the_open_iteration(tmp_path: Path) -> None:
    """Killed after iteration 3 and the evaluation at 4, with a checkpoint of step 2 whose last evaluation was at 1; the
    last row of the commits is lost.
    """

    async def first(records: Records) -> None:
        records.restore()
        for step in range(4):
            records.keep(dialogs(step, count=1))
            records.log(step, {"reward/mean": step})
            if step < 3:
                assert await records.commit(committed(step, "a"))
        for step in (0, 1, 3, 4):
            records.keep([scored(trajectory(request(step, purpose="eval")))])
        await records.settle()
        await save(records, RunState(step=2, evals=(evaluated(0, 0.1), evaluated(1, 0.2))))

    async def second(records: Records) -> None:
        checkpoint = records.restore()
        assert checkpoint is not None
        assert (checkpoint.state.step, checkpoint.metric) == (2, None)
        evals, dialogs = [f"eval-{step}-0-0" for step in (0, 1, 3)], [f"train-{step}-0-0" for step in range(4)]
        assert ids(tmp_path) == [*evals, *dialogs]
        asked = [request(1), request(2), request(2, 1), request(3), request(1, purpose="eval")]
        assert (await records.finished(asked)).keys() == {"train-2-0-0", "train-3-0-0"}
        assert [records.has_begun(step) for step in (1, 2, 3, 4)] == [True, True, True, False]
        assert records.asked_openings(1) == {"What is 0 + 0?"}
        records.log(2, {"reward/mean": 20})

    async def elsewhere(records: Records) -> None:
        records.restore()
        assert not await records.commit(committed(2, "b"))
        assert ids(tmp_path) == ["eval-0-0-0", "eval-1-0-0", *(f"train-{step}-0-0" for step in range(3))]
        assert [commit.weights_sha256 for commit in read_commits(tmp_path)] == ["a", "a", "b"]
        assert await records.finished([request(3)]) == {}

    with_records(tmp_path, first)
    with_records(tmp_path, second)
    assert [line.values["reward/mean"] for line in read_metrics(tmp_path)] == [0, 1, 20]
    with_records(tmp_path, elsewhere)


def test_what_is_read_back_is_what_was_judged_with_all_its_sides(tmp_path: Path) -> None:
    """Of every kind: ended, cut off, failed, judged twice as two sides; bit for bit all that a batch is made of."""
    played = request(0, 3)
    user = replace(trajectory(replace(played, role="user"), ("5", "")), outcome=Outcome(success=0.1 + 0.2))
    kept = [
        scored(trajectory(request(0, 0), ("7", "", "12")), [-1.5, 0.1, 1e-7]),
        scored(trajectory(request(0, 1), status="truncated", version=4, finish="length")),
        lost(request(0, 2)),
        scored(trajectory(played, ("3", "4"))),
        scored(user),
    ]

    async def first(records: Records) -> None:
        records.keep(kept)
        await records.settle()

    async def second(records: Records) -> None:
        records.restore()
        found = await records.finished([request(0, group) for group in range(5)])
        assert [len(sides) for _, sides in sorted(found.items())] == [1, 1, 1, 2]
        back = [side for _, sides in sorted(found.items()) for side in sides]
        for ours, theirs in zip(pack_all(back), pack_all(kept), strict=True):
            np.testing.assert_array_equal(ours, theirs, strict=True)
        assert [side.trajectory.outcome for side in back] == [side.trajectory.outcome for side in kept]
        assert await records.finished([replace(played, run_seed=43)]) == {}  # another run's: it makes room
        assert "train-0-3-0-user" not in ids(tmp_path)

    def pack_all(rows: list[Scored]) -> list[np.ndarray]:
        batch = pack(rows, reward_clip=10.0)
        return [getattr(batch, field.name) for field in fields(batch)]

    with_records(tmp_path, first)
    with_records(tmp_path, second)


def test_a_dialog_that_is_stored_twice_counts_once(tmp_path: Path) -> None:
    said: list[str] = []

    async def first(records: Records) -> None:
        for answer in ("1", "2"):
            records.keep([scored(trajectory(request(0), (answer,)))])
            await records.settle()

    async def second(records: Records) -> None:
        records.restore()
        found = await records.finished([request(0)])
        assert [side.trajectory.turns[0].answer for side in found["train-0-0-0"]] == ["1"]

    with_records(tmp_path, first)
    with_records(tmp_path, second, said)
    assert said == ["train iteration 0: 1 dialogs stored twice; the first counts"]


def test_a_refused_checkpoint_is_named(tmp_path: Path) -> None:
    said: list[str] = []

    async def first(records: Records) -> None:
        await save(records, RunState(step=2))
        await save(records, RunState(step=4))

    async def second(records: Records) -> None:
        (tmp_path / "checkpoints" / "step-000004" / "weights").write_text("x")
        checkpoint = records.restore()
        assert checkpoint is not None
        assert checkpoint.state.step == 2

    with_records(tmp_path, first)
    with_records(tmp_path, second, said)
    assert said == ["checkpoint refused: step-000004: weights has changed: its SHA-256 is not the one that was saved"]


def test_only_a_checkpoint_that_was_evaluated_can_be_the_best(tmp_path: Path) -> None:
    """Step 2 scores 0.9; steps 4 and 6 come after it without an evaluation of their own; step 8 scores 0.5."""

    async def use(records: Records) -> None:
        good = (evaluated(2, 0.9),)
        for step, evals in ((2, good), (4, good), (6, good), (8, (*good, evaluated(8, 0.5)))):
            await save(records, RunState(step=step, evals=evals))
            records.prune(step)

    with_records(tmp_path, use)
    assert sorted(path.name for path in (tmp_path / "checkpoints").iterdir()) == ["step-000002", "step-000008"]


def test_evaluations_and_training_are_kept_apart(tmp_path: Path) -> None:
    async def use(records: Records) -> None:
        records.keep([scored(trajectory(request(0, purpose="eval"))), *dialogs(0, count=1)])
        await records.settle()

    with_records(tmp_path, use)
    assert [r.trajectory.request.id for r in read(tmp_path, Query(purpose="eval"))] == ["eval-0-0-0"]

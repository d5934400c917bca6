"""The slowest prompts of an iteration hold nobody up: they train in the next update, once, whatever dies."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from rl.commits import Commit, digest_ids, read_commits
from rl.gathering import Gathering
from rl.load_config import ConfigError
from rl.metrics import read_metrics
from rl.store import Query, read
from rl.trajectory import Scored
from tests.rl.builders import request, scored, trajectory
from tests.rl.fakes import KilledError, Run, Trap, small_config
from tests.rl.test_loop import BATCH, stop, stored

LATE = ("rollout.max_staleness=1", "rollout.late_share=0.5")
SAMPLES = 2  # of each of 4 prompts


def answered(prompt: int, sample: int) -> dict[str, tuple[Scored, ...]]:
    one = scored(trajectory(request(0, prompt, sample)))
    return {one.trajectory.request.id: (one,)}


def assert_counted_once(run: Run) -> list[Commit]:
    """Each batch has what the one before left to it and lacks what it leaves to the next."""
    commits = read_commits(run.run_dir)
    ids = {r.trajectory.request.id: r.trajectory.request for r in read(run.run_dir, Query(purpose="train"))}
    assert Counter(r.iteration for r in ids.values()) == dict.fromkeys(range(len(commits)), BATCH)
    left: list[str] = []
    for commit in commits:
        late = [id for id, r in ids.items() if r.iteration == commit.iteration and r.group in commit.late]
        own = [id for id, r in ids.items() if r.iteration == commit.iteration and id not in late]
        assert commit.ids_sha256 == digest_ids(own + left)
        left = late
    assert not left
    return commits


def test_a_batch_waits_for_all_but_the_slowest(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config(*LATE))
    summary = run.train()
    commits = assert_counted_once(run)
    assert any(commit.late for commit in commits)
    assert all(len(commit.late) <= 2 for commit in commits)
    assert summary.episodes.keys() <= {"ok", "truncated"}
    assert all(line.values["rollout/stale_tokens"] == 0 for line in read_metrics(run.run_dir))
    assert sum(summary.episodes.values()) == 5 * BATCH
    before = 0
    for commit in commits:
        assert len(run.learner.batches[commit.iteration]) == BATCH - SAMPLES * (len(commit.late) - before)
        before = len(commit.late)


@pytest.mark.parametrize(
    ("phase", "visit"), [("update", 1), ("update", 3), ("publish", 2), ("save", 1), ("annotate", 2)]
)
def test_a_killed_run_leaves_the_same_prompts_for_later(tmp_path: Path, phase: str, visit: int) -> None:
    assert isinstance(stop(Run(tmp_path, small_config(*LATE), trap=Trap(phase, visit))), KilledError)
    before = read_commits(tmp_path)
    known = stored(tmp_path)
    resumed = Run(tmp_path, small_config(*LATE))
    resumed.train()
    assert assert_counted_once(resumed)[: len(before)] == before
    assert not known.keys() & set(resumed.rollouts.asked)


def test_a_gathering_knows_which_prompts_are_answered() -> None:
    async def gather() -> None:
        gathering = Gathering([request(0, prompt, sample) for prompt in range(3) for sample in range(2)])
        waiting = asyncio.create_task(gathering.all_but_some(1))
        gathering.add(answered(2, 0) | answered(0, 1))
        await asyncio.sleep(0)
        assert gathering.open_prompts == {0, 1, 2}
        gathering.add(answered(0, 0))
        await asyncio.sleep(0)
        assert not waiting.done()
        gathering.add(answered(2, 1))
        assert await waiting == {1}
        await gathering.all_but({1})
        taken = [s.trajectory.request for s in gathering.take({2, 0})]
        assert [(r.group, r.sample) for r in taken] == [(0, 0), (0, 1), (2, 0), (2, 1)]
        assert [r.group for r in gathering.missing] == [1, 1]

    asyncio.run(gather())


@pytest.mark.parametrize("wrong", [("rollout.late_share=0.1",), (*LATE, "rollout.late_share=1.0")])
def test_late_dialogs_need_room(wrong: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError, match="late_share"):
        small_config(*wrong)

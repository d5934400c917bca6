import errno
import os
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from envs.task import Outcome, Task
from rl.batch import pack
from rl.store import (
    Query,
    Record,
    StoreError,
    TrajectoryStore,
    opening_questions,
    parts,
    read,
    read_extreme,
    turn_means,
)
from rl.trajectory import EpisodeRequest, Score, Scored
from tests.rl.builders import DIMENSIONS, lost, request, scored, trajectory


def store(run_dir: Path) -> TrajectoryStore:
    return TrajectoryStore(run_dir, DIMENSIONS)


def ids(records: list[Record]) -> list[str]:
    return [record.trajectory.request.id for record in records]


def assert_same(left: object, right: object) -> None:
    """Equal in every field, arrays in dtype, shape and value, NaN equal to NaN."""
    assert type(left) is type(right)
    for field in fields(left):
        ours, theirs = getattr(left, field.name), getattr(right, field.name)
        if isinstance(ours, np.ndarray):
            assert ours.dtype == theirs.dtype, field.name
            np.testing.assert_array_equal(ours, theirs, err_msg=field.name, strict=True)
        else:
            assert ours == theirs, field.name


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    big = Task("memory", language="fa", level=3, seed=2**63 - 1)
    written = [
        scored(trajectory(request(group=0), ("7",))),
        lost(request(group=1), error="odd \ud800 surrogate"),
        scored(trajectory(request(group=2, task=big), ("سلام", "", "12|\n"), status="truncated", finish="length")),
        Scored(trajectory(request(group=3), ("late",), status="stale"), None),
        scored(trajectory(request(group=4), ())),
        scored(trajectory(request(group=5, purpose="train"), ("", "")), [-1.5, 2.25]),
    ]
    store(tmp_path).write(written)
    found = list(read(tmp_path))
    assert len(found) == len(written)
    for record, original in zip(found, written, strict=True):
        expected = original.trajectory
        if expected.status == "failed":
            expected = expected.with_status("failed", "odd ? surrogate")
        assert_same(record.trajectory, expected)
        assert (record.scored.score is None) == (original.score is None)
        if original.score is not None:
            assert_same(record.scored.score, original.score)
        assert record.dimensions == DIMENSIONS
        assert record.advantages is None


def test_both_sides_of_a_dialog_come_back_with_what_came_of_it(tmp_path: Path) -> None:
    proposed = replace(request(0), task=Task("sum", "en", 0, 5, given="7+5"))
    said = replace(proposed, role="user", opponent="opponents/step-40")
    written = [
        scored(trajectory(proposed, ("12",))),
        scored(replace(trajectory(said, ("7", "5")), outcome=Outcome(success=0.1 + 0.2))),
        scored(replace(trajectory(replace(request(1), role="proposer")), outcome=Outcome(valid=False, new=False))),
    ]
    store(tmp_path).write(written)
    found = [record.trajectory for record in read(tmp_path)]
    for original, back in zip(written, found, strict=True):
        assert_same(back, original.trajectory)
    assert ids(list(read(tmp_path))) == ["train-0-0-0", "train-0-0-0-user", "train-1-0-0-proposer"]
    assert ids(list(read(tmp_path, Query(ids=("train-0-0-0-user",))))) == ["train-0-0-0-user"]
    assert [part.iteration for part in parts(tmp_path, Query(ids=("train-1-0-0-proposer",)))] == [1]
    row = pq.read_table(tmp_path / "trajectories" / "train-000000-part000.parquet").to_pylist()[1]
    assert row["text"].splitlines()[:2] == ["told: What is 0 + 0?", "user: 7"]


def test_a_store_from_before_self_play_is_readable(tmp_path: Path) -> None:
    original = scored(trajectory())
    store(tmp_path).write([original])
    path = tmp_path / "trajectories" / "train-000000-part000.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["given", "role", "opponent", "outcome"]), path)
    assert_same(next(read(tmp_path)).trajectory, original.trajectory)
    assert ids(list(read(tmp_path, Query(role="assistant")))) == ["train-0-0-0"]
    assert ids(list(read(tmp_path, Query(role="user")))) == []


def test_a_part_of_failed_episodes_only(tmp_path: Path) -> None:
    store(tmp_path).write([lost(request(group=0)), lost(request(group=1))])
    assert [record.trajectory.status for record in read(tmp_path)] == ["failed", "failed"]
    assert [record.reward for record in read(tmp_path)] == [None, None]


def test_other_tools_find_plain_columns(tmp_path: Path) -> None:
    store(tmp_path).write([scored(trajectory(request(3, 1, 2), ("7", "8")), [1.0, 0.0])])
    row = pq.read_table(tmp_path / "trajectories" / "train-000003-part000.parquet").to_pylist()[0]
    assert row["id"] == "train-3-1-2"
    assert row["text"] == "user: What is 1 + 0?\nassistant: 7\nuser: What is 1 + 1?\nassistant: 8"
    assert row["reward"] == 0.5
    assert row["turns"][0]["expected"] == "1"
    assert row["vector"][0][:2] == [1.0, 0.0]


def test_each_write_is_a_part_of_its_iteration(tmp_path: Path) -> None:
    first = store(tmp_path)
    first.write([scored(trajectory(request(0, 0))), scored(trajectory(request(1, 0)))])
    first.write([scored(trajectory(request(0, 1)))])
    store(tmp_path).write([scored(trajectory(request(0, 2))), scored(trajectory(request(0, purpose="eval")))])
    names = sorted(path.name for path in (tmp_path / "trajectories").iterdir())
    assert names == [
        "eval-000000-part000.parquet",
        "train-000000-part000.parquet",
        "train-000000-part001.parquet",
        "train-000000-part002.parquet",
        "train-000001-part000.parquet",
    ]
    train = Query(purpose="train")
    assert ids(list(read(tmp_path, train))) == ["train-0-0-0", "train-0-1-0", "train-0-2-0", "train-1-0-0"]
    assert ids(list(read(tmp_path, train, newest_first=True)))[0] == "train-1-0-0"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (Query(purpose="eval"), ["eval-2-0-0"]),
        (Query(first=1, last=1), ["train-1-0-0", "train-1-1-0"]),
        (Query(ids=("train-1-1-0",)), ["train-1-1-0"]),
        (Query(ids=("no such id",)), []),
        (Query(status="failed"), ["train-1-1-0"]),
        (Query(role="proposer"), ["train-2-8-0-proposer"]),
        (Query(role="assistant", first=2), ["eval-2-0-0"]),
        (Query(task="code"), ["train-0-1-0"]),
        (Query(task="code/de/2/ff"), ["train-0-1-0"]),
        (Query(task="code/de/3"), []),
        (Query(min_reward=0.5, max_reward=1.0), ["train-0-1-0", "eval-2-0-0"]),
        (Query(max_reward=0.0), ["train-0-0-0"]),
    ],
)
def test_queries(tmp_path: Path, query: Query, expected: list[str]) -> None:
    code = Task("code", language="de", level=2, seed=255)
    store(tmp_path).write(
        [
            scored(trajectory(request(0, 0)), [-1.0]),
            scored(trajectory(request(0, 1, task=code)), [1.0]),
            scored(trajectory(request(1, 0)), [3.0]),
            lost(request(1, 1)),
            scored(trajectory(request(2, 0, purpose="eval")), [0.5]),
            scored(trajectory(replace(request(2, 8, task=Task("propose-sum", "en", 0, 8)), role="proposer")), [2.0]),
        ]
    )
    assert ids(list(read(tmp_path, query))) == expected


def test_a_task_filter_that_makes_no_sense_says_so(tmp_path: Path) -> None:
    store(tmp_path).write([scored(trajectory())])
    with pytest.raises(ValueError, match="level 'hard' is not a number"):
        list(read(tmp_path, Query(task="code/de/hard")))


def test_best_and_worst(tmp_path: Path) -> None:
    for iteration, reward in enumerate([0.25, 4.0, -2.0, 1.0]):
        store(tmp_path).write([scored(trajectory(request(iteration)), [reward]), lost(request(iteration, 1))])
    assert [record.reward for record in read_extreme(tmp_path, Query(), 2)] == [4.0, 1.0]
    assert [record.reward for record in read_extreme(tmp_path, Query(), 2, worst=True)] == [-2.0, 0.25]
    assert ids(read_extreme(tmp_path, Query(last=0), 5)) == ["train-0-0-0"]


def test_turn_means_by_hand() -> None:
    turn_index = np.array([-1, 0, 0, -1, 2, -1])
    values = np.array([9.0, 1.0, 2.0, 9.0, 5.0, 9.0])
    np.testing.assert_array_equal(turn_means(turn_index, values, num_turns=4), [1.5, np.nan, 5.0, np.nan])


def test_advantages_come_back_with_their_dialogs(tmp_path: Path) -> None:
    rows = [scored(trajectory(request(4, group), ("12", "", "345")[: group + 1])) for group in range(3)]
    writer = store(tmp_path)
    writer.write([*rows, lost(request(4, 9))])
    batch = pack(rows, reward_clip=10.0)
    advantages = np.where(batch.action_mask, np.arange(batch.tokens.shape[1]), 0).astype(np.float32)
    writer.write_advantages(4, [row.trajectory for row in rows], batch.turn_index, advantages)
    found = [record.advantages for record in read(tmp_path)]
    # "What is 2 + 0?" has 5 tokens, the answer "12" is at 5 and 6; the third turn is at 17, 18 and 19
    np.testing.assert_array_equal(found[0], [5.5])
    np.testing.assert_array_equal(found[2], [5.5, np.nan, 18.0])
    assert found[3] is None


def test_resuming_discards_later_iterations_of_one_purpose(tmp_path: Path) -> None:
    writer = store(tmp_path)
    for iteration in range(3):
        row = scored(trajectory(request(iteration)))
        writer.write([row, scored(trajectory(request(iteration, purpose="eval")))])
        writer.write_advantages(iteration, [row.trajectory], np.full((1, 6), 0), np.ones((1, 6)))
    removed = writer.discard_after(0, "train")
    assert removed == [
        "advantages-000001.parquet",
        "advantages-000002.parquet",
        "train-000001-part000.parquet",
        "train-000002-part000.parquet",
    ]
    assert ids(list(read(tmp_path))) == ["eval-0-0-0", "train-0-0-0", "eval-1-0-0", "eval-2-0-0"]
    writer.write([scored(trajectory(request(1)))])
    assert (tmp_path / "trajectories" / "train-000001-part000.parquet").exists()


def test_opening_questions(tmp_path: Path) -> None:
    train = scored(trajectory(request(0), ("7", "8"), questions=("Name?", "Why?")))
    store(tmp_path).write([train, scored(trajectory(request(0, 1), ())), lost(request(0, 2))])
    assert opening_questions(tmp_path, "train") == {"Name?"}
    assert opening_questions(tmp_path, "eval") == set()


def test_rewards_of_another_width_are_refused(tmp_path: Path) -> None:
    row = scored(trajectory(request(), ("7", "8")))
    assert row.score is not None
    wrong = Scored(row.trajectory, Score(row.score.vector[:, :2], row.score.scalar, row.score.success))
    with pytest.raises(ValueError, match=r"train-0-0-0: rewards \(2, 2\), wanted \(2, 3\)"):
        store(tmp_path).write([wrong])


def test_a_full_disk_is_named_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = store(tmp_path)
    writer.write([scored(trajectory(request(0)))])

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(StoreError, match=r"train-000001-part000\.parquet: No space left on device; make room"):
            writer.write([scored(trajectory(request(1)))])
    assert [path.name for path in (tmp_path / "trajectories").iterdir()] == ["train-000000-part000.parquet"]
    writer.write([scored(trajectory(request(1)))])
    assert ids(list(read(tmp_path))) == ["train-0-0-0", "train-1-0-0"]


def test_a_writer_killed_at_any_time_leaves_whole_parts_only(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    program = (
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
        "from pathlib import Path\n"
        "from tests.rl.test_store import store\n"
        "from tests.rl.builders import request, scored, trajectory\n"
        "writer = store(Path(sys.argv[1]))\n"
        "rows = [scored(trajectory(request(0, group))) for group in range(50)]\n"
        "print('ready', flush=True)\n"
        "while True: writer.write(rows)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    folder = tmp_path / "trajectories"
    while len(list(folder.glob("*.parquet"))) < 5:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    process.stdout.close()
    num_parts = len(list(folder.glob("*.parquet")))
    assert len(list(read(tmp_path))) == 50 * num_parts
    store(tmp_path)
    assert not list(folder.glob(".*"))


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    store(tmp_path).write([scored(trajectory())])
    path = tmp_path / "trajectories" / "train-000000-part000.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match=r"cannot read .*train-000000-part000\.parquet"):
        list(read(tmp_path))


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="nowhere is not a run directory"):
        list(read(tmp_path / "nowhere"))


def test_a_request_keeps_its_seeds(tmp_path: Path) -> None:
    asked = EpisodeRequest(Task("arithmetic", "en", 0, 2**64 - 1), 7, 1, 2, run_seed=2**40, purpose="eval")
    store(tmp_path).write([scored(trajectory(asked))])
    assert next(read(tmp_path)).trajectory.request == asked

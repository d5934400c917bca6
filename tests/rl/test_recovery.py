"""Nothing is lost and nothing is done twice: whatever dies, the run ends in the same weights, by the same dialogs."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from rl.commits import digest_ids, read_commits
from rl.config import Config
from rl.interfaces import LearnerLostError
from rl.recovery import MAX_LOSSES_IN_A_ROW, Losses
from rl.report import RunSummary
from rl.store import Query, parts, read
from tests.rl.fakes import KilledError, Run, Trap, small_config
from tests.rl.test_loop import BATCH, assert_same_run, stop, stored

SPARSE = ("checkpoint.every=100",)  # but for the last one there is no checkpoint
LOSSES = [("annotate", 0), ("update", 2), ("publish", 0), ("publish", 5), ("save", 2), ("fingerprint", 0)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunSummary]:
    run = Run(tmp_path_factory.mktemp("whole"), small_config())
    return run, run.train()


def assert_committed_once(run_dir: Path, num_iterations: int = 5) -> None:
    """Every iteration has one row, which agrees with the store, and every stored dialog is in one of them."""
    ids: dict[int, list[str]] = {}
    statuses: dict[int, Counter[str]] = {}
    for record in read(run_dir, Query(purpose="train")):
        iteration = record.trajectory.request.iteration
        ids.setdefault(iteration, []).append(record.trajectory.request.id)
        statuses.setdefault(iteration, Counter())[record.trajectory.status] += 1
    commits = read_commits(run_dir)
    assert [commit.iteration for commit in commits] == list(range(num_iterations)) == sorted(ids)
    for commit in commits:
        assert commit.version == commit.iteration + 1
        assert commit.ids_sha256 == digest_ids(ids[commit.iteration])
        assert commit.episodes == statuses[commit.iteration]


def lose(phase: str, visit: int, times: int = 1) -> Trap:
    return Trap(phase, visit, error=LearnerLostError, times=times)


# -- the learner ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "visit", "checkpoints"),
    [*((phase, visit, ()) for phase, visit in LOSSES), ("update", 4, SPARSE), ("save", 0, SPARSE)],
)
def test_a_lost_learner_is_rebuilt_and_nobody_can_tell(
    whole: tuple[Run, RunSummary], tmp_path: Path, phase: str, visit: int, checkpoints: Sequence[str]
) -> None:
    run = Run(tmp_path, small_config(*checkpoints), trap=lose(phase, visit))
    assert_same_run(run, run.train(), *whole)
    assert run.learner.num_rebuilds == 1
    assert len(run.rollouts.asked) == len(set(run.rollouts.asked))
    assert_committed_once(tmp_path)
    assert f"the learner is rebuilt: {phase}" in run.said


def test_what_is_repeated_is_not_published_again(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config(*SPARSE), trap=lose("update", 3))
    run.train()
    assert run.weights.published == [0, 1, 2, 3, 4, 5]  # the evaluation before version 4 was there already


def test_a_learner_that_is_lost_again_and_again_ends_the_run(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config(), trap=lose("update", 2, times=100))
    assert isinstance(stop(run), LearnerLostError)
    assert run.learner.num_rebuilds == MAX_LOSSES_IN_A_ROW


def test_a_rebuild_that_fails_is_tried_again(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    class Twice(Trap):
        def visit(self, phase: str) -> None:
            for trap in traps:
                trap.visit(phase)

    traps = [lose("annotate", 1), lose("rebuild", 0)]
    run = Run(tmp_path, small_config(), trap=Twice())
    assert_same_run(run, run.train(), *whole)
    assert run.learner.num_rebuilds == 2


def test_losses_count_from_the_last_commit() -> None:
    losses, lost = Losses(), LearnerLostError("rank 1")
    for num_commits in (0, 0, 0, 1, 1, 1, 5):
        assert losses.note(ExceptionGroup("", [ExceptionGroup("", [lost])]), num_commits) is lost
    losses.note(lost, 5), losses.note(lost, 5)
    with pytest.raises(LearnerLostError):
        losses.note(lost, 5)


def test_a_loss_beside_another_error_is_that_error() -> None:
    both = ExceptionGroup("", [LearnerLostError("rank 1"), KilledError("driver")])
    with pytest.raises(ExceptionGroup) as caught:
        Losses().note(both, 0)
    assert caught.value is both


def test_collections_ahead_are_taken_up_where_they_were(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config("rollout.max_staleness=2", *SPARSE), trap=lose("update", 2))
    summary = run.train()
    assert sum(summary.episodes.values()) == 5 * BATCH
    assert summary.episodes.get("stale", 0) == 0
    assert_committed_once(tmp_path)


# -- the driver -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "visit"),
    [("collect train", 9), ("annotate", 3), ("publish", 4), ("save", 0), ("collect eval", 7)],
)
def test_a_run_without_checkpoints_resumes_from_its_store(
    whole: tuple[Run, RunSummary], tmp_path: Path, phase: str, visit: int
) -> None:
    killed = Run(tmp_path, small_config(*SPARSE), trap=Trap(phase, visit))
    assert isinstance(stop(killed), KilledError)
    kept = set(stored(tmp_path))
    resumed = Run(tmp_path, small_config(*SPARSE))
    assert_same_run(resumed, resumed.train(), *whole)
    assert not kept & set(resumed.rollouts.asked)
    assert kept | set(resumed.rollouts.asked) == set(stored(tmp_path))
    assert not {t.request.id for t in resumed.rewards.judged} & kept
    assert_committed_once(tmp_path)


def test_a_killed_asynchronous_run_resumes_from_its_store(tmp_path: Path) -> None:
    config = small_config("rollout.max_staleness=2", *SPARSE)
    stop(Run(tmp_path, config, trap=Trap("update", 3)))
    before = {name: record.trajectory.tokens.tolist() for name, record in stored(tmp_path).items()}
    commits = read_commits(tmp_path)
    resumed = Run(tmp_path, config)
    resumed.train()
    after = {name: record.trajectory.tokens.tolist() for name, record in stored(tmp_path).items()}
    assert before.items() <= after.items()
    assert read_commits(tmp_path)[: len(commits)] == commits != []
    assert_committed_once(tmp_path)


def resumed_elsewhere(run_dir: Path, config: Config) -> Run:
    """Resume where the learner's arithmetic is another one."""
    run = Run(run_dir, config)
    run.learner.weights = run.learner.first_weights
    update = run.learner.update

    async def other_update(*args: object, **options: object) -> dict[str, float]:
        metrics = await update(*args, **options)  # type: ignore[arg-type]
        run.learner.weights = run.learner.weights[::-1]
        return metrics

    run.learner.update = other_update  # type: ignore[method-assign]
    return run


@pytest.mark.parametrize("staleness", [0, 2])
def test_what_another_policy_has_said_is_not_taken(tmp_path: Path, staleness: int) -> None:
    config = small_config(f"rollout.max_staleness={staleness}", *SPARSE)
    stop(Run(tmp_path, config, trap=Trap("update", 3)))
    first = {name for name in stored(tmp_path) if name.startswith(("train-0-", "eval-0-"))}
    run = resumed_elsewhere(tmp_path, config)
    run.train()
    (line,) = [line for line in run.said if "as before the run was resumed" in line]
    assert line.startswith("iteration 0 ends in weights ")
    assert set(run.rollouts.asked) >= set(stored(tmp_path)) - first
    assert_committed_once(tmp_path)
    again = resumed_elsewhere(tmp_path, config)
    again.train()
    assert again.rollouts.asked == []


# -- the store ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty"])
def test_a_damaged_part_is_set_aside_and_its_dialogs_are_held_again(
    whole: tuple[Run, RunSummary], tmp_path: Path, damage: str
) -> None:
    stop(Run(tmp_path, small_config(*SPARSE), trap=Trap("annotate", 3)))
    part = parts(tmp_path, Query(purpose="train", first=2))[0]
    lost = {record.trajectory.request.id for record in read(tmp_path, Query(purpose="train", first=2, last=2))}
    data = bytearray(part.path.read_bytes())
    if damage == "flipped":
        data[len(data) // 3] ^= 1
    part.path.write_bytes({"truncated": data[:-9], "flipped": data, "empty": b""}[damage])
    resumed = Run(tmp_path, small_config(*SPARSE))
    assert_same_run(resumed, resumed.train(), *whole)
    assert {name for name in resumed.rollouts.asked if name.startswith("train-2-")} == lost
    assert any(line.startswith(f"{part.path.name} cannot be used (") for line in resumed.said)
    assert part.path.with_name(f"{part.path.name}.damaged").exists()
    assert_committed_once(tmp_path)


def test_a_changed_configuration_asks_its_own_questions(tmp_path: Path) -> None:
    stop(Run(tmp_path, small_config(*SPARSE), trap=Trap("annotate", 1)))
    levels = "tasks.mix=[{scenario: arithmetic-dialog, languages: [en], levels: [2]}]"
    resumed = Run(tmp_path, small_config(*SPARSE, levels))
    resumed.train()
    assert {record.trajectory.request.task.level for record in stored(tmp_path).values()} == {2}
    assert any("has changed: all since the checkpoint are held again" in line for line in resumed.said)
    assert_committed_once(tmp_path)


@pytest.mark.parametrize("tail", [None, b'{"iteration": 3', b"\xff\xfe\n"], ids=["missing", "torn", "damaged"])
def test_without_its_commits_a_run_takes_nothing_on_trust(
    whole: tuple[Run, RunSummary], tmp_path: Path, tail: bytes | None
) -> None:
    stop(Run(tmp_path, small_config(*SPARSE), trap=Trap("annotate", 3)))
    path = tmp_path / "commits.jsonl"
    if tail is None:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes() + tail)
    resumed = Run(tmp_path, small_config(*SPARSE))
    assert_same_run(resumed, resumed.train(), *whole)
    assert_committed_once(tmp_path)
    if tail is None:  # which policy has said what came after iteration 0, nobody knows
        assert {name.split("-")[1] for name in resumed.rollouts.asked if name.startswith("train")} == set("1234")


@pytest.mark.parametrize(
    "change",
    ["rollout.temperature=0.7", "rollout.tool_calls.timeout_seconds=7", "rewards.weights.termination.ended=0.9"],
)
def test_what_was_collected_under_other_settings_trains_nothing(tmp_path: Path, change: str) -> None:
    """Killed after iteration 3, with a checkpoint of step 2: 2 and 3 are collected again, by the new settings alone."""
    first = Run(tmp_path, small_config("checkpoint.every=2"), trap=Trap("update", 3))
    assert isinstance(stop(first), KilledError)
    known = {id for id in stored(tmp_path) if id.startswith(("train-2", "train-3"))}
    resumed = Run(tmp_path, small_config("checkpoint.every=2", change))
    resumed.train()
    assert known and known <= set(resumed.rollouts.asked)
    assert_committed_once(tmp_path)


def test_the_number_of_workers_is_no_such_setting(tmp_path: Path) -> None:
    assert isinstance(stop(Run(tmp_path, small_config(), trap=Trap("update", 3))), KilledError)
    known = set(stored(tmp_path))
    resumed = Run(tmp_path, small_config("rollout.num_rollout_workers=2", "rewards.timeout_seconds=7"))
    resumed.train()
    assert not known & set(resumed.rollouts.asked)

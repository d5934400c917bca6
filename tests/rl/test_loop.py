"""The real loop with real scenarios, rewards and records, on a world in memory (`fakes.py`)."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from envs.mix import evaluation_tasks, is_held_out
from rewards.score import RewardError
from rl.batch_metrics import MismatchError
from rl.config import Config
from rl.control import Control
from rl.metrics import read_metrics
from rl.report import RunSummary, write_report
from rl.store import Query, Record, opening_questions, read
from rl.tasks import build_arrival
from tests.rl.fakes import KilledError, Run, Scripted, Trap, small_config

BATCH = 4 * 2  # rollout_batch_size x n_samples_per_prompt
TRAIN = Query(purpose="train")


def stored(run_dir: Path) -> dict[str, Record]:
    """All stored dialogs by id; no id may be there twice."""
    records = list(read(run_dir))
    found = {record.trajectory.request.id: record for record in records}
    assert len(found) == len(records)
    return found


def substance(record: Record) -> tuple:
    """All of a stored dialog that must not depend on when and where it was held."""
    t, score = record.trajectory, record.scored.score
    arrays = [t.tokens, t.action_mask, t.logprobs, t.versions, t.turn_ends, record.advantages]
    arrays += [score.vector, score.scalar, score.success] if score else []
    return t.request, t.turns, t.status, t.error, tuple(a.tobytes() for a in arrays if a is not None)


def numbers(run_dir: Path) -> list[tuple[int, Mapping[str, float]]]:
    """The lines of metrics.jsonl without what the clock says."""
    clock = ("timing_s/", "throughput/tokens_per_second")
    lines = read_metrics(run_dir)
    return [(line.step, {k: v for k, v in line.values.items() if not k.startswith(clock)}) for line in lines]


def causes(error: BaseException) -> list[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        return [cause for inner in error.exceptions for cause in causes(inner)]
    return [error]


def stop(run: Run) -> BaseException:
    """Train until something stops the run; what it was."""
    with pytest.raises(Exception) as caught:
        run.train()
    (cause,) = {id(cause): cause for cause in causes(caught.value)}.values()
    return cause


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunSummary]:
    """The small run, never interrupted."""
    run = Run(tmp_path_factory.mktemp("whole"), small_config())
    return run, run.train()


# -- a run from start to end ----------------------------------------------------------------------------------------


def test_every_iteration_trains_on_all_of_its_dialogs(whole: tuple[Run, RunSummary]) -> None:
    run, summary = whole
    assert sorted(run.learner.batches) == [0, 1, 2, 3, 4]
    records = stored(run.run_dir)
    for step, batch in run.learner.batches.items():
        rows = [records[f"train-{step}-{group}-{sample}"].trajectory for group in range(4) for sample in range(2)]
        assert batch.groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
        assert batch.lengths.tolist() == [len(t.tokens) for t in rows]
        for row, trajectory in enumerate(rows):
            np.testing.assert_array_equal(batch.tokens[row, : batch.lengths[row]], trajectory.tokens)
        assert batch.oldest_versions.tolist() == [step] * BATCH
    assert run.weights.published == [0, 1, 2, 3, 4, 5]
    assert (summary.step, summary.name) == (5, "r1_zero_smoke")
    assert summary.final_weights_sha256 == run.learner.weights


def test_the_summary_counts_what_was_stored(whole: tuple[Run, RunSummary]) -> None:
    run, summary = whole
    dialogs = [record.trajectory for record in read(run.run_dir, TRAIN)]
    assert len(dialogs) == 5 * BATCH
    assert summary.tokens_generated == sum(t.num_action_tokens for t in dialogs)
    assert dict(summary.episodes) == Counter(t.status for t in dialogs)
    assert summary.max_logprob_gap == 0.0
    assert summary.peak_rss_bytes == {"driver": 1000}
    assert not list(run.run_dir.glob("**/.*.tmp"))


def test_metrics_of_an_iteration(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    lines = read_metrics(run.run_dir)
    assert [line.step for line in lines] == [0, 1, 2, 3, 4]
    records = [r for r in stored(run.run_dir).values() if r.trajectory.request.id.startswith("train-3-")]
    values = lines[3].values
    turns = [turn for record in records for turn in record.trajectory.turns]
    rewards = np.concatenate([r.scored.score.scalar for r in records if r.scored.score])
    assert values["reward/mean"] == pytest.approx(rewards.mean(), abs=1e-6)
    assert values["throughput/tokens"] == sum(turn.num_tokens for turn in turns)
    assert values["episodes/ok"] + values["episodes/truncated"] == BATCH
    assert values["mismatch/kl"] == values["mismatch/max_logprob_gap"] == 0.0
    assert values["actor/kl_coef"] == run.learner.kl_coefs[3] != run.learner.kl_coefs[0]
    batch = run.learner.batches[3]
    ours = batch.sampler_logprobs[batch.action_mask]
    reference = run.learner._logprobs(run.learner.first_weights, batch)[batch.action_mask]
    assert values["actor/ref_kl"] == pytest.approx((ours - reference).mean(), abs=1e-6)
    assert {"timing_s/sync", "fleet/rollout_restarts"} <= values.keys()
    assert all(values[f"timing_s/{phase}"] > 0 for phase in ("rollout", "reward", "learner"))


def test_advantages_are_stored_with_the_dialogs_that_trained(whole: tuple[Run, RunSummary]) -> None:
    for record in stored(whole[0].run_dir).values():
        assert (record.advantages is not None) == (record.trajectory.request.purpose == "train")


def test_the_report_repeats_the_summary(whole: tuple[Run, RunSummary]) -> None:
    run, summary = whole
    write_report(run.run_dir, summary)
    report = json.loads((run.run_dir / "report.json").read_text())
    assert report["final_weights_sha256"] == summary.final_weights_sha256
    assert report["episodes"] == dict(summary.episodes)
    assert report["tokens_generated"] == summary.tokens_generated
    assert [(e["step"], e["accuracy"]) for e in report["eval"]] == [(e.step, e.accuracy) for e in summary.evals]
    assert report["held_out_seen_share"] == summary.evals[-1].seen_share


def test_the_number_of_workers_changes_nothing(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    run = Run(tmp_path, small_config(), num_workers=3)
    assert run.train() == whole[1]
    assert numbers(tmp_path) == numbers(whole[0].run_dir)


def test_another_seed_is_another_run(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    assert Run(tmp_path, small_config("run.seed=43")).train().final_weights_sha256 != whole[1].final_weights_sha256


# -- evaluation -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("every", "steps"), [(0, [0, 5]), (2, [0, 2, 4, 5]), (5, [0, 5]), (1, [0, 1, 2, 3, 4, 5])])
def test_evaluations_at_the_start_every_so_often_and_at_the_end(tmp_path: Path, every: int, steps: list[int]) -> None:
    run = Run(tmp_path, small_config(f"eval.every={every}"))
    assert [result.step for result in run.train().evals] == steps
    evaluated = Counter(record.trajectory.request.iteration for record in read(tmp_path, Query(purpose="eval")))
    assert evaluated == dict.fromkeys(steps, 24)
    for record in read(tmp_path, Query(purpose="eval")):
        assert record.trajectory.oldest_version == record.trajectory.request.iteration


def test_seen_and_unseen_questions(tmp_path: Path) -> None:
    """Against the store: what training asked until then, and how dialogs with other openings went."""
    run = Run(tmp_path, small_config("eval.num_tasks=40", "rollout.rollout_batch_size=20", "run.num_iterations=4"))
    evals = {result.step: result for result in run.train().evals}
    assert evals[0].seen_share == 0.0
    assert evals[0].unseen == evals[0].accuracy
    for step in (2, 4):
        asked = {r.trajectory.turns[0].question.text for r in read(tmp_path, Query("train", last=step - 1))}
        dialogs = list(read(tmp_path, Query("eval", step, step)))
        unseen = [r for r in dialogs if r.trajectory.turns[0].question.text not in asked]
        assert 0 < len(unseen) < len(dialogs) == 40
        assert evals[step].seen_share == pytest.approx(1 - len(unseen) / 40)
        wanted = np.concatenate([r.scored.score.success for r in unseen if r.scored.score]).mean()
        assert evals[step].unseen == pytest.approx(wanted)


def test_training_never_asks_what_is_held_out(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config("tasks.held_out_fraction=0.5", "eval.num_tasks=40"))
    run.train()
    asked = opening_questions(tmp_path, "train")
    openings = [run.library.opening(task) for task in evaluation_tasks(run.library, run.mix, 40)]
    assert any(is_held_out(text, 0.5) for text in openings)
    assert not any(is_held_out(text, 0.5) for text in asked)


# -- staleness ------------------------------------------------------------------------------------------------------


def most_in_flight(collections: list[str]) -> int:
    """Largest number of training collections under way at once."""
    running, most = 0, 0
    for event in collections:
        if event.startswith("train"):
            running += 1 if event.endswith("starts") else -1
            most = max(most, running)
    return most


def test_a_synchronous_run_collects_with_the_newest_weights_only(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    assert most_in_flight(run.rollouts.collections) == 1
    for record in read(run.run_dir, TRAIN):
        trajectory = record.trajectory
        assert set(trajectory.versions[trajectory.action_mask]) == {trajectory.request.iteration}


@pytest.mark.parametrize("staleness", [1, 2, 9])
def test_an_asynchronous_run_collects_ahead_within_the_bound(tmp_path: Path, staleness: int) -> None:
    run = Run(tmp_path, small_config(f"rollout.max_staleness={staleness}", "run.num_iterations=6"))
    summary = run.train()
    assert most_in_flight(run.rollouts.collections) == min(staleness + 1, 6)
    lags = {step - batch.oldest_versions.min() for step, batch in run.learner.batches.items()}
    assert 0 < max(lags) <= staleness
    assert summary.episodes.get("stale", 0) == 0
    assert len([i for i in stored(tmp_path) if i.startswith("train")]) == 6 * BATCH


def test_dialogs_go_on_while_weights_change(tmp_path: Path) -> None:
    Run(tmp_path, small_config("rollout.max_staleness=1")).train()
    dialogs = [record.trajectory for record in read(tmp_path, TRAIN)]
    assert any(len(set(t.versions[t.action_mask])) > 1 for t in dialogs)


def test_the_first_collections_start_before_the_first_update(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config("rollout.max_staleness=2"))
    run.train()
    events = [event for event in run.rollouts.collections if event.startswith("train")]
    assert events[:3] == ["train-0 starts", "train-1 starts", "train-2 starts"]
    assert {event.split()[0] for event in events} == {f"train-{i}" for i in range(5)}


def test_stale_dialogs_are_counted_and_never_trained_on(tmp_path: Path) -> None:
    """One of two workers keeps its first weights: what it writes is too old from step 1 (bound 0) or 2 (bound 1)."""
    for bound in (0, 1):
        run = Run(tmp_path / str(bound), small_config(f"rollout.max_staleness={bound}"), deaf=[1])
        run.run_dir.mkdir()
        summary = run.train()
        for step, batch in run.learner.batches.items():
            assert batch.oldest_versions.min() >= step - bound
            assert len(batch) == (BATCH if step <= bound else BATCH // 2)
        assert summary.episodes["stale"] == (4 - bound) * BATCH // 2
        assert sum(summary.episodes.values()) == 5 * BATCH
        last = read_metrics(run.run_dir)[-1].values
        assert (last["episodes/stale"], last["episodes/ok"] + last["episodes/truncated"]) == (4, 4)


# -- resuming -------------------------------------------------------------------------------------------------------

DEATHS = [
    *(("collect train", visit) for visit in (0, 3, 12)),
    *(("collect eval", visit) for visit in (0, 2, 5)),
    *(("annotate", visit) for visit in (0, 2, 3)),
    *(("update", visit) for visit in (1, 4)),
    *(("publish", visit) for visit in (0, 3, 5)),
    *(("save", visit) for visit in (0, 1, 2)),
]


@pytest.mark.parametrize(("phase", "visit"), DEATHS)
def test_killed_in_any_phase_and_resumed(whole: tuple[Run, RunSummary], tmp_path: Path, phase: str, visit: int) -> None:
    assert isinstance(stop(Run(tmp_path, small_config(), trap=Trap(phase, visit))), KilledError)
    resumed = Run(tmp_path, small_config())
    assert_same_run(resumed, resumed.train(), *whole)


def test_killed_again_and_again(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    deaths = [("update", 1), ("collect train", 1), ("save", 0), ("publish", 1), ("annotate", 0), ("collect eval", 1)]
    for phase, visit in [*deaths, ("save", 0)]:
        assert isinstance(stop(Run(tmp_path, small_config(), trap=Trap(phase, visit))), KilledError)
    resumed = Run(tmp_path, small_config())
    assert_same_run(resumed, resumed.train(), *whole)


def assert_same_run(run: Run, summary: RunSummary, whole: Run, wanted: RunSummary) -> None:
    assert summary == wanted
    assert numbers(run.run_dir) == numbers(whole.run_dir)
    ours, theirs = stored(run.run_dir), stored(whole.run_dir)
    assert {i: substance(record) for i, record in ours.items()} == {i: substance(r) for i, r in theirs.items()}


class StopAsked(Trap):
    """Asks the run to stop while it makes update number `step` (from 0)."""

    def __init__(self, run_dir: Path, step: int) -> None:
        super().__init__()
        self._control, self._left = Control(run_dir), step

    def visit(self, phase: str) -> None:
        if phase == "update":
            if self._left == 0:
                self._control.ask_to_stop()
            self._left -= 1


@pytest.mark.parametrize("staleness", [0, 2])
def test_a_run_that_is_asked_to_stop_finishes_its_update_and_can_go_on(staleness: int, tmp_path: Path) -> None:
    config = small_config(f"rollout.max_staleness={staleness}", "checkpoint.every=5")
    stopped = Run(tmp_path, config, trap=StopAsked(tmp_path, 2))
    assert stopped.train().step == 3
    assert sorted(stopped.learner.batches) == [0, 1, 2]
    assert [path.name for path in sorted((tmp_path / "checkpoints").iterdir())] == ["step-000003"]
    resumed = Run(tmp_path, config)
    summary = resumed.train()
    assert sorted(resumed.learner.batches) == [3, 4]
    assert summary.step == 5
    stored(tmp_path)  # fails where a dialog is there twice


def test_a_stopped_and_resumed_run_is_the_same_run(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    Run(tmp_path, small_config(), trap=StopAsked(tmp_path, 2)).train()
    run = Run(tmp_path, small_config())
    assert_same_run(run, run.train(), *whole)


def climbing_config(*overrides: str) -> Config:
    """The curriculum climbs a level after every update, whatever the policy says."""
    mix = "tasks.mix=[{scenario: arithmetic-dialog, languages: [en], levels: [0, 1, 2, 3]}]"
    always = ("start=lowest", "success_low=0", "success_high=0", "half_life=1", "rehearsal=0")
    rules = (f"curriculum.{rule}" for rule in always)
    return small_config(mix, "curriculum.enabled=true", *rules, *overrides)


def test_a_curriculum_decides_what_is_asked_and_survives_the_driver(tmp_path: Path) -> None:
    whole = Run(tmp_path / "whole", climbing_config())
    wanted = whole.train()
    requests = [record.trajectory.request for record in read(tmp_path / "whole", TRAIN)]
    assert {(r.iteration, r.task.level) for r in requests} == {(0, 0), (1, 1), (2, 2), (3, 3), (4, 3)}
    frontier = [line.values["curriculum/arithmetic-dialog/level"] for line in read_metrics(tmp_path / "whole")]
    assert frontier == [1.0, 2.0, 3.0, 3.0, 3.0]
    stop(Run(tmp_path / "killed", climbing_config(), trap=Trap("update", 3)))
    resumed = Run(tmp_path / "killed", climbing_config())
    assert_same_run(resumed, resumed.train(), whole, wanted)


def test_a_curriculum_starts_where_the_first_evaluation_finds_the_policy(tmp_path: Path) -> None:
    """Each of four levels is asked eight times; the policy masters them all, by the rule that 0 is enough."""
    measured = [f"curriculum.{rule}" for rule in ("start=measured", "half_life=1000")]
    changes = ["run.num_iterations=1", "eval.num_tasks=32", *measured]
    Run(tmp_path / "a", climbing_config(*changes)).train()
    requests = [record.trajectory.request for record in read(tmp_path / "a", TRAIN)]
    assert {r.task.level for r in requests} == {3}
    Run(tmp_path / "b", climbing_config(*changes, "eval.num_tasks=28")).train()
    requests = [record.trajectory.request for record in read(tmp_path / "b", TRAIN)]
    assert {r.task.level for r in requests} == {0}  # seven dialogs say too little


def arriving_config() -> Config:
    mix = "tasks.mix=[{scenario: arithmetic-dialog, levels: [0, 1]}, {scenario: arithmetic}]"
    arrival = "{enabled: true, languages: {en: 3.0, de: 1.0}, mean_session_length: 3.0, returning_share: 0.5}"
    return small_config(
        mix, f"tasks.arrival={arrival}", "tasks.arrival.topic_stickiness=0.8", "curriculum.enabled=true"
    )


def test_dialogs_are_those_of_the_users_who_arrive(tmp_path: Path) -> None:
    run = Run(tmp_path, arriving_config())
    summary = run.train()
    arrival = build_arrival(arriving_config())
    assert arrival is not None
    languages: dict[str, set[str]] = {}
    for record in read(tmp_path, TRAIN):
        request = record.trajectory.request
        user = arrival.visit(42, request.iteration, request.group).user
        languages.setdefault(user, set()).add(request.task.language)
    assert len(languages) < 20  # dialogs, of which some share a session
    assert all(len(spoken) == 1 for spoken in languages.values())
    assert summary.evals[-1].by_language.keys() == {"de", "en"}


def test_only_what_came_after_the_checkpoint_is_learned_again_and_nothing_is_asked_again(tmp_path: Path) -> None:
    stop(Run(tmp_path, small_config(), trap=Trap("update", 4)))
    resumed = Run(tmp_path, small_config())
    resumed.train()
    assert any(line.startswith("resumed at iteration 4 from ") for line in resumed.said)
    assert sorted(resumed.learner.batches) == [4]
    assert resumed.rollouts.collections == ["eval-5 starts", "eval-5 ends"]


def test_a_finished_run_is_not_trained_further(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    Run(tmp_path, small_config()).train()
    again = Run(tmp_path, small_config())
    assert_same_run(again, again.train(), *whole)
    assert again.rollouts.collections == []


def test_a_finished_run_can_go_on(tmp_path: Path) -> None:
    Run(tmp_path, small_config("run.num_iterations=4", "eval.every=1")).train()
    more = Run(tmp_path, small_config("run.num_iterations=6", "eval.every=1"))
    assert more.train().step == 6
    assert sorted(more.learner.batches) == [4, 5]
    assert [step for step, _ in numbers(tmp_path)] == [0, 1, 2, 3, 4, 5]


def test_a_resumed_asynchronous_run_has_every_dialog_once(tmp_path: Path) -> None:
    config = small_config("rollout.max_staleness=2", "run.num_iterations=6")
    stop(Run(tmp_path, config, trap=Trap("update", 4)))
    resumed = Run(tmp_path, config)
    summary = resumed.train()
    assert sum(summary.episodes.values()) == 6 * BATCH
    trained = [i for i in stored(tmp_path) if i.startswith("train")]
    assert Counter(i.split("-")[1] for i in trained) == dict.fromkeys("012345", BATCH)


def test_checkpoints_when_due_and_at_the_end(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    names = sorted(path.name for path in (run.run_dir / "checkpoints").iterdir())
    assert names[-1] == "step-000005"
    assert set(names) <= {"step-000002", "step-000004", "step-000005"}
    assert len(names) in (2, 3)  # the two newest, and the best if that is another one


# -- failures -------------------------------------------------------------------------------------------------------


def test_failed_episodes_are_stored_and_are_neither_data_nor_zeros(tmp_path: Path) -> None:
    fragile = Scripted(("What is {seed} + 1?", "And?"), fails=lambda task: task.seed % 3 == 0, fails_in="reply")
    run = Run(tmp_path, small_config(), scenario=fragile)
    summary = run.train()
    records = stored(tmp_path)
    lost = {i for i, r in records.items() if r.trajectory.request.task.seed % 3 == 0}
    assert 0 < len([i for i in lost if i.startswith("train")]) == summary.episodes["failed"] < 5 * BATCH
    for name, record in records.items():
        assert (record.trajectory.status == "failed") == (record.scored.score is None) == (name in lost)
        assert ("LookupError: no reply today" in record.trajectory.error) == (name in lost)
    assert not lost & {t.request.id for t in run.rewards.judged}
    for line in read_metrics(tmp_path):
        step = f"train-{line.step}-"
        good = [r for i, r in records.items() if i.startswith(step) and i not in lost]
        assert len(run.learner.batches[line.step]) == len(good)
        assert line.values["episodes/failed"] == BATCH - len(good)
        rewards = np.concatenate([r.scored.score.scalar for r in good if r.scored.score])
        assert line.values["reward/mean"] == pytest.approx(rewards.mean(), abs=1e-6)
    num_lost = len([i for i in lost if i.startswith("eval-5-")])
    assert summary.evals[-1].num_dialogs == 24 - num_lost


def test_an_iteration_without_any_usable_dialog_stops_the_run(tmp_path: Path) -> None:
    calls = iter(range(10**6))
    broken = Scripted(fails=lambda task: next(calls) >= 24, fails_in="reply")  # the first evaluation goes well
    cause = stop(Run(tmp_path, small_config(), scenario=broken))
    assert "every episode failed" in str(cause)
    assert len(list(read(tmp_path, Query(status="failed")))) == BATCH


def test_a_reward_error_stops_the_run_with_its_own_type(tmp_path: Path) -> None:
    unfair = Scripted(fails=lambda task: task.seed % 3 == 0, fails_in="verify")
    run = Run(tmp_path, small_config(), scenario=unfair)
    with pytest.raises(BaseExceptionGroup) as caught:
        run.train()
    assert caught.group_contains(RewardError, match=r"success failed on turn 0 of task scripted/en/0/.*: LookupError")
    assert run.learner.batches == {}


def test_a_gap_between_sampler_and_learner_stops_the_run_before_the_update(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config("rollout.max_logprob_gap=0.01"), logprob_error=0.02)
    cause = stop(run)
    assert isinstance(cause, MismatchError)
    assert "by up to 0.02, more than rollout.max_logprob_gap = 0.01" in str(cause)
    assert run.learner.batches == {}
    assert run.learner.weights == run.learner.first_weights


def test_a_gap_within_the_limit_is_reported(tmp_path: Path) -> None:
    run = Run(tmp_path, small_config("rollout.max_logprob_gap=0.01"), logprob_error=0.005)
    assert run.train().max_logprob_gap == pytest.approx(0.005, rel=1e-4)
    values = read_metrics(tmp_path)[0].values
    assert values["mismatch/kl"] == pytest.approx(-0.005, rel=1e-4)  # the sampler's are lower
    assert values["mismatch/max_logprob_gap"] == pytest.approx(0.005, rel=1e-4)


def test_a_write_that_fails_stops_the_run_at_its_next_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rl.store.write_whole", full)
    cause = stop(Run(tmp_path, small_config()))
    assert "No space left on device; make room" in str(cause)
    assert not (tmp_path / "checkpoints").exists()

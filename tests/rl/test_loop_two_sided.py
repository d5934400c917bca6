"""The real loop in memory, with users whom the policy plays itself."""

from pathlib import Path

import numpy as np
import pytest

from rl.config import Config
from rl.report import RunSummary
from rl.store import Query, Record, read
from tests.rl.fakes import KilledError, Run, Trap, small_config
from tests.rl.test_loop import causes, numbers, substance

NUM_DIALOGS = 4 * 2  # rollout_batch_size x n_samples_per_prompt


def config(*overrides: str) -> Config:
    mix = "tasks.mix=[{scenario: shared-goal, languages: [en, de], levels: [0, 1]}]"
    weights = "rewards.weights={task.success: 1.0, format.number_only: 0.5, answer.closeness: 1.0}"
    return small_config(mix, weights, "rollout.model_users=true", *overrides)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunSummary]:
    run = Run(tmp_path_factory.mktemp("whole"), config())
    return run, run.train()


def stored(run_dir: Path) -> dict[str, Record]:
    return {record.trajectory.request.id: record for record in read(run_dir)}


def test_both_sides_train_and_are_stored(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    records = stored(run.run_dir)
    for step, batch in run.learner.batches.items():
        rows = [record for name, record in records.items() if name.startswith(f"train-{step}-")]
        assert sorted(r.trajectory.request.role for r in rows) == ["assistant"] * NUM_DIALOGS + ["user"] * NUM_DIALOGS
        # in the order of the requests, each user after its assistant
        assert len(batch) == 2 * NUM_DIALOGS
        assert len(set(batch.groups.tolist())) == 2 * 4
        assert batch.groups[::2].tolist() == [0, 0, 2, 2, 4, 4, 6, 6]
        assert batch.groups[1::2].tolist() == [1, 1, 3, 3, 5, 5, 7, 7]
        for row, name in ((0, f"train-{step}-0-0"), (1, f"train-{step}-0-0-user"), (15, f"train-{step}-3-1-user")):
            tokens = records[name].trajectory.tokens
            assert batch.tokens[row, : len(tokens)].tolist() == tokens.tolist()
        assert all(row.advantages is not None for row in rows)


def test_a_user_is_paid_for_what_the_assistant_made_of_it(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    records, found = stored(run.run_dir), set[float]()
    for name, record in records.items():
        request, score = record.trajectory.request, record.scored.score
        if request.role == "assistant":
            assert record.trajectory.outcome is None
            continue
        assistant = records[name.removesuffix("-user")]
        outcome = record.trajectory.outcome
        assert outcome is not None and score is not None and assistant.scored.score is not None
        assert outcome.success == pytest.approx(float(assistant.scored.score.success.mean()))
        found |= {float(value) for value in score.success}
        for index, turn in enumerate(record.trajectory.turns):
            heard = assistant.trajectory.turns[index].question if index < len(assistant.trajectory.turns) else None
            assert heard is None or heard.text == turn.answer
    assert found <= {0.0, 1.0}


def test_evaluations_have_no_model_users(whole: tuple[Run, RunSummary]) -> None:
    run, summary = whole
    records = list(read(run.run_dir, Query(purpose="eval")))
    assert records and all(record.trajectory.request.role == "assistant" for record in records)
    assert summary.evals[0].num_dialogs == 24


@pytest.mark.parametrize("num_workers", [1, 3])
def test_the_number_of_workers_changes_nothing(whole: tuple[Run, RunSummary], tmp_path: Path, num_workers: int) -> None:
    run = Run(tmp_path, config(), num_workers=num_workers)
    assert run.train().final_weights_sha256 == whole[1].final_weights_sha256
    ours, theirs = stored(tmp_path), stored(whole[0].run_dir)
    assert {name: substance(r) for name, r in ours.items()} == {name: substance(r) for name, r in theirs.items()}


def test_killed_and_resumed(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    with pytest.raises(Exception) as caught:
        Run(tmp_path, config(), trap=Trap("update", 3)).train()
    assert isinstance(causes(caught.value)[0], KilledError)
    assert Run(tmp_path, config()).train().final_weights_sha256 == whole[1].final_weights_sha256
    assert numbers(tmp_path) == numbers(whole[0].run_dir)
    assert np.isfinite([v for _, values in numbers(tmp_path) for v in values.values()]).all()

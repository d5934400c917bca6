"""Rejection sampling with the fakes of the loop: the best dialogs, whoever holds them, become demonstrations."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from envs.mix import is_held_out
from envs.task import Turn
from rl.config import Config
from rl.control import Control, RunStoppedError
from rl.demonstrations import Demonstration, from_files
from rl.interfaces import World
from rl.records import Records
from rl.rejection import (
    DIALOGS,
    ITERATION,
    RejectionReport,
    choose,
    clear,
    dialog_file,
    is_sampled,
    read_report,
    sample_dialogs,
)
from rl.rows import Broken
from rl.stage_config import RejectionConfig, SFTConfig, sampling_config
from rl.stage_data import prepare_documents
from rl.store import Query, read
from rl.tasks import signal_of
from rl.trajectory import Scored
from tests.rl.builders import lost, request, scored, trajectory
from tests.rl.fakes import IDENTITY, KilledError, MemoryFleet, Run, Trap, chat, small_config

RULES = RejectionConfig(num_tasks=1, samples_per_task=4)


def dialog(sample: int, answer: str, *rewards: float, finish: str = "stop") -> Scored:
    """A dialog about one question for each of its rewards; a positive one is a success."""
    made = trajectory(request(sample=sample), [answer] * len(rewards))
    turns = tuple(Turn(turn.question, turn.answer, finish, turn.num_tokens) for turn in made.turns)  # type: ignore[arg-type]
    return scored(replace(made, turns=turns), rewards)


def samples(chosen: list[Scored]) -> list[int]:
    return [s.trajectory.request.sample for s in chosen]


def test_the_best_are_chosen_by_mean_reward_and_the_first_of_equals() -> None:
    dialogs = [dialog(0, "a", 0.2), dialog(1, "b", 0.9, 0.1), dialog(2, "c", 0.5), dialog(3, "d", 0.4)]
    assert samples(choose(dialogs, RULES, set())) == [1]  # a mean of 0.5 as sample 2, which comes later
    assert samples(choose(dialogs, RULES.model_copy(update={"keep": 3}), set())) == [1, 2, 3]


def test_what_was_said_before_is_not_chosen_again() -> None:
    same = [dialog(0, "a", 0.9), dialog(1, "a", 0.9), dialog(2, "b", 0.1)]
    seen: set = set()
    assert samples(choose(same, RULES.model_copy(update={"keep": 2}), seen)) == [0, 2]
    assert choose(same, RULES, seen) == []


def test_cut_off_empty_and_failed_dialogs_never_are() -> None:
    assert choose([dialog(0, "a", 0.9, finish="length"), dialog(1, "", 0.8), lost()], RULES, set()) == []


@pytest.mark.parametrize(
    ("rules", "wanted"),
    [({"min_reward": 0.5}, [0]), ({"min_reward": 0.9}, []), ({"min_success": 1.0}, [2]), ({"min_success": 0.5}, [0])],
)
def test_thresholds(rules: dict[str, float], wanted: list[int]) -> None:
    dialogs = [dialog(0, "a", 1.4, -0.2), dialog(1, "b", -0.1), dialog(2, "c", 0.1)]
    assert samples(choose(dialogs, RULES.model_copy(update=rules), set())) == wanted


# -- with workers in memory -----------------------------------------------------------------------------------------


def stage(**rejection: object) -> SFTConfig:
    config = small_config()
    return SFTConfig.model_validate(
        {
            "run": {"name": "sft", "seed": 3},
            "model": {"max_length": 200},
            "tasks": config.tasks,
            "rollout": config.rollout,
            "rewards": config.rewards,
            "demonstrations": {"num_dialogs": 5, "rejection": {"num_tasks": 6, "samples_per_task": 4, **rejection}},
        }
    )


def sampling(config: SFTConfig) -> Config:
    found = sampling_config(config)
    assert found is not None
    return found


def sample(
    folder: Path,
    config: SFTConfig,
    *,
    num_workers: int = 2,
    trap: Trap | None = None,
    hears: Callable[[str], None] | None = None,
) -> RejectionReport:
    clear(folder)
    control = Control(folder.parent)
    control.clear()
    run = Run(folder, sampling(config), num_workers=num_workers, trap=trap)
    world = World(run.rollouts, run.rewards, run.learner, run.weights, MemoryFleet())
    records = Records(folder, run.config, run.scorer.names, IDENTITY, hears or run.said.append)
    try:
        return asyncio.run(
            sample_dialogs(config, run.library, run.mix, signal_of(run.config.rewards), world, records, control)
        )
    finally:
        records.close()


def test_the_file_holds_the_best_of_what_was_judged(tmp_path: Path) -> None:
    report = sample(tmp_path / "own", stage())
    stored = [record.scored for record in read(tmp_path / "own", Query())]
    assert len(stored) == report.num_dialogs == report.num_judged == 6 * 4
    rows = [json.loads(line) for line in (tmp_path / "own" / DIALOGS).read_text().splitlines()]
    assert 0 < len(rows) == report.num_kept <= 6
    for row in rows:
        of_task = [s for s in stored if s.trajectory.request.task.id == row["task"] and s.score is not None]
        complete = [s for s in of_task if all(t.finish == "stop" and t.answer for t in s.trajectory.turns)]
        assert row["reward"] == max(float(s.score.scalar.mean()) for s in complete if s.score)
    assert report.kept_reward == pytest.approx(sum(row["reward"] for row in rows) / len(rows))
    assert read_report(tmp_path / "own") == report


def test_it_is_a_function_of_seed_and_index(tmp_path: Path) -> None:
    """Neither workers nor how many tasks are under way at once make a difference; more tasks begin with the same."""
    wanted = sample(tmp_path / "a", stage())
    file = (tmp_path / "a" / DIALOGS).read_text()
    other = stage().rollout.model_copy(update={"rollout_batch_size": 1})
    assert sample(tmp_path / "b", stage().model_copy(update={"rollout": other}), num_workers=3) == wanted
    assert (tmp_path / "b" / DIALOGS).read_text() == file
    sample(tmp_path / "c", stage(num_tasks=9))
    assert (tmp_path / "c" / DIALOGS).read_text().startswith(file)


def test_its_tasks_are_trained_on_and_not_those_of_other_demonstrations(tmp_path: Path) -> None:
    config = stage()
    sample(tmp_path / "own", config)
    requests = [record.trajectory.request for record in read(tmp_path / "own", Query())]
    assert {r.iteration for r in requests} == {ITERATION}
    openings = {record.trajectory.turns[0].question.text for record in read(tmp_path / "own", Query())}
    assert not any(is_held_out(opening, config.tasks.held_out_fraction) for opening in openings)


def test_a_killed_sampling_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    with pytest.raises((KilledError, ExceptionGroup)):
        sample(tmp_path / "own", stage(), trap=Trap("collect train", 3))
    assert not is_sampled(tmp_path / "own")
    assert read_report(tmp_path / "own") is None
    whole = sample(tmp_path / "whole", stage())
    assert sample(tmp_path / "own", stage()) == whole


def test_it_stops_between_batches_when_the_stage_is_asked_to(tmp_path: Path) -> None:
    rollout = stage().rollout.model_copy(update={"rollout_batch_size": 2})
    config, control = stage().model_copy(update={"rollout": rollout}), Control(tmp_path)
    with pytest.raises(RunStoppedError, match="after 8 of 24 dialogs; the next start samples them anew"):
        sample(tmp_path / "own", config, hears=lambda _: control.ask_to_stop())
    assert not is_sampled(tmp_path / "own")
    assert sample(tmp_path / "own", config) == sample(tmp_path / "whole", config)


def test_own_dialogs_are_learnt_next_to_the_others(tmp_path: Path) -> None:
    config = stage()
    report = sample(tmp_path / "own", config)
    own = dialog_file(tmp_path / "own")
    dialogs: list[Demonstration] = list(from_files([own], Broken(0, "")))
    assert len(dialogs) == report.num_kept
    assert {(d.language, d.level) for d in dialogs} == {("en", 0)}
    tokenizer = chat().tokenizer
    without = prepare_documents(config, tmp_path / "x", tokenizer, print)
    documents = prepare_documents(config, tmp_path / "y", tokenizer, print, own_dialogs=[own])
    assert len(documents.lengths) == len(without.lengths) + report.num_kept
    text = tokenizer.decode(documents.ids[documents.offsets[-2] :].tolist())
    assert all(part in text for turn in dialogs[-1].turns for part in turn)


def test_without_rewards_or_tasks_there_is_nothing_to_sample() -> None:
    assert sampling_config(stage(num_tasks=0)) is None
    assert sampling_config(stage().model_copy(update={"rewards": None})) is None
    assert sampling(stage()).rollout.n_samples_per_prompt == 4


def test_users_are_programs_whatever_else_the_recipe_trains() -> None:
    config = stage()
    played = config.rollout.model_copy(update={"model_users": True, "user_model": "somebody"})
    assert not sampling(config.model_copy(update={"rollout": played})).has_opponents
    assert not sampling(config.model_copy(update={"rollout": played})).rollout.model_users

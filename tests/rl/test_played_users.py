"""Who says the users' words, by hand, and in the real loop in memory."""

from pathlib import Path

import numpy as np
import pytest

from envs.library import Library
from envs.task import Task
from rl.config import Config
from rl.load_config import ConfigError
from rl.played_users import with_users
from rl.store import Query, read
from rl.trajectory import EpisodeRequest
from tests.rl.fakes import Run, small_config

PLAYED, PROGRAM = Task("shared-goal", "en", 0, 3), Task("arithmetic", "en", 0, 3)
MIX = "tasks.mix=[{scenario: shared-goal, languages: [en], levels: [0]}]"


def requests(*tasks: Task) -> list[EpisodeRequest]:
    return [EpisodeRequest(task, 0, group, sample, 0) for group, task in enumerate(tasks) for sample in range(2)]


def opponents(user_model: str = "", past: str = "", past_share: float = 0.0) -> list[str]:
    asked = requests(PLAYED, PROGRAM, PLAYED, PLAYED, PROGRAM, PLAYED)
    users = with_users(asked, Library(), user_model=user_model, past=past, past_share=past_share)
    assert [(r.task, r.group, r.sample) for r in users] == [(r.task, r.group, r.sample) for r in asked]
    return [r.opponent for r in users]


def test_the_policy_plays_both_sides_where_nobody_else_is_named() -> None:
    assert opponents() == [""] * 12
    assert opponents(past_share=0.5) == [""] * 12  # nobody is in the pool yet


def test_a_past_policy_plays_the_users_of_the_last_groups() -> None:
    assert opponents(past="old", past_share=0.5) == [*[""] * 6, "old", "old", "", "", "old", "old"]


def test_another_model_plays_all_users_that_can_be_played() -> None:
    assert opponents(user_model="other") == ["other", "other", "", "", *["other"] * 4, "", "", "other", "other"]


def config(*overrides: str) -> Config:
    return small_config(MIX, "rewards.weights={task.success: 1.0}", "rollout.model_users=true", *overrides)


def test_past_users_are_stored_and_train_nobody(tmp_path: Path) -> None:
    run = Run(tmp_path, config("selfplay.past_share=0.5", "selfplay.snapshot_every=1"))
    run.train()
    rows = [record.trajectory for record in read(run.run_dir, Query(purpose="train"))]
    by_past = [row for row in rows if row.request.is_by_opponent]
    assert {row.request.role for row in by_past} == {"user"}
    # of four groups, two, from the second iteration on
    assert sorted({row.request.iteration for row in by_past}) == list(range(1, run.config.run.num_iterations))
    assert all(len({row.request.group for row in by_past if row.request.iteration == i}) == 2 for i in (1, 2))
    assert all(np.all(row.versions[row.action_mask] == -1) for row in by_past)
    for step, batch in run.learner.batches.items():
        num_own = sum(row.request.iteration == step and not row.request.is_by_opponent for row in rows)
        assert len(batch) == num_own


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["selfplay.past_share=0.5"], r"selfplay\.past_share = 0\.5: past policies say what"),
        (["rollout.user_model=x"], r"rollout\.user_model = .*plays no user without rollout\.model_users"),
        (["rollout.model_users=true", "rollout.user_model=nowhere"], r"must be a Hugging Face folder"),
        (
            ["rollout.model_users=true", "selfplay.past_share=0.5", "selfplay.pool_size=0"],
            r"selfplay\.pool_size = 0: selfplay\.past_share needs past policies",
        ),
    ],
)
def test_settings_that_go_nowhere_are_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        small_config(MIX, *overrides)

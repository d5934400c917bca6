"""The real command with real vLLM, DeepSpeed and Ray: the same weights whatever happens on the way."""

import json
from pathlib import Path

import numpy as np
import pytest

from rl.report import PHASES
from rl.store import Query, read
from tests.e2e.conftest import FOUR
from tests.e2e.runs import Finished, Run, command, train

pytestmark = pytest.mark.e2e

STORIES = Path(__file__).parents[3] / "shared" / "models" / "stories260K-hd32"
NUM_EPISODES = 4 * 16 + 2 * 8  # of `smoke`: training, and an evaluation at the start and at the end

REPORT_KEYS = {
    "name",
    "step",
    "engine",
    "eval",
    "final_weights_sha256",
    "max_logprob_gap",
    "tokens_generated",
    "seconds",
    "num_rollout_workers",
    "peak_rss_bytes",
    "alarms",
    "episodes",
    "held_out_seen_share",
    "feedback",
}

ENVIRONMENT = '''
from envs.task import Question
from envs.users import SimulatedUser


class Openings:
    """Beginnings of stories."""

    name, domain, languages, num_levels = "openings", "writing", ("en",), 1
    texts = ("Once upon a time", "One day, a girl", "The dog was", "Tom and Lily", "It was a big", "A little bird")

    def size(self, language, level):
        return len(self.texts)

    def dialog(self, task):
        return SimulatedUser([Question(self.texts[task.seed % len(self.texts)])])

    def verify(self, transcript):
        return float(transcript.last.answer.count("e") >= 5)


SCENARIOS = [Openings()]
'''

REWARD = '''
from rewards.dimension import Dimension
from rewards.dimensions.example import example


def many_e(transcript):
    """Share of the letter e."""
    answer = transcript.last.answer
    return answer.count("e") / len(answer) if answer else 0.0


DIMENSIONS = [
    Dimension("my.many_e", "my", "The letter e is frequent.", many_e, example("?", "eee"), example("?", "abc"))
]
'''


@pytest.fixture
def own_files(tmp_path: Path) -> list[str]:
    """Overrides that put a user's own scenario and dimension in the place of the recipe's."""
    environment, reward = tmp_path / "my_env.py", tmp_path / "my_reward.py"
    environment.write_text(ENVIRONMENT)
    reward.write_text(REWARD)
    return [
        f"tasks.files=[{environment}]",
        "tasks.mix=[{scenario: openings}]",
        f"rewards.files=[{reward}]",
        "rewards.weights={my.many_e: 1.0}",
    ]


@pytest.fixture
def stories(tmp_path: Path) -> list[str]:
    """Overrides for a small pretrained model."""
    if not STORIES.is_dir():
        pytest.skip(f"no pretrained model in {STORIES}")
    return [f"model.name_or_path={STORIES}", "model.max_length=128", "rollout.max_prompt_length=64"]


def stored_ids(run_dir: Path) -> list[str]:
    return sorted(record.trajectory.request.id for record in read(run_dir))


def same_run(done: Finished, other: Finished) -> None:
    """The same weights, and every episode once, with the same tokens."""
    assert done.report()["final_weights_sha256"] == other.report()["final_weights_sha256"]
    assert stored_ids(done.run_dir) == stored_ids(other.run_dir)
    answers = [
        {r.trajectory.request.id: r.trajectory.tokens.tolist() for r in read(run.run_dir)} for run in (done, other)
    ]
    assert answers[0] == answers[1]


# -- one undisturbed run ------------------------------------------------------------------------------------------


def test_the_report_has_all_that_was_promised(smoke: Finished) -> None:
    report = smoke.report()
    assert report.keys() == REPORT_KEYS
    assert report["step"] == 4
    assert [result["step"] for result in report["eval"]] == [0, 4]
    assert {"accuracy", "num_dialogs", "seen_share"} <= report["eval"][0].keys()
    assert len(report["final_weights_sha256"]) == 64
    assert report["seconds"].keys() == set(PHASES)
    assert report["peak_rss_bytes"].keys() == {"driver", "learner", "rollout", "reward"}
    assert min(report["peak_rss_bytes"].values()) > 10 * 1024**2
    assert sum(report["episodes"].values()) == 4 * 16
    assert report["held_out_seen_share"] == 0.0


def test_sampler_and_learner_agree(smoke: Finished) -> None:
    assert smoke.report()["max_logprob_gap"] <= 1e-4
    lines = smoke.metrics()
    assert [line.step for line in lines] == [0, 1, 2, 3]
    for line in lines:
        assert line.values["mismatch/max_logprob_gap"] <= 1e-4
        assert line.values["actor/first_ratio_gap"] <= 1e-5
        assert line.nonfinite == ()


def test_the_run_directory_explains_itself(smoke: Finished) -> None:
    for name in ("config.yaml", "report.md", "plots/learning_curve.png", "checkpoints/step-000004/manifest.json"):
        assert (smoke.run_dir / name).stat().st_size > 0, name
    assert any((smoke.run_dir / "tensorboard").iterdir())
    assert smoke.report()["final_weights_sha256"] in (smoke.run_dir / "report.md").read_text()
    assert [path for path in smoke.run_dir.rglob(".*") if path.name != ".lock"] == []


def test_every_dialog_is_stored_and_can_be_shown(smoke: Finished) -> None:
    ids = stored_ids(smoke.run_dir)
    assert len(ids) == len(set(ids)) == NUM_EPISODES
    assert all(record.advantages is not None for record in read(smoke.run_dir, Query(purpose="train")))
    shown = command("show", smoke.run_dir, "--limit", "3")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.count("train-3-") + shown.stdout.count("eval-4-") == 3


# -- whatever happens on the way ----------------------------------------------------------------------------------


def test_two_workers_and_a_kill_change_nothing(smoke: Finished, tmp_path: Path) -> None:
    """Two workers of each role; a rollout worker is killed in the middle of its dialogs."""
    with Run(tmp_path, FOUR, "rollout.num_rollout_workers=2", "rewards.num_reward_workers=2") as run:
        run.wait_for_iterations(1)
        run.kill_worker("ray::RolloutActor.advance")
        done = run.wait()
    assert done.code == 0, done.errors
    assert done.left_behind == ()
    assert done.metrics()[-1].values["fleet/rollout_restarts"] == 1
    same_run(done, smoke)


@pytest.mark.slow
@pytest.mark.parametrize("iteration", [1, 2, 3])
def test_a_killed_driver_leaves_nothing_and_resumes(iteration: int, smoke: Finished, tmp_path: Path) -> None:
    with Run(tmp_path, FOUR) as run:
        run.wait_for_iterations(iteration)
        killed = run.kill()
    assert killed.left_behind == ()
    done = train(tmp_path, FOUR, "--resume")
    # the first iteration is on record before its checkpoint is
    assert "resumed at iteration" in done.output or iteration == 1
    same_run(done, smoke)
    assert [line.step for line in done.metrics()] == [0, 1, 2, 3]


def test_own_files_run_asynchronously(own_files: list[str], tmp_path: Path) -> None:
    """A user's own scenario and dimension, GRPO without a critic, batches up to two updates ahead."""
    changes = ["rollout.max_staleness=2", "ppo.advantage_estimator=grpo", *own_files]
    done = train(tmp_path, FOUR, "eval.num_tasks=6", *changes)
    tasks = {record.trajectory.request.task.scenario for record in read(done.run_dir)}
    assert tasks == {"openings"}
    assert all("reward/my.many_e" in line.values for line in done.metrics())
    assert not any(name.startswith("critic/") for line in done.metrics() for name in line.values)
    ids = stored_ids(done.run_dir)
    assert len(ids) == len(set(ids)) == 4 * 16 + 2 * 6
    for record in read(done.run_dir, Query(purpose="train")):
        assert record.trajectory.oldest_version >= max(0, record.trajectory.request.iteration - 2)


@pytest.mark.slow
def test_lora_trains_and_serves_an_adapter(stories: list[str], own_files: list[str], tmp_path: Path) -> None:
    """With the frozen base as the reference of a KL penalty."""
    done = train(tmp_path, "model.lora_rank=8", "ppo.kl_coef=0.05", "eval.num_tasks=6", *stories, *own_files)
    assert done.report()["max_logprob_gap"] <= 1e-4
    assert done.metrics()[0].values["actor/ref_kl"] == pytest.approx(0.0, abs=1e-6)
    assert abs(done.metrics()[1].values["actor/ref_kl"]) > 1e-6
    policy = done.run_dir / "checkpoints" / "step-000002" / "policy"
    assert {path.name for path in policy.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert json.loads((policy / "adapter_config.json").read_bytes())["r"] == 8


@pytest.mark.slow
@pytest.mark.parametrize(
    "changes",
    [(), ("rollout.num_rollout_workers=2",), ("rewards.num_reward_workers=2",), ("rollout.num_rollout_workers=3",)],
    ids=lambda changes: changes[0] if changes else "again",
)
def test_workers_are_no_part_of_the_result(changes: tuple[str, ...], smoke: Finished, tmp_path: Path) -> None:
    same_run(train(tmp_path, FOUR, *changes), smoke)


@pytest.mark.slow
def test_the_only_rollout_worker_may_die(smoke: Finished, tmp_path: Path) -> None:
    with Run(tmp_path, FOUR) as run:
        run.wait_for_iterations(1)
        run.kill_worker("ray::RolloutActor.advance")
        done = run.wait()
    assert done.code == 0, done.errors
    assert done.metrics()[-1].values["fleet/rollout_restarts"] == 1
    same_run(done, smoke)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["annotate", "update"])
def test_a_learner_rank_may_die(method: str, smoke: Finished, tmp_path: Path) -> None:
    with Run(tmp_path, FOUR) as run:
        run.wait_for_iterations(2)
        run.kill_worker(f"ray::LearnerActor.{method}")
        done = run.wait()
    assert done.code == 0, done.errors
    assert "the learner is rebuilt: a learner rank died" in done.output
    assert done.left_behind == ()
    same_run(done, smoke)
    assert [line.step for line in done.metrics()] == [0, 1, 2, 3]


@pytest.mark.slow
def test_a_polite_kill_ends_the_run_and_it_can_go_on(smoke: Finished, tmp_path: Path) -> None:
    with Run(tmp_path, FOUR) as run:
        run.wait_for_iterations(2)
        stopped = run.terminate()
    assert (stopped.code, stopped.left_behind) == (130, ())
    assert "Traceback" not in stopped.errors
    same_run(train(tmp_path, FOUR, "--resume"), smoke)


@pytest.mark.slow
def test_a_run_goes_on_with_more_ranks_and_another_stage(tmp_path: Path) -> None:
    with Run(tmp_path, FOUR) as run:
        run.wait_for_iterations(2)
        run.terminate()
    done = train(tmp_path, FOUR, "learner.num_ranks=2", "learner.zero_stage=3", "learner.num_threads=1", "--resume")
    assert [line.step for line in done.metrics()] == [0, 1, 2, 3]
    assert done.report()["max_logprob_gap"] <= 1e-4
    assert all(line.values["actor/first_ratio_gap"] <= 1e-5 for line in done.metrics())


@pytest.mark.slow
@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_two_ranks_at_every_stage(zero_stage: int, tmp_path: Path) -> None:
    done = train(tmp_path, "learner.num_ranks=2", f"learner.zero_stage={zero_stage}", "learner.num_threads=1")
    assert done.report()["max_logprob_gap"] <= 1e-4
    assert all(line.values["actor/first_ratio_gap"] <= 1e-5 for line in done.metrics())


@pytest.mark.slow
def test_a_pretrained_model_learns_what_it_is_paid_for(
    stories: list[str], own_files: list[str], tmp_path: Path
) -> None:
    changes = (
        "run.num_iterations=30",
        "actor.lr=3.0e-4",
        "critic.lr=1.0e-3",
        "ppo.kl_coef=0.001",  # answers differ by 0.03 in this reward: 0.02 a nat would forbid what the test asks for
        "rollout.max_response_length=32",
        "eval.every=0",
        "eval.num_tasks=6",
        "checkpoint.every=30",
    )
    done = train(tmp_path, *changes, *stories, *own_files, recipe="ppo_pretrained")
    rewards = [line.values["reward/my.many_e"] for line in done.metrics()]
    assert done.report()["max_logprob_gap"] <= 1e-4
    assert np.mean(rewards[-5:]) > 1.5 * np.mean(rewards[:3])

"""What goes wrong ends in one clear message and exit code 2 (the input) or 1 (the run), and leaves no mess."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from rl.checkpoint import verify
from tests.e2e.conftest import FOUR
from tests.e2e.runs import Finished, Run, single_message

pytestmark = pytest.mark.e2e

REWARD = """
from rewards.dimension import Dimension
from rewards.dimensions.example import example


def broken(transcript):
    if transcript.task.scenario == "example":
        return float(transcript.last.answer == "yes")
    {breaks}


DIMENSIONS = [Dimension("my.broken", "my", "Good in its examples.", broken, example("?", "yes"), example("?", "no"))]
"""

SCENARIO = '''
from envs.task import Question


class Dialog:
    def open(self):
        return Question("Hello?", "yes")

    def reply(self, answer):
        raise LookupError("no reply")


class Broken:
    """Raises in mid-dialog."""

    name, domain, languages, num_levels = "broken", "my", ("en",), 1

    def size(self, language, level):
        return 4

    def dialog(self, task):
        return Dialog()

    def verify(self, transcript):
        return 0.0


SCENARIOS = [Broken()]
'''


def ends_badly(folder: Path, *arguments: str) -> Finished:
    """A run that must fail with a clear message and without a trace."""
    with Run(folder, *arguments) as run:
        done = run.wait()
    assert done.code in (1, 2), done.errors
    assert done.left_behind == ()
    assert "Traceback" not in done.errors
    assert done.errors.count("error: ") == 1
    hidden = [path for path in folder.rglob(".*") if path.name != ".lock"]
    assert hidden == [], "something half-written"
    return done


# -- before anything starts ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("ppo.clip_ratoi=0.1", "error: override: ppo.clip_ratoi: unknown key, did you mean ppo.clip_ratio?"),
        ("ppo.clip_ratio=wide", "error: override: ppo.clip_ratio = 'wide': "),
        ("rollout.rollout_batch_size=-4", "error: override: rollout.rollout_batch_size = -4: "),
    ],
)
def test_a_wrong_setting(override: str, message: str, tmp_path: Path) -> None:
    done = ends_badly(tmp_path, override)
    assert (done.code, done.output) == (2, "")
    assert done.errors.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_not_enough_memory(tmp_path: Path) -> None:
    done = ends_badly(tmp_path, "rollout.kv_cache_gib=100000")
    assert done.code == 2
    [message] = single_message(done.errors)
    assert message.startswith("error: not enough memory: the run needs 1000")
    assert "GiB are missing; lower rollout.num_rollout_workers, rollout.num_threads or rollout.kv_cache_gib" in message
    assert not (tmp_path / "run" / "config.yaml").exists()


# -- at run time --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("breaks", "cause"),
    [
        ('return float("nan")', "nan is outside [0.0, 1.0]"),
        ('raise KeyError("no")', "KeyError: 'no' (my_reward.py, line 9)"),
    ],
    ids=["nan", "raises"],
)
def test_a_reward_that_breaks_during_the_run(breaks: str, cause: str, tmp_path: Path) -> None:
    path = tmp_path / "my_reward.py"
    path.write_text(REWARD.format(breaks=breaks))
    done = ends_badly(tmp_path, f"rewards.files=[{path}]", "rewards.weights={my.broken: 1.0}")
    assert done.code == 1
    [message] = single_message(done.errors)
    assert message.startswith("error: my.broken failed on turn 0 of task arithmetic-dialog/en/0/")
    assert message.endswith(f": {cause}")


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(smoke: Finished, tmp_path: Path) -> None:
    shutil.copytree(smoke.run_dir, tmp_path / "run")
    checkpoint = tmp_path / "run" / "checkpoints" / "step-000004"
    [optimizer] = checkpoint.rglob("actor/**/*optim_states.pt")
    damaged = bytearray(optimizer.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    optimizer.write_bytes(damaged)
    with Run(tmp_path, FOUR, "--resume") as run:
        done = run.wait()
    assert done.code == 0, done.errors
    assert f"checkpoint refused: step-000004: {optimizer.relative_to(checkpoint)} has changed" in done.output
    assert "resumed at iteration 3" in done.output
    assert done.report()["final_weights_sha256"] == smoke.report()["final_weights_sha256"]
    verify(checkpoint)


@pytest.mark.slow
def test_a_checkpoint_of_another_model_is_refused_and_stays(smoke: Finished, tmp_path: Path) -> None:
    shutil.copytree(smoke.run_dir, tmp_path / "run")
    done = ends_badly(tmp_path, FOUR, "--resume", "ppo.advantage_estimator=grpo")
    [message] = single_message(done.errors)
    assert "step-000004 is a checkpoint of another model: advantage_estimator is 'gae' there and 'grpo' here" in message
    verify(tmp_path / "run" / "checkpoints" / "step-000004")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for the model and one checkpoint, and not for two."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", disk], capture_output=True, text=True)
    if mount.returncode:
        pytest.skip(f"cannot mount a small disk: {mount.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.slow
def test_a_full_disk_costs_the_new_checkpoint_only(small_disk: Path, smoke: Finished) -> None:
    done = ends_badly(small_disk, FOUR)
    assert done.code == 1
    message = "\n".join(single_message(done.errors))
    assert "No space left on device" in message
    assert "step-000001 is still there" in message
    verify(small_disk / "run" / "checkpoints" / "step-000001")
    # with more room, the run goes on as if nothing had been
    subprocess.run(["mount", "-o", "remount,size=1g", small_disk], check=True)
    with Run(small_disk, FOUR, "--resume") as run:
        resumed = run.wait()
    assert resumed.code == 0, resumed.errors
    assert resumed.report()["final_weights_sha256"] == smoke.report()["final_weights_sha256"]


@pytest.mark.slow
def test_a_scenario_that_always_raises_is_refused_before_the_start(tmp_path: Path) -> None:
    path = tmp_path / "my_env.py"
    path.write_text(SCENARIO)
    done = ends_badly(tmp_path, f"tasks.files=[{path}]", "tasks.mix=[{scenario: broken}]")
    assert (done.code, done.output) == (2, "")
    [message] = single_message(done.errors)
    assert message.endswith("cannot be asked: LookupError: no reply (my_env.py, line 10)")

import errno
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rl.metrics import MetricsError, MetricsLog, PhaseTimer, peak_rss_bytes, read_metrics, series


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def write_steps(run_dir: Path, steps: range, *, resume_step: int = 0, offset: float = 0.0) -> None:
    log = MetricsLog(run_dir, resume_step=resume_step)
    for step in steps:
        log.write(step, {"reward/mean": step + offset})
    log.close()


def test_one_flat_line_per_step(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    log.write(0, {"actor/pg_loss": 0.5, "actor/grad_norm": float("nan"), "actor/ppo_kl": float("inf")})
    log.close()
    record = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert record.pop("wall_time") > 1.7e9
    assert record == {
        "step": 0,
        "actor/pg_loss": 0.5,
        "actor/grad_norm": None,
        "actor/ppo_kl": None,
        "nonfinite": ["actor/grad_norm", "actor/ppo_kl"],
    }
    (line,) = read_metrics(tmp_path)
    assert line.values == {"actor/pg_loss": 0.5}
    assert line.nonfinite == ("actor/grad_norm", "actor/ppo_kl")


def test_a_line_is_on_disk_before_write_returns(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    log.write(0, {"reward/mean": 1.0})
    assert len(read_metrics(tmp_path)) == 1
    log.close()


def test_a_resumed_run_repeats_no_step(tmp_path: Path) -> None:
    write_steps(tmp_path, range(5))
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 5, "wall')  # a power cut
    write_steps(tmp_path, range(3, 6), resume_step=3, offset=0.5)
    assert series(read_metrics(tmp_path), "reward/mean") == ([0, 1, 2, 3, 4, 5], [0.0, 1.0, 2.0, 3.5, 4.5, 5.5])


def test_a_run_that_starts_over_starts_with_an_empty_file(tmp_path: Path) -> None:
    write_steps(tmp_path, range(3))
    write_steps(tmp_path, range(1))
    assert [line.step for line in read_metrics(tmp_path)] == [0]


def test_tensorboard_shows_each_step_once_after_a_resume(tmp_path: Path) -> None:
    write_steps(tmp_path, range(4))
    first = next((tmp_path / "tensorboard").iterdir())
    # event files are read in the order of the second in their names, and this test takes less than one
    first.rename(first.with_name(first.name.replace(first.name.split(".")[3], "1000000000")))
    write_steps(tmp_path, range(2, 5), resume_step=2, offset=0.5)
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload().Scalars("reward/mean")
    assert [(event.step, event.value) for event in events] == [(0, 0.0), (1, 1.0), (2, 2.5), (3, 3.5), (4, 4.5)]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = MetricsLog(tmp_path)
    log.write(0, {"reward/mean": 1.0})

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(MetricsError, match=r"step 1 to .*metrics\.jsonl: No space left on device; make room"):
            log.write(1, {"reward/mean": 1.0})
    log.close()


def test_damage_inside_the_file_is_named_with_its_line(tmp_path: Path) -> None:
    write_steps(tmp_path, range(2))
    path = tmp_path / "metrics.jsonl"
    path.write_text(path.read_text().replace('"step": 1', '"stop": 1'))
    with pytest.raises(MetricsError, match=r"metrics\.jsonl, line 2: not a record"):
        read_metrics(tmp_path)


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(MetricsError, match=r"nowhere is not a run directory: it has no metrics\.jsonl"):
        read_metrics(tmp_path / "nowhere")


def test_wandb_is_an_option_that_says_when_it_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MetricsError, match=r"run\.wandb_project is 'talk', .* pip install 'zero2one\[wandb\]'"):
        MetricsLog(tmp_path, wandb_project="talk")
    MetricsLog(tmp_path).close()


def test_wandb_gets_every_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[tuple[int, dict[str, float]]] = []
    started: list[dict[str, object]] = []
    run = SimpleNamespace(log=lambda values, step: logged.append((step, values)), finish=lambda: None)
    fake = SimpleNamespace(init=lambda **settings: (started.append(settings), run)[1])
    monkeypatch.setitem(sys.modules, "wandb", fake)
    log = MetricsLog(tmp_path, wandb_project="talk", config={"seed": 42})
    log.write(0, {"reward/mean": 1.0})
    log.close()
    assert (started[0]["project"], started[0]["config"]) == ("talk", {"seed": 42})
    assert logged == [(0, {"reward/mean": 1.0})]


def test_phases_and_the_rest_add_up_to_the_wall_time() -> None:
    clock = Clock()
    timer = PhaseTimer(clock)
    clock.now += 1
    with timer.phase("rollout"):
        clock.now += 10
        with timer.phase("reward"):
            clock.now += 2
    with timer.phase("learner"):
        clock.now += 5
    clock.now += 0.5
    assert timer.lap() == {
        "timing_s/learner": 5.0,
        "timing_s/sync": 0.0,
        "timing_s/reward": 2.0,
        "timing_s/rollout": 10.0,
        "timing_s/other": 1.5,
        "timing_s/step": 18.5,
    }
    clock.now += 3
    assert timer.lap()["timing_s/step"] == 3.0


def test_rollouts_in_the_background_cost_only_what_nothing_else_hides() -> None:
    clock = Clock()
    timer = PhaseTimer(clock)
    rollout, learner = timer.phase("rollout"), timer.phase("learner")
    learner.__enter__()
    clock.now += 1
    rollout.__enter__()
    clock.now += 2
    learner.__exit__(None, None, None)
    clock.now += 4
    rollout.__exit__(None, None, None)
    lap = timer.lap()
    assert (lap["timing_s/learner"], lap["timing_s/rollout"], lap["timing_s/other"]) == (3.0, 4.0, 0.0)


def test_a_phase_that_fails_is_closed() -> None:
    clock = Clock()
    timer = PhaseTimer(clock)
    with pytest.raises(ValueError, match="boom"), timer.phase("sync"):
        clock.now += 1
        raise ValueError("boom")
    clock.now += 1
    lap = timer.lap()
    assert (lap["timing_s/sync"], lap["timing_s/other"]) == (1.0, 1.0)


def test_peak_memory_is_in_bytes_and_follows_an_allocation() -> None:
    before = peak_rss_bytes()
    assert before > 10 * 2**20
    ballast = bytearray(before + 64 * 2**20)
    ballast[::4096] = b"x" * len(ballast[::4096])
    assert peak_rss_bytes() - before > 32 * 2**20

import asyncio
import contextlib
import errno
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from rl.checkpoint import CheckpointError, Checkpoints, RunState, verify
from rl.files import RunInUseError, RunLock, sha256_of
from rl.pool import Member, Pool
from rl.results import EvalResult
from tests.rl.saving import saving

MODEL = {"preset": "r1-zero-6l-tiny", "vocab_size": 512, "lora_target_modules": ("q_proj", "v_proj")}
ROOT = Path(__file__).parents[2]


def checkpoints(run_dir: Path) -> Checkpoints:
    return Checkpoints(run_dir, MODEL)


def save(run_dir: Path, step: int, *, metric: float | None = None, content: bytes = b"weights") -> Path:
    with saving(checkpoints(run_dir), RunState(step=step), metric=metric) as folder:
        (folder / "model.safetensors").write_bytes(content * 100)
        (folder / "optimizer").mkdir()
        (folder / "optimizer" / "rank0.pt").write_bytes(bytes(range(256)))
    return run_dir / "checkpoints" / f"step-{step:06d}"


def listing(run_dir: Path) -> list[str]:
    return sorted(path.name for path in (run_dir / "checkpoints").iterdir())


def test_a_new_run_has_none(tmp_path: Path) -> None:
    latest = checkpoints(tmp_path).latest()
    assert (latest.checkpoint, latest.refused) == (None, ())
    checkpoints(tmp_path).clean()


def test_the_state_comes_back_exactly(tmp_path: Path) -> None:
    evals = (
        EvalResult(0, 0.1, 0.1, None, None, 1.0),
        EvalResult(20, 1 / 3, 0.5, 0.1 + 0.2, 0.7, 0.25, {"arithmetic": 1 / 3}, 200),
    )
    state = RunState(
        step=20,
        kl_coef=0.1 + 0.2,
        curriculum={"level": {"arithmetic": 2}, "success": [0.1, 1e-17]},
        tokens_generated=2**60,
        episodes={"ok": 5000, "failed": 2},
        max_logprob_gap=math.inf,
        evals=evals,
    )
    with saving(checkpoints(tmp_path), state, metric=1 / 3) as folder:
        (folder / "weights").write_bytes(b"w")
    found = checkpoints(tmp_path).latest().checkpoint
    assert found is not None
    assert found.state == state
    assert (found.folder, found.metric) == (tmp_path / "checkpoints" / "step-000020", 1 / 3)
    assert (found.folder / "weights").read_bytes() == b"w"


def test_evaluations_from_before_languages_were_counted_load() -> None:
    old = '{"step":0,"accuracy":0.5,"first_turn":0.5,"follow_up":null,"unseen":null,"seen_share":1.0}'
    (result,) = RunState.model_validate_json(f'{{"step":1,"evals":[{old}]}}').evals
    assert (result.accuracy, result.by_domain, result.by_language) == (0.5, {}, {})


def test_the_newest_is_used(tmp_path: Path) -> None:
    for step in (10, 999_999, 1_000_000):
        save(tmp_path, step)
    found = checkpoints(tmp_path).latest().checkpoint
    assert found is not None
    assert found.state.step == 1_000_000


def truncate(folder: Path) -> None:
    os.truncate(folder / "model.safetensors", 17)


def flip_bit(folder: Path) -> None:
    path = folder / "optimizer" / "rank0.pt"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)


def flip_manifest(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"metric": 0.5', '"metric": 0.7'))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (truncate, "model.safetensors has 17 bytes instead of 700"),
        (flip_bit, "optimizer/rank0.pt has changed"),
        (lambda folder: (folder / "optimizer" / "rank0.pt").unlink(), "optimizer/rank0.pt is missing"),
        (lambda folder: (folder / "manifest.json").unlink(), "manifest.json is missing"),
        (lambda folder: os.truncate(folder / "manifest.json", 40), "manifest.json cannot be read"),
        (flip_manifest, "manifest.json has changed"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), "manifest.json cannot be read"),
    ],
)
def test_a_damaged_one_is_refused_by_name_and_the_one_before_is_used(
    tmp_path: Path, damage: Callable[[Path], object], reason: str
) -> None:
    save(tmp_path, 10)
    damage(save(tmp_path, 20, metric=0.5))
    latest = checkpoints(tmp_path).latest()
    assert latest.checkpoint is not None
    assert latest.checkpoint.state.step == 10
    (refused,) = latest.refused
    assert refused.startswith(f"step-000020: {reason}")


def test_every_single_flipped_bit_of_a_manifest_is_noticed_or_harmless(tmp_path: Path) -> None:
    folder = save(tmp_path, 10, metric=0.5)
    original = (folder / "manifest.json").read_bytes()
    intact = verify(folder)
    for position in range(len(original)):
        damaged = bytearray(original)
        damaged[position] ^= 1 << position % 7
        (folder / "manifest.json").write_bytes(damaged)
        with contextlib.suppress(CheckpointError):
            assert verify(folder) == intact


def test_a_checkpoint_under_another_name_is_refused(tmp_path: Path) -> None:
    save(tmp_path, 10)
    save(tmp_path, 20).rename(tmp_path / "checkpoints" / "step-000030")
    assert checkpoints(tmp_path).latest().refused == ("step-000030: manifest.json is of step 20",)


def test_with_every_checkpoint_damaged_the_run_does_not_start_over_silently(tmp_path: Path) -> None:
    truncate(save(tmp_path, 10))
    flip_bit(save(tmp_path, 20))
    with pytest.raises(CheckpointError, match=r"no usable checkpoint .*step-000020: .*step-000010: .*to start over"):
        checkpoints(tmp_path).latest()


def test_a_checkpoint_of_another_model_is_refused_field_by_field(tmp_path: Path) -> None:
    save(tmp_path, 10)
    other = Checkpoints(tmp_path, MODEL | {"vocab_size": 1024})
    with pytest.raises(
        CheckpointError, match=r"step-000010 is .* another model: vocab_size is 512 there and 1024 here"
    ):
        other.latest()


def full_disk(folder: Path) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_harms_only_the_new_one(tmp_path: Path) -> None:
    save(tmp_path, 10)
    with (
        pytest.raises(CheckpointError, match=r"step-000020: No space left on device; step-000010 is still there"),
        saving(checkpoints(tmp_path), RunState(step=20)) as folder,
    ):
        (folder / "half").write_bytes(b"x")
        full_disk(folder)
    assert listing(tmp_path) == ["step-000010"]
    latest = checkpoints(tmp_path).latest()
    assert latest.checkpoint is not None
    assert latest.refused == ()


def test_a_full_disk_at_any_sync_harms_only_the_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 10)
    real = os.fsync
    for allowed in range(7):
        left = [allowed]

        def fsync(descriptor: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr("os.fsync", fsync)
            with pytest.raises(CheckpointError, match="No space left"):
                save(tmp_path, 20)
        assert listing(tmp_path) == ["step-000010"]


def test_a_learner_that_fails_leaves_nothing_and_its_error_is_not_renamed(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rank 1"), saving(checkpoints(tmp_path), RunState(step=20)):
        raise ValueError("rank 1 died")
    assert listing(tmp_path) == []


async def serve(checkpoints: Checkpoints, step: int) -> list[str]:
    """Save, and look around all the while as somebody who has workers to listen to would."""
    seen: list[str] = []

    async def look() -> None:
        while True:
            seen.append("turn")
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    async with checkpoints.saving(RunState(step=step)) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
        seen.clear()
    looking.cancel()
    return seen


def test_the_loop_goes_on_while_a_checkpoint_is_hashed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rl.checkpoint.sha256_of", lambda path: time.sleep(0.2) or "0" * 64)
    assert len(asyncio.run(serve(checkpoints(tmp_path), 20))) > 10


def test_whoever_is_cancelled_in_mid_save_leaves_something_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashing = threading.Event()

    def slowly(path: Path) -> str:
        hashing.set()
        time.sleep(0.2)
        return sha256_of(path)

    async def cancelled() -> None:
        saving = asyncio.create_task(serve(checkpoints(tmp_path), 20))
        await asyncio.to_thread(hashing.wait)
        saving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await saving

    monkeypatch.setattr("rl.checkpoint.sha256_of", slowly)
    asyncio.run(cancelled())
    assert listing(tmp_path) == ["step-000020"]
    verify(tmp_path / "checkpoints" / "step-000020")


def test_killed_in_mid_save(tmp_path: Path) -> None:
    save(tmp_path, 10)
    program = (
        f"import os, signal, sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from rl.checkpoint import Checkpoints, RunState\n"
        "from tests.rl.saving import saving\n"
        "with saving(Checkpoints(Path(sys.argv[1]), {}), RunState(step=20)) as folder:\n"
        "    (folder / 'model.safetensors').write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert listing(tmp_path) == [".step-000020.saving", "step-000010"]
    latest = checkpoints(tmp_path).latest()
    assert latest.checkpoint is not None
    assert (latest.checkpoint.state.step, latest.refused) == (10, ())
    checkpoints(tmp_path).clean()
    assert listing(tmp_path) == ["step-000010"]


def test_saving_a_step_again_replaces_it(tmp_path: Path) -> None:
    truncate(save(tmp_path, 20))
    save(tmp_path, 20, content=b"rebuilt")
    latest = checkpoints(tmp_path).latest()
    assert latest.checkpoint is not None
    assert (latest.checkpoint.folder / "model.safetensors").read_bytes().startswith(b"rebuilt")
    assert listing(tmp_path) == ["step-000020"]


def test_killed_between_the_two_renames_of_a_replacement(tmp_path: Path) -> None:
    folder = save(tmp_path, 20)
    folder.rename(folder.with_name(".step-000020.replaced"))
    checkpoints(tmp_path).clean()
    assert listing(tmp_path) == ["step-000020"]


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    for step, metric in ((10, 0.2), (20, 0.9), (30, None), (40, 0.4), (50, 0.5)):
        save(tmp_path, step, metric=metric)
    assert checkpoints(tmp_path).prune(50, keep=2) == ["step-000010", "step-000030"]
    assert listing(tmp_path) == ["step-000020", "step-000040", "step-000050"]


def test_files_that_cannot_go_yet_end_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on NFS while somebody has them open; the next process clears them away."""
    for step in (10, 20, 30):
        save(tmp_path, step)

    def busy(*_: object, **__: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", busy)
        checkpoints(tmp_path).prune(20, keep=1)
        checkpoints(tmp_path).clean()
    assert checkpoints(tmp_path).names() == ["step-000020"]
    assert ".step-000010.removed" in listing(tmp_path)
    checkpoints(tmp_path).clean()
    assert listing(tmp_path) == ["step-000020"]


def test_pruning_never_prefers_a_damaged_later_one_to_what_was_just_saved(tmp_path: Path) -> None:
    save(tmp_path, 20)
    truncate(save(tmp_path, 40, metric=1.0))
    save(tmp_path, 30)
    checkpoints(tmp_path).prune(30, keep=1)
    assert listing(tmp_path) == ["step-000030"]


def test_a_damaged_checkpoint_names_no_opponents_and_ends_no_run(tmp_path: Path) -> None:
    member = Member(10, "0" * 64)
    for step in (20, 40, 60):
        with saving(checkpoints(tmp_path), RunState(step=step, pool=Pool((member,) if step == 40 else ()))):
            pass
    (tmp_path / "checkpoints" / "step-000020" / "state.json").write_text('{"step": 2')
    (tmp_path / "checkpoints" / "step-000060" / "state.json").unlink()
    assert checkpoints(tmp_path).opponents() == {member}


def test_a_run_directory_has_one_owner(tmp_path: Path) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from pathlib import Path\n"
        "from rl.files import RunLock\n"
        "with RunLock(Path(sys.argv[1])):\n"
        "    print('held', flush=True); sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdin is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(RunInUseError, match=rf"in use by .*{holder.pid}.*: wait for it, stop it, or set run.name"):
        RunLock(tmp_path).__enter__()
    holder.kill()
    holder.wait(timeout=10)
    holder.stdin.close()
    holder.stdout.close()
    with RunLock(tmp_path), pytest.raises(RunInUseError, match=str(os.getpid())):
        RunLock(tmp_path).__enter__()
    with RunLock(tmp_path):
        pass

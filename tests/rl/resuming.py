"""What ranks run to test that a stage beside PPO goes on where it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch.distributed import get_rank

from models.device import plan_device
from rl.build import build_learner
from rl.stage_config import SupervisedStage

PLAN = plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=0, kv_cache_gib=0.0)


def save_and_resume(
    config: SupervisedStage, folder: Path, checkpoint: Path, batch: Callable[[int], Any]
) -> tuple[str, str]:
    """The weights' SHA-256 after four steps in one go, and with a new learner for the last two. Leaves the checkpoint,
    and beside it, as `NAME-last`, that of the end.
    """
    first: Any = build_learner(config, folder, PLAN, rank=get_rank())
    for step in (0, 1):
        first.learn(batch(step), step=step)
    first.save(checkpoint, folder)
    second: Any = build_learner(config, folder, PLAN, rank=get_rank())
    second.load(checkpoint)
    for learner in (first, second):
        for step in (2, 3):
            learner.learn(batch(step), step=step)
    first.save(checkpoint.with_name(f"{checkpoint.name}-last"), folder)
    return first.fingerprint(4), second.fingerprint(4)

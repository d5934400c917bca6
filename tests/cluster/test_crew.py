"""Whatever lets a policy speak ends where its workers find no room in the cluster, and says what everybody was at."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, cast

import pytest

from cluster.crew import watched
from cluster.evaluate import WorkerSubject
from cluster.modules import answer_all
from cluster.placement import Bundle, Demand, Placement
from cluster.supervised import sample_own_dialogs
from cluster.watchdog import StalledError
from cluster.witness import FOLDER, Witness
from models.device import plan_device
from rl.build import prepare_model
from rl.records import Records
from rl.suites.config import EvaluationConfig
from tests.cluster.actors import Weights
from tests.rl.builders import request
from tests.rl.fakes import small_config
from tests.rl.test_rejection import sampling, stage

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

SECONDS = 0.5
PLAN = plan_device(0, dtype="float32", num_ranks=0, num_rollout_workers=1, kv_cache_gib=0.1)
NO_ROOM = Bundle(cpus=1000)
NOWHERE = Placement((Demand("rollout", NO_ROOM, 1), Demand("reward", NO_ROOM, 1)), {})


class Learner:
    """As much of a learner as its workers wait for: it is up, and has weights."""

    num_calls = num_answers = 0

    async def join(self) -> None: ...

    async def publish(self, version: int) -> Weights:
        return Weights(version)


async def expect_stall(work: Awaitable[Any], folder: Path) -> None:
    async with asyncio.timeout(60.0):
        with pytest.raises(StalledError, match=r"no progress for 1 s \(watchdog_seconds = 0\.5\)"):
            await work
    [report] = (folder / FOLDER).iterdir()
    assert "== rollout-0: it is not up" in report.read_text()


async def test_an_evaluation(tmp_path: Path) -> None:
    prepare_model(small_config(), tmp_path / "model")
    config = EvaluationConfig.model_validate(
        {"model": {"name_or_path": str(tmp_path / "model")}, "suites": {"watchdog_seconds": SECONDS}}
    )
    for number, wait in enumerate([lambda s: s.take(Weights(0)), lambda s: s.answer([request()])]):
        out = tmp_path / str(number)
        out.mkdir()
        subject = WorkerSubject.start(config, PLAN, NO_ROOM, tmp_path / "model", Witness(out))
        await expect_stall(wait(subject), out)
        subject.stop()


async def test_an_evaluation_of_modules(tmp_path: Path) -> None:
    config = small_config(f"run.folder={tmp_path}", f"run.watchdog_seconds={SECONDS}")
    work = answer_all(config, PLAN, NOWHERE, tmp_path, cast(Any, Weights(0)), [request()])
    await expect_stall(work, tmp_path)


async def test_rejection_sampling(tmp_path: Path) -> None:
    config = stage()
    config = config.model_copy(update={"run": config.run.model_copy(update={"watchdog_seconds": SECONDS})})
    records = Records(tmp_path, config, (), {}, print)
    learner = cast(Any, Learner())
    work = sample_own_dialogs(config, sampling(config), PLAN, NOWHERE, tmp_path, learner, records, Witness(tmp_path))
    await expect_stall(work, tmp_path)
    records.close()


async def test_what_does_not_stall_comes_as_it_is(tmp_path: Path) -> None:
    async def slow() -> str:
        await asyncio.sleep(3 * SECONDS)
        return "done"

    assert await watched(slow(), 0.0, lambda: "same", Witness(tmp_path)) == "done"
    assert await watched(slow(), SECONDS, lambda: object(), Witness(tmp_path)) == "done"
    assert list(tmp_path.iterdir()) == []

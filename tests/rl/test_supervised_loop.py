"""The loop of supervised stages, with a learner in memory whose weights are a hash of all that it was shown."""

import asyncio
import hashlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from models.packing import PackedRows, pack_rows
from rl.documents import Mixture
from rl.interfaces import LearnerLostError
from rl.metrics import read_metrics, series
from rl.records import Records
from rl.stage_config import PretrainConfig
from rl.supervised_loop import SupervisedSummary, SupervisedTrainer
from rl.supervised_report import write_supervised_report
from rl.texts import Texts


class KilledError(Exception):
    """The driver's end."""


class FakeLearner:
    """Raises `KilledError` when it is to take step `dies_at`, and is lost, once, when it is to take step `lost_at`."""

    def __init__(self, dies_at: int = -1, lost_at: int = -1) -> None:
        self.state, self._dies_at, self._lost_at = "random", dies_at, lost_at

    async def learn(self, rows: PackedRows, *, step: int) -> dict[str, float]:
        if step == self._dies_at:
            raise KilledError
        if step == self._lost_at:
            raise LearnerLostError("a rank died")
        self.state = hashlib.sha256(f"{self.state} {step} ".encode() + rows.tokens.tobytes()).hexdigest()
        return {"train/loss": 2.0 / (1 + step)}

    async def measure(self, rows: PackedRows) -> dict[str, float]:
        return {"train/loss": math.log(2)}

    async def fingerprint(self, version: int) -> str:
        return self.state

    async def save(self, folder: Path) -> None:
        (folder / "state").write_text(self.state)

    async def load(self, folder: Path) -> None:
        self.state = (folder / "state").read_text()

    async def rebuild(self) -> None:
        self.state, self._lost_at = "random", -1

    async def peak_rss_bytes(self) -> int:
        return 1


class FakeMixture:
    def batch(self, step: int) -> PackedRows:
        return self._rows(step)

    def held_out(self) -> Iterator[tuple[str, PackedRows, int]]:
        yield "de", self._rows(0), 14
        yield "en", self._rows(1), 28

    def metrics(self, step: int) -> dict[str, float]:
        return {"curriculum/level/0": 1.0 - step / 10, "curriculum/level/2": step / 10}

    def _rows(self, number: int) -> PackedRows:
        row = [(np.full(8, number, np.int32), np.ones(8, bool))]
        return pack_rows([row, row], 8, pad_token_id=0)


CONFIG = PretrainConfig.model_validate(
    {
        "run": {"num_iterations": 10, "name": "words"},
        "supervised": {"eval_every": 4},
        "checkpoint": {"every": 3, "keep": 1},
    }
)


def train(run_dir: Path, learner: FakeLearner, said: list[str] | None = None) -> SupervisedSummary:
    run_dir.mkdir(exist_ok=True)
    records = Records(run_dir, CONFIG, (), {"model": "fake"}, [].append if said is None else said.append)
    try:
        return asyncio.run(SupervisedTrainer(CONFIG, Texts(cast(Mixture, FakeMixture())), learner, records).train())
    finally:
        records.close()


@pytest.mark.parametrize("step", [0, 2, 3, 5, 9])
def test_killed_at_any_step_and_resumed_it_ends_with_the_same_weights(step: int, tmp_path: Path) -> None:
    whole = train(tmp_path / "whole", FakeLearner())
    with pytest.raises(KilledError):
        train(tmp_path / "cut", FakeLearner(dies_at=step))
    said: list[str] = []
    resumed = train(tmp_path / "cut", FakeLearner(), said)
    assert resumed == whole
    assert any(line.startswith(f"resumed at step {step // 3 * 3}") for line in said) == (step >= 3)
    lines = read_metrics(tmp_path / "cut")
    assert [line.step for line in lines] == list(range(10))


@pytest.mark.parametrize("step", [0, 2, 5])
def test_a_lost_learner_is_rebuilt_and_nobody_can_tell(step: int, tmp_path: Path) -> None:
    said: list[str] = []
    assert train(tmp_path / "lost", FakeLearner(lost_at=step), said) == train(tmp_path / "whole", FakeLearner())
    assert "the learner is rebuilt: a rank died" in said
    assert [line.step for line in read_metrics(tmp_path / "lost")] == list(range(10))


def test_a_finished_stage_that_is_asked_again_does_nothing(tmp_path: Path) -> None:
    first = train(tmp_path / "run", FakeLearner())
    assert train(tmp_path / "run", FakeLearner(dies_at=9)) == first


def test_it_measures_when_due_in_bits_per_byte_of_text(tmp_path: Path) -> None:
    train(tmp_path / "run", FakeLearner())
    lines = read_metrics(tmp_path / "run")
    # 14 tokens of one bit each, in 14 and in 28 bytes
    assert series(lines, "eval/bits_per_byte/de") == ([3, 7, 9], [pytest.approx(1.0)] * 3)
    assert series(lines, "eval/bits_per_byte/en") == ([3, 7, 9], [pytest.approx(0.5)] * 3)
    assert series(lines, "eval/bits_per_byte")[1] == [pytest.approx(0.75)] * 3
    assert series(lines, "eval/perplexity/de")[1] == [pytest.approx(2.0)] * 3


def test_the_summary_and_the_report(tmp_path: Path) -> None:
    summary = train(tmp_path / "run", FakeLearner())
    assert (summary.kind, summary.step, summary.num_tokens) == ("pretrain", 10, 10 * 14)
    write_supervised_report(tmp_path / "run", summary)
    text = (tmp_path / "run" / "report.md").read_text()
    assert "# words (pretrain)" in text
    assert "loss: 2.000 at the first step, **0.200** at the last" in text
    assert "| en | 0.500 | 0.500 | 2.00 |" in text
    assert "| level | step 0 | step 2 | step 4 | step 7 | step 9 |" in text
    assert "| 2 | 0.0% | 20.0% | 40.0% | 70.0% | 90.0% |" in text

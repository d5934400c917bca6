"""Pairs as the material of a stage, and what held-out ones say of a reward model."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rl.files import write_whole
from rl.pair_statistics import accuracy, expected_calibration_error
from rl.pairs import HeldOut, PairBatch, Pairs
from rl.supervised_loop import Measured, SupervisedLearnerGroup

FILE = "held_out.parquet"


@dataclass(frozen=True, slots=True)
class Judged:
    """P held-out pairs with their scores; column 0 is the better dialog.

    Attributes:
        scores: [P, 2] float32.
        lengths: [P, 2] tokens of the last answers.
        sources: [P] where each pair is from.
    """

    scores: np.ndarray
    lengths: np.ndarray
    sources: tuple[str, ...]

    @property
    def margins(self) -> np.ndarray:
        """[P] r_chosen - r_rejected."""
        return self.scores[:, 0] - self.scores[:, 1]


class PairStage:
    """Implements `rl.supervised_loop.Material`. The last evaluation lies in the run directory as `held_out.parquet`."""

    def __init__(self, pairs: Pairs, run_dir: Path) -> None:
        self._pairs, self._run_dir = pairs, run_dir

    def batch(self, step: int) -> PairBatch:
        return self._pairs.batch(step)

    def metrics(self, step: int) -> dict[str, float]:
        return {}

    async def measure(self, learner: SupervisedLearnerGroup) -> Measured:
        """Accuracy, loss and calibration on held-out pairs, and accuracy by source."""
        held_out = self._pairs.held_out()
        judged = await judge(held_out, learner)
        write_judged(self._run_dir, judged)
        margins = judged.margins
        by_source = {
            f"eval/accuracy/{source}": accuracy(margins[np.array(judged.sources) == source])
            for source in sorted(set(judged.sources))
        }
        metrics = {
            "eval/accuracy": accuracy(margins),
            "eval/loss": float(np.logaddexp(0.0, -margins.astype(np.float64)).mean()),
            "eval/calibration_error": expected_calibration_error(margins),
        }
        line = f"held-out pair accuracy {metrics['eval/accuracy']:.3f}, {len(margins)} pairs"
        return Measured(metrics | by_source, line)


async def judge(held_out: HeldOut, learner: SupervisedLearnerGroup) -> Judged:
    scores = await learner.judge(held_out.batch)
    return Judged(scores, held_out.answer_lengths, held_out.sources)


def write_judged(run_dir: Path, judged: Judged) -> None:
    table = pa.table(
        {
            "chosen_score": judged.scores[:, 0],
            "rejected_score": judged.scores[:, 1],
            "chosen_tokens": judged.lengths[:, 0],
            "rejected_tokens": judged.lengths[:, 1],
            "source": list(judged.sources),
        }
    )
    buffer = pa.BufferOutputStream()
    pq.write_table(table, buffer)
    write_whole(run_dir / FILE, memoryview(buffer.getvalue()))


def read_judged(run_dir: Path) -> Judged:
    table = pq.read_table(run_dir / FILE)

    def columns(kind: str) -> np.ndarray:
        return np.stack([table[f"{side}_{kind}"].to_numpy() for side in ("chosen", "rejected")], axis=1)

    return Judged(columns("score"), columns("tokens"), tuple(table["source"].to_pylist()))

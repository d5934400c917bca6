"""The loop of all stages beside PPO: a step, a record, and now and then a measurement or a checkpoint.

It sees the learner through a Protocol, as `rl/loop.py` does, and has no state but the number of steps: batches are
functions of it. A stage that was killed and resumed ends with the same weights.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from models.packing import PackedRows
from rl.checkpoint import RunState
from rl.pairs import PairBatch
from rl.records import Records
from rl.recovery import rebuilding
from rl.stage_config import SupervisedStage

Batch = TypeVar("Batch", bound=PackedRows | PairBatch, covariant=True)


class SupervisedLearnerGroup(Protocol):
    async def learn(self, batch: PackedRows | PairBatch, *, step: int) -> dict[str, float]:
        """One optimiser step. Returns metrics; `train/loss` is in nats per token, or per pair."""
        ...

    async def measure(self, rows: PackedRows) -> dict[str, float]:
        """`train/loss` on rows that nobody learns from."""
        ...

    async def judge(self, batch: PairBatch) -> np.ndarray:
        """[P, 2] scores of pairs that nobody learns from."""
        ...

    async def fingerprint(self, version: int) -> str:
        """SHA-256 of what trains: all weights, or an adapter's."""
        ...

    async def save(self, folder: Path) -> None: ...

    async def load(self, folder: Path) -> None: ...

    async def rebuild(self) -> None:
        """Replace a lost learner by one that has learned nothing yet."""
        ...

    async def peak_rss_bytes(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Measured:
    """What held-out data say: numbers for the records, and a line for people. Empty where there are none."""

    metrics: Mapping[str, float]
    line: str = ""


class Material(Protocol[Batch]):
    """What a stage learns from and is measured on: texts (`rl.texts`) or pairs (`rl.pair_stage`)."""

    def batch(self, step: int) -> Batch: ...

    def metrics(self, step: int) -> dict[str, float]:
        """What the records are to say of the batch of a step."""
        ...

    async def measure(self, learner: SupervisedLearnerGroup) -> Measured: ...


@dataclass(frozen=True, slots=True)
class SupervisedSummary:
    """What only the loop knows at the end. `peak_rss_bytes` is by role."""

    name: str
    kind: str
    step: int
    final_weights_sha256: str
    num_tokens: int
    peak_rss_bytes: Mapping[str, int]


class SupervisedTrainer:
    """A stage. Example: `summary = await SupervisedTrainer(config, material, learner, records).train()`"""

    def __init__(
        self, config: SupervisedStage, material: Material[Batch], learner: SupervisedLearnerGroup, records: Records
    ) -> None:
        self._config, self._material, self._learner, self._records = config, material, learner, records
        self._step = self._num_tokens = 0

    async def train(self) -> SupervisedSummary:
        """From the newest checkpoint, or the start, to the last step, or until it is asked to stop. A lost learner is
        rebuilt, see `rl/recovery.py`.
        """
        return await rebuilding(self._learner, self._attempt, lambda: self._step, self._records.say)

    async def _attempt(self) -> SupervisedSummary:
        await self._restore()
        config, records = self._config, self._records
        while self._step < config.run.num_iterations:
            batch = self._material.batch(self._step)
            with records.phase("learner"):
                metrics = await self._learner.learn(batch, step=self._step)
            metrics |= self._material.metrics(self._step)
            self._step += 1
            self._num_tokens += batch.num_tokens
            if config.run.is_due(self._step, config.steps.eval_every):
                metrics |= await self._measure()
            self._record(metrics, batch.num_tokens)
            is_last = records.control.is_stop_asked
            if is_last or config.run.is_due(self._step, config.checkpoint.every):
                await self._checkpoint()
            if is_last:
                break
        return await self._summary()

    async def _measure(self) -> Mapping[str, float]:
        measured = await self._material.measure(self._learner)
        if measured.line:
            self._records.say(f"step {self._step}: {measured.line}")
        return measured.metrics

    def _record(self, metrics: dict[str, float], num_tokens: int) -> None:
        timing = self._records.lap()
        seconds = max(timing["timing_s/step"], 1e-9)
        throughput = {"throughput/tokens": float(num_tokens), "throughput/tokens_per_second": num_tokens / seconds}
        self._records.log(self._step - 1, metrics | timing | throughput)
        last = self._config.run.num_iterations
        if self._step % max(1, last // 20) == 0 or self._step == last:
            self._records.say(
                f"step {self._step}/{last}: loss {metrics['train/loss']:.3f}, {num_tokens / seconds:.0f} tokens/s"
            )

    async def _checkpoint(self) -> None:
        state = RunState(step=self._step, tokens_generated=self._num_tokens)
        async with self._records.saving(state) as folder:
            await self._learner.save(folder)
        self._records.prune(self._step)

    async def _restore(self) -> None:
        checkpoint = self._records.restore()
        self._step = self._num_tokens = 0
        if checkpoint is not None:
            await self._learner.load(checkpoint.folder)
            self._step, self._num_tokens = checkpoint.state.step, checkpoint.state.tokens_generated
            self._records.say(f"resumed at step {self._step} from {checkpoint.folder}")

    async def _summary(self) -> SupervisedSummary:
        return SupervisedSummary(
            name=self._config.run.name,
            kind=self._config.kind,
            step=self._step,
            final_weights_sha256=await self._learner.fingerprint(self._step),
            num_tokens=self._num_tokens,
            peak_rss_bytes={"learner": await self._learner.peak_rss_bytes()},
        )

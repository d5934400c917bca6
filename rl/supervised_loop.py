"""The loop of pre-training and supervised fine-tuning: a step, a record, and now and then a measurement or checkpoint.

It sees the learner through a Protocol, as `rl/loop.py` does, and has no state but the number of steps: batches are
functions of it. A stage that was killed and resumed ends with the same weights.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from models.packing import PackedRows
from rl.checkpoint import RunState
from rl.documents import Data
from rl.records import Records
from rl.stage_config import PretrainConfig, SFTConfig

MAX_LOSS = 700.0  # nats; exp of more is no float


class SupervisedLearnerGroup(Protocol):
    async def imitate(self, rows: PackedRows, *, step: int) -> dict[str, float]:
        """One optimiser step. Returns metrics; `train/loss` is in nats per token."""
        ...

    async def measure(self, rows: PackedRows) -> dict[str, float]:
        """`train/loss` on rows that nobody learns from."""
        ...

    async def fingerprint(self, version: int) -> str:
        """SHA-256 of what trains: all weights, or an adapter's."""
        ...

    async def save(self, folder: Path) -> None: ...

    async def load(self, folder: Path) -> None: ...

    async def peak_rss_bytes(self) -> int: ...


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
    """A stage. Example: `summary = await SupervisedTrainer(config, data, learner, records).train()`"""

    def __init__(
        self, config: PretrainConfig | SFTConfig, data: Data, learner: SupervisedLearnerGroup, records: Records
    ) -> None:
        self._config, self._data, self._learner, self._records = config, data, learner, records
        self._step = self._num_tokens = 0

    async def train(self) -> SupervisedSummary:
        """From the newest checkpoint, or the start, to the last step."""
        config, records = self._config, self._records
        await self._restore()
        while self._step < config.run.num_iterations:
            rows = self._data.batch(self._step)
            with records.phase("learner"):
                metrics = await self._learner.imitate(rows, step=self._step)
            self._step += 1
            self._num_tokens += int(rows.loss_mask.sum())
            if config.run.is_due(self._step, config.supervised.eval_every):
                metrics |= await self._measure()
            self._record(metrics, int(rows.loss_mask.sum()))
            if config.run.is_due(self._step, config.checkpoint.every):
                await self._checkpoint()
        return await self._summary()

    async def _measure(self) -> dict[str, float]:
        """Perplexity per token and bits per byte of text on what is held out, by language and their mean."""
        perplexity, bits = {}, {}
        for group, rows, num_bytes in self._data.held_out():
            loss = (await self._learner.measure(rows))["train/loss"]
            perplexity[group] = math.exp(min(loss, MAX_LOSS))
            bits[group] = loss * int(rows.loss_mask.sum()) / math.log(2) / max(num_bytes, 1)
        if not bits:
            return {}
        mean = sum(bits.values()) / len(bits)
        self._records.say(f"step {self._step}: held-out bits per byte {mean:.3f}, mean of {len(bits)} languages")
        return (
            {"eval/bits_per_byte": mean, "eval/perplexity": sum(perplexity.values()) / len(perplexity)}
            | {f"eval/bits_per_byte/{group}": value for group, value in bits.items()}
            | {f"eval/perplexity/{group}": value for group, value in perplexity.items()}
        )

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
        with self._records.saving(state) as folder:
            await self._learner.save(folder)
        self._records.prune(self._step)

    async def _restore(self) -> None:
        checkpoint = self._records.restore()
        if checkpoint is not None:
            await self._learner.load(checkpoint.folder)
            self._step, self._num_tokens = checkpoint.state.step, checkpoint.state.tokens_generated
            self._records.say(f"resumed at step {self._step} from {checkpoint.folder}")

    async def _summary(self) -> SupervisedSummary:
        return SupervisedSummary(
            name=self._config.run.name,
            kind="pretrain" if isinstance(self._config, PretrainConfig) else "sft",
            step=self._step,
            final_weights_sha256=await self._learner.fingerprint(self._step),
            num_tokens=self._num_tokens,
            peak_rss_bytes={"learner": await self._learner.peak_rss_bytes()},
        )

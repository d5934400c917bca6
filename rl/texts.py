"""Texts as the material of a stage: batches of a mixture, and how well held-out text is predicted."""

import math

from models.packing import PackedRows
from rl.documents import Mixture
from rl.supervised_loop import Measured, SupervisedLearnerGroup

MAX_LOSS = 700.0  # nats; exp of more is no float


class Texts:
    """Implements `rl.supervised_loop.Material`."""

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture

    def batch(self, step: int) -> PackedRows:
        return self._mixture.batch(step)

    def metrics(self, step: int) -> dict[str, float]:
        return self._mixture.metrics(step)

    async def measure(self, learner: SupervisedLearnerGroup) -> Measured:
        """Perplexity per token and bits per byte of text on what is held out, by language and their mean."""
        perplexity, bits = {}, {}
        for group, rows, num_bytes in self._mixture.held_out():
            loss = (await learner.measure(rows))["train/loss"]
            perplexity[group] = math.exp(min(loss, MAX_LOSS))
            bits[group] = loss * rows.num_tokens / math.log(2) / max(num_bytes, 1)
        if not bits:
            return Measured({})
        mean = sum(bits.values()) / len(bits)
        return Measured(
            {"eval/bits_per_byte": mean, "eval/perplexity": sum(perplexity.values()) / len(perplexity)}
            | {f"eval/bits_per_byte/{group}": value for group, value in bits.items()}
            | {f"eval/perplexity/{group}": value for group, value in perplexity.items()},
            f"held-out bits per byte {mean:.3f}, mean of {len(bits)} languages",
        )

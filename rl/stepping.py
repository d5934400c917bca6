"""An optimiser's step at the rate that is due, and an end to a stage whose steps come to nothing."""

from models.engine import Engine
from rl.config import OptimizerConfig
from rl.ppo import NonFiniteError, learning_rate
from rl.tally import Tally


class Stepper:
    """Takes the steps of one engine over a stage of `num_steps`."""

    def __init__(self, engine: Engine, optimizer: OptimizerConfig, *, num_steps: int, max_nonfinite: int) -> None:
        self._engine, self._optimizer = engine, optimizer
        self._num_steps, self._max_nonfinite = num_steps, max_nonfinite
        self._num_nonfinite = 0  # skipped steps in a row

    def take(self, step: int, tally: Tally) -> None:
        """Step number `step`; notes rate and gradient norm. Raises NonFiniteError after too many skipped in a row."""
        lr = learning_rate(self._optimizer, step, self._num_steps)
        result = self._engine.step(lr)
        tally.shared |= {"train/lr": lr, "train/skipped_steps": float(not result.applied)}
        if result.applied:
            tally.shared["train/grad_norm"] = result.grad_norm
        self._num_nonfinite = 0 if result.applied else self._num_nonfinite + 1
        if self._num_nonfinite >= self._max_nonfinite:
            raise NonFiniteError(
                f"{self._num_nonfinite} optimiser steps in a row had a NaN or an infinity in loss or gradient; lower "
                "optimizer.lr, or resume from the last checkpoint"
            )

"""A reward model on one rank of the learner: pairs compared by their scores, on the same engine as all other stages.

As in `rl/supervised.py`, every rank holds the whole batch and works on its share of the micro-batches, and the loss of
each divides by the pairs of all.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models import reward_model
from models.engine import Engine
from rl.micro_batch import MicroBatch, plan_micro_batches
from rl.pairs import PairBatch
from rl.preference_losses import bradley_terry, centring
from rl.stage_config import RewardModelConfig
from rl.stepping import Stepper
from rl.tally import Tally


class RewardLearner:
    """The reward model and its optimiser on one rank."""

    def __init__(self, config: RewardModelConfig, engine: Engine, *, rank: int = 0, device: str = "cpu") -> None:
        self._config, self._engine, self._rank, self._device = config, engine, rank, device
        self._stepper = Stepper(
            engine,
            config.optimizer,
            num_steps=config.run.num_iterations,
            max_nonfinite=config.pairwise.max_nonfinite_steps,
        )

    def learn(self, batch: PairBatch, *, step: int) -> Tally:
        """One optimiser step on a batch. Returns what this rank counted, see `rl.tally.merge`.

            L = sum over pairs of (-log sigmoid(r_chosen - r_rejected) + center_coef (r_chosen + r_rejected)^2) / pairs

        Raises:
            NonFiniteError: after `pairwise.max_nonfinite_steps` skipped steps in a row.
        """
        tally = Tally()
        for micro in self._plan(batch):
            scores = self._scores(batch, micro, train=True)
            chosen, rejected = scores[:, 0], scores[:, 1]
            loss = bradley_terry(chosen, rejected)
            total = loss + self._config.pairwise.center_coef * centring(chosen, rejected)
            weight = torch.full_like(total, float(len(micro.rows) > 0))  # 0: a step that only keeps pace
            self._engine.backward((total * weight).sum() / len(batch))
            with torch.no_grad():
                tally.add("train/loss", loss.double() * weight)
                tally.add("train/accuracy", (chosen > rejected) * weight)
                tally.add("train/margin", (chosen - rejected) * weight)
                tally.add("train/level", (chosen + rejected) / 2 * weight)
                tally.count("train", weight)
        self._stepper.take(step, tally)
        return tally

    @torch.no_grad()
    def judge(self, batch: PairBatch) -> np.ndarray:
        """[P, 2] scores, 0 in the pairs of other ranks: shares add up to the whole."""
        found = np.zeros((len(batch), 2), np.float32)
        for micro in self._plan(batch):
            found[micro.rows] = self._scores(batch, micro, train=False).cpu().numpy()[: len(micro.rows)]
        return found

    def fingerprint(self, version: int) -> str:
        """SHA-256 of all weights; all ranks together."""
        return reward_model.fingerprint(self._engine, version=version)

    def save(self, folder: Path, template: Path) -> None:
        """Optimiser shards of this rank, and the reward model as a Hugging Face folder; all ranks together."""
        self._engine.save(folder / "actor")
        reward_model.write_reward_model(self._engine, template, folder / "reward_model", rank=self._rank)

    def load(self, folder: Path) -> None:
        self._engine.load(folder / "actor")

    def _plan(self, batch: PairBatch) -> Sequence[MicroBatch]:
        """Both dialogs of a pair go through the network together, so a row is a pair of twice its longer dialog."""
        everything = np.arange(len(batch))
        plans = plan_micro_batches(
            2 * batch.lengths.max(1),
            everything,
            np.ones_like(everything),
            budget=self._config.pairwise.micro_batch_tokens,
            num_ranks=self._config.learner.num_ranks,
        )
        return plans[self._rank]

    def _scores(self, batch: PairBatch, micro: MicroBatch, *, train: bool) -> Tensor:
        """[b, 2]; of one pair that nothing counts for a micro-batch without rows."""
        rows = micro.rows if len(micro.rows) else np.zeros(1, np.int64)
        lengths = batch.lengths[rows]
        tokens = batch.tokens[rows, :, : int(lengths.max())].astype(np.int64).reshape(2 * len(rows), -1)
        network = self._engine.forward if train else self._engine.module
        values = network(torch.from_numpy(tokens).to(self._device))
        last = torch.from_numpy(lengths.reshape(-1, 1) - 1).to(self._device)
        return values.gather(1, last).view(-1, 2)

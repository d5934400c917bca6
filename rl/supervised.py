"""Supervised learning on one rank of the learner: next-token prediction over a mask, on the same engine as PPO.

Pre-training and fine-tuning differ in their data alone. As in `rl/ppo.py`, every rank holds the whole batch and works
on its share of the micro-batches, and the loss of each divides by the tokens of all.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.engine import Engine
from models.packing import PADDING, PackedRows, packed_logits
from models.publish import fingerprint, publish_adapter, publish_policy, write_policy
from models.weights import Manifest
from rl import losses
from rl.micro_batch import MicroBatch, plan_micro_batches
from rl.stage_config import PretrainConfig, SFTConfig
from rl.stepping import Stepper
from rl.tally import Tally


class SupervisedLearner:
    """The policy and its optimiser on one rank."""

    def __init__(
        self, config: PretrainConfig | SFTConfig, engine: Engine, *, rank: int = 0, device: str = "cpu"
    ) -> None:
        self._config, self._engine, self._rank, self._device = config, engine, rank, device
        self._stepper = Stepper(
            engine,
            config.optimizer,
            num_steps=config.run.num_iterations,
            max_nonfinite=config.supervised.max_nonfinite_steps,
        )

    def learn(self, rows: PackedRows, *, step: int) -> Tally:
        """One optimiser step on a batch. Returns what this rank counted, see `rl.tally.merge`.

            L = -sum over masked tokens of log p(token | the ones before it in its document) / number of them

        Raises:
            NonFiniteError: after `supervised.max_nonfinite_steps` skipped steps in a row.
        """
        tally = Tally()
        num_tokens = max(rows.num_tokens, 1)
        for micro in self._plan(rows):
            logprobs, mask = self._logprobs(rows, micro, train=True)
            self._engine.backward(-torch.where(mask, logprobs, 0.0).sum() / num_tokens)
            _count(tally, logprobs.detach(), mask)
        self._stepper.take(step, tally)
        return tally

    @torch.no_grad()
    def measure(self, rows: PackedRows) -> Tally:
        """The loss on `rows`, without learning from them."""
        tally = Tally()
        for micro in self._plan(rows):
            _count(tally, *self._logprobs(rows, micro, train=False))
        return tally

    def publish(self, version: int) -> list[tuple[Manifest, list[np.ndarray]]]:
        """What a rollout worker must load, in order: the policy or, with LoRA, its base and the adapter. All ranks
        together; every rank gets the same.
        """
        model = self._config.model
        parts = [publish_policy(self._engine, version=version, max_length=model.max_length)]
        if model.lora_rank:
            parts.append(publish_adapter(self._engine, version=version, max_length=model.max_length))
        return parts

    def fingerprint(self, version: int) -> str:
        """SHA-256 of what trains; all ranks together."""
        return fingerprint(self._engine, version=version, max_length=self._config.model.max_length)

    def save(self, folder: Path, template: Path) -> None:
        """Optimiser shards of this rank, and the policy as `models.publish.write_policy` does; all ranks together."""
        self._engine.save(folder / "actor")
        write_policy(
            self._engine, template, folder / "policy", rank=self._rank, lora_alpha=self._config.model.lora_alpha
        )

    def load(self, folder: Path) -> None:
        self._engine.load(folder / "actor")

    def _plan(self, rows: PackedRows) -> list[MicroBatch]:
        everything = np.arange(len(rows))
        plans = plan_micro_batches(
            rows.lengths,
            everything,
            np.ones_like(everything),
            budget=self._config.supervised.micro_batch_tokens,
            num_ranks=self._config.learner.num_ranks,
        )
        return plans[self._rank]

    def _logprobs(self, rows: PackedRows, micro: MicroBatch, *, train: bool) -> tuple[Tensor, Tensor]:
        """Log-probs of the tokens of a micro-batch, and which of them count; [b, t] each."""
        if len(micro.rows):
            cut = np.s_[micro.rows, : micro.length]
            arrays = rows.tokens[cut].astype(np.int64), rows.documents[cut], rows.loss_mask[cut]
        else:  # one row that nothing counts: a step that only keeps pace with the other ranks
            shape = (1, micro.length)
            arrays = np.zeros(shape, np.int64), np.full(shape, PADDING, np.int32), np.zeros(shape, bool)
        tokens, documents, mask = (torch.from_numpy(array).to(self._device) for array in arrays)
        model = self._engine.forward if train else self._engine.module
        dtype = torch.bfloat16 if self._engine.settings.bfloat16 else torch.float32
        logits = packed_logits(model, tokens, documents, dtype=dtype)
        return losses.token_logprobs(logits, tokens, temperature=1.0)[0], mask


def _count(tally: Tally, logprobs: Tensor, mask: Tensor) -> None:
    tally.add("train/loss", -torch.where(mask, logprobs, 0.0).double())
    tally.count("train", mask)

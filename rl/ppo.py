"""PPO on one rank of the learner: annotate a batch with the current policy, then epochs of clipped updates.

Every rank holds the whole batch and works on its share of each micro-batch plan, so the global denominators are known
everywhere without a collective, and every rank runs the same number of micro-steps (ZeRO-3 gathers layer by layer: a
rank with one step more would wait for ever).
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from models.engine import Engine
from models.policy import forward_logits
from models.publish import describe_policy, fingerprint, policy_weights, publish_adapter, publish_policy, write_policy
from models.value import values_of_prefixes
from models.weights import Manifest
from rl import losses
from rl.batch import Advantages, Annotations, Batch
from rl.config import Config, OptimizerConfig, PPOConfig
from rl.micro_batch import MicroBatch, Part, merge_twins, plan_micro_batches, token_ids
from rl.tally import Tally

NO_ADVANTAGE = 1e-8  # what rounding leaves of equal returns

# Where reference log-probs come from: a frozen copy of the policy, or the policy without its adapter.
Reference = Callable[[], AbstractContextManager[nn.Module]]


class NonFiniteError(RuntimeError):
    """Too many optimiser steps in a row had a NaN or an infinity in loss or gradient."""


def learning_rate(optimizer: OptimizerConfig, step: int, num_steps: int) -> float:
    """Linear warm-up, then full rate until `lr_decay_start`, then the schedule down to `lr_min_ratio` of the peak."""
    warmup = max(1, round(optimizer.lr_warmup_ratio * num_steps))
    if step < warmup:
        return optimizer.lr * (step + 1) / warmup
    if optimizer.lr_scheduler == "constant":
        return optimizer.lr
    decay_start = max(warmup, optimizer.lr_decay_start * num_steps)
    progress = min(1.0, max(0.0, (step - decay_start) / max(1.0, num_steps - decay_start)))
    shape = 1 - progress if optimizer.lr_scheduler == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return optimizer.lr * (optimizer.lr_min_ratio + (1 - optimizer.lr_min_ratio) * shape)


def entropy_coef(ppo: PPOConfig, step: int, num_steps: int) -> float:
    """`entropy_coef` until `entropy_decay_start`, then linearly to `entropy_coef_final` at the last update."""
    if ppo.entropy_coef_final is None:
        return ppo.entropy_coef
    start = ppo.entropy_decay_start * num_steps
    progress = max(0.0, (step - start) / max(1.0, num_steps - 1 - start))
    return ppo.entropy_coef + (ppo.entropy_coef_final - ppo.entropy_coef) * min(1.0, progress)


def _with_advantage(rows: np.ndarray, advantages: Advantages) -> np.ndarray:
    """The rows with any advantage, or the first row where none has one: an optimiser's step needs a gradient."""
    chosen = rows[(np.abs(advantages.advantages[rows]) > NO_ADVANTAGE).any(1)]
    return chosen if len(chosen) else rows[:1]


class PPOLearner:
    """Actor, critic and reference on one rank. `step` counts the updates that are done."""

    def __init__(
        self,
        config: Config,
        *,
        actor: Engine,
        critic: Engine | None,
        reference: Reference | None,
        rank: int = 0,
        device: str = "cpu",
    ) -> None:
        self._config, self._actor, self._critic, self._reference = config, actor, critic, reference
        self._rank, self._device = rank, device
        self._num_nonfinite = Counter[str]()  # skipped steps in a row, by role
        self._base: tuple[Manifest, list[np.ndarray]] | None = None

    # -- annotate -----------------------------------------------------------------------------------------------

    @torch.no_grad()
    def annotate(self, batch: Batch) -> Annotations:
        """This rank's share of the annotations, zero in the rows of other ranks: shares add up to the whole."""
        logprobs = np.zeros(batch.tokens.shape, np.float32)
        ref = np.zeros_like(logprobs) if self._reference else None
        values = np.zeros((len(batch), batch.tokens.shape[1] + 1), np.float32) if self._critic else None
        # with the lengths: a row that ends in the padding token is no twin of one that was padded
        kept, counts, place = merge_twins(np.arange(len(batch)), batch.tokens, batch.lengths[:, None])
        for micro in self._plan(batch, kept, counts):
            tokens = token_ids(batch, micro, self._device)
            rows, end = micro.rows, micro.length
            logprobs[rows, :end] = self._logprobs(self._actor.module, tokens)[: len(rows)]
            if self._reference and ref is not None:
                with self._reference() as reference:
                    ref[rows, :end] = self._logprobs(reference, tokens)[: len(rows)]
            if self._critic and values is not None:
                values[rows, : end + 1] = values_of_prefixes(self._critic.module(tokens)).cpu().numpy()[: len(rows)]
        twin = kept[place]
        # what the network says of padding depends on the company of a row, so nobody shall see it
        real = np.arange(batch.tokens.shape[1] + 1) <= batch.lengths[:, None]
        return Annotations(
            np.where(real[:, 1:], logprobs[twin], np.float32(0)),
            None if ref is None else np.where(real[:, 1:], ref[twin], np.float32(0)),
            None if values is None else np.where(real, values[twin], np.float32(0)),
        )

    def _logprobs(self, module: nn.Module, tokens: Tensor) -> np.ndarray:
        logits = forward_logits(module, tokens)
        return losses.token_logprobs(logits, tokens, temperature=self._config.rollout.temperature)[0].cpu().numpy()

    # -- update -------------------------------------------------------------------------------------------------

    def update(
        self, batch: Batch, annotations: Annotations, advantages: Advantages, *, step: int, kl_coef: float
    ) -> Tally:
        """All epochs over the batch. Returns what this rank counted, see `rl.tally.merge`.

        Raises:
            NonFiniteError: after `ppo.max_nonfinite_steps` skipped steps in a row.
        """
        ppo = self._config.ppo
        tally = Tally()
        for epoch in range(ppo.ppo_epochs):
            for number, rows in enumerate(self._mini_batches(batch, step, epoch)):
                first = epoch == 0 and number == 0
                kl = self._mini_batch(
                    batch, annotations, advantages, rows, tally, step=step, kl_coef=kl_coef, first=first
                )
                if ppo.target_kl is not None and kl > ppo.target_kl:
                    tally.shared["actor/early_stop"] = 1.0
                    return tally
        return tally

    def _mini_batches(self, batch: Batch, step: int, epoch: int) -> list[np.ndarray]:
        """Rows of each minibatch, shuffled by (seed, step, epoch): the same on every rank and after a resume.

        Single rows and not groups: a step then sees as many prompts as it can, and a small policy forgets less of the
        others (`r1_zero` with groups kept together needs about 1.4 times the updates).
        """
        order = np.random.default_rng([self._config.run.seed, step, epoch]).permutation(len(batch))
        size = self._config.ppo.mini_batch_size
        cuts = [order[start : start + size] for start in range(0, len(order), size)]
        # a remainder of a few rows would be a noisy step of full size
        if len(cuts) > 1 and len(cuts[-1]) < size // 2:
            cuts[-2:] = [np.concatenate(cuts[-2:])]
        return cuts

    def _mini_batch(
        self,
        batch: Batch,
        notes: Annotations,
        advantages: Advantages,
        rows: np.ndarray,
        tally: Tally,
        *,
        step: int,
        kl_coef: float,
        first: bool,
    ) -> float:
        ppo, num_steps = self._config.ppo, self._config.run.num_iterations
        num_tokens = int(batch.action_mask[rows].sum())
        num_sequences = int(batch.action_mask[rows].any(1).sum())
        train_actor = step >= ppo.critic_warmup
        kl_sum = 0.0
        # token ids and mask, and all that a loss is made of
        columns = [batch.tokens, batch.action_mask.astype(np.int32), batch.sampler_logprobs, notes.logprobs]
        columns += [a for a in (notes.ref_logprobs, advantages.advantages, advantages.returns) if a is not None]
        trained = _with_advantage(rows, advantages) if ppo.skip_zero_advantages else rows
        kept, counts, _ = merge_twins(trained, *columns)
        for micro in self._plan(batch, kept, counts):
            part = Part.cut(batch, notes, advantages, micro, self._device)
            if train_actor:
                kl_sum += self._actor_backward(part, num_tokens, num_sequences, tally, step, kl_coef, first)
            if self._critic:
                self._critic_backward(part, num_tokens, tally)
        if train_actor:
            self._finish(self._actor, "actor", learning_rate(self._config.actor, step, num_steps), tally)
        if self._critic:
            self._finish(self._critic, "critic", learning_rate(self._config.critic, step, num_steps), tally)
        return self._actor.sum_over_ranks(kl_sum) / max(num_tokens, 1) if ppo.target_kl is not None else 0.0

    def _actor_backward(
        self, part: Part, num_tokens: int, num_sequences: int, tally: Tally, step: int, kl_coef: float, first: bool
    ) -> float:
        ppo, mask = self._config.ppo, part.action_mask
        logits = forward_logits(self._actor.forward, part.tokens)
        logprobs, entropy = losses.token_logprobs(
            logits, part.tokens, temperature=self._config.rollout.temperature, with_entropy=True
        )
        assert entropy is not None
        low = ppo.clip_ratio if ppo.clip_ratio_low is None else ppo.clip_ratio_low
        high = ppo.clip_ratio if ppo.clip_ratio_high is None else ppo.clip_ratio_high
        loss, stats = losses.POLICY_LOSSES[ppo.policy_loss](
            logprobs, part.logprobs, part.advantages, mask, clip_low=low, clip_high=high, clip_c=ppo.clip_ratio_c
        )
        if ppo.tis_threshold > 0:
            loss = loss * losses.truncated_importance(part.logprobs, part.sampler_logprobs, ppo.tis_threshold)
        per_token = loss - entropy_coef(ppo, step, self._config.run.num_iterations) * entropy
        if ppo.kl_in == "loss" and kl_coef > 0:
            assert part.ref_logprobs is not None
            per_token = per_token + kl_coef * losses.kl_estimate(logprobs, part.ref_logprobs, ppo.kl_estimator)
        per_token = per_token * part.counts
        total = losses.aggregate(per_token, mask, ppo.loss_agg_mode, num_tokens=num_tokens, num_sequences=num_sequences)
        self._actor.backward(total)
        with torch.no_grad():
            weight = mask * part.counts
            tally.add("actor/pg_loss", torch.where(mask, loss, 0.0) * weight)
            tally.add("actor/entropy", torch.where(mask, entropy, 0.0) * weight)
            tally.add("actor/pg_clipfrac", stats.clipped * weight)
            tally.add("actor/dual_clipfrac", stats.dual_clipped * weight)
            tally.add("actor/ppo_kl", stats.kl * weight)
            tally.count("actor", weight)
            if first:
                gap = torch.where(mask, logprobs - part.logprobs, 0.0).abs()
                tally.largest("actor/first_ratio_gap", math.expm1(float(gap.max())))
            return float((stats.kl * weight).sum())

    def _critic_backward(self, part: Part, num_tokens: int, tally: Tally) -> None:
        assert self._critic and part.values is not None
        values = values_of_prefixes(self._critic.forward(part.tokens))[:, :-1]
        loss = losses.value_loss(values, part.values, part.returns, self._config.ppo.value_clip)
        self._critic.backward(
            losses.aggregate(loss * part.counts, part.action_mask, "token-mean", num_tokens=num_tokens, num_sequences=0)
        )
        with torch.no_grad():
            weight = part.action_mask * part.counts
            tally.add("critic/vf_loss", torch.where(part.action_mask, loss, 0.0) * weight)
            tally.count("critic", weight)

    def _finish(self, engine: Engine, role: str, lr: float, tally: Tally) -> None:
        result = engine.step(lr)
        tally.shared[f"{role}/lr"] = lr
        if result.applied:
            self._num_nonfinite[role] = 0
            tally.shared[f"{role}/grad_norm"] = max(result.grad_norm, tally.shared.get(f"{role}/grad_norm", 0.0))
            return
        self._num_nonfinite[role] += 1
        tally.shared[f"{role}/skipped_steps"] = tally.shared.get(f"{role}/skipped_steps", 0.0) + 1
        if self._num_nonfinite[role] >= self._config.ppo.max_nonfinite_steps:
            raise NonFiniteError(
                f"{self._num_nonfinite[role]} optimiser steps in a row had a NaN or an infinity in loss or gradient of "
                f"the {role}; lower {role}.lr or ppo.clip_ratio, or resume from the last checkpoint"
            )

    # -- shared -------------------------------------------------------------------------------------------------

    def _plan(self, batch: Batch, rows: np.ndarray, counts: np.ndarray) -> Sequence[MicroBatch]:
        budget, num_ranks = self._config.ppo.micro_batch_tokens, self._config.learner.num_ranks
        return plan_micro_batches(batch.lengths, rows, counts, budget=budget, num_ranks=num_ranks)[self._rank]

    # -- state and weights --------------------------------------------------------------------------------------

    def publish(self, version: int) -> list[tuple[Manifest, list[np.ndarray]]]:
        """What a rollout worker must load, in order: the policy or, with LoRA, its base (packed once) and the adapter.

        All ranks together; every rank gets the same.
        """
        max_length = self._config.model.max_length
        if not self._config.model.lora_rank:
            return [publish_policy(self._actor, version=version, max_length=max_length)]
        if self._base is None:
            self._base = publish_policy(self._actor, version=version, max_length=max_length)
        return [self._base, publish_adapter(self._actor, version=version, max_length=max_length)]

    def describe(self, version: int) -> Manifest:
        """The manifest of what `publish` would hand out, where the bytes go another way: as `weights`."""
        return describe_policy(self._actor, version=version, max_length=self._config.model.max_length)

    def fingerprint(self, version: int) -> str:
        """SHA-256 of what trains, as its manifest says it; all ranks together."""
        return fingerprint(self._actor, version=version, max_length=self._config.model.max_length)

    def weights(self) -> Iterator[tuple[str, Tensor]]:
        """The policy in the order of its manifest; all ranks must iterate together."""
        return policy_weights(self._actor)

    def save(self, folder: Path, template: Path) -> None:
        """Optimiser shards of this rank, and the policy as `models.publish.write_policy` does; all ranks together."""
        self._actor.save(folder / "actor")
        if self._critic:
            self._critic.save(folder / "critic")
        self.save_policy(folder / "policy", template)

    def save_policy(self, folder: Path, template: Path) -> None:
        """The policy alone; all ranks together."""
        alpha = self._config.model.lora_alpha
        write_policy(self._actor, template, folder, rank=self._rank, lora_alpha=alpha)

    def load(self, folder: Path) -> None:
        self._actor.load(folder / "actor")
        if self._critic:
            self._critic.load(folder / "critic")

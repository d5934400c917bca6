"""Tokens per second of an update (`PPOLearner` on the DeepSpeed engine, one rank, GRPO, PPO's loss), against the same
network in a loop of bare PyTorch: forward, policy gradient, backward, clip, AdamW.

Both see the same tokens in the same micro-batches and minibatches on the same threads. `ratio` is at dialogs of 80
tokens, `ratio_short` at the 20 of the recipe `r1_zero`, where overhead weighs more.
"""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import torch
from harness import RESPONSE_LENGTH, cpu_plan, free_port, in_turn, median_wall, report, restart_with, speed
from harness import small_config as configure
from torch import nn

from models.engine import close_group, init_group, prepare_cpu
from models.policy import forward_logits, load_policy
from rl.batch import Advantages, Annotations, Batch
from rl.build import build_learner, prepare_model
from rl.config import Config

REPETITIONS = 5
NUM_ROWS = 64
NUM_THREADS = 1


def measure() -> dict[str, object]:
    config = configure("ppo.mini_batch_size=32", f"learner.num_threads={NUM_THREADS}")
    prepare_cpu(NUM_THREADS)
    figures: dict[str, object] = {"num_rows": NUM_ROWS, "threads": NUM_THREADS, "repetitions": REPETITIONS}
    with tempfile.TemporaryDirectory(prefix="zero2one-bench-") as temporary:
        folder = Path(temporary) / "model"
        prepare_model(config, folder)
        init_group(backend="gloo", rank=0, world_size=1, address="127.0.0.1", port=free_port(), compile_ops=False)
        learner = build_learner(config, folder, cpu_plan(config), rank=0)
        bare = Bare(load_policy(folder), config)
        for suffix, prompt, response in (("", 16, RESPONSE_LENGTH), ("_short", 16, 4)):
            batch, notes, advantages = _data(prompt, response, vocab_size=bare.vocab_size)
            rivals = {
                "ours": partial(learner.update, batch, notes, advantages, step=0, kl_coef=0.0),
                "bare": partial(bare.update, batch, advantages),
            }
            seconds = in_turn(rivals, repetitions=REPETITIONS)
            figures |= speed(seconds["ours"], seconds["bare"], suffix)
            figures[f"tokens_per_second{suffix}"] = batch.tokens.size / median_wall(seconds["ours"])
        close_group()
    return figures


class Bare:
    """What one would write in an afternoon, for one process: no ZeRO, no clipped ratios, no metrics."""

    def __init__(self, model: nn.Module, config: Config) -> None:
        actor = config.actor
        self.model, self.config, self.vocab_size = model, config, model.config.vocab_size
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=actor.lr,
            betas=actor.adam_betas,
            eps=actor.adam_eps,
            weight_decay=actor.weight_decay,
        )

    def update(self, batch: Batch, advantages: Advantages) -> None:
        """One epoch; rows have one length, so micro-batches are plain slices."""
        ppo = self.config.ppo
        order = np.random.default_rng(0).permutation(len(batch))
        size = ppo.micro_batch_tokens // batch.tokens.shape[1]
        for start in range(0, len(order), ppo.mini_batch_size):
            rows = order[start : start + ppo.mini_batch_size]
            num_tokens = int(batch.action_mask[rows].sum())
            for first in range(0, len(rows), size):
                micro = rows[first : first + size]
                tokens = torch.from_numpy(batch.tokens[micro].astype(np.int64))
                weights = torch.from_numpy(advantages.advantages[micro, 1:])
                logits = forward_logits(self.model, tokens)[:, :-1]
                surprise = nn.functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
                ((surprise * weights).sum() / num_tokens).backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), self.config.actor.max_grad_norm)
            self.optimizer.step()
            self.optimizer.zero_grad()


def _data(prompt: int, response: int, *, vocab_size: int) -> tuple[Batch, Annotations, Advantages]:
    """Dialogs of one turn with made-up tokens, rewards and log-probs; the work does not depend on them."""
    random = np.random.default_rng(0)
    shape = (NUM_ROWS, prompt + response)
    action_mask = np.zeros(shape, bool)
    action_mask[:, prompt:] = True
    logprobs = np.where(action_mask, -np.log(vocab_size), 0.0).astype(np.float32)
    batch = Batch(
        tokens=random.integers(0, vocab_size, shape, dtype=np.int32),
        lengths=np.full(NUM_ROWS, shape[1], np.int32),
        action_mask=action_mask,
        turn_index=np.where(action_mask, 0, -1).astype(np.int32),
        sampler_logprobs=logprobs,
        rewards=np.zeros(shape, np.float32),
        truncated=np.zeros(NUM_ROWS, bool),
        groups=(np.arange(NUM_ROWS) // 8).astype(np.int32),
        versions=np.where(action_mask, 0, -1).astype(np.int32),
        roles=np.zeros(NUM_ROWS, np.int8),
    )
    signals = np.where(action_mask, random.standard_normal((NUM_ROWS, 1)), 0.0).astype(np.float32)
    return batch, Annotations(logprobs, None, None), Advantages(signals, signals)


if __name__ == "__main__":
    restart_with({"DS_ACCELERATOR": "cpu", "OMP_NUM_THREADS": str(NUM_THREADS)})
    report("learner", measure)

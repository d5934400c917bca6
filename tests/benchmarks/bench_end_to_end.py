"""Tokens per second of a whole run, from the question to the verified weights of the next version: 4.7 million weights
below the embeddings, 64 responses in an iteration, GRPO without KL, two rollout workers. Responses have up to 64 tokens
and most have nearly as many; `_varied`: up to 256, of very different lengths.

`ratio` compares with a trainer in one process on as many threads, on the same model: Hugging Face `generate`, then one
step of bare PyTorch. It writes no log, keeps no trajectory, verifies no weights and survives nothing.
"""

import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from harness import SMALL, report, small_config
from one_turn import QUESTION
from real_run import FOLDER, run_recipe
from torch import nn

from models.chat import chat_format
from models.engine import prepare_cpu
from models.policy import forward_logits, load_policy
from models.tokenizer import load_tokenizer
from rl.config import Config

NUM_RESPONSES = 64
NUM_ITERATIONS = 6
# answers end where chance ends them: most are short, the longest is several times the mean, and that hardly changes
VARIED = ("model.max_length=320", "rollout.max_response_length=256", "actor.lr=1.0e-7")
EPSILON = 1e-6  # equal rewards have no deviation


def measure() -> dict[str, object]:
    varied = compare("end_to_end_varied", VARIED)
    return compare("end_to_end", ()) | {f"{name}_varied": value for name, value in varied.items()}


def compare(name: str, overrides: Sequence[str]) -> dict[str, object]:
    run = run_recipe(name, (*SMALL, *overrides, f"run.num_iterations={NUM_ITERATIONS}"))
    tokens, seconds = run.total("throughput/tokens"), run.total("timing_s/step")
    plain = Plain(small_config(*overrides), FOLDER / name / "model")
    rates = [plain.iteration() for _ in range(NUM_ITERATIONS)][1:]
    return {
        "ratio": tokens / seconds / statistics.median(rates),
        "tokens_per_second": tokens / seconds,
        "tokens_per_second_plain": statistics.median(rates),
        "tokens_per_response": tokens / len(run.lines) / NUM_RESPONSES,
        **{f"share_{phase}": share for phase, share in run.shares().items()},
        "seconds_per_iteration": seconds / len(run.lines),
        "num_iterations": len(run.lines),
    }


class Plain:
    """What one would write in an afternoon, for one process."""

    def __init__(self, config: Config, folder: Path) -> None:
        prepare_cpu(os.cpu_count() or 1)
        self.model = load_policy(folder)
        tokenizer = load_tokenizer(folder)
        self.end, self.pad = tokenizer.eos_token_id, tokenizer.pad_token_id
        self.prompt = torch.tensor([chat_format(tokenizer).open(QUESTION.text)] * NUM_RESPONSES)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=config.actor.lr)
        self.max_grad_norm, self.max_new_tokens = config.actor.max_grad_norm, config.rollout.max_response_length

    def iteration(self) -> float:
        """Answer, judge, learn. Returns response tokens per second."""
        start = time.perf_counter()
        rows, mask = self._generate()
        rewards = -((rows == self.end) & mask).any(1).float()  # long answers, as in the run
        advantages = (rewards - rewards.mean()) / (rewards.std() + EPSILON)
        self._learn(rows, mask, advantages)
        return float(mask.sum()) / (time.perf_counter() - start)

    @torch.no_grad()
    def _generate(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of prompt and response, padded, and which of their tokens were sampled; [B, T] each."""
        rows = self.model.generate(
            self.prompt,
            attention_mask=torch.ones_like(self.prompt),
            do_sample=True,
            top_k=0,
            max_new_tokens=self.max_new_tokens,
            eos_token_id=self.end,
            pad_token_id=self.pad,
        )
        response = rows[:, self.prompt.shape[1] :]
        ended_before = (response == self.end).cumsum(1) - (response == self.end).long() > 0
        return rows, torch.cat([torch.zeros_like(self.prompt, dtype=torch.bool), ~ended_before], dim=1)

    def _learn(self, rows: torch.Tensor, mask: torch.Tensor, advantages: torch.Tensor) -> None:
        """One step of the policy gradient: with one step per batch, PPO's ratio is 1."""
        logits = forward_logits(self.model, rows)[:, :-1]
        surprise = nn.functional.cross_entropy(logits.transpose(1, 2), rows[:, 1:], reduction="none")
        weights = advantages[:, None] * mask[:, 1:]
        ((surprise * weights).sum() / mask.sum()).backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()


if __name__ == "__main__":
    report("end_to_end", measure)

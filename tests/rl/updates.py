"""What the tests of PPO need: configurations, batches with known contents, and the functions that ranks run."""

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributed import all_gather_object, all_reduce, get_rank, get_world_size

from models.device import plan_device
from models.engine import Engine
from models.policy import load_policy, random_policy
from rl.batch import Advantages, Annotations, Batch
from rl.build import build_learner
from rl.config import Config
from rl.ppo import NonFiniteError, PPOLearner
from rl.tally import merge
from tests.models.ranks import settings, tiny_config

PLAN = plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=1, kv_cache_gib=0.5)
NUM_ROWS = 11


# -- data -----------------------------------------------------------------------------------------------------------


def make_config(
    *,
    num_ranks: int = 1,
    zero_stage: int = 2,
    lora_rank: int = 0,
    lr: float = 1e-3,
    warmup: float = 0.0,
    temperature: float = 1.0,
    **ppo: Any,
) -> Config:
    optimizer = {"lr": lr, "adam_eps": 1e-5, "lr_scheduler": "constant", "lr_warmup_ratio": warmup}
    return Config.model_validate(
        {
            "tasks": {"mix": [{"scenario": "arithmetic.chain"}]},
            "rewards": {"weights": {"math.correct": 1.0}},
            "rollout": {"temperature": temperature},
            "model": {"max_length": 64, "lora_rank": lora_rank, "lora_target_modules": ("q_proj", "down_proj")},
            "ppo": {"mini_batch_size": 4, "ppo_epochs": 2, "micro_batch_tokens": 48, "whiten_advantages": False} | ppo,
            "actor": optimizer,
            "critic": optimizer,
            "learner": {"num_ranks": num_ranks, "zero_stage": zero_stage},
        }
    )


def make_batch(num_rows: int = NUM_ROWS) -> Batch:
    """Dialogs of two turns and very different lengths; in the second row the policy wrote nothing."""
    generator = np.random.default_rng(0)
    lengths = generator.integers(7, 25, num_rows).astype(np.int32)
    positions = np.arange(24)
    real = positions < lengths[:, None]
    action_mask = real & (positions > 2) & (positions != 5)
    if num_rows > 1:
        action_mask[1] = False
    return Batch(
        tokens=np.where(real, generator.integers(6, 262, real.shape), 0).astype(np.int32),
        lengths=lengths,
        action_mask=action_mask,
        turn_index=np.where(action_mask, positions // 6 > 0, -1).astype(np.int32),
        sampler_logprobs=np.where(action_mask, -4.0 - generator.random(real.shape), 0).astype(np.float32),
        rewards=np.zeros(real.shape, np.float32),
        truncated=np.zeros(num_rows, bool),
        groups=np.arange(num_rows, dtype=np.int32),
        versions=np.where(action_mask, 0, -1).astype(np.int32),
        roles=np.zeros(num_rows, np.int8),
    )


def make_advantages(num_rows: int = NUM_ROWS) -> Advantages:
    generator = np.random.default_rng(1)
    mask = make_batch(num_rows).action_mask
    advantages, returns = (np.where(mask, generator.normal(size=mask.shape), 0).astype(np.float32) for _ in range(2))
    return Advantages(advantages, returns)


def constant_advantages(batch: Batch, rows: Sequence[float]) -> Advantages:
    """One advantage for all actions of a row."""
    advantages = np.where(batch.action_mask, np.array(rows, np.float32)[:, None], 0).astype(np.float32)
    return Advantages(advantages, np.zeros_like(advantages))


def map_arrays(data: Any, function: Any) -> Any:
    return dataclasses.replace(data, **{f.name: function(getattr(data, f.name)) for f in dataclasses.fields(data)})


def reorder(data: Any, order: np.ndarray) -> Any:
    return map_arrays(data, lambda array: array[order])


def widen(data: Any) -> Any:
    """Nine more columns of padding; nobody acted there, and what else they hold must not be read."""

    def pad(array: np.ndarray) -> np.ndarray:
        junk = False if array.dtype == bool else 7
        return np.pad(array, ((0, 0), (0, 9)), constant_values=junk) if array.ndim == 2 else array

    return map_arrays(data, pad)


# -- what the ranks run ---------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Annotations before and after, metrics of each update, and the weights in the end."""

    before: Annotations
    after: Annotations
    metrics: list[dict[str, float]]
    weights: dict[str, np.ndarray]


def annotate(learner: PPOLearner, batch: Batch) -> Annotations:
    """The shares of all ranks added up."""

    def total(share: np.ndarray | None) -> np.ndarray | None:
        if share is None:
            return None
        tensor = torch.from_numpy(share.copy())
        all_reduce(tensor)
        return tensor.numpy()

    return map_arrays(learner.annotate(batch), total)


def update(learner: PPOLearner, batch: Batch, notes: Annotations, advantages: Advantages, **how: Any):
    tallies: list[Any] = [None] * get_world_size()
    all_gather_object(tallies, learner.update(batch, notes, advantages, **({"step": 0, "kl_coef": 0.0} | how)))
    return merge(tallies)


def weights_of(learner: PPOLearner) -> dict[str, np.ndarray]:
    engines = {"actor": learner._actor, "critic": learner._critic}
    return {
        f"{role}.{name}": tensor.numpy()
        for role, engine in engines.items()
        if engine is not None
        for name, tensor in engine.full_weights()
    }


def learn(
    config: Config,
    folder: Path,
    batch: Batch,
    advantages: Advantages,
    num_updates: int = 1,
    kl_coef: float = 0.0,
    step: int = 0,
) -> Outcome:
    learner = build_learner(config, folder, PLAN, rank=get_rank())
    before = annotate(learner, batch)
    metrics = [update(learner, batch, before, advantages, step=step, kl_coef=kl_coef) for _ in range(num_updates)]
    return Outcome(before, annotate(learner, batch), metrics, weights_of(learner))


def learn_until_error(config: Config, folder: Path, batch: Batch, bad_steps: Sequence[bool]) -> tuple[int, str]:
    """Updates that were done before NonFiniteError, and its message; the bad ones have one NaN among the advantages."""
    learner = build_learner(config, folder, PLAN, rank=get_rank())
    notes = annotate(learner, batch)
    for number, bad in enumerate(bad_steps):
        advantages = make_advantages(len(batch))
        if bad:
            advantages.advantages[0, 3] = np.nan
        try:
            update(learner, batch, notes, advantages)
        except NonFiniteError as error:
            return number, str(error)
    return len(bad_steps), ""


def save_and_resume(config: Config, folder: Path, checkpoint: Path) -> tuple[dict, dict]:
    """Weights after three updates in one go, and with a new learner for the third."""
    batch, advantages = make_batch(), make_advantages()
    first = build_learner(config, folder, PLAN, rank=get_rank())
    for step in (0, 1):
        update(first, batch, annotate(first, batch), advantages, step=step)
    first.save(checkpoint, folder)
    second = build_learner(config, folder, PLAN, rank=get_rank())
    second.load(checkpoint)
    for learner in (first, second):
        update(learner, batch, annotate(learner, batch), advantages, step=2)
    return weights_of(first), weights_of(second)


def publish_twice(config: Config, folder: Path) -> list[list[tuple[str, int, str]]]:
    learner = build_learner(config, folder, PLAN, rank=get_rank())
    published = [learner.publish(0)]
    batch = make_batch()
    update(learner, batch, annotate(learner, batch), make_advantages())
    published.append(learner.publish(1))
    return [[(manifest.kind, manifest.version, manifest.sha256) for manifest, _ in parts] for parts in published]


def play_bandit(num_updates: int) -> list[float]:
    """Greedy accuracy before and after: eight questions of one token, one right answer each, out of 32."""
    config = make_config(advantage_estimator="reinforce++", mini_batch_size=256, micro_batch_tokens=512, lr=1e-2)
    actor = Engine(random_policy(tiny_config(vocab_size=32), seed=1), "cpu", settings(2))
    learner = PPOLearner(config, actor=actor, critic=None, reference=None)
    questions = 6 + np.arange(256) % 8  # 0 is padding: its embedding is 0 and stays so
    right = (questions * 5 + 3) % 32
    generator = torch.Generator().manual_seed(0)
    accuracy = []
    for step in range(num_updates + 1):
        with torch.no_grad():
            logits = actor.module(input_ids=torch.from_numpy(questions)[:, None]).logits[:, 0]
        accuracy.append(float((logits.argmax(-1).numpy() == right).mean()))
        answers = torch.multinomial(logits.softmax(-1), 1, generator=generator)
        tokens = np.column_stack([questions, answers.numpy()]).astype(np.int32)
        mask = np.broadcast_to([False, True], tokens.shape)
        picked = logits.log_softmax(-1).gather(1, answers).numpy()
        batch = dataclasses.replace(
            make_batch(256),
            tokens=tokens,
            lengths=np.full(256, 2, np.int32),
            action_mask=mask,
            sampler_logprobs=np.pad(picked, ((0, 0), (1, 0))),
        )
        rewards = (tokens[:, 1] == right).astype(np.float32)
        baseline = rewards.reshape(-1, 8).mean(0)[questions - 6]  # of the same question
        update(learner, batch, annotate(learner, batch), constant_advantages(batch, rewards - baseline), step=step)
    return [accuracy[0], accuracy[-1]]


# -- helpers of the assertions --------------------------------------------------------------------------------------


def weight_gap(left: Outcome, right: Outcome) -> float:
    assert left.weights.keys() == right.weights.keys()
    return max(float(np.abs(left.weights[name] - right.weights[name]).max()) for name in left.weights)


def assert_same(outcome: Outcome, expected: Outcome) -> None:
    assert weight_gap(outcome, expected) <= 1e-5
    for metrics, others in zip(outcome.metrics, expected.metrics, strict=True):
        assert metrics == pytest.approx(others, rel=1e-4, abs=1e-5)


def actor_moved(outcome: Outcome, folder: Path) -> float:
    start = load_policy(folder).state_dict()
    return max(float(np.abs(outcome.weights[f"actor.{name}"] - start[name].numpy()).max()) for name in start)


def answer_logprobs(model: torch.nn.Module, batch: Batch, temperature: float) -> np.ndarray:
    """Row by row, without padding, by an explicit softmax."""
    logprobs = np.zeros(batch.tokens.shape, np.float32)
    for row, length in enumerate(batch.lengths):
        ids = torch.from_numpy(batch.tokens[row : row + 1, :length]).long()
        with torch.no_grad():
            probabilities = (model(input_ids=ids).logits[0].double() / temperature).softmax(-1)
        for t in range(1, length):
            logprobs[row, t] = math.log(probabilities[t - 1, ids[0, t]])
    return logprobs


def on_real_tokens(batch: Batch, array: np.ndarray) -> np.ndarray:
    return np.where(np.arange(array.shape[1]) < batch.lengths[:, None], array, 0)

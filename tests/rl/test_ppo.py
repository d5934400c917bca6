"""PPO on real DeepSpeed ranks: the same result however it is cut, the right signs, and a policy that learns."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributed import all_gather_object, all_reduce, get_rank, get_world_size

from models.device import plan_device
from models.engine import Engine
from models.lora import load_lora
from models.policy import load_policy, random_policy, save_model_folder
from models.tokenizer import train_tokenizer
from models.value import load_value
from rl.batch import Advantages, Annotations, Batch
from rl.build import build_learner
from rl.config import Config, OptimizerConfig, PPOConfig
from rl.losses import aggregate
from rl.ppo import NonFiniteError, PPOLearner, entropy_coef, learning_rate
from rl.tally import merge
from tests.models.ranks import Ranks, settings, tiny_config

PLAN = plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=1, kv_cache_gib=0.5)
NUM_ROWS = 11


@pytest.fixture(scope="module")
def alone() -> Iterator[Ranks]:
    with Ranks(1) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def pair() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "policy"
    save_model_folder(random_policy(tiny_config(vocab_size=262), seed=1), train_tokenizer([""], vocab_size=262), folder)
    return folder


@pytest.fixture(scope="module")
def usual(alone: Ranks, folder: Path) -> "Outcome":
    """What every other way to cut the same update is compared to."""
    return alone.run(learn, make_config(), folder, make_batch(), make_advantages())[0]


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
        versions=np.zeros(num_rows, np.int32),
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


# -- schedules ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheduler", "decay_start", "rates"),
    [
        ("constant", 0.0, {0: 0.5, 1: 1.0, 2: 1.0, 11: 1.0, 19: 1.0}),
        ("linear", 0.0, {0: 0.5, 1: 1.0, 2: 1.0, 11: 0.55, 19: 0.15, 20: 0.1, 30: 0.1}),
        ("linear", 0.5, {0: 0.5, 9: 1.0, 10: 1.0, 15: 0.55, 19: 0.19}),
        ("cosine", 0.0, {0: 0.5, 2: 1.0, 8: 0.775, 11: 0.55, 14: 0.325, 20: 0.1}),
    ],
)
def test_learning_rate_by_hand(scheduler, decay_start, rates):
    # 20 steps, of which two warm up and, without a plateau, 18 decay from 1 to 0.1
    optimizer = OptimizerConfig(
        lr=1.0, lr_scheduler=scheduler, lr_warmup_ratio=0.1, lr_decay_start=decay_start, lr_min_ratio=0.1
    )
    assert {step: learning_rate(optimizer, step, 20) for step in rates} == pytest.approx(rates)


def test_a_run_of_one_step_has_the_full_rate_and_coefficient():
    assert learning_rate(OptimizerConfig(lr=0.3), 0, 1) == pytest.approx(0.3)
    assert entropy_coef(PPOConfig(entropy_coef=0.1, entropy_coef_final=0.02), 0, 1) == 0.1


@pytest.mark.parametrize(
    ("final", "decay_start", "coefs"),
    [
        (None, 0.0, {0: 0.1, 9: 0.1}),
        (0.01, 0.0, {0: 0.1, 3: 0.07, 6: 0.04, 9: 0.01, 12: 0.01}),
        (0.02, 0.5, {0: 0.1, 5: 0.1, 7: 0.06, 9: 0.02}),
    ],
)
def test_entropy_coef_by_hand(final, decay_start, coefs):
    ppo = PPOConfig(entropy_coef=0.1, entropy_coef_final=final, entropy_decay_start=decay_start)
    assert {step: entropy_coef(ppo, step, 10) for step in coefs} == pytest.approx(coefs)


@pytest.mark.e2e
def test_both_optimisers_follow_the_schedule(alone, folder):
    # a tenth of the 100 iterations warms up, so the third one runs at 3/10 of the rate
    config = make_config(lr=1e-3, warmup=0.1)
    metrics = alone.run(learn, config, folder, make_batch(), make_advantages(), 1, 0.0, 2)[0].metrics[0]
    assert (metrics["actor/lr"], metrics["critic/lr"]) == (pytest.approx(3e-4), pytest.approx(3e-4))


# -- annotations ----------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_annotations_belong_to_the_token_at_their_position(alone, folder, temperature):
    batch, config = make_batch(), make_config(temperature=temperature)
    notes = alone.run(learn, config, folder, batch, make_advantages(), 0)[0].before
    expected = answer_logprobs(load_policy(folder), batch, temperature)
    np.testing.assert_allclose(on_real_tokens(batch, notes.logprobs), expected, atol=1e-5)
    critic = load_value(folder, seed=config.run.seed + 1)
    assert notes.values.shape == (NUM_ROWS, 25)
    for row, length in enumerate(batch.lengths):
        assert notes.values[row, 0] == 0.0
        for t in (1, 4, int(length)):
            with torch.no_grad():
                value = critic(torch.from_numpy(batch.tokens[row : row + 1, :t]).long())[0, -1]
            assert notes.values[row, t] == pytest.approx(float(value), abs=1e-5)


@pytest.mark.e2e
@pytest.mark.parametrize("lora_rank", [0, 4])
def test_the_reference_stays_where_the_policy_started(alone, folder, lora_rank):
    batch = make_batch()
    config = make_config(lora_rank=lora_rank, kl_coef=0.1, temperature=0.8, lr=1e-2)
    outcome = alone.run(learn, config, folder, batch, make_advantages())[0]
    start = answer_logprobs(load_policy(folder), batch, 0.8)
    for notes in (outcome.before, outcome.after):
        np.testing.assert_allclose(on_real_tokens(batch, notes.ref_logprobs), start, atol=1e-5)
    np.testing.assert_allclose(on_real_tokens(batch, outcome.before.logprobs), start, atol=1e-5)
    assert np.abs(outcome.after.logprobs - outcome.after.ref_logprobs).max() > 0.05


@pytest.mark.e2e
def test_without_a_kl_term_there_is_no_reference_and_without_gae_no_critic(alone, folder):
    notes = alone.run(learn, make_config(advantage_estimator="grpo"), folder, make_batch(), make_advantages(), 0)[0]
    assert notes.before.ref_logprobs is None
    assert notes.before.values is None


# -- invariance -----------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize("budget", [1, 48, 10_000])
def test_at_the_first_minibatch_the_ratio_is_one(alone, folder, budget):
    config = make_config(micro_batch_tokens=budget, temperature=0.7)
    metrics = alone.run(learn, config, folder, make_batch(), make_advantages())[0].metrics[0]
    assert 0.0 <= metrics["actor/first_ratio_gap"] <= 1e-5


@pytest.mark.e2e
@pytest.mark.parametrize("mode", ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"])
def test_the_micro_batch_size_changes_nothing(alone, folder, mode):
    configs = [
        make_config(micro_batch_tokens=budget, loss_agg_mode=mode, entropy_coef=0.1) for budget in (1, 48, 10_000)
    ]
    outcomes = [alone.run(learn, config, folder, make_batch(), make_advantages())[0] for config in configs]
    assert_same(outcomes[0], outcomes[1])
    assert_same(outcomes[2], outcomes[1])


@pytest.mark.e2e
def test_columns_of_padding_change_nothing(alone, folder, usual):
    outcome = alone.run(learn, make_config(), folder, widen(make_batch()), widen(make_advantages()))[0]
    assert weight_gap(outcome, usual) == 0.0
    assert outcome.metrics == usual.metrics


@pytest.mark.e2e
def test_the_order_of_rows_in_a_minibatch_changes_nothing(alone, folder):
    config = make_config(mini_batch_size=NUM_ROWS)
    order = np.random.default_rng(2).permutation(NUM_ROWS)
    batch, advantages = make_batch(), make_advantages()
    expected = alone.run(learn, config, folder, batch, advantages)[0]
    outcome = alone.run(learn, config, folder, reorder(batch, order), reorder(advantages, order))[0]
    assert_same(outcome, expected)


@pytest.mark.e2e
@pytest.mark.parametrize("mode", ["token-mean", "seq-mean-token-mean"])
def test_equal_rows_count_as_often_as_they_are_there(alone, folder, mode):
    rows = np.array([0, 0, 0, 1, 2, 3, 3, 4, 5, 6, 6])
    batch, advantages = reorder(make_batch(), rows), reorder(make_advantages(), rows)
    different = dataclasses.replace(batch, tokens=batch.tokens.copy())
    for row, length in enumerate(batch.lengths):
        different.tokens[row, length:] = row  # in the padding, where it changes nothing but their being equal
    config = make_config(mini_batch_size=NUM_ROWS, loss_agg_mode=mode, entropy_coef=0.1)
    merged, one_by_one = (alone.run(learn, config, folder, padded, advantages)[0] for padded in (batch, different))
    assert_same(merged, one_by_one)
    left, right = (on_real_tokens(batch, outcome.after.logprobs) for outcome in (merged, one_by_one))
    np.testing.assert_allclose(left, right, atol=1e-5)


@pytest.mark.e2e
def test_a_row_that_goes_on_with_the_padding_token_is_not_the_one_that_ends_before_it(alone, folder):
    batch = reorder(make_batch(), np.array([0, 0]))
    batch.lengths[:] = (6, 7)
    batch.tokens[:, 6:] = 0
    batch.action_mask[:, 6:] = False
    batch.action_mask[1, 6] = True
    notes = alone.run(learn, make_config(), folder, batch, constant_advantages(batch, [0.0, 0.0]), 0)[0].before
    expected = answer_logprobs(load_policy(folder), batch, 1.0)
    np.testing.assert_allclose(on_real_tokens(batch, notes.logprobs), expected, atol=1e-5)


@pytest.mark.e2e
def test_minibatches_are_drawn_anew_for_every_step(alone, folder, usual):
    again, other = (
        alone.run(learn, make_config(), folder, make_batch(), make_advantages(), 1, 0.0, step)[0] for step in (0, 1)
    )
    assert weight_gap(again, usual) == 0.0
    assert weight_gap(other, usual) > 1e-5


@pytest.mark.e2e
@pytest.mark.parametrize("zero_stage", [0, 1, 2, 3])
def test_two_ranks_are_one(pair, folder, usual, zero_stage):
    config = make_config(num_ranks=2, zero_stage=zero_stage)
    for outcome in pair.run(learn, config, folder, make_batch(), make_advantages()):
        assert_same(outcome, usual)
        np.testing.assert_allclose(outcome.before.logprobs, usual.before.logprobs, atol=1e-5)
        np.testing.assert_allclose(outcome.before.values, usual.before.values, atol=1e-5)


@pytest.mark.e2e
@pytest.mark.parametrize(("zero_stage", "lora_rank"), [(2, 0), (3, 4)])
def test_a_rank_without_rows_keeps_pace_and_counts_for_nothing(alone, pair, folder, zero_stage, lora_rank):
    batch, advantages = make_batch(3), make_advantages(3)
    options = {"micro_batch_tokens": 1, "lora_rank": lora_rank, "kl_coef": 0.1, "kl_in": "loss", "kl_estimator": "k3"}
    options |= {"mini_batch_size": 3, "entropy_coef": 0.1, "zero_stage": zero_stage}
    expected = alone.run(learn, make_config(**options), folder, batch, advantages, 1, 0.1)[0]
    for outcome in pair.run(learn, make_config(num_ranks=2, **options), folder, batch, advantages, 1, 0.1):
        assert_same(outcome, expected)


@pytest.mark.e2e
def test_a_minibatch_in_which_nobody_acted_is_harmless(alone, folder):
    batch = dataclasses.replace(make_batch(), action_mask=np.zeros((NUM_ROWS, 24), bool))
    config = make_config(entropy_coef=0.1)
    outcome = alone.run(learn, config, folder, batch, constant_advantages(batch, [1.0] * NUM_ROWS))[0]
    assert actor_moved(outcome, folder) == 0.0


@pytest.mark.e2e
@pytest.mark.parametrize("signs", [(1.0, 0.0), (0.0, 0.0)], ids=["half", "none"])
def test_dialogs_without_advantage_may_be_left_out(alone, folder, signs):
    """The policy's gradient stays, also its denominators; the entropy bonus does not reach the dialogs left out."""
    batch = make_batch()
    advantages = constant_advantages(batch, [signs[row % 2] for row in range(NUM_ROWS)])

    def outcome(**ppo: Any) -> Outcome:
        config = make_config(advantage_estimator="grpo", mini_batch_size=NUM_ROWS, ppo_epochs=1, **ppo)
        return alone.run(learn, config, folder, batch, advantages)[0]

    assert weight_gap(outcome(skip_zero_advantages=True), outcome()) <= 1e-6
    assert weight_gap(outcome(skip_zero_advantages=True, entropy_coef=0.1), outcome(entropy_coef=0.1)) > 1e-4


# -- what an update does --------------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_good_answers_become_likelier_and_bad_ones_less(alone, folder):
    batch = make_batch()
    signs = np.where(np.arange(NUM_ROWS) % 2, -1.0, 1.0)
    outcome = alone.run(learn, make_config(lr=3e-3), folder, batch, constant_advantages(batch, signs))[0]
    change = np.where(batch.action_mask, outcome.after.logprobs - outcome.before.logprobs, 0).sum(1)
    acted = batch.action_mask.any(1)
    assert (change[acted] * signs[acted] > 0).all()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("policy_loss", "mode"),
    [
        ("ppo", "token-mean"),
        ("ppo", "seq-mean-token-mean"),
        ("ppo", "seq-mean-token-sum"),
        ("dual_clip", "token-mean"),
        ("gspo", "seq-mean-token-mean"),
        ("cispo", "token-mean"),
    ],
)
def test_every_loss_and_denominator_lowers_the_surrogate_of_its_mode(alone, folder, policy_loss, mode):
    batch, advantages = make_batch(), make_advantages()
    config = make_config(policy_loss=policy_loss, loss_agg_mode=mode, tis_threshold=0, lr=3e-4)
    outcome = alone.run(learn, config, folder, batch, advantages)[0]

    def surrogate(notes: Annotations) -> float:
        ratio = np.exp(notes.logprobs - outcome.before.logprobs)
        per_token, mask = torch.from_numpy(-ratio * advantages.advantages), torch.from_numpy(batch.action_mask)
        num_sequences = int(batch.action_mask.any(1).sum())
        return float(aggregate(per_token, mask, mode, num_tokens=batch.num_action_tokens, num_sequences=num_sequences))

    assert surrogate(outcome.after) < surrogate(outcome.before) - 1e-3


@pytest.mark.e2e
def test_metrics_of_an_on_policy_step_by_hand(alone, folder):
    batch, advantages = make_batch(), make_advantages()
    notes = alone.run(learn, make_config(), folder, batch, advantages, 0)[0].before
    batch = dataclasses.replace(batch, sampler_logprobs=notes.logprobs)
    metrics = alone.run(learn, make_config(mini_batch_size=NUM_ROWS, ppo_epochs=1), folder, batch, advantages)[
        0
    ].metrics
    mask = batch.action_mask
    error = notes.values[:, :-1] - advantages.returns  # nothing is clipped yet: values are their own old ones
    expected = {
        "actor/pg_loss": -advantages.advantages[mask].mean(),  # the ratio is 1
        "actor/ppo_kl": 0.0,
        "actor/pg_clipfrac": 0.0,
        "actor/dual_clipfrac": 0.0,
        "critic/vf_loss": (0.5 * error[mask] ** 2).mean(),
    }
    assert {name: metrics[0][name] for name in expected} == pytest.approx(expected, abs=1e-5)
    assert 0 < metrics[0]["actor/entropy"] < math.log(262)
    assert min(metrics[0]["actor/grad_norm"], metrics[0]["critic/grad_norm"]) > 0


@pytest.mark.e2e
@pytest.mark.parametrize(("threshold", "factor"), [(0.0, 1.0), (2.0, 2.0), (8.0, 4.0)])
def test_the_importance_of_what_the_sampler_thought_rarer_is_truncated(alone, folder, threshold, factor):
    batch, advantages = make_batch(), make_advantages()
    notes = alone.run(learn, make_config(), folder, batch, advantages, 0)[0].before
    batch = dataclasses.replace(batch, sampler_logprobs=notes.logprobs - np.float32(math.log(4)))
    config = make_config(tis_threshold=threshold, mini_batch_size=NUM_ROWS, ppo_epochs=1)
    metrics = alone.run(learn, config, folder, batch, advantages)[0].metrics[0]
    assert metrics["actor/pg_loss"] == pytest.approx(
        -factor * advantages.advantages[batch.action_mask].mean(), abs=1e-5
    )


@pytest.mark.e2e
def test_the_entropy_bonus_raises_entropy(alone, folder):
    batch = make_batch()
    nothing = constant_advantages(batch, [0.0] * NUM_ROWS)
    config = make_config(entropy_coef=1.0, mini_batch_size=NUM_ROWS, ppo_epochs=1, lr=3e-3)
    metrics = alone.run(learn, config, folder, batch, nothing, 3)[0].metrics
    assert metrics[0]["actor/entropy"] < metrics[1]["actor/entropy"] < metrics[2]["actor/entropy"]


@pytest.mark.e2e
def test_kl_in_the_loss_holds_the_policy_back(alone, folder):
    batch, advantages = make_batch(), make_advantages()

    def drift(kl_coef: float) -> float:
        config = make_config(kl_coef=0.1, kl_in="loss", kl_estimator="k3", lr=3e-3)
        notes = alone.run(learn, config, folder, batch, advantages, 3, kl_coef)[0].after
        return float(np.square(notes.logprobs - notes.ref_logprobs)[batch.action_mask].mean())

    assert drift(10.0) < 0.5 * drift(0.0)


@pytest.mark.e2e
def test_the_critic_learns_its_returns_and_warms_up_without_the_policy(alone, folder):
    config = make_config(critic_warmup=1, lr=3e-3, value_clip=10.0)
    outcome = alone.run(learn, config, folder, make_batch(), make_advantages(), 4)[0]
    assert actor_moved(outcome, folder) == 0.0
    assert not [name for name in outcome.metrics[0] if name.startswith("actor/")]
    assert outcome.metrics[-1]["critic/vf_loss"] < 0.7 * outcome.metrics[0]["critic/vf_loss"]
    assert actor_moved(alone.run(learn, config, folder, make_batch(), make_advantages(), 1, 0.0, 1)[0], folder) > 0


@pytest.mark.e2e
def test_target_kl_stops_all_ranks_at_the_first_minibatch_beyond_it(alone, pair, folder):
    options = {"mini_batch_size": NUM_ROWS, "ppo_epochs": 5, "lr": 1e-2}
    two_epochs = alone.run(learn, make_config(**options | {"ppo_epochs": 2}), folder, make_batch(), make_advantages())
    # the first minibatch is on policy, so its KL is 0; the second one sees what the first did
    stopped = alone.run(learn, make_config(target_kl=1e-3, **options), folder, make_batch(), make_advantages())
    assert stopped[0].metrics[0].pop("actor/early_stop") == 1.0
    assert_same(stopped[0], two_epochs[0])
    config = make_config(num_ranks=2, target_kl=1e-3, **options)
    for outcome in pair.run(learn, config, folder, make_batch(), make_advantages()):
        assert outcome.metrics[0].pop("actor/early_stop") == 1.0
        assert_same(outcome, stopped[0])
    loose = alone.run(learn, make_config(target_kl=1e3, **options), folder, make_batch(), make_advantages())[0]
    assert "actor/early_stop" not in loose.metrics[0]


@pytest.mark.e2e
@pytest.mark.parametrize("estimator", ["gae", "grpo"])
def test_nan_is_skipped_and_counted_and_three_in_a_row_end_the_run(alone, pair, folder, estimator):
    options = {"advantage_estimator": estimator, "mini_batch_size": NUM_ROWS, "ppo_epochs": 1, "max_nonfinite_steps": 3}
    bad_steps = [True, True, False, True, True, True]
    for ranks, num_ranks in ((alone, 1), (pair, 2)):
        config = make_config(num_ranks=num_ranks, **options)
        for done, message in ranks.run(learn_until_error, config, folder, make_batch(), bad_steps):
            assert done == 5
            assert message.startswith("3 optimiser steps in a row had a NaN or an infinity")
            assert "actor.lr" in message


@pytest.mark.e2e
def test_a_skipped_step_leaves_the_policy_alone_and_shows_in_the_metrics(alone, folder):
    advantages = make_advantages()
    advantages.advantages[0, 3] = np.nan
    config = make_config(mini_batch_size=NUM_ROWS, ppo_epochs=2)
    outcome = alone.run(learn, config, folder, make_batch(), advantages)[0]
    assert outcome.metrics[0]["actor/skipped_steps"] == 2.0
    assert "critic/skipped_steps" not in outcome.metrics[0]
    assert actor_moved(outcome, folder) == 0.0


# -- state ----------------------------------------------------------------------------------------------------------


@pytest.mark.e2e
@pytest.mark.parametrize(("zero_stage", "lora_rank"), [(0, 0), (2, 0), (3, 4)])
def test_a_resumed_learner_goes_on_to_the_bit(pair, folder, tmp_path, zero_stage, lora_rank):
    config = make_config(num_ranks=2, zero_stage=zero_stage, lora_rank=lora_rank)
    for first, second in pair.run(save_and_resume, config, folder, tmp_path / "checkpoint"):
        assert all(np.array_equal(first[name], second[name]) for name in first)
    policy = load_policy(tmp_path / "checkpoint/policy")
    if lora_rank:
        policy = load_lora(policy, tmp_path / "checkpoint/policy/adapter")
    assert policy is not None


@pytest.mark.e2e
def test_a_plain_policy_is_published_whole_and_lora_as_base_and_adapter(alone, folder):
    (first,), (second,) = alone.run(publish_twice, make_config(), folder)[0]
    assert (first[:2], second[:2]) == (("full", 0), ("full", 1))
    assert first[2] != second[2]
    (base, adapter), (same, trained) = alone.run(publish_twice, make_config(lora_rank=4), folder)[0]
    assert base == same == ("full", 0, first[2])
    assert (adapter[:2], trained[:2]) == (("adapter", 0), ("adapter", 1))
    assert adapter[2] != trained[2]


# -- learning -------------------------------------------------------------------------------------------------------


@pytest.mark.e2e
def test_a_one_token_task_is_learned_in_seconds(alone):
    before, after = alone.run(play_bandit, 40)[0]
    assert before <= 0.25
    assert after == 1.0

"""PPO on real DeepSpeed ranks: the same result however it is cut, the right signs, and a policy that learns."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.lora import load_lora
from models.policy import load_policy
from models.value import load_value
from rl.batch import Annotations
from rl.losses import aggregate
from tests.models.ranks import Ranks
from tests.rl.updates import (
    NUM_ROWS,
    Outcome,
    actor_moved,
    answer_logprobs,
    assert_same,
    constant_advantages,
    learn,
    learn_until_error,
    make_advantages,
    make_batch,
    make_config,
    on_real_tokens,
    play_bandit,
    publish_twice,
    reorder,
    save_and_resume,
    weight_gap,
    widen,
)


@pytest.fixture(scope="module")
def usual(alone: Ranks, folder: Path) -> Outcome:
    """What every other way to cut the same update is compared to."""
    return alone.run(learn, make_config(), folder, make_batch(), make_advantages())[0]


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
    if lora_rank:
        policy = load_lora(load_policy(folder), tmp_path / "checkpoint/policy")
    else:
        policy = load_policy(tmp_path / "checkpoint/policy")
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

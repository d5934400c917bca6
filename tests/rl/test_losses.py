from dataclasses import astuple
from math import exp, log

import pytest
import torch
from torch import Tensor

from rl import losses
from rl.losses import (
    POLICY_LOSSES,
    aggregate,
    cispo,
    dual_clip,
    entropy,
    gspo,
    kl_estimate,
    ppo,
    token_logprobs,
    truncated_importance,
    value_loss,
)

CLIP = {"clip_low": 0.2, "clip_high": 0.3, "clip_c": 3.0}
MODES = ["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"]
ALL = pytest.mark.parametrize("name", list(POLICY_LOSSES))


def t(x) -> Tensor:
    return torch.tensor(x, dtype=torch.float64)


def one_row(ratios: list[float], advantages: list[float]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Log-probs (a leaf), old ones of probability 1/2, advantages and a full mask, [1, T] each."""
    old = torch.full((1, len(ratios)), log(0.5), dtype=torch.float64)
    logprobs = (old + t([ratios]).log()).requires_grad_()
    return logprobs, old, t([advantages]), torch.ones(1, len(ratios), dtype=torch.bool)


def dialogs() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Five rows of several turns, one of them without any action, with ratios on both sides of every clip."""
    torch.manual_seed(0)
    mask = torch.rand(5, 12) < 0.5
    mask[3] = False
    old = -torch.rand(5, 12, dtype=torch.float64) - 0.1
    return (old + torch.randn_like(old) * 0.8).requires_grad_(), old, torch.randn_like(old), mask


def gradient(loss: Tensor, leaf: Tensor) -> Tensor:
    return torch.autograd.grad(loss, leaf, retain_graph=True)[0]


# --- policy losses


def test_ppo_by_hand():
    logprobs, old, advantages, mask = one_row([1.1, 1.5, 1.5, 0.5, 0.5], [2, 2, -2, 2, -2])
    loss, stats = ppo(logprobs, old, advantages, mask, **CLIP)
    torch.testing.assert_close(loss, t([[-2.2, -2.6, 3.0, -1.0, 1.6]]))
    # d loss / d logprob = -A * ratio, and 0 where the clip was taken
    torch.testing.assert_close(gradient(loss.sum(), logprobs), t([[-2.2, 0, 3.0, -1.0, 0]]))
    assert stats.clipped.sum() == 2 and stats.dual_clipped.sum() == 0
    kl = [r - 1 - log(r) for r in (1.1, 1.5, 1.5, 0.5, 0.5)]
    assert stats.kl.sum().item() == pytest.approx(sum(kl))


def test_dual_clip_by_hand():
    logprobs, old, advantages, mask = one_row([5.0, 2.0, 5.0, 0.5], [-1, -1, 1, -1])
    loss, stats = dual_clip(logprobs, old, advantages, mask, **CLIP)
    torch.testing.assert_close(loss, t([[3.0, 2.0, -1.3, 0.8]]))
    torch.testing.assert_close(gradient(loss.sum(), logprobs), t([[0, 2.0, 0, 0]]))
    assert stats.clipped.sum() == 2 and stats.dual_clipped.sum() == 1


def test_dual_clip_is_ppo_for_positive_advantages():
    logprobs, old, advantages, mask = dialogs()
    ours, _ = dual_clip(logprobs, old, advantages.abs(), mask, **CLIP | {"clip_c": 1.01})
    theirs, _ = ppo(logprobs, old, advantages.abs(), mask, **CLIP)
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_gspo_by_hand():
    logprobs, old, advantages, mask = one_row([2.0, 0.5, 1.331], [1, 1, 1])  # geometric mean 1.1
    loss, stats = gspo(logprobs, old, advantages, mask, **CLIP)
    torch.testing.assert_close(loss, t([[-1.1, -1.1, -1.1]]))
    assert stats.clipped.sum() == 0
    assert gspo(logprobs, old, advantages, mask, clip_low=0.05, clip_high=0.05, clip_c=3.0)[1].clipped.sum() == 3


def test_gspo_is_ppo_for_answers_of_one_token():
    logprobs, old, advantages, _ = dialogs()
    mask = torch.zeros(5, 12, dtype=torch.bool)
    mask[torch.arange(5), torch.tensor([3, 0, 11, 5, 7])] = True
    ours, theirs = (f(logprobs, old, advantages, mask, **CLIP)[0].sum() for f in (gspo, ppo))
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient(ours, logprobs), gradient(theirs, logprobs))


def test_gspo_has_the_gradient_of_its_sequence_objective():
    logprobs, old, advantages, mask = dialogs()
    advantage, lengths = advantages[:, :1], mask.sum(1).clamp(min=1)
    ratio = (((logprobs - old) * mask).sum(1) / lengths).exp()
    surrogate = torch.minimum(ratio * advantage[:, 0], ratio.clamp(0.8, 1.3) * advantage[:, 0])
    loss, _ = gspo(logprobs, old, advantage.expand(5, 12), mask, **CLIP)
    loss = aggregate(loss, mask, "seq-mean-token-mean", num_tokens=int(mask.sum()), num_sequences=4)
    torch.testing.assert_close(gradient(loss, logprobs), gradient(-surrogate.sum() / 4, logprobs))


def test_cispo_keeps_the_gradient_of_clipped_tokens():
    logprobs, old, advantages, mask = one_row([1.1, 1.5, 0.5], [2, 2, -1])
    loss, stats = cispo(logprobs, old, advantages, mask, **CLIP)
    torch.testing.assert_close(gradient(loss.sum(), logprobs), t([[-2.2, -2.6, 0.8]]))
    assert stats.clipped.sum() == 2


@ALL
def test_on_policy_gradient_is_the_policy_gradient(name):
    logprobs, _, advantages, mask = dialogs()
    loss, stats = POLICY_LOSSES[name](logprobs, logprobs.detach(), advantages, mask, **CLIP)
    torch.testing.assert_close(gradient(loss.sum(), logprobs), -advantages * mask)
    assert stats.clipped.sum() == 0 and stats.dual_clipped.sum() == 0 and stats.kl.sum() == 0


@ALL
def test_nothing_off_the_actions_matters(name):
    logprobs, old, advantages, mask = dialogs()
    expected, expected_stats = POLICY_LOSSES[name](logprobs, old, advantages, mask, **CLIP)
    garbage = logprobs.detach().masked_fill(~mask, float("nan")).requires_grad_()
    old, advantages = old.masked_fill(~mask, float("inf")), advantages.masked_fill(~mask, float("nan"))
    loss, stats = POLICY_LOSSES[name](garbage, old, advantages, mask, **CLIP)
    torch.testing.assert_close(loss, expected, rtol=0, atol=0)
    assert all(map(torch.equal, astuple(stats), astuple(expected_stats))) and not loss[~mask].any()
    torch.testing.assert_close(gradient(loss.sum(), garbage), gradient(expected.sum(), logprobs), rtol=0, atol=0)


@ALL
def test_absurd_ratios_stay_finite(name):
    logprobs, old, advantages, mask = one_row([1.0, 1.0], [1, -1])
    loss, stats = POLICY_LOSSES[name](logprobs, old + t([[-1000, 1000]]), advantages, mask, **CLIP)
    assert loss.isfinite().all() and stats.kl.isfinite().all() and gradient(loss.sum(), logprobs).isfinite().all()


@pytest.mark.parametrize("mode", MODES)
@ALL
def test_gradient_and_statistics_do_not_depend_on_micro_batches_and_padding(name, mode):
    logprobs, old, advantages, mask = dialogs()
    count = {"num_tokens": int(mask.sum()), "num_sequences": int(mask.any(1).sum())}
    whole, whole_stats = POLICY_LOSSES[name](logprobs, old, advantages, mask, **CLIP)
    whole = aggregate(whole, mask, mode, **count)

    total, sums = torch.zeros(()), torch.zeros(3)
    for rows, padding in (([4, 2], 0), ([3], 5), ([0, 1], 2)):
        padded = (torch.nn.functional.pad(x[rows], (0, padding), value=7.0) for x in (logprobs, old, advantages))
        part_mask = torch.nn.functional.pad(mask[rows], (0, padding))
        part, stats = POLICY_LOSSES[name](*padded, part_mask, **CLIP)
        total = total + aggregate(part, part_mask, mode, **count)
        sums += torch.stack([x.float().sum() for x in (stats.clipped, stats.dual_clipped, stats.kl)])

    torch.testing.assert_close(total, whole)
    torch.testing.assert_close(gradient(total, logprobs), gradient(whole, logprobs))
    torch.testing.assert_close(sums, torch.tensor([float(x.sum()) for x in astuple(whole_stats)]))


@ALL
def test_gradients_are_those_of_finite_differences(name):
    logprobs, old, advantages, mask = dialogs()
    if name == "cispo":  # its weight has no gradient by design: check it on policy, where it is 1 and flat when clipped
        old = logprobs.detach() - 1.0
    if name == "gspo":  # so has its ratio of other tokens: check rows of one action
        mask = torch.zeros_like(mask)
        mask[:, 4] = True
    assert torch.autograd.gradcheck(lambda x: POLICY_LOSSES[name](x, old, advantages, mask, **CLIP)[0], logprobs)


# --- aggregation


def test_aggregate_by_hand():
    per_token = t([[1, 2, 3, 50], [10, 50, 50, 50], [50, 50, 50, 50]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]]).bool()
    count = {"num_tokens": 8, "num_sequences": 4}  # as if other ranks held four tokens in two more rows
    assert aggregate(per_token, mask, "token-mean", **count) == 16 / 8
    assert aggregate(per_token, mask, "seq-mean-token-mean", **count) == (2 + 10) / 4
    assert aggregate(per_token, mask, "seq-mean-token-sum", **count) == 16 / 4


@pytest.mark.parametrize("mode", MODES)
def test_aggregate_of_nothing_is_zero(mode):
    leaf = torch.ones(2, 3, requires_grad=True)
    loss = aggregate(leaf, torch.zeros(2, 3, dtype=torch.bool), mode, num_tokens=0, num_sequences=0)
    assert loss == 0 and not gradient(loss, leaf).any()


# --- the other terms


def test_truncated_importance_by_hand():
    old = t([[log(0.5), log(0.5), log(0.5), -1e9]]).requires_grad_()
    weights = truncated_importance(old, t([[log(0.4), log(0.1), log(1.0), 0.0]]), threshold=2.0)
    torch.testing.assert_close(weights, t([[1.25, 2.0, 0.5, exp(-20)]]))
    assert not weights.requires_grad


def test_value_loss_by_hand():
    values = t([[1.0, 2.0, 2.0, -1.0]]).requires_grad_()
    old_values, returns = t([[1.2, 1.0, 1.0, 0.0]]), t([[3.0, 3.0, 1.0, -1.0]])
    loss = value_loss(values, old_values, returns, value_clip=0.5)
    # within the clip: (1 - 3)^2 / 2;  clipped to 1.5: (1.5 - 3)^2 / 2;  unclipped larger: 1 / 2;  clipped to -0.5
    torch.testing.assert_close(loss, t([[2.0, 1.125, 0.5, 0.125]]))
    # where the clip holds it back, the value has moved enough
    torch.testing.assert_close(gradient(loss.sum(), values), t([[-2.0, 0.0, 1.0, 0.0]]))


def test_kl_estimates_by_hand():
    logprobs, ref_logprobs = t([[log(0.5), log(0.5), 0.0]]), t([[log(0.25), log(0.5), -1e9]])
    torch.testing.assert_close(kl_estimate(logprobs, ref_logprobs, "k1"), t([[log(2), 0, 10]]))
    torch.testing.assert_close(kl_estimate(logprobs, ref_logprobs, "k2"), t([[log(2) ** 2 / 2, 0, 50]]))
    torch.testing.assert_close(kl_estimate(logprobs, ref_logprobs, "k3"), t([[0.5 - 1 + log(2), 0, exp(-10) - 1 + 10]]))


@pytest.mark.parametrize("estimator", ["k1", "k2", "k3"])
def test_kl_loss_has_the_gradient_of_the_kl(estimator):
    """In expectation, worked out over a vocabulary of five."""
    torch.manual_seed(0)
    logits, ref = torch.randn(5, dtype=torch.float64, requires_grad=True), torch.randn(5, dtype=torch.float64)
    logprobs, ref_logprobs = logits.log_softmax(0), ref.log_softmax(0)
    probs = logprobs.detach().exp()
    exact = (logprobs.exp() * (logprobs - ref_logprobs)).sum()
    estimate = (probs * kl_estimate(logprobs, ref_logprobs, estimator)).sum()
    torch.testing.assert_close(gradient(estimate, logits), gradient(exact, logits))
    if estimator != "k2":  # the biased one
        torch.testing.assert_close((probs * kl_estimate(logprobs, ref_logprobs, estimator)).sum(), exact)


def test_kl_gradient_is_bounded_but_never_gone():
    logprobs = torch.zeros(1, 1, requires_grad=True)
    assert gradient(kl_estimate(logprobs, torch.full((1, 1), -1e6), "k3").sum(), logprobs) == 10


def test_entropy_by_hand():
    torch.testing.assert_close(entropy(t([[0.5, 0.25, 0.25], [1, 1e-300, 1e-300]]).log()), t([1.5 * log(2), 0]))
    logits = torch.randn(3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: entropy(x.log_softmax(-1)), logits)


# --- log-probs of tokens


def naive_logprobs(logits: Tensor, tokens: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    distribution = torch.distributions.Categorical(logits=logits[:, :-1].float() / temperature)
    pad = torch.nn.functional.pad
    return pad(distribution.log_prob(tokens[:, 1:]), (1, 0)), pad(distribution.entropy(), (1, 0))


def test_token_logprobs_by_hand():
    logits = t([[[0, log(3)], [log(4), 0], [9, 9]]])  # the next token is 1 with 3/4, then 0 with 4/5
    logprobs, no_entropy = token_logprobs(logits, torch.tensor([[1, 1, 0]]), temperature=1.0)
    torch.testing.assert_close(logprobs, torch.tensor([[0, log(0.75), log(0.8)]]))
    assert no_entropy is None


@pytest.mark.parametrize("chunk_elements", [1, 7 * 11, 10**6])
def test_token_logprobs_and_gradients_do_not_depend_on_chunks(monkeypatch, chunk_elements):
    monkeypatch.setattr(losses, "CHUNK_ELEMENTS", chunk_elements)
    torch.manual_seed(0)
    logits, tokens = torch.randn(3, 6, 11, requires_grad=True), torch.randint(11, (3, 6), dtype=torch.int32)
    weights = torch.randn(2, 3, 6)
    ours = torch.stack(token_logprobs(logits, tokens, temperature=0.7, with_entropy=True))
    theirs = torch.stack(naive_logprobs(logits, tokens.long(), 0.7))
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradient((ours * weights).sum(), logits), gradient((theirs * weights).sum(), logits))


def test_token_logprobs_of_bfloat16_logits_are_float32():
    logits, tokens = torch.randn(2, 5, 11).bfloat16(), torch.randint(11, (2, 5))
    logprobs, entropies = token_logprobs(logits, tokens, temperature=1.0, with_entropy=True)
    assert logprobs.dtype == entropies.dtype == torch.float32
    torch.testing.assert_close(logprobs, naive_logprobs(logits, tokens, 1.0)[0])


def test_a_single_token_has_nothing_before_it():
    logprobs, _ = token_logprobs(torch.randn(2, 1, 4), torch.zeros(2, 1, dtype=torch.int32), temperature=1.0)
    assert logprobs.tolist() == [[0], [0]]

"""The terms of the PPO objective as pure functions of tensors and numbers.

Losses come out per token; `aggregate` turns them into one number, by denominators that the caller counted over the
whole minibatch on all ranks. So the sum over micro-batches is the same however they are cut and padded.

A function that takes `action_mask` applies it on the way in: nothing off the actions reaches its loss or gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

MAX_LOG_RATIO = 20.0  # of two policies that should be close; exp(20) is still far from overflow
MAX_KL_LOG_RATIO = 10.0  # nats that one token can pay for leaving the reference
CHUNK_ELEMENTS = 2**22  # log-probs that exist at once, 16 MiB: small enough for malloc to hand out again and again


@dataclass(frozen=True, slots=True)
class PolicyStats:
    """What happened to each action token, [B, T]; 0 off the actions.

    Attributes:
        clipped: whether its ratio was clipped.
        dual_clipped: whether its advantage was negative and its loss capped.
        kl: k3 estimate of KL(old || new), nats (http://joschu.net/blog/kl-approx.html).
    """

    clipped: Tensor
    dual_clipped: Tensor
    kl: Tensor


def _log_ratio(logprobs: Tensor, old_logprobs: Tensor, action_mask: Tensor) -> Tensor:
    return torch.where(action_mask, logprobs - old_logprobs, 0.0).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)


def _stats(log_ratio: Tensor, clipped: Tensor, dual_clipped: Tensor | None = None) -> PolicyStats:
    log_ratio = log_ratio.detach()
    dual_clipped = torch.zeros_like(clipped) if dual_clipped is None else dual_clipped
    return PolicyStats(clipped, dual_clipped, kl=torch.expm1(log_ratio) - log_ratio)


def _surrogate(ratio: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> tuple[Tensor, Tensor]:
    """max(-r A, -clip(r, 1 - clip_low, 1 + clip_high) A), and where the clip was the larger."""
    unclipped = -advantages * ratio
    clipped = -advantages * ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    return torch.maximum(unclipped, clipped), clipped > unclipped


def ppo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    action_mask: Tensor,
    *,
    clip_low: float,
    clip_high: float,
    clip_c: float,
) -> tuple[Tensor, PolicyStats]:
    """Clipped surrogate (Schulman et al. 2017, 1707.06347), with two clip widths (DAPO, 2503.14476).

        L_t = max(-r_t A_t, -clip(r_t, 1 - clip_low, 1 + clip_high) A_t),    r_t = pi(t) / pi_old(t)

    All policy losses have this signature; `clip_c` is for `dual_clip` alone.

    Args:
        logprobs, old_logprobs, advantages, action_mask: [B, T].

    Returns:
        Loss per token [B, T], 0 off the actions, and its statistics.
    """
    log_ratio = _log_ratio(logprobs, old_logprobs, action_mask)
    advantages = torch.where(action_mask, advantages, 0.0)
    loss, clipped = _surrogate(log_ratio.exp(), advantages, clip_low, clip_high)
    return loss, _stats(log_ratio, clipped)


def dual_clip(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    action_mask: Tensor,
    *,
    clip_low: float,
    clip_high: float,
    clip_c: float,
) -> tuple[Tensor, PolicyStats]:
    """`ppo`, but a bad action that became likelier costs at most clip_c * |A| (Ye et al. 2020, 1912.09729).

    L_t = min(ppo_t, -clip_c A_t)  where A_t < 0;    ppo_t  elsewhere
    """
    log_ratio = _log_ratio(logprobs, old_logprobs, action_mask)
    advantages = torch.where(action_mask, advantages, 0.0)
    loss, clipped = _surrogate(log_ratio.exp(), advantages, clip_low, clip_high)
    cap = -clip_c * advantages
    capped = (advantages < 0) & (loss > cap)
    return torch.where(capped, cap, loss), _stats(log_ratio, clipped, capped)


def gspo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    action_mask: Tensor,
    *,
    clip_low: float,
    clip_high: float,
    clip_c: float,
) -> tuple[Tensor, PolicyStats]:
    """`ppo` with one ratio for a whole sequence, the geometric mean of its tokens' (Zheng et al. 2025, 2507.18071).

        s = (pi(y) / pi_old(y)) ** (1 / |y|);    s_t = sg[s] * pi(t) / sg[pi(t)]

    This is their GSPO-token: the same gradient as GSPO where a sequence has one advantage, and right where it has
    several. y is all that the policy wrote in the dialog. Usual clip widths are around 3e-4.
    """
    log_ratio = _log_ratio(logprobs, old_logprobs, action_mask)
    advantages = torch.where(action_mask, advantages, 0.0)
    lengths = action_mask.sum(1, keepdim=True).clamp(min=1)
    mean = log_ratio.detach().sum(1, keepdim=True) / lengths
    ratio = (mean + log_ratio - log_ratio.detach()).exp()
    loss, clipped = _surrogate(ratio, advantages, clip_low, clip_high)
    return loss, _stats(log_ratio, clipped)


def cispo(
    logprobs: Tensor,
    old_logprobs: Tensor,
    advantages: Tensor,
    action_mask: Tensor,
    *,
    clip_low: float,
    clip_high: float,
    clip_c: float,
) -> tuple[Tensor, PolicyStats]:
    """REINFORCE under a clipped importance weight: no token loses its gradient (MiniMax-M1, 2506.13585).

    L_t = -sg[clip(r_t, 1 - clip_low, 1 + clip_high)] A_t log pi(t)
    """
    log_ratio = _log_ratio(logprobs, old_logprobs, action_mask)
    advantages = torch.where(action_mask, advantages, 0.0)
    ratio = log_ratio.detach().exp()
    weight = ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    loss = -weight * advantages * torch.where(action_mask, logprobs, 0.0)
    return loss, _stats(log_ratio, weight != ratio)


POLICY_LOSSES: dict[str, Callable[..., tuple[Tensor, PolicyStats]]] = {
    "ppo": ppo,
    "dual_clip": dual_clip,
    "gspo": gspo,
    "cispo": cispo,
}


def truncated_importance(old_logprobs: Tensor, sampler_logprobs: Tensor, threshold: float) -> Tensor:
    """Weights that undo the gap between the engine that sampled and the learner: min(pi_old / pi_sampler, threshold).

    Per token, without gradient, to be multiplied into the policy loss (Yao et al. 2025, "Your efficient RL framework
    secretly brings you off-policy RL training"; the decoupled objective of Hilton et al. 2022, 2110.00641).
    [B, T], [B, T] -> [B, T].
    """
    log_ratio = (old_logprobs - sampler_logprobs).detach().clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)
    return log_ratio.exp().clamp(max=threshold)


def value_loss(values: Tensor, old_values: Tensor, returns: Tensor, value_clip: float) -> Tensor:
    """0.5 * max((V - R)^2, (clip(V, V_old +- value_clip) - R)^2) per token. [B, T] each -> [B, T]."""
    clipped = old_values + (values - old_values).clamp(-value_clip, value_clip)
    return 0.5 * torch.maximum((values - returns).square(), (clipped - returns).square())


def kl_estimate(logprobs: Tensor, ref_logprobs: Tensor, estimator: Literal["k1", "k2", "k3"]) -> Tensor:
    """Per-token estimate of KL(pi || ref) from one sample of pi (Schulman, http://joschu.net/blog/kl-approx.html).

        x = log pi - log ref, clamped;    k1 = x;    k2 = x^2 / 2;    k3 = exp(-x) - 1 + x

    The gradient is x * grad log pi for all three: k2's own, and the only one of them that is on average the gradient
    of this token's KL. k1's is 0 on average, k3's that of KL(ref || pi) (Tang and Munos 2025, 2506.09477). The clamp
    bounds it and never ends it. [B, T], [B, T] -> [B, T].
    """
    x = (logprobs - ref_logprobs).detach().clamp(-MAX_KL_LOG_RATIO, MAX_KL_LOG_RATIO)
    match estimator:
        case "k1":
            value = x
        case "k2":
            value = 0.5 * x.square()
        case "k3":
            value = torch.expm1(-x) + x
    return value + x * (logprobs - logprobs.detach())


def aggregate(
    per_token: Tensor,
    action_mask: Tensor,
    mode: Literal["token-mean", "seq-mean-token-mean", "seq-mean-token-sum"],
    *,
    num_tokens: int,
    num_sequences: int,
) -> Tensor:
    """This micro-batch's share of the loss of a minibatch; the shares of all micro-batches and ranks add up to it.

        token-mean:           sum over tokens / num_tokens                             (DAPO, 2503.14476)
        seq-mean-token-mean:  sum over rows of (mean over the row's tokens) / num_sequences   (GRPO, 2402.03300)
        seq-mean-token-sum:   sum over tokens / num_sequences                         (Dr. GRPO, 2503.20783)

    Dr. GRPO's code also divides by the maximal length. A constant changes the learning rate and the size of the
    gradient norm and nothing else, so it is left to those.

    Args:
        per_token, action_mask: [B, T].
        num_tokens: action tokens of the whole minibatch, all ranks.
        num_sequences: rows of it that have any. A row without adds nothing and is counted nowhere.

    Returns:
        Scalar.
    """
    per_token = torch.where(action_mask, per_token, 0.0)
    match mode:
        case "token-mean":
            return per_token.sum() / max(num_tokens, 1)
        case "seq-mean-token-mean":
            return (per_token.sum(1) / action_mask.sum(1).clamp(min=1)).sum() / max(num_sequences, 1)
        case "seq-mean-token-sum":
            return per_token.sum() / max(num_sequences, 1)


def entropy(log_probs: Tensor) -> Tensor:
    """Entropy in nats of a distribution over V tokens, from their log-probs: -sum(p log p). [..., V] -> [...]."""
    return -(log_probs.exp() * log_probs).sum(-1)


def _chunk_logprobs(
    logits: Tensor, targets: Tensor, temperature: float, with_entropy: bool
) -> tuple[Tensor, Tensor | None]:
    log_probs = (logits.float() / temperature).log_softmax(1)
    return log_probs.gather(1, targets[:, None]).squeeze(1), entropy(log_probs) if with_entropy else None


def token_logprobs(
    logits: Tensor, tokens: Tensor, *, temperature: float, with_entropy: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Log-prob of every token given the ones before it, and the entropy of what it was drawn from.

    Over a large vocabulary the float32 log-softmax of a whole micro-batch would be the largest tensor of the step. It
    exists a chunk of tokens at a time here, in the forward pass and, computed again, in the backward pass.

    Args:
        logits: [B, T, V], any float type; position t predicts the token at t + 1.
        tokens: [B, T].

    Returns:
        Log-probs and entropies (None unless asked for), [B, T] float32, both at the position of the token itself:
        0 at t = 0, which nothing predicts.
    """
    num_rows, length, vocab_size = logits.shape
    targets = tokens.roll(-1, dims=1).flatten().long()  # the last one of a row wraps around, and is dropped below
    chunk = max(1, CHUNK_ELEMENTS // vocab_size)
    parts = [
        checkpoint(_chunk_logprobs, *part, temperature, with_entropy, use_reentrant=False, preserve_rng_state=False)
        for part in zip(logits.flatten(0, 1).split(chunk), targets.split(chunk), strict=True)
    ]

    def align(chunks: list[Tensor]) -> Tensor:
        predictions = torch.cat(chunks).view(num_rows, length)
        return torch.nn.functional.pad(predictions[:, :-1], (1, 0))

    logprobs = align([part[0] for part in parts])
    return logprobs, align([part[1] for part in parts]) if with_entropy else None

"""A decoder with a scalar head, V(prefix): the critic, and the network of a reward model."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from models.lora import apply_lora
from models.policy import load_policy, random_policy, seeded


class ValueModel(nn.Module):
    """Values [B, T] of `tokens` [B, T]: column t is the value of the prefix that ends with token t."""

    def __init__(self, body: PreTrainedModel, head: nn.Linear) -> None:
        super().__init__()
        self.body, self.head = body, head

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T] float32; padding on the right needs no mask, as in `models.policy.forward_logits`."""
        hidden = self.body(input_ids=tokens, use_cache=False).last_hidden_state
        return self.head(hidden).squeeze(-1).float()


def new_head(body: PreTrainedModel, *, seed: int, bias: bool = True) -> nn.Linear:
    """A scalar head, N(0, 1/(h+1)) in variance with zero bias (Stiennon et al. 2020, "Learning to summarize"; Huang et
    al. 2024, "The N implementation details of RLHF with PPO"): hidden states leave the last norm with unit scale, so
    first values have about unit scale too.
    """
    hidden = body.config.get_text_config().hidden_size
    head = nn.Linear(hidden, 1, bias=bias, dtype=body.dtype)
    with seeded(seed):
        nn.init.normal_(head.weight, std=(hidden + 1) ** -0.5)
    if bias:
        nn.init.zeros_(head.bias)
    return head


def random_value(config: PretrainedConfig, *, seed: int, dtype: torch.dtype = torch.float32) -> ValueModel:
    """A critic of random weights; give it another seed than the policy's."""
    body = random_policy(config, seed=seed, dtype=dtype).base_model
    return ValueModel(body, new_head(body, seed=seed))


def load_value(name_or_path: str | Path, *, seed: int, dtype: torch.dtype = torch.float32) -> ValueModel:
    """A critic on the body of a pretrained language model, with a new head. Raises ModelError."""
    body = load_policy(name_or_path, dtype=dtype).base_model
    return ValueModel(body, new_head(body, seed=seed))


def apply_lora_to_value(
    value: ValueModel, *, rank: int, alpha: float, target_modules: Sequence[str], seed: int
) -> ValueModel:
    """Freeze the critic's body and train an adapter beside it, and the head. Changes and returns `value`."""
    value.body = apply_lora(value.body, rank=rank, alpha=alpha, target_modules=target_modules, seed=seed, body=True)
    return value


def values_of_prefixes(values: Tensor) -> Tensor:
    """[B, T] values after each token -> [B, T+1]: column t is the value of the prefix of t tokens, of none 0."""
    return nn.functional.pad(values, (1, 0))

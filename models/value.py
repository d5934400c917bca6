"""The critic: a decoder of its own weights with a scalar head, V(prefix)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel

from models.lora import apply_lora
from models.policy import load_policy, random_policy, seeded


class ValueModel(nn.Module):
    """Values [B, T] of `tokens` [B, T]: column t is the value of the prefix that ends with token t.

    The head starts as N(0, 1/(h+1)) in variance with zero bias (Stiennon et al. 2020, "Learning to summarize"; Huang et
    al. 2024, "The N implementation details of RLHF with PPO"): hidden states leave the last norm with unit scale, so
    first values have about unit scale too.
    """

    def __init__(self, body: PreTrainedModel, *, seed: int) -> None:
        super().__init__()
        hidden = body.config.get_text_config().hidden_size
        self.body = body
        self.head = nn.Linear(hidden, 1, dtype=body.dtype)
        with seeded(seed):
            nn.init.normal_(self.head.weight, std=(hidden + 1) ** -0.5)
        nn.init.zeros_(self.head.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, T] float32; padding on the right needs no mask, as in `models.policy.forward_logits`."""
        hidden = self.body(input_ids=tokens, use_cache=False).last_hidden_state
        return self.head(hidden).squeeze(-1).float()


def random_value(config: PretrainedConfig, *, seed: int, dtype: torch.dtype = torch.float32) -> ValueModel:
    """A critic of random weights; give it another seed than the policy's."""
    return ValueModel(random_policy(config, seed=seed, dtype=dtype).base_model, seed=seed)


def load_value(name_or_path: str | Path, *, seed: int, dtype: torch.dtype = torch.float32) -> ValueModel:
    """A critic on the body of a pretrained language model, with a new head. Raises ModelError."""
    return ValueModel(load_policy(name_or_path, dtype=dtype).base_model, seed=seed)


def apply_lora_to_value(
    value: ValueModel, *, rank: int, alpha: float, target_modules: Sequence[str], seed: int
) -> ValueModel:
    """Freeze the critic's body and train an adapter beside it, and the head. Changes and returns `value`."""
    value.body = apply_lora(value.body, rank=rank, alpha=alpha, target_modules=target_modules, seed=seed, body=True)
    return value


def values_of_prefixes(values: Tensor) -> Tensor:
    """[B, T] values after each token -> [B, T+1]: column t is the value of the prefix of t tokens, of none 0."""
    return nn.functional.pad(values, (1, 0))

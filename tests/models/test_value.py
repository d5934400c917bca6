"""The critic: its alignment by prefix, its first values, and independence from padding and from the policy."""

from pathlib import Path

import pytest
import torch

from models.policy import random_policy, save_model_folder
from models.presets import build_config
from models.tokenizer import ModelError, train_tokenizer
from models.value import load_value, random_value, values_of_prefixes

CONFIG = build_config("r1-zero-6l-tiny", vocab_size=300, pad_token_id=0, eos_token_id=5, max_length=64)
TOKENS = torch.randint(0, 300, (16, 20), generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def critic():
    return random_value(CONFIG, seed=1)


def test_prefix_columns_worked_by_hand():
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert values_of_prefixes(values).tolist() == [[0.0, 1.0, 2.0, 3.0], [0.0, 4.0, 5.0, 6.0]]


def test_column_t_depends_on_the_first_t_tokens_and_on_no_other(critic):
    changed = TOKENS.clone()
    changed[:, 7] = (changed[:, 7] + 1) % 300
    with torch.no_grad():
        gap = (values_of_prefixes(critic(TOKENS)) - values_of_prefixes(critic(changed))).abs()
    assert gap[:, :8].max() <= 1e-6  # prefixes of up to 7 tokens do not hold token 7
    assert gap[:, 8].min() > 0


def test_padding_does_not_change_values(critic):
    with torch.no_grad():
        alone = critic(TOKENS[:, :9])
        padded = TOKENS.clone()
        padded[:, 9:] = 0
        torch.testing.assert_close(critic(padded)[:, :9], alone, atol=1e-5, rtol=0)


def test_first_values_have_about_unit_scale(critic):
    assert critic.head.weight.std().item() == pytest.approx((128 + 1) ** -0.5, rel=0.2)
    assert critic.head.bias.item() == 0.0
    values = critic(TOKENS)
    assert values.shape == TOKENS.shape
    assert values.dtype == torch.float32
    assert 0.3 < values.std() < 2.0


def test_seeded_and_trainable(critic):
    again, other = random_value(CONFIG, seed=1), random_value(CONFIG, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(critic.parameters(), again.parameters(), strict=True))
    assert not torch.equal(critic.head.weight, other.head.weight)
    again(TOKENS).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in again.parameters())


def test_a_pretrained_body_with_a_new_head(tmp_path):
    policy = random_policy(CONFIG, seed=5)
    save_model_folder(policy, train_tokenizer(["a"], vocab_size=262), tmp_path)
    critic = load_value(tmp_path, seed=1)
    body = policy.model.state_dict()
    assert all(torch.equal(tensor, body[name]) for name, tensor in critic.body.state_dict().items())
    assert load_value(tmp_path, seed=1, dtype=torch.bfloat16)(TOKENS).dtype == torch.float32
    with pytest.raises(ModelError, match="no folder"):
        load_value(Path("/nowhere/model"), seed=1)

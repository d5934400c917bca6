"""Policies: seeded random weights, folders in and out, exact logits without a mask, errors that name the path."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, GPT2Config, LlamaConfig

from models.policy import (
    ModelError,
    disable_dropout,
    forward_logits,
    load_policy,
    random_policy,
    save_model_folder,
    set_gradient_checkpointing,
    untie_embeddings,
)
from models.presets import build_config
from models.tokenizer import load_tokenizer, train_tokenizer

STORIES = Path(__file__).parents[3] / "shared/models/stories260K-hd32"
CONFIG = build_config("r1-zero-6l-tiny", vocab_size=300, pad_token_id=0, eos_token_id=5, max_length=64, init_std=0.05)


@pytest.fixture(scope="module")
def policy():
    return random_policy(CONFIG, seed=1)


@pytest.fixture
def folder(policy, tmp_path):
    save_model_folder(policy, train_tokenizer(["the cat"], vocab_size=262), tmp_path)
    return tmp_path


def same(a, b):
    left, right = a.state_dict(), b.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def test_same_seed_same_weights_and_the_generator_of_the_process_is_left_alone(policy):
    state = torch.get_rng_state()
    assert same(random_policy(CONFIG, seed=1), policy)
    assert not same(random_policy(CONFIG, seed=2), policy)
    assert torch.equal(torch.get_rng_state(), state)


def test_random_weights_have_the_asked_spread_and_are_untied(policy):
    assert policy.lm_head.weight is not policy.model.embed_tokens.weight
    for weight in (policy.lm_head.weight, policy.model.embed_tokens.weight, policy.model.layers[5].mlp.up_proj.weight):
        assert weight.std().item() == pytest.approx(0.05, rel=0.05)


def test_padding_does_not_reach_real_positions(policy):
    lengths = [3, 11, 24, 7]
    tokens = torch.randint(0, 300, (4, 24), generator=torch.Generator().manual_seed(0))
    for row, length in enumerate(lengths):
        tokens[row, length:] = 0
    with torch.no_grad():
        padded = forward_logits(policy, tokens)
        for row, length in enumerate(lengths):
            alone = forward_logits(policy, tokens[row : row + 1, :length])[0]
            torch.testing.assert_close(padded[row, :length], alone, atol=1e-5, rtol=0)
            mask = torch.zeros(1, 24).index_fill_(1, torch.arange(length), 1)
            masked = policy(input_ids=tokens[row : row + 1], attention_mask=mask).logits[0, :length]
            torch.testing.assert_close(padded[row, :length], masked, atol=1e-5, rtol=0)


def test_a_later_token_changes_no_earlier_logits_and_does_change_its_own(policy):
    tokens = torch.arange(10, 22).unsqueeze(0)
    changed = tokens.clone()
    changed[0, 8] = 99
    with torch.no_grad():
        gap = (forward_logits(policy, tokens) - forward_logits(policy, changed)).abs().amax(-1)[0]
    assert gap[:8].max() <= 1e-6
    assert gap[8:].min() > 1e-4


def test_a_folder_gives_the_same_policy_back(policy, folder):
    assert same(load_policy(folder), policy)
    assert same(AutoModelForCausalLM.from_pretrained(folder, use_safetensors=True), policy)
    assert len(load_tokenizer(folder)) == 262
    assert {path.suffix for path in folder.iterdir()} <= {".safetensors", ".json", ".jinja"}


def test_dtype_and_attention(folder):
    loaded = load_policy(folder, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.bfloat16}
    assert loaded.config._attn_implementation == "sdpa"


def test_dropout_is_off_everywhere(tmp_path):
    config = GPT2Config(n_embd=32, n_layer=2, n_head=2, vocab_size=50, n_positions=32, resid_pdrop=0.5, attn_pdrop=0.5)
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    loaded = load_policy(tmp_path)
    tokens = torch.arange(20).unsqueeze(0)
    assert loaded.training
    assert torch.equal(forward_logits(loaded, tokens), forward_logits(loaded, tokens))
    assert torch.equal(forward_logits(loaded, tokens), forward_logits(loaded.eval(), tokens))
    assert [p.p for p in loaded.modules() if isinstance(p, torch.nn.Dropout)] == [0.0] * 7


def test_disable_dropout_touches_rates_only():
    config = LlamaConfig(attention_dropout=0.3)
    before = config.to_dict()
    disable_dropout(config)
    assert config.to_dict() == before | {"attention_dropout": 0.0}


def test_gradients_are_the_same_with_checkpointing():
    tokens = torch.arange(24).reshape(2, 12)

    def gradients(enabled):
        model = random_policy(CONFIG, seed=3)
        set_gradient_checkpointing(model, enabled)
        assert model.is_gradient_checkpointing == enabled
        forward_logits(model, tokens).logsumexp(-1).sum().backward()
        return [parameter.grad for parameter in model.parameters()]

    for a, b in zip(gradients(False), gradients(True), strict=True):
        torch.testing.assert_close(a, b)


def tied_folder(path):
    config = LlamaConfig.from_dict(CONFIG.to_dict() | {"tie_word_embeddings": True})
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(path)
    assert "lm_head.weight" not in load_file(path / "model.safetensors")
    return model


def test_tied_embeddings_are_untied_for_good(tmp_path):
    tied = tied_folder(tmp_path)
    loaded = load_policy(tmp_path)
    tokens = torch.arange(10).unsqueeze(0)
    assert torch.equal(forward_logits(loaded, tokens), forward_logits(tied, tokens))
    assert loaded.lm_head.weight is not loaded.model.embed_tokens.weight
    with torch.no_grad():
        loaded.lm_head.weight += 1.0
    loaded.save_pretrained(tmp_path / "again")
    again = load_policy(tmp_path / "again")
    assert same(again, loaded)
    assert again.config.tie_word_embeddings is False
    untie_embeddings(again)  # nothing left to do
    assert same(again, loaded)


def test_errors_name_the_path_and_what_is_missing(folder, tmp_path):
    with pytest.raises(ModelError, match=r"no folder '/nowhere/model': expected a Hugging Face model folder"):
        load_policy("/nowhere/model")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty' has no config.json"):
        load_policy(tmp_path / "empty")
    weights = folder / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=f"cannot load a model from '{folder}'"):
        load_policy(folder)
    weights.unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"has no \*.safetensors"):
        load_policy(folder)


def test_a_checkpoint_that_lacks_weights_is_not_filled_in_at_random(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.2.mlp.up_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights .*model.layers.2.mlp.up_proj.weight"):
        load_policy(folder)


@pytest.mark.skipif(not STORIES.is_dir(), reason=f"no {STORIES}")
def test_a_pretrained_model_still_tells_stories():
    model, tokenizer = load_policy(STORIES), load_tokenizer(STORIES)
    ids = tokenizer("Once upon a time, there was a little girl", return_tensors="pt")["input_ids"]
    with torch.no_grad():
        logprobs = forward_logits(model, ids)[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])
    assert logprobs.mean() > -1.0

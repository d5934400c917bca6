"""Presets: parameter counts by hand, by transformers, and as their names promise."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from models.presets import PRESETS, Preset, build_config, get_preset

IDS = {"pad_token_id": 0, "eos_token_id": 5}


def test_num_parameters_worked_by_hand():
    preset = Preset(num_layers=1, hidden=4, num_heads=2, num_kv_heads=1, head_dim=3, intermediate=5)
    # q 4x6, k and v 4x3, o 6x4 | gate, up, down 4x5 | two norms of 4 || last norm 4 | embedding and output 7x4
    assert preset.num_parameters(vocab_size=7) == (24 + 12 + 12 + 24) + 60 + 8 + 4 + 56


@pytest.mark.parametrize("name", PRESETS)
def test_transformers_builds_as_many_parameters(name):
    config = build_config(name, vocab_size=512, max_length=256, **IDS)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    assert sum(p.numel() for p in model.parameters()) == get_preset(name).num_parameters(512)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("r1-zero-6l-tiny", 1e6, 1.5e6),
        ("r1-24l-1b", 0.9e9, 1.4e9),
        ("r1-36l-3b", 2.7e9, 3.3e9),
        ("r1-36l-7b", 6.5e9, 8e9),
    ],
)
@pytest.mark.parametrize("vocab_size", [512, 64_000])
def test_names_tell_the_size(name, low, high, vocab_size):
    # the tiny one by its layers: a large vocabulary outweighs them
    size = get_preset(name).num_parameters(512 if name.endswith("tiny") else vocab_size)
    assert low <= size <= high


def test_every_preset_has_the_layers_of_its_name_and_runs_in_vllm():
    assert {preset.num_layers for preset in PRESETS.values()} == {6, 12, 24, 36}
    for name, preset in PRESETS.items():
        assert f"-{preset.num_layers}l-" in name
        assert preset.head_dim >= 32
        assert preset.num_heads % preset.num_kv_heads == 0
        assert preset.num_heads > preset.num_kv_heads  # grouped-query attention


def test_config_says_what_it_was_given():
    config = build_config("r1-zero-12l-small", vocab_size=300, max_length=128, init_std=0.05, **IDS)
    assert (config.vocab_size, config.max_position_embeddings, config.initializer_range) == (300, 128, 0.05)
    assert (config.pad_token_id, config.eos_token_id, config.tie_word_embeddings) == (0, 5, False)


def test_unknown_preset_and_excessive_length_are_refused_by_name():
    with pytest.raises(ValueError, match=r"no preset 'r1-7l'.*r1-zero-6l-tiny"):
        get_preset("r1-7l")
    with pytest.raises(ValueError, match=r"max_length is 5000.*reaches 4096"):
        build_config("r1-zero-6l-tiny", vocab_size=512, max_length=5000, **IDS)

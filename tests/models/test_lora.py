"""LoRA: starts as the reference, trains the adapter only, and survives a folder and a merge."""

import pytest
import torch
from peft import PeftModel

from models.lora import (
    Adapter,
    adapter_disabled,
    adapter_of,
    apply_lora,
    combine_adapters,
    export_adapter,
    load_lora,
    merge_lora,
    read_adapter,
    trainable_parameters,
    write_adapter,
)
from models.policy import forward_logits, random_policy, set_gradient_checkpointing
from models.presets import build_config
from models.tokenizer import ModelError

CONFIG = build_config("r1-zero-6l-tiny", vocab_size=300, pad_token_id=0, eos_token_id=5, max_length=64)
TOKENS = torch.randint(0, 300, (4, 12), generator=torch.Generator().manual_seed(0))
TARGETS = ("q_proj", "v_proj", "down_proj")


def lora_policy(seed=7):
    return apply_lora(random_policy(CONFIG, seed=1), rank=4, alpha=8.0, target_modules=TARGETS, seed=seed)


@pytest.fixture
def trained():
    """A LoRA policy after one step, so that its adapter does something."""
    model = lora_policy()
    optimiser = torch.optim.SGD(trainable_parameters(model).values(), lr=1.0)
    forward_logits(model, TOKENS).log_softmax(-1)[..., 3].mean().neg().backward()
    optimiser.step()
    return model


def logits(model):
    with torch.no_grad():
        return forward_logits(model, TOKENS)


def test_a_new_adapter_changes_nothing_and_is_seeded():
    model = lora_policy()
    torch.testing.assert_close(logits(model), logits(random_policy(CONFIG, seed=1)), atol=0, rtol=0)
    a, b, c = (export_adapter(m) for m in (model, lora_policy(), lora_policy(seed=8)))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not all(torch.equal(a[name], c[name]) for name in a)


def test_only_the_adapter_trains():
    names = trainable_parameters(lora_policy())
    # two matrices for each of 3 targets in each of 6 layers: rank x in and out x rank
    assert len(names) == 2 * 3 * 6
    assert sum(p.numel() for p in names.values()) == 6 * 4 * ((128 + 128) + (128 + 64) + (384 + 128))
    assert len(trainable_parameters(random_policy(CONFIG, seed=1))) == 6 * 9 + 3


def test_disabled_is_the_reference_and_training_goes_on_after(trained):
    reference, before = logits(random_policy(CONFIG, seed=1)), logits(trained)
    assert (before - reference).abs().max() > 1e-4
    names = list(trainable_parameters(trained))
    with adapter_disabled(trained):
        assert torch.equal(logits(trained), reference)
    assert torch.equal(logits(trained), before)
    assert list(trainable_parameters(trained)) == names


def test_a_saved_adapter_comes_back(trained, tmp_path):
    tensors = export_adapter(trained)
    expected = logits(trained)
    with torch.no_grad():
        for parameter in trainable_parameters(trained).values():
            parameter.zero_()  # the export is a copy
    write_adapter(tmp_path, adapter_of(tensors, 8.0))
    assert {path.name for path in tmp_path.iterdir()} == {"adapter_config.json", "adapter_model.safetensors"}
    assert torch.equal(logits(PeftModel.from_pretrained(random_policy(CONFIG, seed=1), tmp_path)), expected)
    loaded = load_lora(random_policy(CONFIG, seed=1), tmp_path)
    assert torch.equal(logits(loaded), expected)
    assert trainable_parameters(loaded).keys() == trainable_parameters(trained).keys()
    config = loaded.peft_config["default"]
    assert (config.r, config.lora_alpha, set(config.target_modules)) == (4, 8.0, set(TARGETS))


def test_a_merged_adapter_leaves_a_plain_network_that_says_the_same(trained, tmp_path):
    expected = logits(trained)
    write_adapter(tmp_path, adapter_of(export_adapter(trained), 8.0))
    merged = merge_lora(random_policy(CONFIG, seed=1), tmp_path)
    torch.testing.assert_close(logits(merged), expected, atol=1e-5, rtol=0)
    assert merged.state_dict().keys() == random_policy(CONFIG, seed=1).state_dict().keys()


def test_an_adapter_is_read_as_it_was_written(trained, tmp_path):
    adapter = adapter_of(export_adapter(trained), 8.0)
    write_adapter(tmp_path, adapter)
    read = read_adapter(tmp_path)
    assert (read.rank, read.alpha, read.scale, read.target_modules) == (4, 8.0, 2.0, tuple(sorted(TARGETS)))
    assert read.tensors.keys() == adapter.tensors.keys()
    assert all(torch.equal(read.tensors[name], adapter.tensors[name]) for name in read.tensors)


def test_deltas_add_up_by_weight():
    """Worked by hand: 2 * [[1], [2]] [[3, 4]] * 0.5 + 1 * [[1], [0]] [[0, 2]] * 3 = [[3, 10], [6, 8]]."""
    names = ("base_model.model.layer.q_proj.lora_A.weight", "base_model.model.layer.q_proj.lora_B.weight")
    matrices = [([[3.0, 4.0]], [[1.0], [2.0]], 2.0), ([[0.0, 2.0]], [[1.0], [0.0]], 1.0)]
    first, second = (
        Adapter(dict(zip(names, (torch.tensor(a), torch.tensor(b)), strict=True)), 1, alpha) for a, b, alpha in matrices
    )
    merged = combine_adapters([(first, 0.5), (second, 3.0)])
    assert (merged.rank, merged.scale) == (2, 1.0)
    delta = merged.scale * merged.tensors[names[1]] @ merged.tensors[names[0]]
    assert delta.tolist() == [[3.0, 10.0], [6.0, 8.0]]


def test_merging_is_what_peft_calls_cat(tmp_path):
    """And it is symmetric, and the identity for one part of weight 1."""
    folders = []
    for seed in (1, 2):
        policy = lora_policy(seed)
        generator = torch.Generator().manual_seed(seed)
        for parameter in trainable_parameters(policy).values():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
        folders.append(tmp_path / str(seed))
        write_adapter(folders[-1], adapter_of(export_adapter(policy), 8.0))
    first, second = map(read_adapter, folders)
    model = PeftModel.from_pretrained(random_policy(CONFIG, seed=1), folders[0], adapter_name="first")
    model.load_adapter(folders[1], "second")
    model.add_weighted_adapter(["first", "second"], [0.7, 0.4], "both", combination_type="cat")
    model.set_adapter("both")
    expected = logits(model)

    def merged(*parts):
        folder = tmp_path / "merged"
        write_adapter(folder, combine_adapters(parts))
        return logits(load_lora(random_policy(CONFIG, seed=1), folder))

    torch.testing.assert_close(merged((first, 0.7), (second, 0.4)), expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(merged((second, 0.4), (first, 0.7)), expected, atol=1e-5, rtol=0)
    assert (merged((first, 1.0)) - expected).abs().max() > 1e-2
    torch.testing.assert_close(merged((first, 1.0)), logits(load_lora(random_policy(CONFIG, seed=1), folders[0])))


def test_adapters_of_other_targets_do_not_merge(trained):
    adapter = adapter_of(export_adapter(trained), 8.0)
    fewer = Adapter({name: t for name, t in adapter.tensors.items() if "q_proj" not in name}, 4, 8.0)
    with pytest.raises(ModelError, match="other targets"):
        combine_adapters([(adapter, 1.0), (fewer, 1.0)])


def test_gradients_flow_through_checkpoints():
    model = lora_policy()
    set_gradient_checkpointing(model, True)
    forward_logits(model, TOKENS).sum().backward()
    assert all(p.grad is not None for p in trainable_parameters(model).values())


def test_errors_name_the_target_and_the_folder(tmp_path):
    with pytest.raises(ValueError, match=r"lora_target_modules: the model has no \['wq'\].*q_proj"):
        apply_lora(random_policy(CONFIG, seed=1), rank=4, alpha=8.0, target_modules=["wq", "q_proj"], seed=0)
    with pytest.raises(ModelError, match=r"has no adapter_config.json"):
        load_lora(random_policy(CONFIG, seed=1), tmp_path)

"""Publications: the plain network's names, with or without LoRA and ZeRO-3, and folders that load anywhere."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.engine import Engine
from models.lora import CONFIG as CONFIG_FILE
from models.lora import WEIGHTS as WEIGHTS_FILE
from models.lora import adapter_disabled, apply_lora, export_adapter, load_lora
from models.policy import forward_logits, load_policy, random_policy, save_model_folder
from models.publish import describe_policy, publish_adapter, publish_policy, write_policy
from models.tokenizer import load_tokenizer, train_tokenizer
from models.weights import Manifest, check_probe, unpack_weights
from tests.models.ranks import Ranks, settings, tiny_config

pytestmark = pytest.mark.e2e

CONFIG = tiny_config(vocab_size=262)
TARGETS = ("q_proj", "down_proj")

Arrays = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def pair() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Where the run started: other weights than the ones trained since."""
    folder = tmp_path / "template"
    save_model_folder(random_policy(CONFIG, seed=99), train_tokenizer(["the cat"], vocab_size=262), folder)
    return folder


# -- what the ranks run ---------------------------------------------------------------------------------------------


def trained(zero_stage: int, *, lora: bool) -> Engine:
    module: nn.Module = random_policy(CONFIG, seed=1)
    if lora:
        module = apply_lora(random_policy(CONFIG, seed=1), rank=4, alpha=8.0, target_modules=TARGETS, seed=2)
    engine = Engine(module, "cpu", settings(zero_stage))
    for _ in range(2):  # the first step of an adapter moves one of its two matrices only
        logits = forward_logits(engine.forward, torch.arange(24).reshape(2, 12))
        engine.backward(-logits.log_softmax(-1)[..., 3].mean())
        engine.step(1e-2)
    return engine


def arrays(named) -> Arrays:
    return {name: tensor.numpy() for name, tensor in named}


@torch.no_grad()
def probe_answer(module: nn.Module, manifest: Manifest) -> np.ndarray:
    """The probe answered position by position, the plain way."""
    ids = torch.from_numpy(manifest.probe.tokens).long()
    answer = np.zeros(ids.shape, np.float32)
    for t in range(1, ids.shape[1]):
        last = module(input_ids=ids[:, :t]).logits[:, -1].log_softmax(-1)
        answer[:, t] = last.gather(1, ids[:, t : t + 1])[:, 0]
    return answer


def publish_plain(zero_stage: int) -> tuple[Arrays, Arrays, float, str]:
    engine = trained(zero_stage, lora=False)
    manifest, buckets = publish_policy(engine, version=4, max_length=20)
    assert (manifest.version, manifest.kind, manifest.probe.tokens.shape) == (4, "full", (4, 19))
    assert describe_policy(engine, version=4, max_length=20).sha256 == manifest.sha256
    gap = check_probe(manifest, probe_answer(engine.module, manifest))
    return arrays(unpack_weights(manifest, buckets)), arrays(engine.full_weights()), gap, manifest.sha256


def publish_lora(zero_stage: int):
    engine = trained(zero_stage, lora=True)
    base, base_buckets = publish_policy(engine, version=1, max_length=64)
    adapter, adapter_buckets = publish_adapter(engine, version=4, max_length=64)
    with adapter_disabled(engine.module):
        gap = check_probe(base, probe_answer(engine.module, base))
    gap = max(gap, check_probe(adapter, probe_answer(engine.module, adapter)))
    with engine.gathered(list(engine.module.parameters())):
        expected = export_adapter(engine.module)
    moved = float(np.abs(base.probe.logprobs - adapter.probe.logprobs).max())
    return (
        arrays(unpack_weights(base, base_buckets)),
        arrays(unpack_weights(adapter, adapter_buckets)),
        arrays(expected.items()),
        gap,
        moved,
        (adapter.kind, adapter.version),
    )


def write(zero_stage: int, template: Path, folder: Path, lora: bool) -> np.ndarray:
    """Rank 0 writes `folder-0`; any other rank would write `folder-1`. Returns the policy's own log-probs."""
    rank = torch.distributed.get_rank()
    engine = trained(zero_stage, lora=lora)
    write_policy(engine, template, folder.with_name(f"{folder.name}-{rank}"), rank=rank, lora_alpha=8.0)
    with torch.no_grad():
        return forward_logits(engine.module, torch.arange(24).reshape(2, 12)).numpy()


# -- what is asserted of it -----------------------------------------------------------------------------------------


def assert_same(left: Arrays, right: Arrays) -> None:
    assert left.keys() == right.keys()
    assert all(np.array_equal(left[name], right[name]) for name in left)


def logits(model: nn.Module) -> np.ndarray:
    with torch.no_grad():
        return forward_logits(model, torch.arange(24).reshape(2, 12)).numpy()


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_a_plain_policy_is_published_whole(pair, zero_stage):
    published = pair.run(publish_plain, zero_stage)
    plain = random_policy(CONFIG, seed=1)
    for received, weights, gap, sha256 in published:
        assert list(received) == [name for name, _ in plain.named_parameters()]
        assert_same(received, weights)
        assert not np.array_equal(received["lm_head.weight"], plain.lm_head.weight.detach().numpy())
        assert gap <= 1e-5
        assert sha256 == published[0][-1]


@pytest.mark.parametrize("zero_stage", [2, 3])
def test_a_lora_policy_is_published_as_its_base_and_its_adapter(pair, zero_stage):
    plain = arrays((name, parameter.detach()) for name, parameter in random_policy(CONFIG, seed=1).named_parameters())
    for base, adapter, expected, gap, moved, label in pair.run(publish_lora, zero_stage):
        assert_same(base, plain)  # frozen
        assert_same(adapter, expected)
        assert len(adapter) == 2 * 2 * len(TARGETS)  # two matrices, two layers
        assert all(name.startswith("base_model.model.model.layers.") for name in adapter)
        assert gap <= 1e-5
        assert moved > 1e-2  # or the two probes could be swapped unseen
        assert label == ("adapter", 4)


@pytest.mark.parametrize("zero_stage", [2, 3])
def test_a_written_policy_loads_anywhere(pair, zero_stage, template, tmp_path):
    expected = pair.run(write, zero_stage, template, tmp_path / "policy", False)[0]
    folder = tmp_path / "policy-0"
    np.testing.assert_allclose(logits(load_policy(folder)), expected, atol=1e-5)
    assert len(load_tokenizer(folder)) == 262
    assert {path.name for path in folder.iterdir()} == {path.name for path in template.iterdir()}
    assert not (tmp_path / "policy-1").exists()


@pytest.mark.parametrize("zero_stage", [2, 3])
def test_a_written_lora_policy_is_an_adapter_alone(pair, zero_stage, template, tmp_path):
    expected = pair.run(write, zero_stage, template, tmp_path / "policy", True)[0]
    assert {path.name for path in (tmp_path / "policy-0").iterdir()} == {CONFIG_FILE, WEIGHTS_FILE}
    assert not (tmp_path / "policy-1").exists()
    adapted = load_lora(random_policy(CONFIG, seed=1), tmp_path / "policy-0")
    np.testing.assert_allclose(logits(adapted), expected, atol=1e-5)
    assert np.abs(expected - logits(random_policy(CONFIG, seed=1))).max() > 1e-2

"""Supervised learning on real DeepSpeed ranks: right to the gradient, the same however it is cut, exact on resume."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributed import all_gather_object, get_rank, get_world_size

from models.lora import load_lora
from models.packing import PackedRows, pack_rows
from models.policy import forward_logits, load_policy, random_policy, save_model_folder
from models.presets import build_config
from models.tokenizer import train_tokenizer
from rl.build import build_supervised_learner
from rl.stage_config import PretrainConfig
from rl.supervised import SupervisedLearner
from rl.tally import merge
from tests.models.ranks import Ranks
from tests.rl.resuming import PLAN, save_and_resume

pytestmark = pytest.mark.e2e

LENGTHS = (9, 5, 16, 3, 12, 7, 4)


def config(
    *, num_ranks: int = 1, micro_batch_tokens: int = 32, zero_stage: int = 2, lora_rank: int = 0
) -> PretrainConfig:
    return PretrainConfig.model_validate(
        {
            "run": {"num_iterations": 4},
            "model": {"max_length": 16, "lora_rank": lora_rank, "lora_target_modules": ["q_proj", "v_proj"]},
            "supervised": {"batch_rows": 5, "micro_batch_tokens": micro_batch_tokens},
            "optimizer": {"lr": 1e-3, "adam_eps": 1e-5, "lr_scheduler": "constant", "max_grad_norm": 1e9},
            "learner": {"num_ranks": num_ranks, "zero_stage": zero_stage},
        }
    )


def documents(step: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(step)
    return [random.integers(6, 262, length).astype(np.int32) for length in LENGTHS]


def batch(step: int = 0) -> PackedRows:
    """Seven documents in five rows of 16, the first two of which hold two; odd tokens are not learnt."""
    texts = documents(step)
    rows = [[texts[0], texts[1]], [texts[2]], [texts[3], texts[4]], [texts[5]], [texts[6]]]
    return pack_rows([[(text, text % 2 == 0) for text in row] for row in rows], 16, pad_token_id=0)


# -- what the ranks run ---------------------------------------------------------------------------------------------


def weights_of(learner: SupervisedLearner) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in learner._engine.full_weights()}


def shared(tally: Any) -> dict[str, float]:
    tallies: list[Any] = [None] * get_world_size()
    all_gather_object(tallies, tally)
    return merge(tallies)


def learn(config: PretrainConfig, folder: Path, num_steps: int = 1) -> tuple[list[dict], dict[str, np.ndarray], float]:
    """Metrics of each step, the weights after them, and the loss on the first batch then."""
    learner = build_supervised_learner(config, folder, PLAN, rank=get_rank())
    metrics = [shared(learner.learn(batch(step), step=step)) for step in range(num_steps)]
    return metrics, weights_of(learner), shared(learner.measure(batch()))["train/loss"]


def save_and_publish(config: PretrainConfig, folder: Path, checkpoint: Path) -> int:
    """Bytes that a sync of what the stage trains would take. Leaves the checkpoint."""
    learner = build_supervised_learner(config, folder, PLAN, rank=get_rank())
    learner.learn(batch(), step=0)
    learner.save(checkpoint, folder)
    parts = [manifest for manifest, _ in learner.publish(1)]
    assert [part.kind for part in parts] == (["full", "adapter"] if config.model.lora_rank else ["full"])
    return parts[-1].num_bytes


# -- tests ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain(alone: Ranks, folder: Path) -> tuple[list[dict], dict[str, np.ndarray], float]:
    return alone.run(learn, config(), folder)[0]


def test_the_loss_and_its_step_are_those_of_single_documents(plain: Any, folder: Path) -> None:
    """The same in plain PyTorch, a document at a time."""
    model = load_policy(folder)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.0)
    total, count = torch.zeros(()), 0
    for text in documents():
        ids = torch.from_numpy(text).long()
        logprobs = forward_logits(model, ids[None])[0, :-1].log_softmax(-1).gather(-1, ids[1:, None])[:, 0]
        learnt = ids[1:] % 2 == 0
        total, count = total - logprobs[learnt].sum(), count + int(learnt.sum())
    (total / count).backward()
    optimizer.step()
    metrics, weights, _ = plain
    assert metrics[0]["train/loss"] == pytest.approx(float(total) / count, abs=1e-5)
    for name, parameter in model.named_parameters():
        np.testing.assert_allclose(weights[name], parameter.detach().numpy(), atol=2e-5, err_msg=name)


@pytest.mark.parametrize("micro_batch_tokens", [16, 200])
def test_micro_batches_make_no_difference(micro_batch_tokens: int, alone: Ranks, plain: Any, folder: Path) -> None:
    metrics, weights, loss = alone.run(learn, config(micro_batch_tokens=micro_batch_tokens), folder)[0]
    assert metrics[0]["train/loss"] == pytest.approx(plain[0][0]["train/loss"], abs=1e-5)
    assert loss == pytest.approx(plain[2], abs=1e-4)
    for name in weights:
        np.testing.assert_allclose(weights[name], plain[1][name], atol=2e-5, err_msg=name)


@pytest.mark.parametrize("zero_stage", [2, 3])
def test_two_ranks_learn_what_one_learns(zero_stage: int, pair: Ranks, plain: Any, folder: Path) -> None:
    """Five rows over two ranks: one of them has a step in which it only keeps pace."""
    found = pair.run(learn, config(num_ranks=2, micro_batch_tokens=16, zero_stage=zero_stage), folder)
    for metrics, weights, _ in found:
        assert metrics[0]["train/loss"] == pytest.approx(plain[0][0]["train/loss"], abs=1e-5)
        for name in weights:
            np.testing.assert_allclose(weights[name], plain[1][name], atol=2e-5, err_msg=name)


def test_it_learns(alone: Ranks, folder: Path) -> None:
    metrics, _, loss = alone.run(learn, config(), folder, 4)[0]
    assert loss < metrics[0]["train/loss"] - 0.01


def test_a_resumed_learner_ends_with_the_same_bits(alone: Ranks, folder: Path, tmp_path: Path) -> None:
    [(whole, resumed)] = alone.run(save_and_resume, config(), folder, tmp_path / "checkpoint", batch)
    assert whole == resumed
    assert (tmp_path / "checkpoint" / "policy" / "model.safetensors").exists()


def test_an_adapter_learns_beside_a_frozen_base(alone: Ranks, folder: Path) -> None:
    metrics, weights, loss = alone.run(learn, config(lora_rank=4), folder, 4)[0]
    assert loss < metrics[0]["train/loss"]
    base = dict(load_policy(folder).named_parameters())
    frozen = {name: array for name, array in weights.items() if "lora_" not in name}
    assert len(frozen) == len(base)
    for name, array in frozen.items():
        plain_name = name.removeprefix("base_model.model.").replace(".base_layer.", ".")
        assert np.array_equal(array, base[plain_name].detach().numpy()), name
    assert all(np.abs(array).max() > 0 for name, array in weights.items() if "lora_B" in name)


def test_a_resumed_adapter_ends_with_the_same_bits(alone: Ranks, folder: Path, tmp_path: Path) -> None:
    """The fingerprint is the adapter's: that of the base never changes."""
    [(whole, resumed)] = alone.run(save_and_resume, config(lora_rank=4), folder, tmp_path / "checkpoint", batch)
    assert whole == resumed != alone.run(save_and_resume, config(), folder, tmp_path / "other", batch)[0][0]
    assert load_lora(load_policy(folder), tmp_path / "checkpoint" / "policy") is not None


def test_of_r1_zero_an_adapter_is_a_twentieth_on_disk_and_on_the_wire(alone: Ranks, tmp_path: Path) -> None:
    """Of rank 8 beside queries and values: weights, optimiser state and all that is written around them."""
    shape = build_config("r1-zero-6l-nano", vocab_size=262, pad_token_id=0, eos_token_id=5, max_length=64)
    save_model_folder(random_policy(shape, seed=1), train_tokenizer([""], vocab_size=262), tmp_path / "model")
    on_disk, on_wire = [], []
    for rank in (0, 8):
        checkpoint = tmp_path / f"rank-{rank}"
        on_wire.append(alone.run(save_and_publish, config(lora_rank=rank), tmp_path / "model", checkpoint)[0])
        on_disk.append(sum(path.stat().st_size for path in checkpoint.rglob("*") if path.is_file()))
    assert on_wire[1] == 4 * 8 * 6 * ((64 + 64) + (64 + 32))  # float32, rank, layers, (in + out) of q and of v
    assert on_wire[1] <= 0.05 * on_wire[0]
    assert on_disk[1] <= 0.05 * on_disk[0]

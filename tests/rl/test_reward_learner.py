"""A reward model on real DeepSpeed ranks: right to the gradient, the same however it is cut, exact on resume."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributed import all_gather_object, get_rank, get_world_size

from models.policy import load_policy, save_model_folder
from models.reward_model import RewardModel, load_reward_model, start_reward_model
from models.tokenizer import load_tokenizer
from rl.build import build_reward_learner
from rl.pairs import PairBatch
from rl.reward_learner import RewardLearner
from rl.stage_config import RewardModelConfig
from rl.tally import merge
from tests.models.ranks import Ranks
from tests.rl.resuming import PLAN, save_and_resume

pytestmark = pytest.mark.e2e

LENGTHS = np.array([[9, 5], [3, 3], [16, 12], [7, 11], [4, 6]])


def config(*, num_ranks: int = 1, micro_batch_tokens: int = 64, zero_stage: int = 2) -> RewardModelConfig:
    return RewardModelConfig.model_validate(
        {
            "run": {"num_iterations": 4},
            "model": {"max_length": 16},
            "pairwise": {"batch_pairs": 5, "micro_batch_tokens": micro_batch_tokens, "center_coef": 0.1},
            "optimizer": {"lr": 1e-3, "adam_eps": 1e-5, "lr_scheduler": "constant", "max_grad_norm": 1e9},
            "learner": {"num_ranks": num_ranks, "zero_stage": zero_stage},
        }
    )


def batch(step: int = 0) -> PairBatch:
    random = np.random.default_rng(step)
    tokens = random.integers(6, 262, (*LENGTHS.shape, 16)).astype(np.int32)
    tokens[np.arange(16) >= LENGTHS[..., None]] = 0
    return PairBatch(tokens, LENGTHS)


def weights_of(learner: RewardLearner) -> dict[str, np.ndarray]:
    return {name: tensor.numpy() for name, tensor in learner._engine.full_weights()}


def shared(part: Any) -> list[Any]:
    parts: list[Any] = [None] * get_world_size()
    all_gather_object(parts, part)
    return parts


def learn(config: RewardModelConfig, folder: Path) -> tuple[dict, dict[str, np.ndarray], np.ndarray]:
    """Metrics of a step, the weights after it, and the scores of its pairs then."""
    learner = build_reward_learner(config, folder, PLAN, rank=get_rank())
    metrics = merge(shared(learner.learn(batch(), step=0)))
    return metrics, weights_of(learner), np.sum(shared(learner.judge(batch())), axis=0)


@pytest.fixture(scope="module")
def start(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny policy with a new head."""
    start = tmp_path_factory.mktemp("reward_model") / "model"
    save_model_folder(start_reward_model(folder, seed=2, pad_token_id=0), load_tokenizer(folder), start)
    return start


@pytest.fixture(scope="module")
def plain(alone: Ranks, start: Path) -> tuple[dict, dict[str, np.ndarray], np.ndarray]:
    return alone.run(learn, config(), start)[0]


def test_loss_and_step_are_those_of_single_pairs_in_plain_pytorch(plain: Any, start: Path, folder: Path) -> None:
    network = load_reward_model(start)
    assert torch.equal(network.body.embed_tokens.weight, load_policy(folder).base_model.embed_tokens.weight)
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, betas=(0.9, 0.95), eps=1e-5, weight_decay=0.0)
    pairs, losses = batch(), []
    for tokens, lengths in zip(pairs.tokens, pairs.lengths, strict=True):
        better, worse = (
            network(torch.from_numpy(tokens[side, : lengths[side]]).long()[None])[0, -1] for side in (0, 1)
        )
        losses.append((-torch.log(torch.sigmoid(better - worse)), 0.1 * (better + worse) ** 2))
    (sum(first + second for first, second in losses) / len(losses)).backward()
    optimizer.step()
    metrics, weights, _ = plain
    assert metrics["train/loss"] == pytest.approx(sum(first.item() for first, _ in losses) / len(losses), abs=1e-5)
    for name, parameter in network.named_parameters():
        np.testing.assert_allclose(weights[name], parameter.detach().numpy(), atol=2e-6, err_msg=name)


def test_how_the_batch_is_cut_makes_no_difference(plain: Any, alone: Ranks, start: Path) -> None:
    """Pairs one by one; the longest alone is a micro-batch."""
    same(plain, alone.run(learn, config(micro_batch_tokens=16), start)[0])


@pytest.mark.parametrize("zero_stage", [2, 3])
def test_two_ranks_learn_what_one_does(plain: Any, pair: Ranks, start: Path, zero_stage: int) -> None:
    first, second = pair.run(learn, config(num_ranks=2, zero_stage=zero_stage), start)
    same(plain, first)
    same(first, second)


def test_a_resumed_stage_ends_with_the_same_weights_and_judges_on_its_own(
    alone: Ranks, start: Path, tmp_path: Path
) -> None:
    [(whole, resumed)] = alone.run(save_and_resume, config(), start, tmp_path / "checkpoint", batch)
    assert whole == resumed
    saved = RewardModel(tmp_path / "checkpoint-last" / "reward_model")
    assert np.isfinite(saved.score([[("a", "b")]])[0]).all()


def same(first: Any, second: Any) -> None:
    for name, value in first[0].items():
        assert second[0][name] == pytest.approx(value, abs=1e-5), name
    for name, weights in first[1].items():
        np.testing.assert_allclose(second[1][name], weights, atol=2e-6, err_msg=name)
    np.testing.assert_allclose(second[2], first[2], atol=1e-4)

"""A reward model on disk and at work: what transformers makes of it, and scores that depend on the dialog alone."""

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification

from models.chat import chat_format
from models.policy import load_policy, random_policy, save_model_folder
from models.reward_model import RewardModel, is_reward_model, load_reward_model, render, start_reward_model
from models.tokenizer import ModelError, load_tokenizer, train_tokenizer
from tests.models.ranks import tiny_config

DIALOG = [("3 + 4 = ?", "7"), ("And plus one?", "It is eight."), ("Sure?", "Yes, I am as sure as one can be.")]
OTHERS = [[("What?", "This" + " and that" * n)] for n in range(12)]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "policy"
    network = random_policy(tiny_config(vocab_size=262, max_length=256), seed=1)
    save_model_folder(network, train_tokenizer([""], vocab_size=262), folder)
    return folder


@pytest.fixture(scope="module")
def folder(policy: Path) -> Path:
    folder = policy.with_name("reward_model")
    save_model_folder(start_reward_model(policy, seed=2, pad_token_id=0), load_tokenizer(policy), folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> RewardModel:
    return RewardModel(folder)


def test_it_starts_with_the_body_of_a_policy_and_a_seeded_head(policy: Path, folder: Path) -> None:
    network = load_reward_model(folder)
    body = load_policy(policy).base_model.state_dict()
    assert all(torch.equal(tensor, body[name]) for name, tensor in network.body.state_dict().items())
    assert network.head.bias is None
    again, other = (start_reward_model(policy, seed=seed, pad_token_id=0).score.weight for seed in (2, 3))
    assert torch.equal(again, network.head.weight) and not torch.equal(other, again)


def test_a_reward_model_goes_on_as_it_is(folder: Path) -> None:
    again = start_reward_model(folder, seed=9, pad_token_id=0)
    assert torch.equal(again.score.weight, load_reward_model(folder).head.weight)


def test_transformers_gives_the_same_scores(folder: Path, model: RewardModel) -> None:
    """Its classifier reads the score at the last token that is no padding."""
    classifier = AutoModelForSequenceClassification.from_pretrained(folder)
    assert classifier.config.num_labels == 1
    chat = chat_format(load_tokenizer(folder))
    scores = model.score([DIALOG])[0]
    for turn in range(len(DIALOG)):
        tokens, _ = render(chat, DIALOG[: turn + 1])
        with torch.no_grad():
            [[theirs]] = classifier(torch.tensor([[*tokens, 0, 0, 0]])).logits.tolist()
        assert scores[turn] == pytest.approx(theirs, abs=1e-5)


def test_the_score_of_a_turn_is_that_of_the_dialog_up_to_it_to_the_bit(model: RewardModel) -> None:
    alone = [model.score([DIALOG[: turn + 1]])[0][-1] for turn in range(len(DIALOG))]
    assert model.score([DIALOG])[0].tolist() == alone
    assert len(set(alone)) == 3


@pytest.mark.parametrize("micro_batch_tokens", [32, 100, 8192])
def test_company_does_not_change_a_score_by_a_bit(folder: Path, model: RewardModel, micro_batch_tokens: int) -> None:
    alone = [model.score([dialog])[0].tolist() for dialog in [*OTHERS, DIALOG]]
    other = RewardModel(folder, micro_batch_tokens=micro_batch_tokens)
    assert [scores.tolist() for scores in other.score([*OTHERS, DIALOG])] == alone
    assert [scores.tolist() for scores in other.score([DIALOG, *reversed(OTHERS)])] == [alone[-1], *alone[-2::-1]]


def test_of_a_long_dialog_the_newest_tokens_are_read(folder: Path) -> None:
    short = RewardModel(folder, max_length=24)
    whole, cut = RewardModel(folder).score([DIALOG])[0], short.score([DIALOG])[0]
    assert cut[0] == whole[0]  # it fits
    tokens, ends = render(chat_format(load_tokenizer(folder)), DIALOG)
    network = load_reward_model(folder)
    for turn in (1, 2):
        newest = tokens[ends[turn] - 23 : ends[turn] + 1]
        with torch.no_grad():
            expected = network(torch.tensor([newest]))[0, -1].item()
        assert cut[turn] == pytest.approx(expected, abs=1e-5)
        assert abs(cut[turn] - whole[turn]) > 1e-4


def test_nothing_to_judge(model: RewardModel) -> None:
    assert model.score([]) == []
    [scores] = model.score([[]])
    assert scores.shape == (0,)


def test_what_is_no_reward_model_is_refused(policy: Path, folder: Path, tmp_path: Path) -> None:
    assert is_reward_model(folder) and not is_reward_model(policy)
    with pytest.raises(ModelError, match="is no reward model"):
        RewardModel(policy)
    with pytest.raises(ModelError, match="no folder"):
        RewardModel("/nowhere/model")
    config = tiny_config(vocab_size=262)
    config.num_labels = 2
    two = AutoModelForSequenceClassification.from_config(config)
    save_model_folder(two, load_tokenizer(policy), tmp_path / "two")
    with pytest.raises(ModelError, match="gives no single score"):
        load_reward_model(tmp_path / "two")


def test_scores_are_numbers(model: RewardModel) -> None:
    assert all(scores.dtype == np.float32 and np.isfinite(scores).all() for scores in model.score(OTHERS))

"""What the tests of both learners start from: ranks in processes of their own, and a small policy on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.policy import random_policy, save_model_folder
from models.tokenizer import train_tokenizer
from tests.models.ranks import Ranks, tiny_config


@pytest.fixture(scope="module")
def alone() -> Iterator[Ranks]:
    with Ranks(1) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def pair() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "policy"
    save_model_folder(random_policy(tiny_config(vocab_size=262), seed=1), train_tokenizer([""], vocab_size=262), folder)
    return folder

"""Continuations scored by a real engine, held against the network's own forward pass."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from transformers import PreTrainedModel

from models.policy import random_policy
from models.presets import build_config
from models.sampler import Sampler, SamplerSettings
from models.samples import SampleRequest
from models.scoring import ScoreRequest, Scores
from tests.models.engines import PLAN, engine_process, forward_logprobs, publish

pytestmark = pytest.mark.e2e

VOCAB, MAX_LENGTH = 300, 400
CONFIG = build_config(
    "r1-zero-6l-tiny", vocab_size=VOCAB, pad_token_id=0, eos_token_id=5, max_length=MAX_LENGTH, init_std=0.08
)


@pytest.fixture(scope="module")
def policy() -> PreTrainedModel:
    return random_policy(CONFIG, seed=3)


@pytest.fixture(scope="module")
def sampler(policy: PreTrainedModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampler]:
    folder = tmp_path_factory.mktemp("policy")
    policy.save_pretrained(folder)
    settings = SamplerSettings(
        model_folder=str(folder),
        max_length=MAX_LENGTH,
        max_num_seqs=16,
        temperature=0.7,
        top_p=1.0,
        top_k=-1,
        stop_token_ids=(5,),
        engine_args=PLAN.engine_args,
    )
    with engine_process():
        made = Sampler(settings)
        made.load(*publish(policy, 0, max_length=MAX_LENGTH))
        yield made


def score(sampler: Sampler, *requests: ScoreRequest) -> dict[str, Scores]:
    for request in requests:
        sampler.add_score(request)
    found = {}
    while sampler.num_unfinished:
        found |= {scores.request.id: scores for scores in sampler.step() if isinstance(scores, Scores)}
    return found


def by_the_network(policy: PreTrainedModel, request: ScoreRequest) -> np.ndarray:
    wholes = [[*request.prompt, *continuation] for continuation in request.continuations]
    return np.array([forward_logprobs(policy, whole)[len(request.prompt) :].sum() for whole in wholes])


def prompt(length: int, seed: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng(seed).integers(6, VOCAB, length).tolist())


def test_scores_are_the_networks_own(sampler: Sampler, policy: PreTrainedModel) -> None:
    shared = prompt(260, seed=0)  # two blocks of the prefix cache, and some
    choices = [
        ScoreRequest(f"choice-{i}", (*shared, *prompt(7 + i, seed=i + 1)), ((40,), (41,), (42,), (43,)))
        for i in range(5)
    ]
    texts = [ScoreRequest(f"text-{i}", prompt(9 + i, seed=i), (prompt(1, 7), prompt(3, 8), (5,))) for i in range(3)]
    first, again = score(sampler, *choices, *texts), score(sampler, *choices)
    for request in (*choices, *texts):
        assert np.abs(first[request.id].logprobs - by_the_network(policy, request)).max() < 1e-4
    for request in choices:  # the second time out of the cache
        assert np.abs(again[request.id].logprobs - first[request.id].logprobs).max() < 1e-5


def test_new_weights_leave_no_score_behind(sampler: Sampler, policy: PreTrainedModel) -> None:
    other = random_policy(CONFIG, seed=4)
    request = ScoreRequest("late", prompt(20, seed=1), ((40,), (41,)))
    sampler.add_score(request)
    sampler.load(*publish(other, 1, max_length=MAX_LENGTH))
    [scores] = score(sampler).values()
    assert np.abs(scores.logprobs - by_the_network(other, request)).max() < 1e-4
    sampler.load(*publish(policy, 2, max_length=MAX_LENGTH))


def test_every_token_has_its_time(sampler: Sampler) -> None:
    requests = [SampleRequest(f"timed-{i}", prompt(12, seed=i), max_tokens=6, seed=i) for i in range(5)]
    # without a stop token, every one of them has all its tokens
    sampler.settings = replace(sampler.settings, stop_token_ids=())
    times = sampler.time_tokens(requests, concurrency=2)
    assert [len(row) for row in times] == [6] * 5
    assert all(0 < a < b for row in times for a, b in pairwise(row))

"""Calls within an answer on a real engine: what was sampled around the outputs is what the network itself says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from envs.calls import announcement
from envs.task import Task
from models.chat import chat_format
from models.policy import load_policy
from models.tokenizer import load_tokenizer
from rl.build import build_rollout_worker, prepare_model
from rl.config import Config
from rl.load_config import load_config
from rl.rollout import RolloutWorker
from rl.trajectory import EpisodeRequest, Trajectory
from tests.models.engines import PLAN, engine_process, forward_logprobs, publish

pytestmark = pytest.mark.e2e

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def config() -> Config:
    """Of few tokens, so that random weights open and close a call every few dialogs."""
    return load_config(
        "r1_zero_smoke",
        [
            "tasks.mix=[{scenario: arithmetic-dialog, languages: [en], levels: [0]}]",
            "model.vocab_size=40",
            "model.all_bytes=false",
            "model.max_length=224",
            "rollout.max_prompt_length=96",
            "rollout.max_response_length=48",
            "rollout.max_num_seqs=128",
            "rollout.tools=[calculator]",
            "rollout.tool_calls.max_output_tokens=40",
        ],
    )


@pytest.fixture(scope="module")
def folder(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "model"
    prepare_model(config, folder)
    return folder


@pytest.fixture(scope="module")
def worker(config: Config, folder: Path) -> Iterator[RolloutWorker]:
    with engine_process():
        made = build_rollout_worker(config, folder, PLAN, name="rollout-0")
        made.load(*publish(load_policy(folder), 0, max_length=config.model.max_length))
        yield made


def talk(worker: RolloutWorker, asked: list[EpisodeRequest]) -> dict[str, Trajectory]:
    worker.admit(asked)
    ended: dict[str, Trajectory] = {}
    while worker.num_unfinished:
        ended |= {trajectory.request.id: trajectory for trajectory in worker.advance(max_seconds=1.0)}
    return ended


def test_a_dialog_with_calls_is_what_was_read_and_written(worker: RolloutWorker, config: Config, folder: Path) -> None:
    chat, policy = chat_format(load_tokenizer(folder)), load_policy(folder)
    asked = [EpisodeRequest(Task("arithmetic-dialog", "en", 0, i), 0, i, 0, run_seed=7) for i in range(96)]
    ended = talk(worker, asked)
    called = [t for t in ended.values() if any(turn.tool_uses for turn in t.turns)]
    assert len(called) >= 5
    for trajectory in called:
        mask = trajectory.action_mask
        gap = np.abs(trajectory.logprobs - forward_logprobs(policy, trajectory.tokens))[mask]
        assert gap.max() <= TOLERANCE
        assert not trajectory.logprobs[~mask].any()
        assert set(trajectory.versions[~mask].tolist()) == {-1}
        assert trajectory.num_action_tokens == sum(turn.num_tokens for turn in trajectory.turns)
        assert all(turn.num_tokens <= config.rollout.max_response_length for turn in trajectory.turns)
        # every run of context is a prompt or an output, to the token
        starts = np.flatnonzero(np.diff(np.concatenate([[True], mask]).astype(int)) == -1)
        ends = np.flatnonzero(np.diff(np.concatenate([mask, [True]]).astype(int)) == 1) + 1
        runs = [trajectory.tokens[start:end].tolist() for start, end in zip(starts, ends, strict=True)]
        outputs = [chat.insert(f"<out>{use.output}</out>") for turn in trajectory.turns for use in turn.tool_uses]
        first = chat.open(trajectory.turns[0].question.text, announcement(config.rollout.tools))
        assert runs[0] == first
        assert [run for run in runs[1:] if run in outputs] == outputs
    again = talk(worker, [t.request for t in called[:3]])  # with other dialogs beside them, or none
    for trajectory in called[:3]:
        np.testing.assert_array_equal(again[trajectory.request.id].tokens, trajectory.tokens)
        np.testing.assert_array_equal(again[trajectory.request.id].logprobs, trajectory.logprobs)

"""Dialogs on a real engine, built as a run builds it: what a trajectory says is what the network itself says."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from envs.task import Task
from models.chat import ChatFormat, chat_format
from models.policy import load_policy, random_policy, save_model_folder
from models.tokenizer import load_tokenizer
from rl.build import build_rollout_worker, prepare_model
from rl.config import Config
from rl.load_config import load_config
from rl.rollout import RolloutWorker
from rl.trajectory import EpisodeRequest, Purpose, Trajectory
from tests.models.engines import PLAN, engine_process, forward_logprobs, publish

pytestmark = pytest.mark.e2e

TOLERANCE = 1e-4


@pytest.fixture(scope="module")
def config() -> Config:
    mix = "tasks.mix=[{scenario: arithmetic-dialog, languages: [en]}, {scenario: shared-goal, languages: [en]}]"
    sizes = ["model.vocab_size=300", "model.init_std=0.08", "rollout.max_num_seqs=64"]
    return load_config("r1_zero_smoke", [mix, "rollout.model_users=true", *sizes])


@pytest.fixture(scope="module")
def folder(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "model"
    prepare_model(config, folder)
    return folder


@pytest.fixture(scope="module")
def chat(folder: Path) -> ChatFormat:
    return chat_format(load_tokenizer(folder))


@pytest.fixture(scope="module")
def policies(folder: Path, chat: ChatFormat) -> list[PreTrainedModel]:
    """Two versions that end about every third answer by themselves."""
    versions = [load_policy(folder), load_policy(folder)]
    with torch.no_grad():
        versions[1].model.embed_tokens.weight.mul_(-1)
        for policy in versions:
            policy.lm_head.weight[chat.stop_token_ids[0]] *= 3
    return versions


@pytest.fixture(scope="module")
def started(config: Config, folder: Path) -> Iterator[RolloutWorker]:
    with engine_process():
        yield build_rollout_worker(config, folder, PLAN, name="rollout-0")


@pytest.fixture
def worker(started: RolloutWorker, policies: list[PreTrainedModel], config: Config) -> RolloutWorker:
    started.load(*publish(policies[0], 0, max_length=config.model.max_length))
    return started


def requests(count: int, *, purpose: Purpose = "train") -> list[EpisodeRequest]:
    tasks = [Task("arithmetic-dialog", "en", 0, seed=1000 + i // 4) for i in range(count)]
    return [EpisodeRequest(task, 0, i // 4, i % 4, run_seed=7, purpose=purpose) for i, task in enumerate(tasks)]


def talk(worker: RolloutWorker, asked: Sequence[EpisodeRequest]) -> dict[str, Trajectory]:
    worker.admit(asked)
    trajectories = []
    while worker.num_unfinished:
        trajectories += worker.advance(max_seconds=1.0)
    return {trajectory.request.id: trajectory for trajectory in trajectories}


def test_a_trajectory_is_what_was_read_and_written(
    worker: RolloutWorker, policies: list[PreTrainedModel], chat: ChatFormat, config: Config
) -> None:
    trajectories = talk(worker, requests(64))
    assert len(trajectories) == 64
    for trajectory in trajectories.values():
        assert len(trajectory.turns) == 2
        read_and_written: list[int] = []
        is_written: list[bool] = []
        ended = False
        for index, (turn, end) in enumerate(zip(trajectory.turns, trajectory.turn_ends, strict=True)):
            text = turn.question.text
            prompt = chat.reply(text, answer_ended=ended) if index else chat.open(text)
            start = len(read_and_written) + len(prompt)
            answer = trajectory.tokens[start : start + turn.num_tokens].tolist()
            ended = answer[-1] in chat.stop_token_ids
            assert not set(answer[:-1]) & set(chat.stop_token_ids)
            assert turn.finish == ("stop" if ended else "length")
            assert ended or turn.num_tokens == config.rollout.max_response_length
            assert turn.answer == chat.decode(answer)
            assert end == start + turn.num_tokens - 1
            read_and_written += prompt + answer
            is_written += [False] * len(prompt) + [True] * len(answer)
        assert trajectory.tokens.tolist() == read_and_written
        assert trajectory.action_mask.tolist() == is_written
        assert trajectory.status == ("ok" if ended else "truncated")
        assert (trajectory.versions == np.where(is_written, 0, -1)).all()
        expected = np.where(is_written, forward_logprobs(policies[0], trajectory.tokens), 0.0)
        assert np.abs(trajectory.logprobs - expected).max() <= TOLERANCE
    finishes = {tuple(turn.finish for turn in t.turns) for t in trajectories.values()}
    assert len(finishes) == 4  # each combination of "stop" and "length" has been through all this


def test_dialogs_do_not_depend_on_their_company(worker: RolloutWorker) -> None:
    asked = requests(24)
    together = talk(worker, asked)
    alone = {k: v for request in asked[::-1] for k, v in talk(worker, [request]).items()}
    for name, trajectory in together.items():
        assert trajectory.turns == alone[name].turns
        for array in ("tokens", "action_mask", "logprobs", "versions", "turn_ends"):
            assert np.array_equal(getattr(trajectory, array), getattr(alone[name], array))
    answers = {tuple(turn.answer for turn in t.turns) for t in together.values()}
    assert len(answers) > 20  # the four samples of a prompt differ


def test_the_first_answer_of_an_evaluation_is_greedy(worker: RolloutWorker) -> None:
    asked = requests(16, purpose="eval")
    one, other = (talk(worker, [replace(request, run_seed=seed) for request in asked]) for seed in (7, 8))
    for request in asked:
        is_same = one[request.id].tokens.tolist() == other[request.id].tokens.tolist()
        assert is_same == (request.sample == 0)  # further ones, for pass@k, are drawn


def test_new_weights_in_the_middle_of_dialogs(
    worker: RolloutWorker, policies: list[PreTrainedModel], config: Config
) -> None:
    worker.admit(requests(64))
    trajectories = []
    for _ in range(6):
        trajectories += worker.advance(max_seconds=0.0)
    worker.load(*publish(policies[1], 1, max_length=config.model.max_length))
    trajectories += talk(worker, []).values()
    assert len(trajectories) == 64
    mixed = 0
    for trajectory in trajectories:
        assert set(trajectory.versions[trajectory.action_mask].tolist()) <= {0, 1}
        for version, policy in enumerate(policies):
            wrote = trajectory.versions == version
            gap = np.abs(trajectory.logprobs - forward_logprobs(policy, trajectory.tokens))[wrote]
            assert gap.max(initial=0.0) <= TOLERANCE
        mixed += len(set(trajectory.versions[trajectory.action_mask].tolist())) == 2
    assert mixed > 40


# -- a second engine ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def opponents(folder: Path, policies: list[PreTrainedModel], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The second version, the first one, and one of another shape, as folders."""
    home, tokenizer = tmp_path_factory.mktemp("opponents"), load_tokenizer(folder)
    shape = policies[0].config.to_dict() | {"num_hidden_layers": 2}
    other = random_policy(type(policies[0].config).from_dict(shape), seed=5)
    folders = [home / name for name in ("second", "first", "other")]
    for policy, place in zip((policies[1], policies[0], other), folders, strict=True):
        save_model_folder(policy, tokenizer, place)
    return folders


def test_an_opponent_speaks_from_a_second_engine(
    worker: RolloutWorker, policies: list[PreTrainedModel], opponents: list[Path]
) -> None:
    own = requests(8)
    second, first, other, nobody = (
        [replace(r, group=10 * (i + 1) + r.group, role="proposer", opponent=str(folder)) for r in requests(8)]
        for i, folder in enumerate((*opponents, opponents[0].with_name("nobody")))
    )
    errands = [
        EpisodeRequest(Task("shared-goal", "en", 0, seed), 0, 100 + seed, 0, run_seed=7, opponent=opponent)
        for seed, opponent in enumerate(["", str(opponents[0])] * 4)
    ]
    ended = talk(worker, [*own, *second, *nobody[:1], *other[:1], *first, *errands])
    assert len(ended) == 34
    for asked, policy, version in ((own, policies[0], 0), (second, policies[1], -1), (first, policies[0], -1)):
        for request in asked:
            trajectory = ended[request.id]
            wrote = trajectory.action_mask
            gap = np.abs(trajectory.logprobs - forward_logprobs(policy, trajectory.tokens))[wrote]
            assert (trajectory.request, set(trajectory.versions[wrote].tolist())) == (request, {version})
            assert gap.max() <= TOLERANCE
    for request in errands:
        assistant = ended[request.id]
        assert assistant.user is not None
        for side, policy in ((assistant, policies[0]), (assistant.user, policies[1 if request.opponent else 0])):
            gap = np.abs(side.logprobs - forward_logprobs(policy, side.tokens))[side.action_mask]
            assert gap.max() <= TOLERANCE
    errors = [ended[asked[0].id].error for asked in (nobody, other)]
    assert "nobody: ModelError: there is no folder" in errors[0]
    assert "use models of one shape" in errors[1]

"""What can be built without an engine: the folder of the first weights, and the tasks and rewards of a run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from envs.library import ScenarioError
from models.chat import chat_format
from models.device import DeviceError
from models.policy import load_policy
from models.publish import publish_plain
from models.tokenizer import load_tokenizer
from rewards.resolve import RewardConfigError
from rewards.signal import Transform
from rl import build
from rl.tasks import build_scorer, build_tasks, signal_of
from tests.rl.builders import request
from tests.rl.fakes import small_config


@pytest.fixture(scope="module", autouse=True)
def few_dialogs() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "NUM_TOKENIZER_DIALOGS", 50)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, few_dialogs: None) -> Path:
    made = tmp_path_factory.mktemp("run") / "model"
    build.prepare_model(small_config(), made)
    return made


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}


def weights(folder: Path) -> list[torch.Tensor]:
    return list(load_policy(folder).state_dict().values())


def test_the_folder_of_the_first_weights_loads(folder: Path) -> None:
    tokenizer, policy = load_tokenizer(folder), load_policy(folder)
    assert policy.config.vocab_size == len(tokenizer) <= 512
    assert policy.config.num_hidden_layers == 6
    assert policy.config.max_position_embeddings == 200
    assert policy.config.eos_token_id == tokenizer.eos_token_id == chat_format(tokenizer).stop_token_ids[0]
    embeddings = policy.get_input_embeddings().weight.detach()
    assert embeddings.dtype == torch.float32
    assert 0.015 < float(embeddings.std()) < 0.025
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_who_trains_nothing_needs_no_gpu_for_a_learner() -> None:
    config = small_config("rollout.num_rollout_workers=2")
    assert build.build_device_plan(config, num_gpus=2, has_learner=False).gpus_per_rollout_worker == 1
    with pytest.raises(DeviceError, match=r"3 GPUs are needed, and there are 2: learner\.num_ranks = 1"):
        build.build_device_plan(config, num_gpus=2)


def test_a_simulated_worker_holds_dialogs_without_a_model(folder: Path) -> None:
    config = small_config("rollout.engine=simulated", "rollout.max_logprob_gap=100")
    plan = build.build_device_plan(config, num_gpus=0)
    answers = []
    for name in ("rollout-0", "rollout-1"):
        worker = build.build_rollout_worker(config, folder, plan, name=name)
        worker.load(*publish_plain(load_policy(folder), version=0, max_length=200))
        worker.admit([request(0, group, sample) for group in range(3) for sample in range(2)])
        done = worker.advance(max_seconds=60.0)
        assert {t.status for t in done} <= {"ok", "truncated"}
        assert {t.worker for t in done} == {name}
        answers.append({t.request.id: t.tokens.tolist() for t in done})
    assert len(answers[0]) == 6
    assert answers[0] == answers[1]


def test_a_folder_that_is_there_is_left_alone(folder: Path) -> None:
    before = contents(folder)
    build.prepare_model(small_config("run.seed=7"), folder)
    assert contents(folder) == before


def test_the_seed_decides_the_weights_and_not_the_vocabulary(folder: Path, tmp_path: Path) -> None:
    for seed in (42, 7):
        build.prepare_model(small_config(f"run.seed={seed}"), tmp_path / str(seed))
    pairs = zip(weights(folder), weights(tmp_path / "42"), weights(tmp_path / "7"), strict=True)
    same = [(torch.equal(ours, again), torch.equal(ours, other)) for ours, again, other in pairs]
    assert all(again for again, _ in same)
    assert not all(other for _, other in same)
    vocabularies = {(path / "tokenizer.json").read_bytes() for path in (folder, tmp_path / "42", tmp_path / "7")}
    assert len(vocabularies) == 1


def test_a_pretrained_model_is_copied_with_its_tokenizer(folder: Path, tmp_path: Path) -> None:
    (tmp_path / ".copy.saving").mkdir()
    (tmp_path / ".copy.saving" / "half.safetensors").write_text("of a process that died")
    build.prepare_model(small_config(f"model.name_or_path={folder}", "run.seed=7"), tmp_path / "copy")
    assert all(torch.equal(a, b) for a, b in zip(weights(folder), weights(tmp_path / "copy"), strict=True))
    assert load_tokenizer(tmp_path / "copy").get_vocab() == load_tokenizer(folder).get_vocab()
    assert not (tmp_path / "copy" / "half.safetensors").exists()


def test_the_tokenizer_is_trained_on_dialogs_that_go_right() -> None:
    """The recipe's dialogs: an opening question of single digits, its answer, a follow-up, its answer."""
    texts = list(build._dialog_texts(small_config()))
    rounds = [texts[start : start + 4] for start in range(0, len(texts), 4)]
    assert len(rounds) == 50
    assert all(
        len(turns) == 4 and turns[1].lstrip("-").isdigit() and turns[3].lstrip("-").isdigit() for turns in rounds
    )
    assert texts == list(build._dialog_texts(small_config("run.seed=7")))
    opening_only = list(build._dialog_texts(small_config("rollout.max_turns=1")))
    assert opening_only == [text for turns in rounds for text in turns[:2]]


def test_the_tokenizer_knows_what_a_model_that_plays_the_user_reads() -> None:
    mix = "tasks.mix=[{scenario: shared-goal, languages: [en], levels: [0]}]"
    briefs = {f"You want {number}. Say it." for number in range(10)}
    assert briefs <= set(build._dialog_texts(small_config(mix, "rollout.model_users=true")))
    assert not briefs & set(build._dialog_texts(small_config(mix)))


def test_tasks_are_those_of_the_mixture() -> None:
    library, mix = build_tasks(small_config("tasks.mix.0.weight=2.5"))
    assert [(line.scenario, line.weight, line.languages, line.levels) for line in mix] == [
        ("arithmetic-dialog", 2.5, ("en",), (0,))
    ]
    assert library.find("arithmetic-dialog").num_levels > 0
    with pytest.raises(ScenarioError, match="no level 99"):
        build_tasks(small_config("tasks.mix.0.levels=[99]"))


def test_the_signal_weighs_what_the_scorer_judges_as_the_recipe_says() -> None:
    config = small_config("rewards.monitor=[answer.digits]", "rewards.weights.answer.correct=3")
    signal = signal_of(config.rewards)
    assert signal.names == build_scorer(config).names
    weighed = dict(zip(signal.names, signal.weights.tolist(), strict=True))
    assert weighed["answer.correct"] == 3.0
    assert weighed["answer.digits"] == 0.0
    assert list(weighed)[-1] == "answer.digits"
    with pytest.raises(RewardConfigError, match=r"no dimension 'answer\.corect'"):
        build_scorer(small_config("rewards.weights.answer.corect=1"))


def test_the_recipe_shapes_the_signal() -> None:
    config = small_config(
        "rewards.transforms.answer.correct={kind: power, exponent: 2}",
        "rewards.gates=[{when: success, cap: [format], below: 0.75, at: 0.125}]",
        "rewards.normalize=running",
    )
    signal = signal_of(config.rewards)
    correct, number_only = signal.names.index("answer.correct"), signal.names.index("format.number_only")
    assert signal.transforms == ((correct, Transform("power", exponent=2.0), 0.0, 1.0),)
    [(when, below, capped, at)] = signal.gates
    assert (when, below, at, np.flatnonzero(capped).tolist()) == (None, 0.75, 0.125, [number_only])
    assert signal.normalize

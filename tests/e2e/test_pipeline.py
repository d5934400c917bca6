"""The real command on a recipe of stages, with real Ray, DeepSpeed and vLLM."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rl.documents import Documents
from rl.metrics import FILE, read_metrics
from rl.store import Query, read
from tests.e2e.runs import Finished, Run, single_message, train

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PIPELINE = "r1_smoke"
STAGES = {"pretrain": "policy", "sft": "policy", "reward_model": "reward_model", "ppo": "policy"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return train(tmp_path_factory.mktemp("pipeline"), recipe=PIPELINE)


def hashes(done: Finished) -> dict[str, str]:
    """The SHA-256 of the final weights of each stage."""
    return {stage["name"]: stage["report"]["final_weights_sha256"] for stage in done.report()["stages"]}


def test_every_stage_hands_a_model_on_and_reports(whole: Finished) -> None:
    assert [stage["name"] for stage in whole.report()["stages"]] == list(STAGES)
    for name, output in STAGES.items():
        directory = whole.run_dir / "stages" / name
        for file in ("config.yaml", FILE, "report.md", f"{output}/model.safetensors", f"{output}/tokenizer.json"):
            assert (directory / file).stat().st_size > 0, (name, file)
        assert any((directory / "tensorboard").iterdir())
        assert f"stages/{name}/report.md" in (whole.run_dir / "report.md").read_text()
    tokenizers = {(whole.run_dir / "stages" / n / o / "tokenizer.json").read_bytes() for n, o in STAGES.items()}
    assert len(tokenizers) == 1
    pretrained = json.loads((whole.run_dir / "stages" / "pretrain" / "report.json").read_bytes())
    assert len(pretrained["bits_per_byte"]) > 10  # of 32: its held-out part is small
    assert whole.report()["stages"][3]["report"]["max_logprob_gap"] <= 1e-4


def test_ppo_was_paid_by_the_reward_model(whole: Finished) -> None:
    """Every answer of the assistant has its score in the store: what the saved model says of the dialog up to it."""
    from models.reward_model import RewardModel  # imports torch

    model = RewardModel(whole.run_dir / "stages" / "reward_model" / "reward_model")
    records = list(read(whole.run_dir / "stages" / "ppo", Query(purpose="train")))
    dialogs = [[(turn.question.text, turn.answer) for turn in record.trajectory.turns] for record in records]
    column = records[0].dimensions.index("model.reward")
    for record, scores in zip(records, model.score(dialogs), strict=True):
        assert record.scored.score is not None
        np.testing.assert_array_equal(record.scored.score.vector[:, column], scores)
    assert len(records) == 2 * 16
    lines = read_metrics(whole.run_dir / "stages" / "ppo")
    assert all(line.values["fleet/reward_model_workers"] == 1.0 for line in lines)
    assert all("reward/model.reward" in line.values for line in lines)


def test_a_stage_learns_from_its_own_dialogs(whole: Finished) -> None:
    folder = whole.run_dir / "stages" / "sft"
    own = whole.report()["stages"][1]["report"]["rejection"]
    assert own["num_judged"] == own["num_dialogs"] == 16 * 8
    assert 0 < own["num_kept"] <= 16
    assert own["kept_reward"] > own["reward"]
    rows = [json.loads(line) for line in (folder / "rejection" / "dialogs.jsonl").read_text().splitlines()]
    assert len(rows) == own["num_kept"]
    records = {record.trajectory.request.id: record for record in read(folder / "rejection", Query())}
    assert len(records) == 16 * 8
    documents = Documents.open(folder / "data")
    assert len(documents.lengths) == 60 + own["num_kept"]
    assert "Rejection sampling: the model's own dialogs" in (folder / "report.md").read_text()


def test_what_is_done_is_not_done_again_and_what_changes_is(whole: Finished, tmp_path: Path) -> None:
    shutil.copytree(whole.run_dir, tmp_path / "run")
    same = train(tmp_path, recipe=PIPELINE)
    assert same.output.count("skip, for it is finished, and its inputs have not changed") == 4
    assert hashes(same) == hashes(whole)
    changed = train(tmp_path, "stages.ppo.run.seed=7", recipe=PIPELINE)
    assert changed.output.count("skip, for ") == 3
    assert "ppo: run, for changed since it ran: run.seed" in changed.output
    assert hashes(changed)["ppo"] != hashes(whole)["ppo"]


def test_a_driver_that_is_killed_in_a_stage_resumes_there(whole: Finished, tmp_path: Path) -> None:
    metrics = tmp_path / "run" / "stages" / "sft" / FILE
    with Run(tmp_path, recipe=PIPELINE) as run:
        run.wait_for(lambda: metrics.exists() and metrics.read_bytes().count(b"\n") >= 3, "step 3 of sft")
        killed = run.kill()
    assert killed.left_behind == ()
    with Run(tmp_path, recipe=PIPELINE) as run:
        refused = run.wait()
    assert refused.code == 2
    [message] = single_message(refused.errors)
    assert message.startswith("error: stage sft: ")
    assert message.endswith("stages/sft is unfinished; add --resume to go on with it")
    done = train(tmp_path, "--resume", recipe=PIPELINE)
    assert "resumed at step 2" in done.output
    assert hashes(done) == hashes(whole)

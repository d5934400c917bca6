"""Which stages run: those whose inputs are new, and no others. Stages are faked by the files that they leave."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from rl.checkpoint import Checkpoints, RunState
from rl.config import Config
from rl.load_pipeline import load_pipeline
from rl.pipeline import Pipeline, StageError, begin, complete, decide, inputs_of
from tests.rl.saving import saving

STAGES = ("pretrain", "sft", "reward_model", "ppo")


def pipeline(folder: Path, *overrides: str) -> Pipeline:
    return load_pipeline("r1_smoke", [f"run.folder={folder}", "run.name=mine", *overrides])


def fake(plan: Pipeline, name: str, *, seed: int, tokenizer: str = "tokens") -> None:
    """What a stage leaves when its training has ended; its weights are a function of the seed."""
    with saving(Checkpoints(plan.directory(name), {}), RunState(step=4)) as folder:
        output = folder / plan.output(name).name
        output.mkdir()
        (output / "model.safetensors").write_text(f"weights {name} {seed}")
        (output / "tokenizer.json").write_text(tokenizer)


def advance(plan: Pipeline, *, resume: bool = False, stop_in: str = "") -> list[tuple[str, str, str]]:
    """(stage, action, reason) of each stage, as a command would go through them; it dies inside `stop_in`."""
    done = []
    for stage in plan.stages:
        inputs = inputs_of(plan, stage)
        decision = decide(plan, stage, inputs, resume=resume)
        done.append((stage.name, decision.action, decision.reason))
        if decision.action == "run":
            begin(plan, stage, inputs)
        if stage.name == stop_in:
            break
        if decision.action != "skip":
            fake(plan, stage.name, seed=stage.config.run.seed)
            complete(plan, stage)
    return done


def actions(done: Sequence[tuple[str, str, str]]) -> list[str]:
    return [action for _, action, _ in done]


def test_all_run_once(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    assert advance(plan) == [(name, "run", "it has not run before") for name in STAGES]
    assert (plan.directory("sft") / "policy" / "model.safetensors").read_text() == "weights sft 42"
    assert advance(plan) == [(name, "skip", "it is finished, and its inputs have not changed") for name in STAGES]


def test_what_changes_runs_again_and_so_does_what_follows(tmp_path: Path) -> None:
    advance(pipeline(tmp_path))
    done = advance(pipeline(tmp_path, "stages.sft.run.seed=7", "stages.sft.optimizer.lr=0.5"))
    assert done[0][1] == "skip"
    assert done[1] == ("sft", "run", "changed since it ran: run.seed, optimizer.lr")
    assert done[2] == ("reward_model", "run", "changed since it ran: the model that it starts from")
    assert done[3] == ("ppo", "run", "changed since it ran: the model that it starts from")
    previous = tmp_path / "mine" / "stages" / "sft.previous" / "policy" / "model.safetensors"
    assert previous.read_text() == "weights sft 42"


def test_a_stage_that_comes_out_the_same_ends_the_chain(tmp_path: Path) -> None:
    """Its successors have the same inputs as before, to the byte."""
    advance(pipeline(tmp_path))
    assert actions(advance(pipeline(tmp_path, "stages.pretrain.supervised.eval_tokens=64"))) == ["run", *["skip"] * 3]


def test_where_and_how_fast_a_stage_runs_is_no_input(tmp_path: Path) -> None:
    advance(pipeline(tmp_path))
    changes = ["rollout.num_rollout_workers=2", "rewards.model.num_workers=3", "checkpoint.every=3"]
    changes += ["learner.num_ranks=2", "learner.zero_stage=3"]
    overrides = [f"stages.ppo.{change}" for change in changes]
    assert actions(advance(pipeline(tmp_path, *overrides))) == ["skip"] * 4


def test_a_changed_data_file_is_a_changed_input(tmp_path: Path) -> None:
    data = tmp_path / "texts.txt"
    data.write_text("one")
    plan = pipeline(tmp_path, f"stages.pretrain.corpus.sources=[{{path: {data}, language: en}}]")
    advance(plan)
    data.write_text("two")
    assert advance(plan)[0] == ("pretrain", "run", f"changed since it ran: {data}")


def test_an_interrupted_stage_goes_on_when_told_so(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    advance(plan, stop_in="sft")
    with pytest.raises(StageError, match="stages/sft is unfinished; add --resume to go on with it"):
        advance(plan)
    assert [(name, action) for name, action, _ in advance(plan, resume=True)] == [
        ("pretrain", "skip"),
        ("sft", "resume"),
        ("reward_model", "run"),
        ("ppo", "run"),
    ]


def test_an_interrupted_stage_whose_inputs_have_changed_begins_anew(tmp_path: Path) -> None:
    advance(pipeline(tmp_path), stop_in="sft")
    done = advance(pipeline(tmp_path, "stages.sft.run.seed=8"), resume=True)
    assert done[1] == ("sft", "run", "changed since it ran: run.seed")


def test_output_that_is_missing_or_was_changed_is_an_error(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    advance(plan)
    policy = plan.directory("pretrain") / "policy"
    remedy = f"restore it, or remove {plan.directory('pretrain')} to train the stage again"
    for path, message in (
        (policy / "tokenizer.json", f"the tokenizer in {policy} has changed since it was trained; {remedy}"),
        (policy / "model.safetensors", f"its output {policy} has changed since it was trained; {remedy}"),
    ):
        original = path.read_text()
        path.write_text("other")
        with pytest.raises(StageError) as caught:
            advance(plan)
        assert str(caught.value) == message
        path.write_text(original)
    policy.rename(tmp_path / "elsewhere")
    with pytest.raises(StageError, match=r"it is finished, but its output .* is missing"):
        advance(plan)
    with pytest.raises(StageError, match=r"it starts from pretrain, whose output .* is not there"):
        inputs_of(plan, plan.stages[1])


def test_a_stage_must_keep_the_tokenizer_that_it_started_from(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    advance(plan, stop_in="sft")
    fake(plan, "sft", seed=1, tokenizer="other tokens")
    with pytest.raises(StageError, match="its tokenizer is not that of pretrain"):
        complete(plan, plan.stages[1])
    assert not (plan.directory("sft") / "output.json").exists()


def test_another_reward_model_makes_ppo_run_again_and_nothing_else(tmp_path: Path) -> None:
    advance(pipeline(tmp_path))
    done = advance(pipeline(tmp_path, "stages.reward_model.run.seed=7"))
    assert actions(done) == ["skip", "skip", "run", "run"]
    assert done[3][2] == "changed since it ran: the reward model"


def test_a_reward_model_that_is_missing_is_named(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    advance(plan, stop_in="reward_model")
    with pytest.raises(StageError, match=r"it takes its reward from reward_model, whose output .* is not there"):
        inputs_of(plan, plan.stages[3])


def test_the_dialogs_of_a_run_that_pairs_come_from_are_inputs(tmp_path: Path) -> None:
    store = tmp_path / "other" / "trajectories"
    store.mkdir(parents=True)
    part = store / "train-000000-part000.parquet"
    part.write_text("dialogs")
    plan = pipeline(tmp_path, f"stages.reward_model.preferences.runs=[{{run: {tmp_path / 'other'}}}]")
    advance(plan)
    part.write_text("more dialogs")
    assert advance(plan)[2] == ("reward_model", "run", f"changed since it ran: {part}")


def test_stages_start_from_the_folders_of_those_before(tmp_path: Path) -> None:
    plan = pipeline(tmp_path)
    folder = tmp_path / "mine" / "stages" / "sft" / "policy"
    reward_model, ppo = plan.started(plan.stages[2]), plan.started(plan.stages[3])
    assert reward_model.model.name_or_path == ppo.model.name_or_path == str(folder.absolute())
    assert isinstance(ppo, Config)
    assert ppo.rewards.model.name_or_path == str(plan.output("reward_model").absolute())
    assert plan.started(plan.stages[0]).model.name_or_path == ""

"""Recipes of stages: what a stage has from all and what of its own, and messages that name the stage."""

from pathlib import Path

import pytest

from rl.config import Config
from rl.load_config import ConfigError, load_config
from rl.load_pipeline import is_pipeline, load_pipeline
from rl.stage_config import PretrainConfig, RewardModelConfig, SFTConfig


def refusal(*overrides: str, recipe: str = "r1_smoke") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_pipeline(recipe, overrides)
    return str(caught.value).splitlines()


STAGES = [("pretrain", None), ("sft", "pretrain"), ("reward_model", "sft"), ("ppo", "sft")]
PAIRS_ALONE = ["stages.reward_model.preferences.num_pairs=0"]


@pytest.mark.parametrize(
    ("recipe", "stages"),
    [
        ("r1", STAGES),
        ("r1_smoke", STAGES),
        ("reward_model", [("reward_model", None)]),
    ],
)
def test_built_in_pipelines_load(recipe: str, stages: list[tuple[str, str | None]]) -> None:
    pipeline = load_pipeline(recipe)
    assert is_pipeline(recipe)
    assert pipeline.folder == Path("runs") / recipe
    assert [(stage.kind, stage.start_from) for stage in pipeline.stages] == stages
    kinds = {"pretrain": PretrainConfig, "sft": SFTConfig, "reward_model": RewardModelConfig, "ppo": Config}
    assert [type(stage.config) for stage in pipeline.stages] == [kinds[kind] for kind, _ in stages]


def test_a_plain_recipe_is_no_pipeline_and_a_pipeline_no_plain_recipe() -> None:
    assert not is_pipeline("r1_zero")
    with pytest.raises(ConfigError, match="is a pipeline of stages, not one run; `zero2one train r1_smoke` runs it"):
        load_config("r1_smoke")


def test_a_stage_overlays_what_all_share() -> None:
    pipeline = load_pipeline("r1_smoke", ["run.seed=7", "model.vocab_size=300", "stages.sft.model.vocab_size=310"])
    pretrain, sft, _, ppo = (stage.config for stage in pipeline.stages)
    assert [config.run.seed for config in (pretrain, sft, ppo)] == [7, 7, 7]
    assert [config.model.vocab_size for config in (pretrain, sft, ppo)] == [300, 310, 300]
    assert [config.run.name for config in (pretrain, sft, ppo)] == ["pretrain", "sft", "ppo"]
    assert {config.run.folder for config in (pretrain, sft, ppo)} == {"runs/r1_smoke/stages"}
    assert pretrain.run.num_iterations == 4
    assert isinstance(ppo, Config)
    assert ppo.rollout.rollout_batch_size == 4


def test_dimension_names_with_dots_are_one_key_in_a_stage_too() -> None:
    *_, ppo = load_pipeline("r1_smoke", ["stages.ppo.rewards.weights.answer.correct=2"]).stages
    assert isinstance(ppo.config, Config)
    assert ppo.config.rewards.weights["answer.correct"] == 2.0
    assert len(ppo.config.rewards.weights) == 4


def test_the_model_of_all_is_where_the_first_stage_starts() -> None:
    pipeline = load_pipeline("r1_smoke", ["model.name_or_path=owner/name"])
    assert [stage.config.model.name_or_path for stage in pipeline.stages] == ["owner/name", "", "", ""]
    other = load_pipeline("r1_smoke", ["stages.ppo.model.name_or_path=owner/name"])
    assert [stage.start_from for stage in other.stages] == [None, "pretrain", "sft", None]
    assert other.stages[3].config.model.name_or_path == "owner/name"


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stages.sft.optimizer.lr=x"], "override: stage sft: optimizer.lr = 'x': should be a valid number"),
        (["stages.sft.optimizr.lr=1"], "override: stage sft: optimizr: unknown key, did you mean optimizer?"),
        (["stages.ppo.start_from=nope"], "override: stage ppo: start_from = 'nope': no stage has this name"),
        (["stages.ppo.start_from=sftt"], "override: stage ppo: start_from = 'sftt': no stage has this name, did you"),
        (["stages.pretrain.start_from=ppo"], "override: stage pretrain: start_from = 'ppo': that stage comes later"),
        (["stages.sft.start_from=sft"], "override: stage sft: start_from = 'sft': a cycle: sft starts from sft"),
        (
            ["stages.ppo.kind=rm"],
            "override: stages.3.kind = 'rm': should be 'pretrain', 'sft', 'reward_model' or",
        ),
        (["stages.ppo.reward_from=sft"], "override: stage ppo: reward_from = 'sft': that stage makes no reward model"),
        (["stages.ppo.reward_from=no"], "override: stage ppo: reward_from = 'no': no stage has this name"),
        (["stages.sft.reward_from=pretrain"], "override: stage sft: reward_from = 'pretrain': only stages of kind ppo"),
        (
            ["stages.ppo.start_from=reward_model"],
            "override: stage ppo: start_from = 'reward_model': that stage makes",
        ),
        (PAIRS_ALONE, "override: stage reward_model: preferences.num_pairs = 0: there is nothing to compare"),
        (
            ["stages.reward_model.pairwise.micro_batch_tokens=127"],
            "override: stage reward_model: pairwise.micro_batch",
        ),
        (
            ["stages.reward_model.preferences.weights={}"],
            "override: stage reward_model: preferences.weights = {}: ",
        ),
        (["stages.ppo.name=sft"], "override: two stages have the name 'sft'"),
        (["corpas.x=1"], "override: corpas: unknown section, did you mean corpus?"),
        (["stages.sft.model.lora_rank=2"], "override: stage sft: model.lora_rank = 2: must be 0: a stage hands on"),
        (["stages.ppo.ppo.mini_batch_size=99"], "override: stage ppo: ppo.mini_batch_size = 99: an iteration has only"),
        (
            ["stages.sft.demonstrations.rejection.keep=9"],
            "override: stage sft: demonstrations.rejection.keep = 9: must be at most samples_per_task = ",
        ),
        (
            ["stages.sft.rewards=null", "stages.sft.demonstrations.rejection.num_tasks=3"],
            "override: stage sft: rewards = None: demonstrations.rejection.num_tasks = 3 chooses by reward, and there",
        ),
        (
            ["stages.sft.rollout.tools=[calculator]", "stages.sft.demonstrations.rejection.num_tasks=3"],
            "override: stage sft: rollout.tools = ['calculator']: must be empty: dialogs that are kept are written",
        ),
        (
            ["stages.sft.rollout.max_response_length=64"],
            "override: stage sft: rollout.max_response_length = 64: question and answer share model.max_length",
        ),
        (["stages=[]"], "override: stages = []: "),
    ],
)
def test_what_is_wrong_is_said_with_the_stage(overrides: list[str], message: str) -> None:
    [line] = refusal(*overrides)
    assert line.startswith(message)


def test_stages_that_make_modules_start_from_the_last_model() -> None:
    pipeline = load_pipeline("r1_modules")
    assert [(stage.start_from, stage.module) for stage in pipeline.stages] == [
        (None, ""),
        ("base", "reasoning"),
        ("base", "writing"),
        ("base", "math"),
        ("base", "all"),
    ]
    assert pipeline.output("base") == Path("runs/r1_modules/stages/base/policy")
    assert pipeline.output("math") == Path("runs/r1_modules/modules/math")
    assert pipeline.router is not None
    assert pipeline.router.modules == ("reasoning", "writing", "math")
    updates = {stage.config.run.num_iterations for stage in pipeline.stages[1:]}
    assert len(updates) == 1  # or the comparison of the single adapter with the others would not be fair


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["stages.math.model.lora_rank=0"], "override: stage math: model.lora_rank = 0: must be above 0: the module"),
        (["stages.math.module="], "rl/recipes/r1_modules.yaml: stage math: model.lora_rank = 8: must be 0: a stage"),
        (["stages.math.start_from=writing"], "override: stage math: start_from = 'writing': that stage makes a module"),
        (["stages.math.module=writing"], "rl/recipes/r1_modules.yaml: two stages make the module 'writing'"),
        (["router.modules=[maths, all]"], "override: router.modules: no stage makes the module 'maths', did you mean"),
        (["router.modules=[all]"], "override: router.modules = ['all']: "),
        (["stages.base.module=x", "stages.base.model.lora_rank=2"], "override: stage base: model.lora_rank = 2: the"),
    ],
)
def test_what_is_wrong_with_modules_is_said(overrides: list[str], message: str) -> None:
    router = [] if overrides[0].startswith("router") else ["router=null"]
    line = refusal(*overrides, *router, recipe="r1_modules")[0]
    assert line.removeprefix(f"{Path.cwd()}/").startswith(message)


def test_ppo_asks_the_reward_model_of_the_stage_that_it_names() -> None:
    *_, ppo = load_pipeline("r1_smoke").stages
    assert isinstance(ppo.config, Config)
    assert (
        Path(ppo.config.rewards.model.name_or_path) == Path("runs/r1_smoke/stages/reward_model/reward_model").resolve()
    )
    [asks_nobody] = refusal("stages.ppo.reward_from=null")
    assert "rewards.model.name_or_path = '': model.reward is what a reward model says" in asks_nobody
    [unasked] = refusal("stages.ppo.rewards.weights={answer.correct: 1}")
    assert unasked.endswith("nobody asks it: give model.reward a weight, or monitor it")


def test_a_cycle_is_shown() -> None:
    first, second = refusal("stages.sft.start_from=ppo", "stages.ppo.start_from=sft")[0], "sft starts from ppo"
    assert first.endswith(f"a cycle: {second} starts from sft")


def test_what_one_stage_holds_out_no_other_may_show() -> None:
    corpus, demonstrations, pairs = refusal("stages.ppo.tasks.held_out_fraction=0.3")
    cause = "0.1: must be 0.3, as in the stage that holds out most"
    assert corpus.endswith(f"stage pretrain: corpus.held_out_questions = {cause}")
    assert demonstrations.endswith(f"stage sft: tasks.held_out_fraction = {cause}")
    assert pairs.endswith(f"stage reward_model: tasks.held_out_fraction = {cause}")


def test_a_reward_model_is_no_adapter() -> None:
    [line] = refusal("stages.reward_model.model.lora_rank=2")
    assert "stage reward_model: model.lora_rank = 2: must be 0" in line

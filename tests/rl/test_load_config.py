"""Recipes and overrides, right and wrong."""

from pathlib import Path

import pytest

from rl.config import Config
from rl.load_config import ConfigError, load_config, recipes, save_config
from rl.load_pipeline import is_pipeline, load_pipeline

PRETRAINED = "model.name_or_path=some/model"
SIMULATED, NO_GAP = "rollout.engine=simulated", "rollout.max_logprob_gap=100"


def write(folder: Path, text: str) -> str:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(recipe: str, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(recipe, overrides)
    return str(caught.value)


@pytest.mark.parametrize("name", recipes())
def test_every_recipe_loads_and_describes_itself(name: str) -> None:
    if is_pipeline(name):
        assert load_pipeline(name).name == name
    else:
        assert load_config(name, [PRETRAINED]).run.name == name
    assert len(recipes()[name]) > 20


def test_a_pretrained_recipe_asks_for_its_model() -> None:
    assert "model.name_or_path = ''" in refusal("ppo_pretrained")


def test_overrides_reach_every_kind_of_field() -> None:
    config = load_config(
        "r1_zero",
        [
            "run.name=mine",
            "ppo.clip_ratio=0.125",
            "actor.lr=1e-5",
            "ppo.clip_ratio_high=null",
            "actor.adam_betas=[0.8, 0.9]",
            "tasks.mix.0.levels=[0, 1]",
            "tasks.mix.0.languages=[no]",
            "rewards.weights.length.concise=0.5",
        ],
    )
    assert (config.run.name, config.ppo.clip_ratio, config.ppo.clip_ratio_high) == ("mine", 0.125, None)
    assert (config.actor.lr, config.actor.adam_betas) == (1e-5, (0.8, 0.9))
    assert (config.tasks.mix[0].levels, config.tasks.mix[0].languages) == ((0, 1), ("no",))
    assert config.rewards.weights["length.concise"] == 0.5
    assert config.rewards.weights["answer.correct"] == load_config("r1_zero").rewards.weights["answer.correct"]


def test_the_signal_is_set_by_dotted_overrides_too() -> None:
    config = load_config(
        "r1_zero",
        [
            "rewards.transforms.length.concise={kind: power, exponent: 2}",
            "rewards.gates=[{when: answer.correct, cap: [style], at: 0.25}]",
            "rewards.normalize=running",
        ],
    )
    assert config.rewards.transforms["length.concise"].exponent == 2.0
    assert (config.rewards.gates[0].below, config.rewards.gates[0].at) == (0.5, 0.25)
    plain = load_config("r1_zero").rewards
    assert (plain.transforms, plain.normalize, plain.gates, plain.on_error) == ({}, "none", (), "stop")


def test_the_last_override_wins() -> None:
    assert load_config("r1_zero", ["run.seed=1", "run.seed=2"]).run.seed == 2


def test_a_saved_config_is_the_same_config(tmp_path: Path) -> None:
    overrides = ["actor.lr=1e-5", "run.name='1e3'", "tasks.mix.0.languages=[no]", "tasks.questions=prüfung ~.csv"]
    config = load_config("r1_zero", overrides)
    save_config(config, tmp_path / "config.yaml")
    assert load_config(str(tmp_path / "config.yaml")) == config


def test_a_file_names_its_run(tmp_path: Path) -> None:
    text = (
        "model: {max_length: 1024}\ntasks: {mix: [{scenario: arithmetic}]}\nrewards: {weights: {answer.correct: 1}}\n"
    )
    config = load_config(write(tmp_path, text))
    assert isinstance(config, Config)
    assert config.run.name == "mine"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("ppo.clip_ratoi=1", "override: ppo.clip_ratoi: unknown key, did you mean ppo.clip_ratio?"),
        ("ppo.lr=1", "override: ppo.lr: unknown key, did you mean actor.lr?"),
        ("seed=1", "override: seed: unknown key, did you mean run.seed?"),
        ("tasks.mix.0.level=1", "override: tasks.mix.0.level: unknown key, did you mean tasks.mix.0.levels?"),
        ("ppo.gamma=2", "override: ppo.gamma = 2: should be less than or equal to 1"),
        ("run.seed=true", "override: run.seed = True: should be a valid integer"),
        ("run.seed='5'", "override: run.seed = '5': should be a valid integer"),
        ("actor.lr=.nan", "override: actor.lr = '.nan': should be a valid number"),
        ("ppo.policy_loss=x", "override: ppo.policy_loss = 'x': should be 'ppo', 'dual_clip', 'gspo' or 'cispo'"),
        ("run.name=a b", "override: run.name = 'a b': String should match pattern"),
        ("rewards.gates=[{when: success}]", "override: rewards.gates.0.cap is missing"),
        ("rewards.on_error=zero", "override: rewards.on_error = 'zero': should be 'stop' or 'exclude'"),
        ("eval=3", "override: eval = 3: must be a section with fields of its own"),
        ("ppo.gamma", "override 'ppo.gamma': must look like section.field=value"),
        ("ppo.gamma=[1", "override 'ppo.gamma=[1': the value is not YAML, line 1"),
        ("tasks.mix.1.weight=2", "override 'tasks.mix.1.weight=2': '1' is no position of a list of 1"),
        ("run.name.x=2", "override: run.name = {'x': 2}: should be a valid string"),
        ("ppo.clip_ratio.x=2", "override 'ppo.clip_ratio.x=2': 'x' is inside a plain value, 0.2"),
    ],
)
def test_wrong_overrides(override: str, message: str) -> None:
    found = refusal("r1_zero", override)
    assert found.startswith(message)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("run:\n  seed: 1\n ppo: 2\n", ", line 3: "),
        ("run:\n  seed: 1\n  seed: 2\n", ", line 3: key 'seed' is given twice"),
        ("- run\n", ": must hold sections such as `ppo:`, not ['run']"),
        ("", ": must hold sections such as `ppo:`, not None"),
        ("run: {seed: -1}\n", ": run.seed = -1: should be greater than or equal to 0"),
        ("run: {}\n", ": tasks is missing"),
    ],
)
def test_wrong_files_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    assert f"{path}{message}" in refusal(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'none.yaml'}: cannot be read" in refusal(str(tmp_path / "none.yaml"))


def test_an_unknown_recipe_gets_a_hint() -> None:
    assert refusal("r1zero").startswith("no recipe 'r1zero', did you mean r1_zero?")


def test_all_mistakes_come_at_once() -> None:
    assert len(refusal("r1_zero", "ppo.gamma=2", "ppo.lam=2", "nix=1").splitlines()) == 3


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        (["model.preset="], "model.name_or_path = ''"),
        (["rewards.weights.model.reward=1"], "rewards.model.name_or_path = '': model.reward is what a reward model"),
        (["rewards.model.name_or_path=folder"], "rewards.model.name_or_path = 'folder': nobody asks it"),
        (
            [
                "rewards.weights.model.reward=1",
                "rewards.model.name_or_path=f",
                "rewards.transforms.model.reward={kind: center}",
            ],
            "rewards.transforms = ",
        ),
        (["model.lora_rank=8"], "model.lora_rank = 8"),
        (["model.max_length=64", "rollout.max_prompt_length=64"], "rollout.max_prompt_length = 64"),
        (["model.max_length=64", "rollout.max_response_length=64"], "rollout.max_response_length = 64"),
        (["model.max_length=128", "ppo.micro_batch_tokens=127"], "ppo.micro_batch_tokens = 127"),
        (["rollout.rollout_batch_size=4", "rollout.n_samples_per_prompt=2", "ppo.mini_batch_size=9"], "ppo.mini_batch"),
        (
            ["learner.num_ranks=4", "ppo.mini_batch_size=3"],
            "ppo.mini_batch_size = 3: must be at least learner.num_ranks",
        ),
        (
            ["ppo.advantage_estimator=rloo", "rollout.n_samples_per_prompt=1", "ppo.mini_batch_size=8"],
            "rollout.n_samples_per_prompt = 1",
        ),
        (["ppo.advantage_estimator=grpo", "ppo.critic_warmup=1"], "ppo.critic_warmup = 1: must be 0"),
        (
            [
                "run.num_iterations=5",
                "ppo.advantage_estimator=gae",
                "ppo.critic_warmup=5",
                "ppo.skip_zero_advantages=false",
            ],
            "ppo.critic_warmup = 5: must be below",
        ),
        (["ppo.advantage_estimator=gae"], "ppo.skip_zero_advantages = True: must be false"),
        (["ppo.skip_zero_advantages=true", "ppo.target_kl=0.1"], "ppo.target_kl = 0.1: must be unset"),
        (["ppo.kl_target=0.1"], "ppo.kl_target = 0.1"),
        (["ppo.kl_coef=0.1", "ppo.kl_in=loss"], "ppo.kl_estimator = 'k1'"),
        (["rewards.weights={answer.correct: 0}"], "rewards.weights = {'answer.correct': 0.0}"),
        (
            ["ppo.advantage_combine=per_dimension", "ppo.advantage_estimator=reinforce++"],
            "ppo.advantage_combine = 'per",
        ),
        (
            ["ppo.advantage_combine=per_dimension", "ppo.kl_coef=0.1", "ppo.kl_in=reward"],
            "ppo.kl_in = 'reward': must be loss",
        ),
        (["rewards.transforms.answer.correct={kind: clip, low: 1, high: 1}"], "rewards.transforms = {'answer.correct'"),
        (["critic.adam_betas=[0.9, 1.0]"], "critic.adam_betas = [0.9, 1.0]"),
        (["model.word_tokens=true"], "model.number_tokens = True: must be false"),
        (["model={word_tokens: true, max_length: 64}"], "model.all_bytes = True: must be false"),
        ([SIMULATED], "rollout.max_logprob_gap = 0.01: must be at least 100: with rollout.engine = simulated"),
        ([SIMULATED, NO_GAP, "rollout.num_modules=1", "model.lora_rank=8", "model.name_or_path=f"], "rollout.num_mod"),
        (
            [SIMULATED, NO_GAP, "selfplay.enabled=true", "selfplay.past_share=0.5"],
            "rollout.engine = 'simulated': has no model for opponents",
        ),
        ([SIMULATED, NO_GAP, "rollout.weight_transfer=nccl"], "rollout.weight_transfer = 'nccl': must be object_store"),
    ],
)
def test_fields_that_contradict_each_other(overrides: list[str], field: str) -> None:
    found = refusal("r1_zero", *overrides)
    assert found.splitlines()[0].startswith(f"override: {field}") or found.split(": ", 1)[1].startswith(field)
    assert "\n" not in found

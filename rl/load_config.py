"""From a recipe and the command line to a `Config`: YAML <- dotted overrides <- types <- checks across fields.

Nothing is repaired in silence. What is wrong comes back in one `ConfigError` that lists every mistake with the file (or
"override"), the dotted field, its value, and what is allowed.
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from rewards.dimensions.reward_model import MODEL_REWARD
from rl.config import Config, PPOConfig, RewardsConfig
from rl.files import write_whole

RECIPES = Path(__file__).parent / "recipes"
GROUP_ESTIMATORS = ("grpo", "rloo", "dr_grpo")
NO_GAP = 100.0  # nats of `rollout.max_logprob_gap` that no two log-probs differ by
# dimension names hold dots: what follows is one key
FREE_KEYS = ("rewards.weights.", "rewards.transforms.", "preferences.weights.")


C = TypeVar("C", bound=BaseModel)


class ConfigError(ValueError):
    """A configuration that cannot be run; the message is for the user."""


def load_config(recipe: str, overrides: Sequence[str] = ()) -> Config:
    """The config of `recipe`, a name out of `recipes()` or the path of a YAML file, with `overrides` on top.

    Example: `load_config("r1_zero", ["ppo.clip_ratio=0.1", "tasks.mix.0.levels=[0, 1]"])`
    """
    path = find_recipe(recipe)
    data = read_recipe(path)
    if "stages" in data:
        raise ConfigError(f"{path}: is a pipeline of stages, not one run; `zero2one train {recipe}` runs it")
    keys = [apply_override(data, item) for item in overrides]
    run = data.setdefault("run", {})
    if isinstance(run, dict) and not run.get("name"):
        run["name"] = path.stem
    config, problems = parse(Config, data, check)
    if config is None:
        raise ConfigError("\n".join(f"{source_of(key, keys, path)}: {problem}" for key, problem in problems))
    return config


def parse(
    kind: type[C], data: Mapping[str, Any], check: Callable[[C], Iterable[tuple[str, str]]]
) -> tuple[C | None, list[tuple[str, str]]]:
    """`data` as a config; or None, and each wrong dotted field with what is wrong about it."""
    try:
        # as JSON, because pydantic's strict mode then takes lists for tuples, and still refuses "5" or true for 5
        config = kind.model_validate_json(json.dumps(data, default=str), strict=True)
    except ValidationError as error:
        return None, list(_explain(kind, error.errors()))
    problems = [(key, f"{key} = {_value(config, key)!r}: {cause}") for key, cause in check(config)]
    return (None if problems else config), problems


def save_config(config: BaseModel, path: Path) -> None:
    """Write every field, defaults included: `load_config(str(path))` gives an equal config."""
    text = yaml.dump(config.model_dump(mode="json"), Dumper=_Dumper, sort_keys=False, allow_unicode=True)
    write_whole(path, text.encode())


def recipes() -> dict[str, str]:
    """Name and one-line description (the first line, a comment) of every built-in recipe."""
    return {
        path.stem: path.read_text("utf-8").partition("\n")[0].lstrip("# ") for path in sorted(RECIPES.glob("*.yaml"))
    }


def find_recipe(recipe: str) -> Path:
    if recipe.endswith((".yaml", ".yml")):
        return Path(recipe)
    if recipe not in recipes():
        hint = did_you_mean(recipe, recipes())
        raise ConfigError(f"no recipe {recipe!r}{hint or '.'} Built in: {', '.join(recipes())}; or give a .yaml file")
    return RECIPES / f"{recipe}.yaml"


def check(config: Config) -> Iterator[tuple[str, str]]:
    """What the type of no single field can see. Yields the dotted field and what is wrong with its value."""
    run, model, rollout, ppo, learner = config.run, config.model, config.rollout, config.ppo, config.learner
    num_trajectories = rollout.rollout_batch_size * rollout.n_samples_per_prompt

    if not model.name_or_path and not model.preset:
        yield "model.name_or_path", "must be a Hugging Face folder or hub id, for example model.name_or_path=FOLDER"
    if model.word_tokens and model.all_bytes:
        yield "model.all_bytes", "must be false: the words of model.word_tokens cannot spell every text"
    if model.word_tokens and model.number_tokens:
        yield "model.number_tokens", "must be false: model.word_tokens makes numbers tokens too"
    if model.lora_rank > 0 and not model.name_or_path:
        yield "model.lora_rank", "LoRA would freeze random weights; must be 0, or set model.name_or_path"
    if rollout.num_modules > 0 and model.lora_rank == 0:
        yield "rollout.num_modules", "must be 0: model.lora_rank = 0 leaves an engine no room for modules"
    for name, length in (("max_prompt", rollout.max_prompt_length), ("max_response", rollout.max_response_length)):
        if length >= model.max_length:
            cause = f"question and answer share model.max_length = {model.max_length}, so it must be below that"
            yield f"rollout.{name}_length", cause
    autoscale = rollout.autoscale
    if autoscale.enabled and not autoscale.min <= rollout.num_rollout_workers <= autoscale.max:
        cause = f"must be from rollout.autoscale.min = {autoscale.min} to rollout.autoscale.max = {autoscale.max}"
        yield "rollout.num_rollout_workers", cause
    if rollout.late_share > 0 and (rollout.max_staleness == 0 or config.selfplay.enabled):
        cause = "late dialogs are an update older, so rollout.max_staleness must be above 0"
        yield "rollout.late_share", f"{cause}, and selfplay.enabled false, where all are waited for to pay proposers"
    if len(set(rollout.tools)) < len(rollout.tools):
        yield "rollout.tools", "names a tool twice"
    if ppo.micro_batch_tokens < model.max_length:
        yield "ppo.micro_batch_tokens", f"must hold a dialog of model.max_length = {model.max_length} tokens"
    if ppo.mini_batch_size > num_trajectories:
        cause = "rollout.rollout_batch_size x rollout.n_samples_per_prompt"
        yield "ppo.mini_batch_size", f"an iteration has only {num_trajectories} trajectories ({cause})"
    if ppo.mini_batch_size < learner.num_ranks:
        yield "ppo.mini_batch_size", f"must be at least learner.num_ranks = {learner.num_ranks}"
    if ppo.advantage_estimator in GROUP_ESTIMATORS and rollout.n_samples_per_prompt < 2:
        cause = f"ppo.advantage_estimator = {ppo.advantage_estimator} compares the samples of a prompt"
        yield "rollout.n_samples_per_prompt", f"{cause}, so it must be at least 2"
    if ppo.advantage_estimator != "gae" and ppo.critic_warmup > 0:
        yield "ppo.critic_warmup", "must be 0: only ppo.advantage_estimator = gae has a critic"
    if ppo.advantage_combine == "per_dimension":
        if ppo.advantage_estimator not in GROUP_ESTIMATORS:
            cause = f"must be scalar with ppo.advantage_estimator = {ppo.advantage_estimator}"
            yield "ppo.advantage_combine", f"{cause}: only {', '.join(GROUP_ESTIMATORS)} compare within a group"
        if ppo.kl_in == "reward" and ppo.kl_coef > 0:
            yield "ppo.kl_in", "must be loss: ppo.advantage_combine = per_dimension has no scalar to pay it from"
    for name, transform in config.rewards.transforms.items():
        if transform.low >= transform.high:
            yield "rewards.transforms", f"{name}: low must be below high"
    yield from _check_reward_model(config.rewards)
    if ppo.skip_zero_advantages and ppo.advantage_estimator == "gae":
        yield (
            "ppo.skip_zero_advantages",
            "must be false: the critic of ppo.advantage_estimator = gae learns from all",
        )
    if ppo.skip_zero_advantages and ppo.target_kl is not None:
        yield "ppo.target_kl", "must be unset: with ppo.skip_zero_advantages nobody looks at the KL of what is left out"
    if ppo.critic_warmup >= run.num_iterations:
        yield "ppo.critic_warmup", f"must be below run.num_iterations = {run.num_iterations}"
    if ppo.kl_target is not None and ppo.kl_coef == 0:
        yield "ppo.kl_target", "its controller scales ppo.kl_coef, which must then be above 0"
    if ppo.kl_in == "loss" and ppo.kl_estimator == "k1" and ppo.kl_coef > 0:
        yield "ppo.kl_estimator", "has no gradient on average in ppo.kl_in = loss; use k3 or k2"
    if config.curriculum.success_low >= config.curriculum.success_high > 0:
        yield "curriculum.success_low", f"must be below success_high = {config.curriculum.success_high:g}"
    if config.selfplay.enabled:
        yield from _check_selfplay(config)
    if config.selfplay.enabled or rollout.model_users:
        yield from _check_roles(ppo)
    yield from _check_opponents(config)
    if rollout.engine == "simulated":
        yield from _check_simulation(config)
    load = config.tasks.arrival.load
    if load.burst_seconds > load.period_seconds and load.bursts_per_period > 0:
        yield "tasks.arrival.load.burst_seconds", f"must be at most period_seconds = {load.period_seconds:g}"
    if not any(config.rewards.weights.values()):
        yield "rewards.weights", "there is nothing to learn; give a dimension a weight other than 0"
    for name, optimizer in (("actor", config.actor), ("critic", config.critic)):
        if not all(0.0 <= beta < 1.0 for beta in optimizer.adam_betas):
            yield f"{name}.adam_betas", "both must be at least 0 and below 1"


def _check_reward_model(rewards: RewardsConfig) -> Iterator[tuple[str, str]]:
    is_asked = MODEL_REWARD in (*rewards.weights, *rewards.monitor)
    if is_asked and not rewards.model.name_or_path:
        cause = f"{MODEL_REWARD} is what a reward model says: give its folder (in a stage: reward_from)"
        yield "rewards.model.name_or_path", cause
    if rewards.model.name_or_path and not is_asked:
        yield "rewards.model.name_or_path", f"nobody asks it: give {MODEL_REWARD} a weight, or monitor it"
    if MODEL_REWARD in rewards.transforms and rewards.transforms[MODEL_REWARD].kind == "center":
        yield "rewards.transforms", f"{MODEL_REWARD}: has no range of its own to center; use sigmoid, or normalize"


def _check_selfplay(config: Config) -> Iterator[tuple[str, str]]:
    selfplay = config.selfplay
    room = int(selfplay.share * config.rollout.rollout_batch_size)
    if selfplay.num_proposals > room:
        cause = f"selfplay.share leaves room for {room} of the iteration's prompts"
        yield "selfplay.num_proposals", f"{cause}, and a task that nobody tries says nothing about its proposer"


def _check_roles(ppo: PPOConfig) -> Iterator[tuple[str, str]]:
    """Where the policy has other roles than the assistant's."""
    cause = "with selfplay.enabled or rollout.model_users"
    if ppo.advantage_estimator == "reinforce++":
        yield "ppo.advantage_estimator", f"whitens over all dialogs, whatever their role; {cause} use another one"
    if ppo.advantage_combine == "per_dimension":
        yield "ppo.advantage_combine", f"must be scalar {cause}: the baselines of the roles are"


def _check_opponents(config: Config) -> Iterator[tuple[str, str]]:
    selfplay, rollout = config.selfplay, config.rollout
    if selfplay.past_share > 0 and not config.keeps_past_policies:
        yield "selfplay.past_share", "past policies say what proposers (selfplay.enabled) or rollout.model_users say"
    if config.keeps_past_policies and selfplay.pool_size == 0:
        yield "selfplay.pool_size", "selfplay.past_share needs past policies, at least 1"
    if config.keeps_past_policies and config.model.lora_rank > 0:
        yield "selfplay.past_share", "must be 0: the policies of the pool run without an adapter (model.lora_rank)"
    if rollout.user_model and not rollout.model_users:
        yield "rollout.user_model", "plays no user without rollout.model_users = true"
    if rollout.user_model and selfplay.past_share > 0:
        yield "rollout.user_model", "must be empty with selfplay.past_share: a worker has one second engine"
    if rollout.user_model and not Path(rollout.user_model, "config.json").is_file():
        yield "rollout.user_model", "must be a Hugging Face folder with the tokenizer of the policy"


def _check_simulation(config: Config) -> Iterator[tuple[str, str]]:
    rollout = config.rollout
    if rollout.max_logprob_gap < NO_GAP:
        cause = "whose log-probs are those of no policy, this check would stop the run"
        yield "rollout.max_logprob_gap", f"must be at least {NO_GAP:g}: with rollout.engine = simulated, {cause}"
    if rollout.num_modules > 0:
        yield "rollout.num_modules", "must be 0: rollout.engine = simulated has no model to add modules to"
    if config.has_opponents:
        yield "rollout.engine", "has no model for opponents: past policies and rollout.user_model need vllm"
    if rollout.weight_transfer == "nccl":
        yield "rollout.weight_transfer", "must be object_store: rollout.engine = simulated has no GPU"


def _scalars() -> dict[str, Any]:
    """How YAML 1.2 reads plain words. PyYAML's own 1.1 reads the language `no` as false, and 1e-5 as text."""
    types = (
        ("null", r"~|null|", ["~", "n", ""]),
        ("bool", r"true|false", ["t", "f"]),
        ("int", r"[-+]?(0|[1-9][0-9]*)", [*"+-0123456789"]),
        ("float", r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?", [*"+-.0123456789"]),
    )
    resolvers: dict[str, Any] = {}
    for name, pattern, first_letters in types:
        for letter in first_letters:
            resolvers.setdefault(letter, []).append((f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{pattern})$")))
    return resolvers


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, where PyYAML takes the last."""

    yaml_implicit_resolvers = _scalars()

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value]
        for index, (key, _) in enumerate(node.value):
            if names[index] in names[:index]:
                raise yaml.MarkedYAMLError(problem=f"key {names[index]!r} is given twice", problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Quotes whatever `_Loader` would not read back as text."""

    yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def read_recipe(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text("utf-8"), _Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}{_where(error)}") from error
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: must hold sections such as `ppo:`, not {data!r}")
    return data


def _where(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f", line {error.problem_mark.line + 1}: {error.problem}"
    return f": {error}"


def apply_override(data: dict[str, Any], override: str) -> str:
    """Put `section.field=value` into `data`; returns its dotted key."""
    key, equals, text = (part.strip() for part in override.partition("="))
    if not key or not equals:
        raise ConfigError(f"override {override!r}: must look like section.field=value, for example ppo.clip_ratio=0.1")
    try:
        value = yaml.load(text, _Loader) if text else ""
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: the value is not YAML{_where(error)}") from error
    free = next((key[: key.index(free) + len(free)] for free in FREE_KEYS if free in key), "")
    *parents, last = [*free.split(".")[:-1], key.removeprefix(free)] if free else key.split(".")
    place: Any = data
    for parent in parents:
        place = place.setdefault(parent, {}) if isinstance(place, dict) else _item(place, parent, override)
    if isinstance(place, dict):
        place[last] = value
    else:
        _item(place, last, override)
        place[int(last)] = value
    return key


def _item(place: Any, index: str, override: str) -> Any:
    if not isinstance(place, list):
        raise ConfigError(f"override {override!r}: {index!r} is inside a plain value, {place!r}")
    if not index.isdecimal() or int(index) >= len(place):
        raise ConfigError(f"override {override!r}: {index!r} is no position of a list of {len(place)} (0 is the first)")
    return place[int(index)]


def source_of(key: str, overridden: Iterable[str], path: Path) -> str:
    """Where a wrong value was written: the override may name the field itself, what holds it, or a part of it."""
    is_override = any(f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.") for other in overridden)
    return "override" if is_override else str(path)


def _value(config: BaseModel, key: str) -> object:
    value: Any = config.model_dump(mode="json")
    for name in key.split("."):
        value = value[name]
    return value


def _explain(kind: type[BaseModel], errors: Sequence[ErrorDetails]) -> Iterator[tuple[str, str]]:
    """The dotted field and the message of pydantic's errors, without those that only follow from an error inside."""
    inner = {error["loc"][:length] for error in errors for length in range(len(error["loc"]))}
    for error in errors:
        if error["loc"] in inner:
            continue
        key, value = ".".join(map(str, error["loc"])), error["input"]
        match error["type"]:
            case "missing":
                yield key, f"{key} is missing"
            case "extra_forbidden":
                yield key, f"{key}: unknown key{did_you_mean(key, _known_keys(kind))}"
            case "model_type":
                yield key, f"{key} = {value!r}: must be a section with fields of its own"
            case _:
                yield key, f"{key} = {value!r}: {error['msg'].removeprefix('Input ')}"


def _known_keys(section: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in section.model_fields.items():
        key = prefix + name
        yield key
        for kind, inside in ((field.annotation, key), *((item, f"{key}.0") for item in get_args(field.annotation))):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _known_keys(kind, f"{inside}.")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, if any is near; the right field of another section comes first."""
    names = list(known)
    same_field = [name for name in names if name.rpartition(".")[2] == word.rpartition(".")[2]]
    nearest = [*same_field, *difflib.get_close_matches(word, names, n=1)]
    return f", did you mean {nearest[0]}?" if nearest else ""

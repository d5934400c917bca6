"""From a recipe with `stages` to a `Pipeline`: shared sections, each stage's own on top, types, checks.

    run: {name: mine}
    model: {preset: r1-24l-tiny, max_length: 128}     # shared by all stages that know the section
    stages:
      - name: pretrain
        kind: pretrain
        run: {num_iterations: 1000}
      - name: ppo
        kind: ppo
        start_from: pretrain                          # by default, the stage before that is no reward model
        reward_from: NAME                             # the reward model behind `model.reward`, if it has a weight
        rollout: {...}
      - name: learn-maths
        kind: ppo
        start_from: pretrain                          # by default, the last one before that makes no module
        module: math                                  # what comes out of it, an adapter over that model
        model: {lora_rank: 4}
    router: {modules: [math, ...]}                    # trained when all stages are done

An override names a section of all stages, `run.seed=1`, or that of one, `stages.ppo.run.num_iterations=20`.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from rl.check_config import check
from rl.config import Config, RunConfig
from rl.load_config import ConfigError, apply_override, did_you_mean, find_recipe, parse, read_recipe, source_of
from rl.pipeline import REWARD_MODEL, Kind, Pipeline, Stage
from rl.stage_config import (
    PretrainConfig,
    RewardModelConfig,
    RouterConfig,
    SFTConfig,
    StageConfig,
    sampling_config,
)

KINDS: dict[str, type[PretrainConfig] | type[SFTConfig] | type[RewardModelConfig] | type[Config]] = {
    "pretrain": PretrainConfig,
    "sft": SFTConfig,
    "reward_model": RewardModelConfig,
    "ppo": Config,
}
OUTLINE = ("name", "kind", "start_from", "reward_from", "module")


class StageOutline(BaseModel):
    """A stage without its sections."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    kind: Kind
    start_from: str | None = None
    reward_from: str | None = None
    module: str = Field("", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$|^$")


class Outline(BaseModel):
    """A pipeline without the sections of its stages."""

    model_config = ConfigDict(extra="allow", frozen=True)

    run: RunConfig
    stages: tuple[StageOutline, ...] = Field(min_length=1)
    router: RouterConfig | None = None


def is_pipeline(recipe: str) -> bool:
    """Whether a recipe has stages. Raises ConfigError where there is no such recipe."""
    return "stages" in read_recipe(find_recipe(recipe))


def load_pipeline(recipe: str, overrides: Sequence[str] = ()) -> Pipeline:
    """The pipeline of `recipe`, with `overrides` on top. Raises ConfigError, which names the stage."""
    path = find_recipe(recipe)
    data = read_recipe(path)
    keys = [apply_override(data, _by_index(data, item)) for item in overrides]
    run = data.setdefault("run", {})
    if isinstance(run, dict) and not run.get("name"):
        run["name"] = path.stem
    outline, problems = parse(Outline, data, lambda _: ())
    if outline is not None:
        problems = list(_check_outline(outline))
    if outline is None or problems:
        raise ConfigError("\n".join(f"{source_of(key, keys, path)}: {problem}" for key, problem in problems))
    stages, messages = [], []
    for index in range(len(outline.stages)):
        stage, problems = _stage(outline, data, index)
        stages += [stage] if stage else []
        messages += [f"{source_of(key, keys, path)}: {problem}" for key, problem in problems]
    pipeline = Pipeline(outline.run.name, outline.run.directory, tuple(stages), outline.router, outline.run.place)
    messages = messages or [f"{path}: {problem}" for problem in _leaks(pipeline)]
    if messages:
        raise ConfigError("\n".join(messages))
    return pipeline


def _stage(outline: Outline, data: Mapping[str, Any], index: int) -> tuple[Stage | None, list[tuple[str, str]]]:
    """A stage; or None, and each wrong dotted field of the recipe with what is wrong about it."""
    stage = outline.stages[index]
    own = {key: value for key, value in data["stages"][index].items() if key not in OUTLINE}
    before = [other.name for other in outline.stages[:index] if other.kind != "reward_model" and not other.module]
    start_from = stage.start_from or (before[-1] if before else None)
    if _names_a_model(own):
        start_from = None
    sections = _merged(data, own, outline, stage, is_first=start_from is None)
    config, problems = parse(KINDS[stage.kind], sections, partial(_check_stage, stage=stage, starts_from=start_from))
    places = [f"stages.{index}.{key}" if _has(own, key) else key for key, _ in problems]
    named = [(place, f"stage {stage.name}: {problem}") for place, (_, problem) in zip(places, problems, strict=True)]
    found = Stage(stage.name, stage.kind, start_from, config, stage.reward_from, stage.module) if config else None
    return found, named


def _check_outline(outline: Outline) -> Iterator[tuple[str, str]]:
    """A dotted field, and what is wrong in the order of the stages."""
    known = {name for kind in KINDS.values() for name in kind.model_fields}
    for section in outline.model_extra or {}:
        if section not in known:
            yield section, f"{section}: unknown section{did_you_mean(section, known)}"
    names = [stage.name for stage in outline.stages]
    modules = [stage.module for stage in outline.stages if stage.module]
    for index, stage in enumerate(outline.stages):
        if stage.name in names[:index]:
            yield f"stages.{index}.name", f"two stages have the name {stage.name!r}"
        if modules.count(stage.module) > 1:
            yield f"stages.{index}.module", f"two stages make the module {stage.module!r}"
        for field, origin in (("start_from", stage.start_from), ("reward_from", stage.reward_from)):
            if cause := _wrong_origin(outline, index, field, origin):
                yield f"stages.{index}.{field}", f"stage {stage.name}: {field} = {origin!r}: {cause}"
    for name in outline.router.modules if outline.router else ():
        if name not in modules:
            yield "router.modules", f"router.modules: no stage makes the module {name!r}{did_you_mean(name, modules)}"


def _wrong_origin(outline: Outline, index: int, field: str, origin: str | None) -> str:
    """What is wrong with the stage that another names; empty where nothing is."""
    stage, names = outline.stages[index], [stage.name for stage in outline.stages]
    if origin is None:
        return ""
    if origin not in names:
        return f"no stage has this name{did_you_mean(origin, names)}"
    if origin not in names[:index]:
        if cycle := _cycle(outline.stages, stage.name):
            return f"a cycle: {' starts from '.join(cycle)}"
        return "that stage comes later; put it first"
    source = outline.stages[names.index(origin)]
    if field == "reward_from":
        if stage.kind != "ppo":
            return "only stages of kind ppo have rewards"
        return "" if source.kind == "reward_model" else "that stage makes no reward model"
    if source.kind == "reward_model" and stage.kind != "reward_model":
        return "that stage makes a reward model, which cannot speak; name it in reward_from"
    return "that stage makes a module; start from its base" if source.module else ""


def _cycle(stages: Sequence[StageOutline], name: str) -> list[str]:
    """The way from a stage back to itself; empty where there is none."""
    origin = {stage.name: stage.start_from for stage in stages}
    way, here = [name], origin[name]
    while here is not None and here in origin and here not in way:
        way.append(here)
        here = origin[here]
    return [*way, name] if here == name else []


def _check_stage(config: StageConfig, *, stage: StageOutline, starts_from: str | None) -> Iterator[tuple[str, str]]:
    has_model = starts_from is not None or bool(config.model.name_or_path)
    if isinstance(config, Config):
        yield from ((key, cause) for key, cause in check(config) if key != "model.lora_rank" or not has_model)
    elif isinstance(config, RewardModelConfig):
        yield from _check_reward_model(config)
    elif config.supervised.micro_batch_tokens < config.model.max_length:
        yield "supervised.micro_batch_tokens", f"must hold a row of model.max_length = {config.model.max_length} tokens"
    if isinstance(config, SFTConfig):
        yield from _check_rejection(config)
    yield from _check_module(config, stage, has_model=has_model)


def _check_module(config: StageConfig, stage: StageOutline, *, has_model: bool) -> Iterator[tuple[str, str]]:
    if isinstance(config, RewardModelConfig):
        if stage.module or config.model.lora_rank:
            yield "model.lora_rank", "must be 0, and no module named: a reward model is trained whole"
        return
    if config.model.lora_rank and not stage.module:
        yield "model.lora_rank", "must be 0: a stage hands on whole weights, unless it makes a module (module: NAME)"
    if stage.module and not config.model.lora_rank:
        yield "model.lora_rank", f"must be above 0: the module {stage.module!r} is an adapter"
    if stage.module and not has_model:
        yield "model.lora_rank", f"the module {stage.module!r} needs a base: put a stage before it"


def _check_rejection(config: SFTConfig) -> Iterator[tuple[str, str]]:
    rejection = config.demonstrations.rejection
    if rejection.keep > rejection.samples_per_task:
        yield "demonstrations.rejection.keep", f"must be at most samples_per_task = {rejection.samples_per_task}"
    if rejection.num_tasks and config.rewards is None:
        cause = f"demonstrations.rejection.num_tasks = {rejection.num_tasks} chooses by reward, and there are none"
        yield "rewards", f"{cause}; give the stage rewards.weights"
    if rejection.num_tasks and config.rollout.tools:
        yield "rollout.tools", "must be empty: dialogs that are kept are written down without their calls of tools"
    sampling = sampling_config(config)
    if sampling is not None:
        yield from ((key, problem) for key, problem in check(sampling) if key.startswith(("rollout.", "rewards.")))


def _check_reward_model(config: RewardModelConfig) -> Iterator[tuple[str, str]]:
    preferences = config.preferences
    if config.pairwise.micro_batch_tokens < 2 * config.model.max_length:
        cause = f"must hold a pair of two dialogs of model.max_length = {config.model.max_length} tokens"
        yield "pairwise.micro_batch_tokens", cause
    if not preferences.files and not preferences.runs and (config.tasks is None or not preferences.num_pairs):
        yield "preferences.num_pairs", "there is nothing to compare: give tasks to draw pairs from, files or runs"
    if config.tasks is not None and preferences.num_pairs and not any(preferences.weights.values()):
        yield "preferences.weights", "nothing tells answers apart; give a dimension a weight other than 0"


def _leaks(pipeline: Pipeline) -> Iterator[str]:
    """What one stage holds out, no other may show."""
    shown = {}
    for stage in pipeline.stages:
        if not isinstance(stage.config, PretrainConfig):
            if stage.config.tasks is not None:
                shown[stage.name, "tasks.held_out_fraction"] = stage.config.tasks.held_out_fraction
        elif not stage.config.corpus.sources:
            shown[stage.name, "corpus.held_out_questions"] = stage.config.corpus.held_out_questions
    largest = max(shown.values(), default=0.0)
    for (name, field), fraction in shown.items():
        if fraction < largest:
            yield f"stage {name}: {field} = {fraction}: must be {largest}, as in the stage that holds out most"


def _merged(
    shared: Mapping[str, Any], own: Mapping[str, Any], outline: Outline, stage: StageOutline, *, is_first: bool
) -> dict[str, Any]:
    """The sections of one stage. What a stage starts from is no matter of shared sections, but for the first."""
    fields = KINDS[stage.kind].model_fields
    common = {key: value for key, value in shared.items() if key in fields}
    if not is_first and isinstance(common.get("model"), dict):
        common["model"] = {key: value for key, value in common["model"].items() if key != "name_or_path"}
    stages = outline.run.directory / "stages"
    above: dict[str, Any] = {"run": {"name": stage.name, "folder": str(stages)}}
    if stage.reward_from is not None:
        folder = stages / stage.reward_from / REWARD_MODEL
        above["rewards"] = {"model": {"name_or_path": str(folder.absolute())}}
    return _overlay(_overlay(common, own), above)


def _overlay(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` on `below`, section by section; lists and plain values are replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        # weights of rewards and the like are one value: a stage's own are all it has
        is_section = isinstance(old, dict) and isinstance(value, dict) and key not in ("weights", "transforms")
        merged[key] = _overlay(old, value) if is_section and isinstance(old, dict) else value
    return merged


def _names_a_model(own: Mapping[str, Any]) -> bool:
    model = own.get("model")
    return isinstance(model, dict) and bool(model.get("name_or_path"))


def _has(own: Mapping[str, Any], key: str) -> bool:
    place: Any = own
    for part in key.split("."):
        if not isinstance(place, dict) or part not in place:
            return False
        place = place[part]
    return True


def _by_index(data: Mapping[str, Any], override: str) -> str:
    """`stages.ppo.x=1` as `stages.2.x=1`."""
    first, _, rest = override.partition(".")
    name, dot, field = rest.partition(".")
    stages = data.get("stages")
    if first.strip() != "stages" or not dot or not isinstance(stages, list):
        return override
    for index, stage in enumerate(stages):
        if isinstance(stage, dict) and stage.get("name") == name:
            return f"stages.{index}.{field}"
    return override

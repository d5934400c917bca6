"""Stages that hand a model on: what each is made from, and whether it must run, go on, or is done already.

A stage is a function of its inputs: its configuration, the model that it starts from, and its data files. What it was
made from lies next to what came out (`inputs.json`, and `output.json` once it is complete), so nothing is trained
twice, and nothing stays that its inputs have outdated. The code is no part of the inputs: after a change to it, remove
the directory of the stage.
"""

import glob
import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from rl.checkpoint import Checkpoints
from rl.config import Config
from rl.files import sha256_of, write_whole
from rl.rows import find_files
from rl.runs import differences
from rl.stage_config import PretrainConfig, RewardModelConfig, RouterConfig, SFTConfig, StageConfig
from rl.store import FOLDER

INPUTS, OUTPUT, POLICY, REWARD_MODEL = "inputs.json", "output.json", "policy", "reward_model"
MODULES = "modules"
TOKENIZER = "tokenizer.json"
REWARD_MODEL_FIELD = "rewards.model.name_or_path"

M = TypeVar("M", bound=BaseModel)
Kind = Literal["pretrain", "sft", "reward_model", "ppo"]

# What decides where and how fast a stage runs and what it keeps, and not, but for rounding, what comes out of it.
NO_INPUT = (
    "run.name",
    "run.folder",
    "run.cache",
    "run.wandb_project",
    "run.watchdog_seconds",
    "model.name_or_path",  # its hash is an input
    "rollout.num_rollout_workers",
    "rollout.autoscale",
    "rollout.kv_cache_gib",
    "rollout.episode_timeout_seconds",
    "rollout.max_worker_losses",
    "rewards.num_reward_workers",
    "rewards.model.name_or_path",  # its hash is an input, too
    "rewards.model.num_workers",
    "rewards.model.num_gpus",
    "rewards.timeout_seconds",
    "learner.num_ranks",
    "learner.num_threads",
    "learner.zero_stage",
    "learner.timeout_seconds",
    "checkpoint.every",
    "checkpoint.keep",
)


class StageError(ValueError):
    """A stage that cannot start or go on with what there is. Which stage, the caller says."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of a pipeline.

    Attributes:
        start_from: the stage whose model it starts from; None: what its own `model` section says.
        reward_from: the stage whose reward model it is paid by, as its `rewards.model` says.
        module: the name of the module that comes out of it in place of a model, over that one as its base; empty: a
            model does.
    """

    name: str
    kind: Kind
    start_from: str | None
    config: StageConfig
    reward_from: str | None = None
    module: str = ""

    @property
    def output(self) -> str:
        """The name of the folder of what it trains, in its checkpoints."""
        return REWARD_MODEL if self.kind == "reward_model" else POLICY


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Stages in the order in which they run. Each has a run directory of its own inside `folder`. `router`: how one is
    trained that chooses among their modules, when all are done; None: there is none. `place`: a URL that mirrors
    `folder`, if it is not that folder itself.
    """

    name: str
    folder: Path
    stages: tuple[Stage, ...]
    router: RouterConfig | None = None
    place: str = ""

    @property
    def modules(self) -> Path:
        """The folder of all modules, and of the router."""
        return self.folder / MODULES

    def directory(self, name: str) -> Path:
        return self.folder / "stages" / name

    def output(self, name: str) -> Path:
        """The folder of the model or the module that comes out of a stage."""
        stage = next(stage for stage in self.stages if stage.name == name)
        return self.modules / stage.module if stage.module else self.directory(name) / stage.output

    def started(self, stage: Stage) -> StageConfig:
        """The stage's configuration with the folder of the model that it starts from."""
        if stage.start_from is None:
            return stage.config
        folder = self.output(stage.start_from).absolute()
        model = stage.config.model.model_copy(update={"name_or_path": str(folder)})
        return stage.config.model_copy(update={"model": model})


class Inputs(BaseModel):
    """What a stage is made from. `model`, `reward_model`: SHA-256 of the model's files, or a hub id; `files`: path ->
    SHA-256; `module`: how what comes out of it is called.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    config: dict[str, JsonValue]
    model: str
    files: dict[str, str]
    reward_model: str = ""
    module: str = ""


class Output(BaseModel):
    """What came out. `tokenizer`: SHA-256 of its file, or "" where it is in another format."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    tokenizer: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a stage, and why."""

    action: Literal["skip", "resume", "run"]
    reason: str


def inputs_of(pipeline: Pipeline, stage: Stage) -> Inputs:
    """What the stage would be made from now. Raises StageError, and `rl.rows.DataFileError` where a file is missing."""
    for origin, words in ((stage.start_from, "starts from"), (stage.reward_from, "takes its reward from")):
        if origin is not None and not pipeline.output(origin).is_dir():
            raise StageError(f"it {words} {origin}, whose output {pipeline.output(origin)} is not there")
    config = pipeline.started(stage)
    return Inputs(
        kind=stage.kind,
        config=_result_relevant(stage.config),
        model=_identity(config.model.name_or_path),
        reward_model=_identity(models_of(config).get(REWARD_MODEL_FIELD, "")),
        files={str(path): sha256_of(path) for pattern in files_of(stage.config) for path in find_files(pattern)},
        module=stage.module,
    )


def models_of(config: StageConfig) -> dict[str, str]:
    """Field -> folder or hub id of every model that the stage loads; empty where there is none."""
    models = {"model.name_or_path": config.model.name_or_path}
    if isinstance(config, Config):
        models["rollout.user_model"] = config.rollout.user_model
    if isinstance(config, Config | SFTConfig) and config.rewards is not None:
        models[REWARD_MODEL_FIELD] = config.rewards.model.name_or_path
    return models


def decide(pipeline: Pipeline, stage: Stage, inputs: Inputs, *, resume: bool) -> Decision:
    """Raises StageError where the stage was interrupted and nobody said `resume`, or where its output was changed."""
    directory = pipeline.directory(stage.name)
    known = _read(directory / INPUTS, Inputs)
    if known is None:
        if directory.exists() and any(directory.iterdir()):
            return Decision("run", "it was interrupted before it began")
        return Decision("run", "it has not run before")
    changes = list(_changes(known, inputs))
    if changes:
        return Decision("run", f"changed since it ran: {', '.join(changes)}")
    output = _read(directory / OUTPUT, Output)
    if output is not None:
        _check_output(pipeline, stage, output)
        return Decision("skip", "it is finished, and its inputs have not changed")
    if not resume:
        raise StageError(f"{directory} is unfinished; add --resume to go on with it")
    return Decision("resume", "it was interrupted")


def begin(pipeline: Pipeline, stage: Stage, inputs: Inputs) -> None:
    """An empty directory for the stage. What an earlier run of it has left stays next to it as `NAME.previous`."""
    directory = pipeline.directory(stage.name)
    if directory.exists():
        previous = directory.with_name(f"{directory.name}.previous")
        shutil.rmtree(previous, ignore_errors=True)
        directory.rename(previous)
    directory.mkdir(parents=True)
    write_whole(directory / INPUTS, (inputs.model_dump_json(indent=1) + "\n").encode())


def complete(pipeline: Pipeline, stage: Stage) -> Output:
    """Take the model out of the last checkpoint, where pruning cannot reach it, or make a module of it, and declare the
    stage finished. Raises StageError where its tokenizer is not the one that it started from.
    """
    directory = pipeline.directory(stage.name)
    names = Checkpoints(directory, {}).names()
    if not names:
        raise StageError(f"{directory} has no checkpoint")
    trained, folder = directory / "checkpoints" / names[-1] / stage.output, pipeline.output(stage.name)
    if stage.module:
        from rl.module_stage import make_module  # torch, which those who only read a recipe do without

        make_module(pipeline, stage, trained)
    else:
        unfinished = directory / f".{stage.output}.copying"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(trained, unfinished)
        shutil.rmtree(folder, ignore_errors=True)
        unfinished.rename(folder)
    output = Output(model=model_sha256(folder), tokenizer=_tokenizer_sha256(folder))
    if stage.start_from is not None and not stage.module:
        before = _tokenizer_sha256(pipeline.output(stage.start_from))
        if output.tokenizer != before:
            raise StageError(f"its tokenizer is not that of {stage.start_from}, which it started from")
    write_whole(directory / OUTPUT, (output.model_dump_json(indent=1) + "\n").encode())
    return output


def model_sha256(folder: Path) -> str:
    """One SHA-256 for all files of a model folder: weights, config, tokenizer."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def _identity(name_or_path: str) -> str:
    """A model's hash, where it is a folder here; else its name."""
    folder = Path(name_or_path)
    return model_sha256(folder) if name_or_path and folder.is_dir() else name_or_path


def _tokenizer_sha256(folder: Path) -> str:
    path = folder / TOKENIZER
    return sha256_of(path) if path.exists() else ""


def _check_output(pipeline: Pipeline, stage: Stage, output: Output) -> None:
    directory, policy = pipeline.directory(stage.name), pipeline.output(stage.name)
    remedy = f"restore it, or remove {directory} to train the stage again"
    if not policy.is_dir():
        raise StageError(f"it is finished, but its output {policy} is missing; {remedy}")
    if _tokenizer_sha256(policy) != output.tokenizer:
        raise StageError(f"the tokenizer in {policy} has changed since it was trained; {remedy}")
    if model_sha256(policy) != output.model:
        raise StageError(f"its output {policy} has changed since it was trained; {remedy}")


def _changes(known: Inputs, now: Inputs) -> Iterator[str]:
    """What differs, in words."""
    if known.kind != now.kind:
        yield "kind"
    if known.module != now.module:
        yield "module"
    yield from differences(known.config, now.config)
    if known.model != now.model:
        yield "the model that it starts from"
    if known.reward_model != now.reward_model:
        yield "the reward model"
    for path in sorted(known.files.keys() | now.files.keys()):
        if known.files.get(path) != now.files.get(path):
            yield path


def _result_relevant(config: StageConfig) -> dict[str, JsonValue]:
    """The configuration without `NO_INPUT`."""
    values: dict[str, JsonValue] = json.loads(config.model_dump_json())
    for key in NO_INPUT:
        *sections, field = key.split(".")
        place: JsonValue = values
        for section in sections:
            place = place.get(section) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.pop(field, None)
    return values


def files_of(config: StageConfig) -> list[str]:
    """The patterns of all files that the stage reads."""
    if isinstance(config, PretrainConfig):
        return [source.path for source in config.corpus.sources]
    tasks = config.tasks
    files = [] if tasks is None else [*tasks.files, *([tasks.questions] if tasks.questions else [])]
    if isinstance(config, SFTConfig):
        judges = config.rewards.files if config.rewards else ()
        return [*files, *(file.path for file in config.demonstrations.files), *judges]
    if isinstance(config, RewardModelConfig):
        stores = [f"{glob.escape(run.run)}/{FOLDER}/train-*.parquet" for run in config.preferences.runs]
        return [*files, *(file.path for file in config.preferences.files), *stores]
    return [*files, *config.rewards.files]


def _read(path: Path, kind: type[M]) -> M | None:
    """None where there is no such file, or one of another version."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None

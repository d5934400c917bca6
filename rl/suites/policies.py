"""Whose benchmarks these are: the policy in a run's directory, a pipeline's, or any model folder."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.checkpoint import Checkpoints
from rl.files import sha256_of
from rl.load_config import apply_override, parse, read_recipe
from rl.pipeline import POLICY
from rl.suites.architecture import read_architecture
from rl.suites.config import MAX_LENGTH, EvaluationConfig
from rl.suites.suite import SuiteError

CONFIG, STAGES, EVAL = "config.yaml", "stages", "eval"
ADAPTER_CONFIG = "adapter_config.json"  # peft's name for it
MAX_TURNS = 16  # of a dialog: more than any scenario has


class PolicyError(SuiteError):
    """A folder that holds no policy which could be evaluated."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy on disk.

    Attributes:
        home: the run's directory, or the model's folder: its results lie in `home/eval`.
        weights: Hugging Face folder.
        is_run: whether a run of ours made it, whose records lie in `home`.
        adapter: folder of what a run with LoRA has trained over `weights`; None: nothing.
    """

    home: Path
    weights: Path
    is_run: bool
    adapter: Path | None = None

    @property
    def results(self) -> Path:
        return self.home / EVAL


def find_policy(path: Path) -> Policy:
    """The newest policy of a run, of the last PPO stage of a pipeline, or the model itself. Raises PolicyError."""
    if not path.is_dir():
        raise PolicyError(f"{path}: no such run directory or model folder")
    home = run_directory(path)
    if not (home / CONFIG).exists():
        if not (home / "config.json").exists():
            raise PolicyError(f"{home}: neither a run directory nor a model folder: no {CONFIG}, no config.json")
        return Policy(home, home, is_run=False)
    if (home / POLICY).is_dir():
        return _trained(home, home / POLICY)
    names = Checkpoints(home, {}).names()
    if not names:
        raise PolicyError(f"{home}: has no checkpoint yet, so there is no policy")
    return _trained(home, home / "checkpoints" / names[-1] / POLICY)


def _trained(home: Path, folder: Path) -> Policy:
    """What a run has left in a folder. The base of an adapter is the model that the run has started from and keeps."""
    if (folder / ADAPTER_CONFIG).exists():
        return Policy(home, home / "model", is_run=True, adapter=folder)
    return Policy(home, folder, is_run=True)


def run_directory(path: Path) -> Path:
    """The last PPO stage with a policy, or without any the last stage with one, where `path` is of a pipeline; else
    `path`. Raises PolicyError where no stage is finished.
    """
    if not (path / STAGES).is_dir():
        return path
    stages = [stage for stage in (path / STAGES).iterdir() if (stage / POLICY).is_dir() and (stage / CONFIG).exists()]
    stages = [stage for stage in stages if not stage.name.endswith(".previous")]
    if not stages:
        raise PolicyError(f"{path}: no stage of this pipeline is finished")
    return max(stages, key=lambda stage: (is_ppo(stage), (stage / POLICY).stat().st_mtime))


def policy_sha256(policy: Policy) -> str:
    """One SHA-256 for what a policy's answers depend on: weights, adapter, shape and tokenizer."""
    digest = hashlib.sha256()
    for folder in filter(None, (policy.weights, policy.adapter)):
        files = [path for kind in ("*.safetensors", "*.json", "*.jinja") for path in folder.glob(kind)]
        for path in sorted(path for path in files if path.is_file()):
            digest.update(f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n".encode())
    return digest.hexdigest()


def is_ppo(run_dir: Path) -> bool:
    """Whether the directory holds dialogs that a policy was trained in."""
    return (run_dir / "trajectories").is_dir()


def _check_engine(config: EvaluationConfig) -> Iterator[tuple[str, str]]:
    if config.rollout.engine == "simulated":
        yield "rollout.engine", "must be vllm: there is nothing to evaluate in answers that mean nothing"


def evaluation_config(policy: Policy, suites: dict[str, Any], overrides: Sequence[str]) -> EvaluationConfig:
    """How to evaluate the policy, as far as it has positions, with the numbers and the tools of the run that made it;
    `overrides` on top.

    Raises `rl.load_config.ConfigError` and PolicyError.
    """
    made = read_recipe(policy.home / CONFIG) if policy.is_run else {}
    max_length = min(MAX_LENGTH, read_architecture(policy.weights).max_positions)
    data: dict[str, Any] = {
        "model": {
            "name_or_path": str(policy.weights.absolute()),
            "max_length": max_length,
            **_kept(made, "model", "dtype"),
        },
        "rollout": {
            **_kept(made, "rollout", "tool_calls"),
            **_kept(made, "demonstrations" if "demonstrations" in made else "rollout", "tools"),
            "max_prompt_length": max_length - 1,
            "max_response_length": min(256, max_length // 2),
            "max_turns": MAX_TURNS,
            "max_num_seqs": 64,
            "num_threads": os.cpu_count() or 1,
            "kv_cache_gib": 1.0,
        },
        "suites": suites,
    }
    for item in overrides:
        apply_override(data, item)
    config, problems = parse(EvaluationConfig, data, _check_engine)
    if config is None:
        raise PolicyError("\n".join(f"{key}: {problem}" for key, problem in problems))
    return config


def _kept(recipe: Mapping[str, Any], section: str, *names: str) -> dict[str, Any]:
    """What a recipe says of these settings, as far as it does."""
    values = recipe.get(section) or {}
    return {name: values[name] for name in names if name in values}

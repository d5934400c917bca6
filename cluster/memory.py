"""How much memory a run will take, by role; `cluster/placement.py` finds the room for it, or refuses."""

from collections.abc import Mapping
from pathlib import Path

from rl.config import Config, ModelConfig
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig

GIB = 1024**3

# What a process of each role holds before it has a model (measured on CPU): Python, torch, Ray, and vLLM, DeepSpeed or
# RLlib on top.
BASE_GIB: Mapping[str, float] = {"driver": 0.9, "rollout": 1.3, "reward": 0.3, "reward model": 0.7, "learner": 0.8}


class ResourceError(ValueError):
    """The machine has too little of something for this run."""


def process_bytes(config: StageConfig | EvaluationConfig, num_weight_bytes: int) -> dict[str, int]:
    """Expected bytes of one process of each role. A trained weight costs itself, its gradient and two Adam moments, a
    frozen one itself, and an adapter next to nothing; a rollout worker holds the weights twice while it takes new ones,
    and all of an engine twice if it has opponents.
    """
    if isinstance(config, EvaluationConfig):  # workers, and a driver that reads the policy and publishes it once
        engine = 2 * num_weight_bytes + config.rollout.kv_cache_gib * GIB
        return {
            "driver": int(BASE_GIB["driver"] * GIB + 2 * num_weight_bytes),
            "rollout": int(BASE_GIB["rollout"] * GIB + engine),
        }
    learner = BASE_GIB["learner"] * GIB + _copies(config.model) * num_weight_bytes
    if not isinstance(config, Config):  # ranks and nobody else
        return {"driver": int(BASE_GIB["driver"] * GIB), "learner": int(learner)}
    engines = 2 if config.ppo.advantage_estimator == "gae" else 1
    reference = 1 if config.ppo.kl_coef > 0 and not config.model.lora_rank else 0
    num_engines = 2 if config.has_opponents else 1
    rollout = BASE_GIB["rollout"] * GIB + num_engines * (2 * num_weight_bytes + config.rollout.kv_cache_gib * GIB)
    service = config.rewards.model
    judge = BASE_GIB["reward model"] * GIB + weight_bytes(Path(service.name_or_path)) if service.name_or_path else 0
    return {
        "driver": int(BASE_GIB["driver"] * GIB),
        "rollout": int(rollout),
        "reward": int(BASE_GIB["reward"] * GIB),
        **({"reward model": int(judge)} if judge else {}),
        "learner": int(learner + (_copies(config.model) * (engines - 1) + reference) * num_weight_bytes),
    }


def memory_budget(config: StageConfig, num_weight_bytes: int) -> dict[str, int]:
    """Expected bytes of all processes of each role."""
    counts = {"driver": 1, "learner": config.learner.num_ranks}
    if isinstance(config, Config):
        counts |= {
            "rollout": config.rollout.num_rollout_workers,
            "reward": config.rewards.num_reward_workers,
            "reward model": config.rewards.model.num_workers,
        }
    each = process_bytes(config, num_weight_bytes)
    return {role: counts[role] * each[role] for role in each} | {"object store": object_store_bytes(num_weight_bytes)}


def _copies(model: ModelConfig) -> int:
    """Of the weights that an engine of the learner holds."""
    return 1 if model.lora_rank else 4


def object_store_bytes(num_weight_bytes: int) -> int:
    """Two versions of the weights, and batches on their way."""
    return 256 * 1024**2 + 2 * num_weight_bytes


def weight_bytes(model_folder: Path) -> int:
    return sum(path.stat().st_size for path in model_folder.glob("*.safetensors"))


def describe(budget: Mapping[str, int]) -> str:
    return ", ".join(f"{role} {size / GIB:.1f}" for role, size in budget.items())

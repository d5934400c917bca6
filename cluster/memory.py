"""How much memory a run will take, by role: printed before the start, and refused before anything is started."""

from collections.abc import Mapping
from pathlib import Path

from rl.config import Config, ModelConfig
from rl.stage_config import PretrainConfig, SFTConfig

GIB = 1024**3

# What a process of each role holds before it has a model (measured on CPU): Python, torch, Ray, and vLLM, DeepSpeed or
# RLlib on top.
BASE_GIB: Mapping[str, float] = {"driver": 0.9, "rollout": 1.3, "reward": 0.3, "learner": 0.8}


class ResourceError(ValueError):
    """The machine has too little of something for this run."""


def memory_budget(config: Config, num_weight_bytes: int) -> dict[str, int]:
    """Expected bytes of all processes of each role. A trained weight costs itself, its gradient and two Adam moments, a
    frozen one itself, and an adapter next to nothing; a rollout worker holds the weights twice while it takes new ones,
    and all of an engine twice if it has opponents.
    """
    engines = 2 if config.ppo.advantage_estimator == "gae" else 1
    reference = 1 if config.ppo.kl_coef > 0 and not config.model.lora_rank else 0
    num_engines = 2 if config.has_opponents else 1
    rollout = BASE_GIB["rollout"] * GIB + num_engines * (2 * num_weight_bytes + config.rollout.kv_cache_gib * GIB)
    learner = BASE_GIB["learner"] * GIB + (_copies(config.model) * engines + reference) * num_weight_bytes
    return {
        "driver": int(BASE_GIB["driver"] * GIB),
        "rollout": int(config.rollout.num_rollout_workers * rollout),
        "reward": int(config.rewards.num_reward_workers * BASE_GIB["reward"] * GIB),
        "learner": int(config.learner.num_ranks * learner),
        "object store": object_store_bytes(num_weight_bytes),
    }


def supervised_memory_budget(config: PretrainConfig | SFTConfig, num_weight_bytes: int) -> dict[str, int]:
    """The same for a stage of supervised learning: ranks and nobody else."""
    learner = BASE_GIB["learner"] * GIB + _copies(config.model) * num_weight_bytes
    return {
        "driver": int(BASE_GIB["driver"] * GIB),
        "learner": int(config.learner.num_ranks * learner),
        "object store": object_store_bytes(num_weight_bytes),
    }


def _copies(model: ModelConfig) -> int:
    """Of the weights that an engine of the learner holds."""
    return 1 if model.lora_rank else 4


def object_store_bytes(num_weight_bytes: int) -> int:
    """Two versions of the weights, and batches on their way."""
    return 256 * 1024**2 + 2 * num_weight_bytes


def weight_bytes(model_folder: Path) -> int:
    return sum(path.stat().st_size for path in model_folder.glob("*.safetensors"))


def require_memory(budget: Mapping[str, int], available_bytes: int) -> None:
    """Raises ResourceError, with the amounts, where the budget is more than what is free."""
    needed = sum(budget.values())
    if needed > available_bytes:
        raise ResourceError(
            f"not enough memory: the run needs about {needed / GIB:.1f} GiB ({describe(budget)}), and "
            f"{available_bytes / GIB:.1f} GiB are free; lower rollout.num_rollout_workers, rollout.kv_cache_gib or "
            "learner.num_ranks, or choose a smaller model"
        )


def describe(budget: Mapping[str, int]) -> str:
    return ", ".join(f"{role} {size / GIB:.1f}" for role, size in budget.items())

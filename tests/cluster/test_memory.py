"""The memory budget against sums worked by hand."""

from pathlib import Path

import pytest

from cluster.memory import GIB, describe, memory_budget, object_store_bytes, weight_bytes
from rl.config import Config
from rl.load_config import load_config

MODEL_BYTES = GIB  # a billion bytes of weights, so that every share is a round number


def config(*overrides: str) -> Config:
    return load_config("r1_zero_smoke", ["rollout.kv_cache_gib=0.5", *overrides])


def gib(budget: dict[str, int]) -> dict[str, float]:
    return {role: round(size / GIB, 2) for role, size in budget.items()}


def test_one_of_each() -> None:
    """Rollout: 1.3 for vLLM, weights twice, cache. Learner: 0.8, and actor and critic at four times their weights."""
    budget = memory_budget(config("ppo.advantage_estimator=gae"), MODEL_BYTES)
    assert gib(budget) == {"driver": 0.9, "rollout": 3.8, "reward": 0.3, "learner": 8.8, "object store": 2.25}


@pytest.mark.parametrize(("override", "wanted"), [("selfplay.past_share=0.25", 12.6), ("selfplay.past_share=0.0", 7.6)])
def test_past_policies_need_a_second_engine_in_each_worker(override: str, wanted: float) -> None:
    found = load_config("r1_zero_selfplay", ["rollout.kv_cache_gib=0.5", override])
    assert gib(memory_budget(found, MODEL_BYTES))["rollout"] == wanted


def test_every_worker_and_rank_counts_and_a_reference_costs_its_weights() -> None:
    changes = ("rollout.num_rollout_workers=3", "rewards.num_reward_workers=2", "learner.num_ranks=2")
    budget = memory_budget(config(*changes, "ppo.advantage_estimator=grpo", "ppo.kl_coef=0.1"), MODEL_BYTES)
    assert gib(budget) == {"driver": 0.9, "rollout": 11.4, "reward": 0.6, "learner": 11.6, "object store": 2.25}


def test_workers_of_a_reward_model_hold_it(tmp_path: Path) -> None:
    """0.7 for torch and Ray, and a sparse file of half a GiB in each."""
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(GIB // 2)
    changes = (
        "rewards.weights.model.reward=1",
        f"rewards.model.name_or_path={tmp_path}",
        "rewards.model.num_workers=3",
    )
    assert gib(memory_budget(config(*changes), MODEL_BYTES))["reward model"] == 3.6


def test_an_adapter_is_its_own_reference() -> None:
    lora = ("model.name_or_path=somewhere", "model.lora_rank=8", "ppo.advantage_estimator=grpo")
    with_kl, without = (memory_budget(config(*lora, f"ppo.kl_coef={kl}"), MODEL_BYTES) for kl in (0.1, 0.0))
    assert with_kl == without


def test_the_object_store_holds_two_versions() -> None:
    assert object_store_bytes(100) == 256 * 1024**2 + 200


def test_weights_are_counted_by_their_files(tmp_path: Path) -> None:
    for name, size in (("model-1.safetensors", 10), ("model-2.safetensors", 20), ("tokenizer.json", 40)):
        (tmp_path / name).write_bytes(bytes(size))
    assert weight_bytes(tmp_path) == 30


def test_description() -> None:
    assert describe({"driver": GIB // 2, "reward": 3 * GIB}) == "driver 0.5, reward 3.0"

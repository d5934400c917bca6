"""Where actors would go, on clusters drawn by hand."""

import pytest

from cluster.memory import GIB, ResourceError
from cluster.placement import Bundle, Demand, Node, demands_of, describe, plan
from models.device import plan_device
from rl.load_config import load_config
from rl.stage_config import PretrainConfig

CPU = Bundle(cpus=1)


def node(name: str, cpus: float, gpus: float = 0, gib: float = 64) -> Node:
    return Node(name, Bundle(cpus, gpus, int(gib * GIB)))


def test_demands_are_those_of_the_recipe() -> None:
    config = load_config(
        "r1_zero_smoke",
        ["rollout.num_rollout_workers=3", "rollout.num_threads=2", "learner.num_ranks=2", "learner.num_threads=4"],
    )
    device = plan_device(0, dtype="float32", num_ranks=2, num_rollout_workers=3, kv_cache_gib=0.1)
    learner, rollout, reward = demands_of(config, device, GIB)
    assert (learner.role, learner.count, learner.bundle.cpus, learner.bundle.gpus) == ("learner", 2, 4, 0)
    assert learner.bundle.memory_bytes == int(8.8 * GIB)  # 0.8, and actor and critic at four times the weights
    assert (rollout.role, rollout.count, rollout.bundle.cpus) == ("rollout", 3, 2)
    assert rollout.bundle.memory_bytes == int(3.4 * GIB)  # 1.3, the weights twice, 0.1 of cache
    assert (reward.role, reward.count, reward.bundle) == ("reward", 1, Bundle(1, 0, int(0.3 * GIB)))


def test_a_stage_without_dialogs_has_a_learner_only() -> None:
    device = plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=0, kv_cache_gib=0)
    [learner] = demands_of(PretrainConfig(), device, GIB)
    assert (learner.role, learner.bundle.memory_bytes) == ("learner", int(4.8 * GIB))


def test_the_learner_stays_together_and_rollout_workers_spread() -> None:
    demands = [Demand("learner", Bundle(cpus=2), 2), Demand("rollout", CPU, 4)]
    placement = plan(demands, [node("a", 3), node("b", 5)])
    assert placement.seats == {"learner": ("b", "b"), "rollout": ("a", "a", "a", "b")}
    placement = plan(demands, [node("a", 8), node("b", 7)])
    assert placement.seats == {"learner": ("a", "a"), "rollout": ("b", "b", "b", "a")}


def test_a_learner_too_large_for_one_node_takes_as_few_as_possible() -> None:
    placement = plan(
        [Demand("learner", Bundle(cpus=1, gpus=1), 6)], [node("a", 8, 2), node("b", 8, 4), node("c", 8, 2)]
    )
    assert placement.seats["learner"] == ("b",) * 4 + ("a",) * 2


def test_nodes_of_different_kinds() -> None:
    """GPUs for those who ask for them; reward workers leave the CPUs beside GPUs alone as long as there are others."""
    demands = [
        Demand("learner", Bundle(cpus=2, gpus=1), 2),
        Demand("rollout", Bundle(cpus=1, gpus=1), 2),
        Demand("reward", CPU, 4),
    ]
    placement = plan(demands, [node("big", 32, 4), node("small", 3)])
    assert placement.seats == {
        "learner": ("big", "big"),
        "rollout": ("big", "big"),
        "reward": ("small", "small", "small", "big"),
    }


def refusal(demands: list[Demand], *nodes: Node) -> str:
    with pytest.raises(ResourceError) as caught:
        plan(demands, nodes)
    return str(caught.value)


def test_missing_amounts_are_named() -> None:
    demands = [Demand("learner", Bundle(cpus=4), 1), Demand("rollout", CPU, 6), Demand("reward", CPU, 2)]
    assert refusal(demands, node("a", 4), node("b", 4)) == (
        "not enough CPUs: the run needs 12 (learner 4, rollout 6, reward 2), 8 are free on 2 nodes, 4 are missing; "
        "lower rollout.num_rollout_workers, rollout.num_threads or rollout.kv_cache_gib, or add nodes"
    )


def test_missing_memory_and_gpus_are_named() -> None:
    each = Bundle(cpus=1, gpus=1, memory_bytes=3 * GIB)
    message = refusal([Demand("learner", each, 2)], node("a", 8, 1, gib=4))
    assert message.startswith(
        "not enough GPUs and memory: the run needs 2 (learner 2), 1 are free on 1 node, 1 are missing; "
        "the run needs 6 GiB (learner 6), 4 GiB are free on 1 node, 2 GiB are missing; lower learner.num_ranks"
    )


def test_enough_in_all_and_too_little_on_each_is_said() -> None:
    message = refusal([Demand("learner", Bundle(cpus=3), 2)], node("a", 4), node("b", 2))
    assert "not enough room on any one node: 1 of 2 learner actors, each with 3 CPU, 0.0 GiB, fit nowhere" in message
    assert "the largest has 4 CPU, 64.0 GiB" in message


def test_no_node_at_all() -> None:
    assert "1 are missing" in refusal([Demand("learner", CPU, 1)])


def test_workers_may_wait_for_nodes_that_will_come_but_for_the_first() -> None:
    demands = [Demand("learner", CPU, 1), Demand("rollout", CPU, 3), Demand("reward", CPU, 0)]
    placement = plan(demands, [node("a", 2)], growing=["rollout"])
    assert placement.seats["rollout"] == ("a", "", "")
    with pytest.raises(ResourceError):
        plan(demands, [node("a", 1)], growing=["rollout"])


def test_nothing_is_placed_twice() -> None:
    """However much is asked: what a node has given is less than what it had."""
    nodes = [node("a", 5, 2, gib=9), node("b", 3, 0, gib=30), node("c", 9, 1, gib=7)]
    demands = [
        Demand("learner", Bundle(1, 1, 2 * GIB), 2),
        Demand("rollout", Bundle(2, 0, 3 * GIB), 4),
        Demand("reward", Bundle(1, 0, GIB), 3),
    ]
    placement = plan(demands, nodes)
    for place in nodes:
        given = [d.bundle for d in demands for name in placement.seats[d.role] if name == place.name]
        left = place.free
        for bundle in given:
            assert left.holds(bundle)
            left = left.minus(bundle)


def test_description() -> None:
    demands = [Demand("learner", Bundle(2, 1, 8 * GIB), 1), Demand("rollout", Bundle(1, 0, 2 * GIB), 3)]
    assert list(describe(plan(demands, [node("a", 4, 1), node("b", 1)], growing=["rollout"]))) == [
        "learner: 1 x (2 CPU, 1 GPU, 8.0 GiB): 1 on a",
        "rollout: 3 x (1 CPU, 2.0 GiB): 1 on b, 2 on a",
    ]


def test_what_ray_is_asked_to_reserve() -> None:
    assert Bundle(2, 0, GIB).for_ray == {"CPU": 2, "memory": float(GIB)}

"""Where a run will find room: what every actor reserves, fitted to the nodes there are, before anything is started.

Pure functions of the recipe and the nodes' free resources. The learner's ranks are one group, side by side where that
is possible; every rollout worker is a group of its own, so that it can come and go; reward workers go anywhere. Ray has
the last word on which node it is, for it sees what has changed since; what it must reserve is what is planned here.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from cluster.memory import GIB, ResourceError, process_bytes
from models.device import DevicePlan
from rl.config import Config
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig

Role = Literal["learner", "rollout", "reward", "reward model"]
REMEDIES: Mapping[Role, str] = {
    "learner": "learner.num_ranks or learner.num_threads",
    "rollout": "rollout.num_rollout_workers, rollout.num_threads or rollout.kv_cache_gib",
    "reward": "rewards.num_reward_workers",
    "reward model": "rewards.model.num_workers or rewards.model.num_threads",
}


@dataclass(frozen=True, slots=True)
class Bundle:
    """What an actor reserves, or a node has free."""

    cpus: float = 0.0
    gpus: float = 0.0
    memory_bytes: int = 0

    def holds(self, other: "Bundle") -> bool:
        return self.cpus >= other.cpus and self.gpus >= other.gpus and self.memory_bytes >= other.memory_bytes

    def minus(self, other: "Bundle") -> "Bundle":
        return Bundle(self.cpus - other.cpus, self.gpus - other.gpus, self.memory_bytes - other.memory_bytes)

    def times(self, count: int) -> "Bundle":
        return Bundle(self.cpus * count, self.gpus * count, self.memory_bytes * count)

    @property
    def for_ray(self) -> dict[str, float]:
        amounts = {"CPU": self.cpus, "GPU": self.gpus, "memory": float(self.memory_bytes)}
        return {name: amount for name, amount in amounts.items() if amount}

    def __str__(self) -> str:
        gpus = [f"{self.gpus:g} GPU"] if self.gpus else []
        return ", ".join([f"{self.cpus:g} CPU", *gpus, f"{self.memory_bytes / GIB:.1f} GiB"])


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of the cluster, and what is free on it."""

    name: str
    free: Bundle


@dataclass(frozen=True, slots=True)
class Demand:
    """`count` actors of a role, each of which reserves `bundle`."""

    role: Role
    bundle: Bundle
    count: int


@dataclass(frozen=True, slots=True)
class Placement:
    """`seats[role][i]` is the name of the node that has room for actor i; "" where one has yet to come."""

    demands: tuple[Demand, ...]
    seats: Mapping[Role, tuple[str, ...]]

    def bundle(self, role: Role) -> Bundle:
        return next(demand.bundle for demand in self.demands if demand.role == role)


def demands_of(config: StageConfig | EvaluationConfig, device: DevicePlan, num_weight_bytes: int) -> tuple[Demand, ...]:
    """The actors of a run or an evaluation, the learner first, for it is the hardest to fit."""
    sizes = process_bytes(config, num_weight_bytes)
    if isinstance(config, EvaluationConfig):
        worker = Bundle(config.rollout.num_threads, device.gpus_per_rollout_worker, sizes["rollout"])
        return (Demand("rollout", worker, config.rollout.num_rollout_workers),)
    learner = config.learner
    rank = Bundle(learner.num_threads, device.gpus_per_rank, sizes["learner"])
    demands = [Demand("learner", rank, learner.num_ranks)]
    if isinstance(config, Config):
        rollout = Bundle(config.rollout.num_threads, device.gpus_per_rollout_worker, sizes["rollout"])
        demands += [
            Demand("rollout", rollout, config.rollout.num_rollout_workers),
            Demand("reward", Bundle(1.0, 0.0, sizes["reward"]), config.rewards.num_reward_workers),
        ]
        service = config.rewards.model
        if service.name_or_path:
            judge = Bundle(service.num_threads, service.num_gpus, sizes["reward model"])
            demands.append(Demand("reward model", judge, service.num_workers))
    return tuple(demands)


def plan(demands: Sequence[Demand], nodes: Sequence[Node], *, growing: Sequence[Role] = ()) -> Placement:
    """Fit the demands, in their order, to the nodes. Actors of a `growing` role beyond the first may wait for nodes
    that the cluster's autoscaler brings.

    Raises ResourceError, with what is missing.

    Example: `plan([Demand("reward", Bundle(cpus=1), 2)], [Node("a", Bundle(cpus=4))]).seats["reward"] == ("a", "a")`
    """
    free = {node.name: node.free for node in nodes}
    plain = {node.name for node in nodes if not node.free.gpus}
    seats: dict[Role, tuple[str, ...]] = {}
    for demand in demands:
        names = _pack(demand, free) if demand.role == "learner" else _spread(demand, free, plain)
        must = min(1, demand.count) if demand.role in growing else demand.count
        if len(names) < must:
            raise ResourceError(_shortage(demand, demands, nodes, len(names)))
        seats[demand.role] = (*names, *[""] * (demand.count - len(names)))
    return Placement(tuple(demands), seats)


def describe(placement: Placement) -> Iterator[str]:
    """A line per role: how many actors, what each of them reserves, and where."""
    for demand in placement.demands:
        where: dict[str, int] = defaultdict(int)
        for name in placement.seats[demand.role]:
            where[name or "nodes to come"] += 1
        places = ", ".join(f"{count} on {name}" for name, count in where.items())
        yield f"{demand.role}: {demand.count} x ({demand.bundle}): {places}"


def _pack(demand: Demand, free: dict[str, Bundle]) -> list[str]:
    """As few nodes as possible: always the one that can take most of what is left."""
    names: list[str] = []
    while len(names) < demand.count:
        name = max(free, key=lambda name: _room(free[name], demand.bundle), default=None)
        if name is None or not (room := _room(free[name], demand.bundle)):
            break
        taken = min(room, demand.count - len(names))
        free[name] = free[name].minus(demand.bundle.times(taken))
        names += [name] * taken
    return names


def _spread(demand: Demand, free: dict[str, Bundle], plain: Set[str]) -> list[str]:
    """Always the node with most room; the `plain` ones, without GPUs, first if none are asked for."""
    names: list[str] = []
    for _ in range(demand.count):
        able = [name for name, left in free.items() if left.holds(demand.bundle)]
        if not able:
            break
        name = max(able, key=lambda name: (not demand.bundle.gpus and name in plain, free[name].cpus))
        free[name] = free[name].minus(demand.bundle)
        names.append(name)
    return names


def _room(free: Bundle, bundle: Bundle) -> int:
    """How many such bundles fit."""
    pairs = ((free.cpus, bundle.cpus), (free.gpus, bundle.gpus), (free.memory_bytes, bundle.memory_bytes))
    return max(0, min((int(have // want) for have, want in pairs if want), default=0))


def _shortage(demand: Demand, demands: Sequence[Demand], nodes: Sequence[Node], num_placed: int) -> str:
    """What is missing in all; or, where there is enough of everything, that it lies on too many nodes."""
    role, advice = demand.role, f"lower {REMEDIES[demand.role]}, or add nodes"
    missing = list(_missing(demands, nodes))
    if missing:
        kinds = " and ".join(kind for kind, _ in missing)
        return f"not enough {kinds}: {'; '.join(text for _, text in missing)}; {advice}"
    largest = max((node.free for node in nodes), key=lambda free: (free.gpus, free.cpus), default=Bundle())
    return (
        f"not enough room on any one node: {demand.count - num_placed} of {demand.count} {role} actors, each with "
        f"{demand.bundle}, fit nowhere, though all nodes together have enough; the largest has {largest} before "
        f"anything is placed; {advice}"
    )


def _missing(demands: Sequence[Demand], nodes: Sequence[Node]) -> Iterator[tuple[str, str]]:
    """The kinds of resources that all nodes together lack, and how much."""
    for kind, unit, amounts in (
        ("CPUs", "", lambda bundle: bundle.cpus),
        ("GPUs", "", lambda bundle: bundle.gpus),
        ("memory", " GiB", lambda bundle: bundle.memory_bytes / GIB),
    ):
        needs = {demand.role: demand.count * amounts(demand.bundle) for demand in demands}
        needed, free = sum(needs.values()), sum(amounts(node.free) for node in nodes)
        if needed > free:
            shares = ", ".join(f"{role} {_amount(need)}" for role, need in needs.items() if need)
            where = f"{len(nodes)} node{'' if len(nodes) == 1 else 's'}"
            yield (
                kind,
                f"the run needs {_amount(needed)}{unit} ({shares}), {_amount(free)}{unit} are free on {where}, "
                f"{_amount(needed - free)}{unit} are missing",
            )


def _amount(value: float) -> str:
    return f"{round(value, 1):g}"

"""Where a run is to take place: the machines it may use and what is free on them, here or in a cluster."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import ray
from ray._private.state import available_resources_per_node

from cluster.memory import BASE_GIB, GIB, object_store_bytes
from cluster.placement import Bundle, Node, Placement, demands_of, plan
from cluster.session import ray_session
from models.device import DevicePlan, detect_num_gpus
from rl.config import Config
from rl.stage_config import StageConfig
from rl.suites.config import EvaluationConfig


@dataclass(frozen=True, slots=True)
class Site:
    """`address` is that of a running cluster; None: a cluster of our own on this machine, the only one of `nodes`."""

    address: str | None
    nodes: tuple[Node, ...]

    @property
    def num_gpus(self) -> int:
        return int(sum(node.free.gpus for node in self.nodes))

    def own(self, num_weight_bytes: int) -> Bundle:
        """What actors may reserve of this machine: driver and object store have no bundles, and take memory."""
        [node] = self.nodes
        taken = int(BASE_GIB["driver"] * GIB) + object_store_bytes(num_weight_bytes)
        return replace(node.free, memory_bytes=max(0, node.free.memory_bytes - taken))

    def plan(
        self,
        config: StageConfig | EvaluationConfig,
        device: DevicePlan,
        num_weight_bytes: int,
        *,
        has_learner: bool = True,
    ) -> Placement:
        """`has_learner`: whether what runs there trains. Raises `cluster.memory.ResourceError` where there is not
        enough.
        """
        nodes = self.nodes
        if self.address is None:
            nodes = (replace(nodes[0], free=self.own(num_weight_bytes)),)
        grows = isinstance(config, Config) and config.rollout.autoscale.nodes
        demands = demands_of(config, device, num_weight_bytes)
        demands = tuple(demand for demand in demands if has_learner or demand.role != "learner")
        return plan(demands, nodes, growing=("rollout",) if grows else ())


@contextlib.contextmanager
def session_at(site: Site, num_weight_bytes: int, logs: Path) -> Iterator[None]:
    """Within it, Ray is up at this site; see `ray_session`."""
    own = Bundle() if site.address is not None else site.own(num_weight_bytes)
    with ray_session(
        num_cpus=int(own.cpus),
        object_store_bytes=object_store_bytes(num_weight_bytes),
        logs=logs,
        memory_bytes=own.memory_bytes,
        address=site.address,
    ):
        yield


def this_machine(config: StageConfig | EvaluationConfig) -> Site:
    """Before Ray is started here. CPUs are as many as all actors ask for, for on one machine the roles take turns."""
    free = Bundle(num_cpus(config), detect_num_gpus(), psutil.virtual_memory().available)
    return Site(None, (Node("this machine", free),))


def cluster_nodes() -> tuple[Node, ...]:
    """Those of the cluster that this process has joined, by their addresses, and what is free on them now."""
    free = available_resources_per_node()
    return tuple(
        Node(f"{node['NodeManagerAddress']}/{node['NodeID'][:6]}", _bundle(free.get(node["NodeID"], {})))
        for node in ray.nodes()
        if node["Alive"]
    )


def num_cpus(config: StageConfig | EvaluationConfig) -> int:
    """Logical CPUs of our own cluster: enough for every actor that there may be, and for one worker more of each kind:
    replacements start before the resources of the dead are back, and `zero2one scale` may add some.
    """
    if isinstance(config, EvaluationConfig):
        workers = config.rollout.num_rollout_workers + 1
        return max(os.cpu_count() or 1, workers * config.rollout.num_threads)
    needed, spare = config.learner.num_ranks * config.learner.num_threads, 0
    if isinstance(config, Config):
        rollout, spare, service = config.rollout, config.rollout.num_threads + 1, config.rewards.model
        most = rollout.autoscale.max if rollout.autoscale.enabled else rollout.num_rollout_workers
        needed += most * rollout.num_threads + config.rewards.num_reward_workers
        needed += service.num_workers * service.num_threads if service.name_or_path else 0
    return max(os.cpu_count() or 1, needed) + spare


def _bundle(resources: dict[str, float]) -> Bundle:
    return Bundle(resources.get("CPU", 0.0), resources.get("GPU", 0.0), int(resources.get("memory", 0.0)))

"""From what one machine measures to what a cluster can do; scale.md says it in words."""

from dataclasses import dataclass

from cluster.rollouts import SLICE_SECONDS


@dataclass(frozen=True, slots=True)
class Costs:
    """What `bench_scale.py` measures: processor time of the driver, and rates of one thread elsewhere.

    Attributes:
        episode_seconds: of the driver per episode, from its request to the batch.
        call_seconds: of the driver per call of a worker, whatever comes back.
        check_bytes_per_second: at which a worker copies and checks weights.
        store_episodes_per_second: into Parquet, with all dimensions of the reward.
    """

    episode_seconds: float
    call_seconds: float
    check_bytes_per_second: float
    store_episodes_per_second: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is assumed: one worker a GPU, `gpus_per_node` behind one link, and a policy of `weight_bytes`."""

    num_gpus: int
    tokens_per_second: float = 3000.0  # of a GPU
    tokens_per_episode: float = 1000.0
    weight_bytes: float = 14e9  # 7 billion weights in bfloat16
    link_bytes_per_second: float = 12.5e9  # 100 Gbit/s
    gpus_per_node: int = 8

    @property
    def episodes_per_second(self) -> float:
        """What the GPUs would finish if nobody held them up."""
        return self.num_gpus * self.tokens_per_second / self.tokens_per_episode


@dataclass(frozen=True, slots=True)
class Limits:
    """Loads are shares of a core or thread, to stay below 1; a publication takes `fan_out_seconds`."""

    episodes_per_second: float
    driver_load: float
    store_load: float
    fan_out_seconds: float

    @property
    def first_to_break(self) -> str:
        """The larger load, where that is above 1; else nothing does."""
        load, name = max((self.driver_load, "driver"), (self.store_load, "store"))
        return name if load > 1.0 else "nothing"


def predict(costs: Costs, cluster: Cluster, *, slice_seconds: float = SLICE_SECONDS) -> Limits:
    """Every worker calls once a slice, so

    driver  = episodes/s * episode_seconds + GPUs / slice * call_seconds
    store   = episodes/s / store_episodes_per_second
    fan-out = bytes * log2(2 nodes) / link + bytes / check rate + GPUs * call_seconds

    Ray's object store hands an object on from node to node, so the number of nodes that have it doubles.
    """
    num_nodes = -(-cluster.num_gpus // cluster.gpus_per_node)
    rounds = num_nodes.bit_length()
    return Limits(
        episodes_per_second=cluster.episodes_per_second,
        driver_load=cluster.episodes_per_second * costs.episode_seconds
        + cluster.num_gpus / slice_seconds * costs.call_seconds,
        store_load=cluster.episodes_per_second / costs.store_episodes_per_second,
        fan_out_seconds=cluster.weight_bytes * rounds / cluster.link_bytes_per_second
        + cluster.weight_bytes / costs.check_bytes_per_second
        + cluster.num_gpus * costs.call_seconds,
    )

"""What the fleet asks of every worker. Light on purpose: all actors import it, those of tests little else."""

from collections.abc import Callable
from typing import Any

import ray

from cluster.stacks import offer_stacks
from rl.metrics import peak_rss_bytes


class Worker:
    """What the fleet asks of every worker, and its stacks, which it offers from the start."""

    def __init__(self) -> None:
        offer_stacks(ray.get_runtime_context().get_actor_id())

    def ping(self) -> str:
        """Answers once the worker has been built, which is also when it is ready for work."""
        return "pong"

    def apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Part of RLlib's contract for managed actors."""
        return function(self, *args, **kwargs)

    def peak_rss_bytes(self) -> int:
        return peak_rss_bytes()

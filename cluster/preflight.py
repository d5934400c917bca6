"""Before anything expensive starts: what nodes a run has, and whether all of them can do their part in it."""

from cluster.session import joined
from cluster.site import Site, cluster_nodes, this_machine
from rl.stage_config import StageConfig


def find_site(config: StageConfig, address: str | None) -> Site:
    """This machine, or the cluster at `address`."""
    if address is None:
        return this_machine(config)
    with joined(address):
        return Site(address, cluster_nodes())

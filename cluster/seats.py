"""What workers of one role reserve in the cluster: a placement group each, which a successor takes over."""

from ray.util.placement_group import PlacementGroup, placement_group, placement_group_table, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.placement import Bundle


class Seats:
    """Seats of one size. A cluster that has no room for one yet gives it when it has grown.

    Example: `strategy = seats.take("rollout-3"); ...; seats.leave("rollout-3"); seats.trim()`
    """

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._taken: dict[str, PlacementGroup] = {}
        self._free: list[PlacementGroup] = []

    def take(self, name: str) -> PlacementGroupSchedulingStrategy:
        """A seat that somebody has left, or a new one; what is started with this strategy sits on it."""
        group = self._free.pop() if self._free else placement_group([self._bundle.for_ray])
        self._taken[name] = group
        return PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=0)

    def is_reserved(self, name: str) -> bool:
        """Whether the cluster has room for it."""
        return placement_group_table(self._taken[name])["state"] == "CREATED"

    def leave(self, name: str) -> None:
        self._free.append(self._taken.pop(name))

    def trim(self) -> None:
        """Give back what nobody sits on."""
        while self._free:
            remove_placement_group(self._free.pop())

    def clear(self) -> None:
        self._free += self._taken.values()
        self._taken.clear()
        self.trim()

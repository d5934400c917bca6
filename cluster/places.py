"""How much bad luck a place in the fleet may have: pauses between its workers, and when it is given up."""

MAX_LOSSES_IN_A_ROW = 3
PAUSE_SECONDS = 1.0  # before the third worker; the second starts at once
MAX_PAUSE_SECONDS = 60.0


class Place:
    """The losses of one place since its worker last did a piece of work.

    Example: `place.lost(); await asyncio.sleep(place.pause_seconds)`
    """

    def __init__(self) -> None:
        self._num_lost = self._num_counted = 0

    def lost(self, *, is_excused: bool = False) -> None:
        """`is_excused`: for a reason that lies outside of it, so that it does not count against the place."""
        self._num_lost += 1
        self._num_counted += not is_excused

    def worked(self) -> None:
        self._num_lost = self._num_counted = 0

    @property
    def is_hopeless(self) -> bool:
        return self._num_counted > MAX_LOSSES_IN_A_ROW

    @property
    def pause_seconds(self) -> float:
        """Before the next worker starts."""
        if self._num_lost < 2:
            return 0.0
        return min(MAX_PAUSE_SECONDS, PAUSE_SECONDS * 2.0 ** min(self._num_lost - 2, 30))

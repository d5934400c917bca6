"""Checkpoints for tests that have no event loop."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rl.checkpoint import Checkpoints, RunState


@contextmanager
def saving(checkpoints: Checkpoints, state: RunState, *, metric: float | None = None) -> Iterator[Path]:
    """As `Checkpoints.saving`."""
    with asyncio.Runner() as runner:
        manager = checkpoints.saving(state, metric=metric)
        folder = runner.run(manager.__aenter__())
        try:
            yield folder
        except BaseException as error:
            if not runner.run(manager.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            runner.run(manager.__aexit__(None, None, None))

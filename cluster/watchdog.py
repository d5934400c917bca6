"""Notices a run that makes no progress, whatever it waits for. Every single wait has its own deadline; this one is for
what nobody thought of, and for a driver that is stuck itself.
"""

import asyncio
import faulthandler
import time
from collections.abc import Awaitable, Callable

CHECKS = 20  # in a period
STDERR = 2


class StalledError(RuntimeError):
    """No progress for too long. A training run can be resumed from its last checkpoint."""


class Watchdog:
    """`signs` changes whenever something has been done. After `seconds` without a change there is a report, after as
    much again the run ends. A driver that cannot even run this is ended by the interpreter, which says where it stuck.

    Example: `watching = asyncio.create_task(watchdog.run()); await unless_failed(train(), watching)`
    """

    def __init__(
        self,
        seconds: float,
        signs: Callable[[], object],
        report: Callable[[str], Awaitable[None]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds, self._signs, self._report, self._clock = seconds, signs, report, clock

    async def run(self) -> None:
        """Never returns. Raises StalledError."""
        try:
            await self._watch()
        finally:
            faulthandler.cancel_dump_traceback_later()

    async def _watch(self) -> None:
        seen, since, is_reported = self._signs(), self._clock(), False
        while True:
            faulthandler.dump_traceback_later(2 * self._seconds, exit=True, file=STDERR)
            await asyncio.sleep(self._seconds / CHECKS)
            now, signs = self._clock(), self._signs()
            if signs != seen:
                seen, since, is_reported = signs, now, False
            elif now - since >= 2 * self._seconds:
                raise StalledError(
                    f"no progress for {now - since:.0f} s (watchdog_seconds = {self._seconds:g}); the report in hangs/ "
                    "says what everybody was at; continue a training run with --resume"
                )
            elif now - since >= self._seconds and not is_reported:
                is_reported = True
                await self._report(f"no progress for {now - since:.0f} s")

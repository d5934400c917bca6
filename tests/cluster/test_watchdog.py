"""A run without progress: a report, then the end; and a driver that is stuck itself."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from cluster.watchdog import StalledError, Watchdog

SECONDS = 1.0
STUCK = """
import asyncio, time
from cluster.watchdog import Watchdog

async def report(why): ...

async def stuck_for_ever():
    watching = asyncio.create_task(Watchdog(0.25, lambda: 0, report).run())
    await asyncio.sleep(0.1)
    time.sleep(60)

asyncio.run(stuck_for_ever())
"""

BUSY_AFTERWARDS = """
import asyncio, time
from cluster.crew import watched

async def work():
    await asyncio.sleep(0.1)

async def go_on():
    await watched(work(), 0.25, lambda: 0, None)
    time.sleep(1)

asyncio.run(go_on())
"""


async def watch(signs: Callable[[], object], seconds: float) -> tuple[list[str], BaseException | None]:
    """What is reported, and what is raised within so many seconds."""
    reports: list[str] = []

    async def report(why: str) -> None:
        reports.append(why)

    watching = asyncio.create_task(Watchdog(SECONDS, signs, report).run())
    await asyncio.wait({watching}, timeout=seconds)
    error = watching.exception() if watching.done() else None
    watching.cancel()
    return reports, error


async def test_a_run_that_does_something_now_and_then_is_left_alone() -> None:
    start = time.monotonic()
    assert await watch(lambda: int((time.monotonic() - start) / (SECONDS / 2)), 3 * SECONDS) == ([], None)


async def test_one_that_does_nothing_is_reported_once_and_then_ended() -> None:
    start = time.monotonic()
    reports, error = await watch(lambda: "same", 20 * SECONDS)
    assert time.monotonic() - start >= 2 * SECONDS
    assert len(reports) == 1
    assert reports[0].startswith("no progress for ")
    assert isinstance(error, StalledError)
    assert "(watchdog_seconds = 1)" in str(error)
    assert "continue a training run with --resume" in str(error)


async def test_one_that_comes_back_after_the_report_goes_on() -> None:
    start = time.monotonic()
    reports, error = await watch(lambda: time.monotonic() - start > 1.5 * SECONDS, 2.4 * SECONDS)
    assert (len(reports), error) == (1, None)


def test_a_driver_that_is_stuck_itself_ends_and_says_where() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", STUCK], cwd=root, capture_output=True, text=True, timeout=50)
    assert done.returncode == 1
    assert "in stuck_for_ever" in done.stderr


def test_who_is_busy_after_what_was_watched_is_left_alone() -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", BUSY_AFTERWARDS], cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr

"""To wait for something, but not after what it depends on has failed."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def unless_failed(awaitable: Awaitable[T], failure: asyncio.Future[None]) -> T:
    """The result, or the exception of `failure`, whichever is there first."""
    waiting = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({waiting, failure}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            failure.result()
        return await waiting
    finally:
        waiting.cancel()

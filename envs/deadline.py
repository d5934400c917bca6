"""A deadline for code that somebody else wrote and that runs in this process.

Python cannot stop a thread: what does not return goes on in the background until the process ends, which it does not
keep from ending. So this is for where the caller then gives up. Where it does not, such code belongs into a process of
its own, as rollout and reward workers are.
"""

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The call has not returned in time."""


def call_within(seconds: float, function: Callable[[], T]) -> T:
    """What `function()` returns, or raises. Raises DeadlineError after `seconds`."""
    returned: list[T] = []
    raised: list[BaseException] = []

    def call() -> None:
        try:
            returned.append(function())
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    if not returned:
        raise DeadlineError(f"no answer within {seconds:g} s")
    return returned[0]

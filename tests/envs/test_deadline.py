"""Calls with a deadline."""

import threading

import pytest

from envs.deadline import DeadlineError, call_within


def test_what_the_call_returns_or_raises_comes_as_it_is() -> None:
    assert call_within(10.0, lambda: None) is None
    with pytest.raises(ZeroDivisionError):
        call_within(10.0, lambda: 1 // 0)


def test_a_call_that_does_not_return_is_given_up() -> None:
    never = threading.Event()
    with pytest.raises(DeadlineError, match=r"no answer within 0\.02 s"):
        call_within(0.02, never.wait)
    never.set()

"""Stacks of processes that do not answer, and how a process ended, on processes of this machine without Ray."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from cluster.exits import Exit, Hold
from cluster.stacks import offers, stacks

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys, threading, time
from cluster.stacks import offer_stacks
if sys.argv[2:]:
    offer_stacks(sys.argv[2])
def stuck_in_a_scenario():
    print("up", flush=True)
    {what}
stuck_in_a_scenario()
"""


class Started:
    def __init__(self) -> None:
        self.processes: list[subprocess.Popen] = []

    def __call__(self, name: str, what: str = "time.sleep(3600)") -> subprocess.Popen:
        command = [sys.executable, "-c", PROGRAM.format(what=what), "x", *([name] if name else [])]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        return process


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started()
    yield started
    for process in started.processes:
        process.kill()
        process.communicate()


def test_those_that_sleep_and_those_that_spin_say_where(start: Started) -> None:
    sleeper, spinner = start("a"), start("b", "\n    while True: pass")
    for _ in range(2):  # each time only what is said now
        seen = stacks(["a", "b", "not started"])
        assert seen.keys() == {"a", "b"}
        for name, process in (("a", sleeper), ("b", spinner)):
            assert seen[name].startswith(f"pid {process.pid}, ")
            assert seen[name].count(" in stuck_in_a_scenario") == 1


def test_nobody_is_asked_without_being_named(start: Started) -> None:
    start("a")
    assert stacks(["b"]) == {}
    assert "a" in offers()


def test_one_that_is_stopped_is_said_to_be(start: Started) -> None:
    process = start("a")
    process.send_signal(signal.SIGSTOP)
    while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
        time.sleep(0.01)
    assert stacks(["a"]) == {"a": f"pid {process.pid}, T (stopped): it cannot answer"}


def test_one_that_ends_is_not_there_any_more(start: Started) -> None:
    process = start("a")
    process.kill()
    process.wait()
    assert stacks(["a"]) == {}


def test_one_that_offers_nothing_lives_on(start: Started) -> None:
    process = start("")
    stacks(["a", ""])
    assert process.poll() is None


@pytest.mark.parametrize(
    ("what", "number", "words"),
    [
        ("time.sleep(3600)", signal.SIGKILL, "signal 9 (SIGKILL)"),
        ("time.sleep(3600)", signal.SIGTERM, "signal 15 (SIGTERM)"),
        ("time.sleep(0.3); sys.exit(3)", None, "exit code 3"),
        ("time.sleep(0.3)", None, "exit code 0"),
    ],
)
def test_how_a_process_ended(what: str, number: signal.Signals | None, words: str, start: Started) -> None:
    process = start("", what)
    hold = Hold(process.pid)
    assert hold.exit(0.05) is None
    if number is not None:
        process.send_signal(number)
    process.wait()  # as its parent does
    ended = hold.exit(1.0)
    hold.close()
    assert ended is None or str(ended) == words  # older kernels keep it to the parent


def test_there_is_no_hold_on_who_is_gone() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(OSError, match="No such process"):
        Hold(process.pid)


@pytest.mark.parametrize(
    ("status", "words", "is_kill"),
    [
        (0, "exit code 0", False),
        (1 << 8, "exit code 1", False),
        (9, "signal 9 (SIGKILL)", True),
        (50, "signal 50", False),
    ],
)
def test_a_wait_status_in_words(status: int, words: str, is_kill: bool) -> None:
    assert (str(Exit(status)), Exit(status).is_kill) == (words, is_kill)

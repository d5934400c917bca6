"""What a job has printed, out of what Ray logs of it."""

import pytest

from cluster.jobs import own_words

SETTING_UP = "2026-11-24 22:05:11,586\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
RUNNING = "Running entrypoint for job far-20261124-215955-ask-18eb: exec python3 -m cluster.cli scale far --rollout 2\n"
SAID = "scaled: rollout 1 -> 2\nRunning entrypoint for job is a line of ours\n"


@pytest.mark.parametrize("before", [SETTING_UP + RUNNING, SETTING_UP, ""])
def test_only_what_the_command_has_said(before: str) -> None:
    assert own_words(before + SAID) == SAID

"""What is asked of a run arrives once and whole, and what it says of itself can be read by others."""

import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from rl.control import FRESH_SECONDS, Answer, Control, RunStatus, ScaleRequest, WorkerStatus


@pytest.fixture
def control(tmp_path: Path) -> Control:
    control = Control(tmp_path)
    control.clear()
    return control


def test_a_request_is_open_until_it_is_answered(control: Control) -> None:
    first, second = ScaleRequest(rollout=3), ScaleRequest(reward=2)
    for request in (second, first):
        control.ask(request)
    assert control.open_requests() == [first, second]  # the older one first, whoever was written first
    assert control.answer_to(first) is None
    control.answer(first, Answer(outcome="done", text="rollout 1 -> 3"))
    assert control.open_requests() == [second]
    assert control.answer_to(first) == Answer(outcome="done", text="rollout 1 -> 3")


def test_a_damaged_request_is_none(control: Control, tmp_path: Path) -> None:
    (tmp_path / "control" / "0.request.json").write_text('{"rollout": -1}')
    (tmp_path / "control" / "1.request.json").write_text("{")
    assert control.open_requests() == []


def test_numbers_of_workers_are_positive() -> None:
    with pytest.raises(ValidationError):
        ScaleRequest(rollout=0)


def test_a_new_run_forgets_what_was_asked_of_the_old_one(control: Control) -> None:
    control.ask_to_stop()
    control.ask(ScaleRequest(rollout=2))
    assert control.is_stop_asked
    control.clear()
    assert not control.is_stop_asked
    assert control.open_requests() == []


def test_a_status_gets_old(control: Control) -> None:
    assert control.status() is None
    worker = WorkerStatus(name="rollout-0", state="ready", version=4, num_dialogs=7)
    status = RunStatus(time=time.time(), host="a", pid=1, rollout=(worker,))
    control.publish(status)
    assert control.status() == status
    assert status.is_fresh
    assert not status.model_copy(update={"time": time.time() - FRESH_SECONDS - 1}).is_fresh

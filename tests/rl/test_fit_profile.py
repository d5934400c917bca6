"""The profile of a simulated engine is that of the dialogs that it was fitted to."""

from dataclasses import replace

import pytest

from rl.trajectory import Trajectory, failed
from tests.benchmarks.fit_profile import fit
from tests.rl.builders import request, trajectory


def dialog(lengths: tuple[int, ...], seconds: float) -> Trajectory:
    """Answers of so many tokens; each of the dialog's turns counts as many as the builder gives it letters."""
    made = trajectory(request(), tuple("7" * length for length in lengths))
    turns = tuple(replace(turn, num_tokens=length) for turn, length in zip(made.turns, lengths, strict=True))
    return replace(made, turns=turns, seconds=seconds)


def test_costs_of_prompts_and_tokens_are_told_apart() -> None:
    dialogs = [dialog(lengths, 2.0 * len(lengths) + 0.5 * sum(lengths)) for lengths in ((1,), (4, 8), (2, 2, 2), (9,))]
    found = fit([*dialogs, failed(request(), error="the scenario raised", worker="rollout-0")])
    assert (found.prompt_seconds, found.token_seconds) == pytest.approx((2.0, 0.5))
    assert (found.answer_lengths[0], found.answer_lengths[-1]) == (1.0, 9.0)
    assert found.spread == pytest.approx([1.0] * len(found.spread))


def test_what_the_costs_leave_open_is_the_spread() -> None:
    found = fit([dialog((4,), seconds) for seconds in (1.0, 2.0, 3.0)])
    assert found.spread[0] == pytest.approx(0.5)
    assert found.spread[-1] == pytest.approx(1.5)

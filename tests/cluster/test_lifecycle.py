"""A worker's life: every pair of states, and long walks."""

import random
from itertools import pairwise
from typing import get_args

import pytest

from cluster.lifecycle import MOVES, OUTDATED, Life, LifeError
from rl.control import WorkerState

STATES: tuple[WorkerState, ...] = get_args(WorkerState)
LEGAL = {
    *pairwise(["waiting", "starting", "stale", "ready", "draining", "gone"]),
    ("ready", "stale"),
    *((state, "draining") for state in ("waiting", "starting", "stale")),
    *((state, "lost") for state in ("waiting", "starting", "stale", "ready")),
    ("lost", "gone"),
}


def in_state(state: WorkerState) -> Life:
    life = Life("rollout-0")
    life.state = state
    return life


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_every_move_is_legal_or_raises(before: WorkerState, after: WorkerState) -> None:
    life = in_state(before)
    if (before, after) in LEGAL:
        life.move(after)
        assert life.state == after
    else:
        with pytest.raises(LifeError, match=f"rollout-0 is {before} and cannot be {after}"):
            life.move(after)
        assert life.state == before


def test_a_whole_life() -> None:
    life = Life("rollout-0")
    assert not life.is_up
    life.move("starting")
    life.move("stale")
    assert life.is_up
    assert not life.serves
    life.serve(1)
    assert (life.state, life.version, life.serves) == ("ready", 1, True)
    life.outdate(1)
    assert life.state == "ready"
    life.outdate(2)
    assert (life.state, life.version, life.serves) == ("stale", 1, True)
    life.serve(2)
    life.serve(3)  # sent to it before it was announced
    life.outdate(3)
    assert (life.state, life.version) == ("ready", 3)
    life.move("draining")
    assert not life.serves
    life.move("gone")


def test_weights_never_go_back() -> None:
    life = in_state("stale")
    life.serve(2)
    with pytest.raises(LifeError, match="rollout-0 serves weights 2 and cannot go back to 1"):
        life.serve(1)
    assert (life.state, life.version) == ("ready", 2)


@pytest.mark.parametrize("state", [state for state in STATES if state not in ("stale", "ready")])
def test_who_is_not_up_serves_nothing(state: WorkerState) -> None:
    life = in_state(state)
    with pytest.raises(LifeError):
        life.serve(1)
    assert not life.serves
    life.outdate(2)
    assert life.state == state


@pytest.mark.parametrize("seed", range(50))
def test_any_walk_ends_gone_and_serves_only_what_it_verified(seed: int) -> None:
    dice, life, newest, verified = random.Random(seed), Life("rollout-0"), 0, None
    for _ in range(200):
        event = dice.choice(["move", "serve", "publish"])
        if event == "publish":
            newest += 1
            life.outdate(newest)
        elif event == "serve" and life.is_up:
            life.serve(newest)
            verified = newest
        elif event == "move" and MOVES[life.state] - {"ready"}:
            life.move(dice.choice(sorted(MOVES[life.state] - {"ready"})))
        assert life.version == verified
        assert (life.state == "ready") <= (life.version == newest)
        assert life.serves == (life.state in ("stale", "ready") and verified is not None)
    while MOVES[life.state]:
        life.move("lost" if "lost" in MOVES[life.state] else "gone")
    assert life.state == "gone"


def test_weights_of_a_lost_learner_are_forgotten_whatever_their_version() -> None:
    life = in_state("stale")
    life.forget()
    assert (life.state, life.version) == ("stale", None)
    life.serve(7)
    life.forget()
    assert (life.state, life.version) == ("stale", OUTDATED)
    life.serve(3)
    assert (life.state, life.version) == ("ready", 3)

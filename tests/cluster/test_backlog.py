"""Who holds what, and whom the breaker sets aside: a poisonous dialog among many, and never an innocent one."""

import random
from collections import Counter
from dataclasses import dataclass, field

import pytest

from cluster.backlog import Backlog, Loss
from cluster.suspects import MAX_PATIENCE, MAX_SET_ASIDE_IN_A_ROW, SHARED_LOSSES, Suspects

MAX_KILLS = 3


@dataclass(frozen=True)
class Piece:
    id: str


def pieces(count: int) -> list[Piece]:
    return [Piece(f"d{number}") for number in range(count)]


def ids(share: list[Piece]) -> list[str]:
    return [piece.id for piece in share]


# -- handing out ----------------------------------------------------------------------------------------------------


def test_a_share_is_even_and_within_capacity() -> None:
    backlog: Backlog[Piece] = Backlog(5, MAX_KILLS)
    backlog.add(pieces(8))
    assert ids(backlog.share(1, num_serving=2)) == ["d0", "d1", "d2", "d3"]
    assert ids(backlog.share(1, num_serving=1)) == ["d4"]
    assert backlog.num_held(1) == 5
    assert ids(backlog.share(2, num_serving=2)) == ["d5", "d6", "d7"]


def test_what_is_handed_back_comes_first_and_is_no_suspect() -> None:
    backlog: Backlog[Piece] = Backlog(2, MAX_KILLS)
    backlog.add(pieces(4))
    for _ in range(2 * SHARED_LOSSES):
        assert ids(backlog.share(1, num_serving=1)) == ["d0", "d1"]
        backlog.hand_back(1)
    assert backlog.num_held(1) == 0


def test_what_is_withdrawn_is_nowhere_and_a_worker_finishes_it_in_vain() -> None:
    backlog: Backlog[Piece] = Backlog(2, MAX_KILLS)
    backlog.add(pieces(4))
    assert ids(backlog.share(1, num_serving=1)) == ["d0", "d1"]
    assert backlog.withdraw({"d0", "d2", "unknown"}) == {1: {"d0"}}
    assert backlog.finish(1, ["d0", "d1"]) == {"d1"}
    assert ids(backlog.share(1, num_serving=1)) == ["d3"]
    backlog.add([Piece("d0")])  # asked for again
    assert ids(backlog.share(2, num_serving=1)) == ["d0"]
    assert backlog.finish(1, ["d0"]) == set()


def test_what_was_lost_twice_waits_for_the_others_and_is_held_alone() -> None:
    backlog: Backlog[Piece] = Backlog(2, MAX_KILLS)
    backlog.add(pieces(3))
    for _ in range(SHARED_LOSSES):
        assert ids(backlog.share(1, num_serving=1)) == ["d0", "d1"]
        assert backlog.lose(1, "died") == Loss(is_explained=False)
    assert ids(backlog.share(1, num_serving=1)) == ["d2"]
    assert backlog.share(1, num_serving=1) == []  # it would not be alone
    backlog.finish(1, ["d2"])
    assert ids(backlog.share(1, num_serving=1)) == ["d0"]
    backlog.add([Piece("new")])
    assert backlog.share(1, num_serving=1) == []  # until it is done
    backlog.finish(1, ["d0"])
    assert ids(backlog.share(1, num_serving=1)) == ["new"]


def test_groups_of_suspects_get_smaller_with_every_loss() -> None:
    suspects = Suspects(512, MAX_KILLS)
    sizes = []
    for _ in range(6):
        sizes.append(suspects.group_size("a"))
        suspects.lost(["a", "b"], "died")
    assert sizes == [512, 512, 64, 8, 1, 1]


# -- judging --------------------------------------------------------------------------------------------------------


def test_only_workers_lost_with_it_alone_count() -> None:
    suspects = Suspects(4, MAX_KILLS)
    for _ in range(20):
        assert suspects.lost(["a", "b"], "died") == ()
    assert [suspects.lost(["a"], f"died {n}") for n in (1, 2, 3)] == [(), (), ("died 1", "died 2", "died 3")]


def test_what_finishes_is_cleared() -> None:
    suspects = Suspects(4, MAX_KILLS)
    for _ in range(5):
        suspects.lost(["a"], "died")
        suspects.lost(["a"], "died")
        suspects.finished(["a"])
        assert not suspects.is_apart("a")


def kills_needed(suspects: Suspects, id: str = "a") -> int:
    """How often a worker must go down with it alone before it is set aside, from now on."""
    return next(number for number in range(1, 100) if suspects.lost([id], "died"))


@pytest.mark.parametrize("ids", [[], ["b", "c"]])
def test_while_workers_are_lost_by_chance_it_takes_more(ids: list[str]) -> None:
    suspects = Suspects(4, MAX_KILLS)
    suspects.lost(ids, "died")
    assert kills_needed(suspects) == MAX_KILLS
    suspects.lost(["a"], "died")
    suspects.lost(ids, "died")
    assert 1 + kills_needed(suspects) == MAX_KILLS + 1


def test_a_worker_lost_with_a_dialog_that_finishes_later_was_lost_by_chance() -> None:
    suspects = Suspects(4, MAX_KILLS)
    for id in ("a", "b", "b"):
        suspects.lost([id], "died")
    suspects.finished(["b"])
    assert 1 + kills_needed(suspects) == MAX_KILLS + 2


def test_under_any_fire_there_is_an_end() -> None:
    suspects = Suspects(4, MAX_KILLS)
    suspects.lost(["a"], "died")
    for _ in range(1000):
        suspects.lost([], "died")
    assert 1 + kills_needed(suspects) == MAX_PATIENCE * MAX_KILLS


def test_where_nothing_ever_finishes_it_is_not_the_dialogs() -> None:
    suspects = Suspects(4, MAX_KILLS)
    for number in range(MAX_SET_ASIDE_IN_A_ROW):
        assert suspects.are_to_blame
        assert [bool(suspects.lost([f"d{number}"], "died")) for _ in range(MAX_KILLS)] == [False, False, True]
    assert not suspects.are_to_blame
    assert [suspects.lost(["next"], "died") for _ in range(9)] == [()] * 9
    suspects.finished(["another"])
    assert suspects.are_to_blame


@dataclass
class World:
    """Workers that take some rounds for each piece. `poison` takes a worker down; `hazard`: so does chance, per round,
    whoever it hits.
    """

    num_workers: int
    capacity: int
    poison: frozenset[str]
    hazard: float
    seed: int
    done: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)
    num_lost: int = 0

    def run(self, work: list[Piece]) -> None:
        dice = random.Random(self.seed)
        backlog: Backlog[Piece] = Backlog(self.capacity, MAX_KILLS)
        backlog.add(work)
        left: dict[int, Counter[str]] = {worker: Counter() for worker in range(self.num_workers)}
        while len(self.done) + len(self.set_aside) < len(work):
            for worker, rounds in left.items():
                for piece in backlog.share(worker, self.num_workers):
                    rounds[piece.id] = dice.randint(1, 3)
                if dice.random() < self.hazard or any(id in self.poison and rounds[id] == 1 for id in rounds):
                    self.lose(backlog, worker)
                    rounds.clear()
                    continue
                over = [id for id in rounds if rounds[id] == 1]
                backlog.finish(worker, over)
                self.done += over
                left[worker] = Counter({id: rounds[id] - 1 for id in rounds if id not in over})

    def lose(self, backlog: Backlog[Piece], worker: int) -> None:
        self.num_lost += 1
        loss = backlog.lose(worker, "died")
        if loss.set_aside is not None:
            self.set_aside.append(loss.set_aside.id)


@pytest.mark.parametrize("num_workers", [1, 2, 5])
@pytest.mark.parametrize("capacity", [1, 5, 64])
@pytest.mark.parametrize("poison", [{"d0"}, {"d7", "d8"}, {"d99"}, {f"d{n}" for n in range(40, 48)}], ids=len)
def test_the_poisonous_are_set_aside_and_nobody_else(num_workers: int, capacity: int, poison: set[str]) -> None:
    world = World(num_workers, capacity, frozenset(poison), hazard=0.0, seed=1)
    world.run(pieces(100))
    assert sorted(world.set_aside) == sorted(poison)
    assert len(world.done) == len(set(world.done)) == 100 - len(poison)
    assert world.num_lost <= (SHARED_LOSSES + 2 + MAX_KILLS) * len(poison)


@pytest.mark.parametrize("hazard", [0.03, 0.1])
@pytest.mark.parametrize("seed", range(20))
def test_chance_sets_no_innocent_aside(seed: int, hazard: float) -> None:
    """Up to one in ten rounds of each worker ends in its death: far more than a chaos test kills."""
    world = World(num_workers=3, capacity=8, poison=frozenset({"d13", "d77"}), hazard=hazard, seed=seed)
    world.run(pieces(300))
    assert sorted(world.set_aside) == ["d13", "d77"]
    assert len(world.done) == len(set(world.done)) == 298
    assert world.num_lost > 2 * MAX_KILLS

"""Past policies: who is kept, who is played with, and that their folders are whole."""

from collections import Counter
from pathlib import Path

import pytest

from rl.pool import Member, Pool, PoolError, PoolFolder


def steps(pool: Pool) -> list[int]:
    return [member.step for member in pool.members]


def test_the_pool_stays_spread_over_the_run() -> None:
    pool = Pool()
    seen = []
    for step in range(1, 9):
        pool = pool.joined(Member(10 * step, ""), 4)
        seen.append(steps(pool))
    assert seen[3] == [10, 20, 30, 40]
    assert seen[4:] == [[10, 30, 40, 50], [10, 30, 50, 60], [10, 30, 50, 70], [10, 30, 50, 80]]


@pytest.mark.parametrize(("size", "kept"), [(1, [30]), (2, [10, 30]), (0, [])])
def test_a_small_pool_keeps_the_ends(size: int, kept: list[int]) -> None:
    pool = Pool()
    for step in (10, 20, 30):
        pool = pool.joined(Member(step, ""), size)
    assert steps(pool) == kept


def test_everybody_is_played_with_about_equally_and_the_same_again() -> None:
    pool = Pool(tuple(Member(step, "") for step in (10, 20, 30)))
    chosen = [pool.chosen(1, iteration) for iteration in range(300)]
    assert chosen == [pool.chosen(1, iteration) for iteration in range(300)]
    assert chosen != [pool.chosen(2, iteration) for iteration in range(300)]
    assert min(Counter(chosen).values()) > 75
    assert Pool().chosen(1, 0) is None


def write(folder: PoolFolder, step: int, weights: str = "weights") -> Member:
    unfinished = folder.unfinished(step)
    unfinished.mkdir()
    (unfinished / "model").write_text(weights)
    return folder.finish(step)


def test_what_is_newer_than_the_checkpoint_goes(tmp_path: Path) -> None:
    folder = PoolFolder(tmp_path)
    first, second = write(folder, 10), write(folder, 20, "other")
    assert first.sha256 != second.sha256
    folder.unfinished(30).mkdir()
    folder.restore(Pool((first,)), 10)
    assert sorted(path.name for path in (tmp_path / "opponents").iterdir()) == ["step-000010"]


def test_a_changed_or_missing_member_is_noticed(tmp_path: Path) -> None:
    folder = PoolFolder(tmp_path)
    member = write(folder, 10)
    (folder.path(member) / "model").write_text("weighty")
    with pytest.raises(PoolError, match="step-000010 is missing or has changed"):
        folder.restore(Pool((member,)), 10)
    folder.prune([])
    with pytest.raises(PoolError, match="step-000010"):
        folder.restore(Pool((member,)), 10)


def test_pruning_keeps_what_is_named(tmp_path: Path) -> None:
    folder = PoolFolder(tmp_path)
    members = [write(folder, step) for step in (10, 20, 30)]
    folder.prune(members[1:])
    assert [folder.path(member).exists() for member in members] == [False, True, True]


def test_nobody_is_removed_who_is_played_with(tmp_path: Path) -> None:
    folder = PoolFolder(tmp_path)
    member = write(folder, 10)
    with folder.lent(member) as first:
        with folder.lent(member) as second:
            assert first == second == str(folder.path(member))
        folder.prune([])
        assert folder.path(member).exists()
    folder.prune([])
    assert not folder.path(member).exists()
    with folder.lent(None) as nobody:
        assert nobody == ""

"""Micro-batches: every row once, within the budget, equally many on every rank."""

import numpy as np
import pytest
import torch

from rl.batch import Advantages, Annotations, Batch
from rl.micro_batch import MicroBatch, Part, merge_twins, plan_micro_batches, token_ids


def plan(lengths, *, budget, num_ranks=1, rows=None):
    """Row r stands for 100 + r rows."""
    lengths = np.array(lengths, np.int32)
    rows = np.arange(len(lengths)) if rows is None else np.array(rows)
    return plan_micro_batches(lengths, rows, 100 + rows, budget=budget, num_ranks=num_ranks)


def micro_batch(rows, length):
    return MicroBatch(np.array(rows, int), np.arange(2, 2 + len(rows)), length)


def readable(share):
    return [(micro.rows.tolist(), micro.length) for micro in share]


def test_rows_of_like_length_share_a_micro_batch_by_hand():
    # sorted: rows 1, 3 (2 tokens), 4 (3), 0 (5), 2 (7); 3 x 3 tokens fit into 10, 2 x 7 do not
    assert [readable(share) for share in plan([5, 2, 7, 2, 3], budget=10)] == [[([1, 3, 4], 3), ([0], 5), ([2], 7)]]


def test_a_budget_is_used_to_its_last_token():
    assert readable(plan([5, 5, 5], budget=10)[0]) == [([0, 1], 5), ([2], 5)]
    assert readable(plan([5, 5, 5], budget=9)[0]) == [([0], 5), ([1], 5), ([2], 5)]


def test_ranks_take_turns_and_the_last_ones_wait():
    first, second = plan([1, 2, 3], budget=1, num_ranks=2)
    assert readable(first) == [([0], 1), ([2], 3)]
    assert readable(second) == [([1], 2), ([], 1)]


def test_ranks_share_what_would_fit_into_one_micro_batch():
    assert [readable(share) for share in plan([5, 2, 7, 2], budget=100, num_ranks=2)] == [[([1, 0], 5)], [([3, 2], 7)]]


def test_only_the_given_rows_are_planned():
    assert readable(plan([9, 1, 4, 1], budget=100, rows=[2, 3])[0]) == [([3, 2], 4)]


@pytest.mark.parametrize("num_ranks", [1, 2, 3, 8])
@pytest.mark.parametrize("budget", [1, 40, 200, 10_000])
def test_any_plan_is_a_partition_within_the_budget(num_ranks, budget):
    generator = np.random.default_rng(budget)
    for num_rows in (1, 2, 17, 60):
        lengths = generator.integers(1, 50, 60)
        rows = generator.permutation(60)[:num_rows]
        shares = plan(lengths, budget=budget, num_ranks=num_ranks, rows=rows)
        assert len({len(share) for share in shares}) == 1  # one micro-step more would wait for ever
        planned = [micro for share in shares for micro in share]
        assert sorted(row for micro in planned for row in micro.rows) == sorted(rows)
        for micro in planned:
            assert micro.counts.tolist() == (100 + micro.rows).tolist()
            assert len(micro.rows) <= 1 or len(micro.rows) * micro.length <= budget
            assert not len(micro.rows) or micro.length == lengths[micro.rows].max()
        for share in shares:
            assert np.all(np.diff([lengths[row] for micro in share for row in micro.rows]) >= 0)
        numbers = [sum(len(micro.rows) for micro in share) for share in shares]
        assert max(numbers) - min(numbers) <= 1


def test_twins_are_equal_in_every_column_by_hand():
    tokens = np.array([[7, 8], [9, 9], [7, 8], [7, 8], [9, 9]], np.int32)
    advantages = np.array([[0, 1], [0, 2], [0, 1], [0, 1.5], [0, 2]], np.float32)
    kept, counts, place = merge_twins(np.array([4, 2, 1, 3, 0]), tokens, advantages)
    assert (kept.tolist(), counts.tolist(), place.tolist()) == ([4, 2, 3], [2, 2, 1], [0, 1, 0, 2, 1])
    kept, counts, place = merge_twins(np.arange(5), tokens)
    assert (kept.tolist(), counts.tolist(), place.tolist()) == ([0, 1], [3, 2], [0, 1, 0, 0, 1])


def batch_of_two() -> Batch:
    counting = np.arange(10, dtype=np.float32).reshape(2, 5)
    return Batch(
        tokens=np.array([[7, 8, 9, 10, 11], [12, 13, 0, 0, 0]], np.int32),
        lengths=np.array([5, 2], np.int32),
        action_mask=np.array([[0, 0, 1, 1, 1], [0, 1, 0, 0, 0]], bool),
        turn_index=np.zeros((2, 5), np.int32),
        sampler_logprobs=counting,
        rewards=counting,
        truncated=np.zeros(2, bool),
        groups=np.zeros(2, np.int32),
        versions=np.zeros((2, 5), np.int32),
        roles=np.zeros(2, np.int8),
    )


def cut(micro: MicroBatch, *, with_critic: bool = True) -> Part:
    counting = np.arange(10, dtype=np.float32).reshape(2, 5)
    values = np.arange(12, dtype=np.float32).reshape(2, 6) if with_critic else None
    notes = Annotations(counting + 20, counting + 30 if with_critic else None, values)
    return Part.cut(batch_of_two(), notes, Advantages(counting + 40, counting + 50), micro, "cpu")


def test_a_part_holds_its_rows_up_to_its_length():
    part = cut(micro_batch([1, 0], 3))
    assert part.tokens.tolist() == [[12, 13, 0], [7, 8, 9]]
    assert part.tokens.dtype == torch.long
    assert part.counts.tolist() == [[2], [3]]
    assert part.action_mask.tolist() == [[False, True, False], [False, False, True]]
    assert part.sampler_logprobs.tolist() == [[5, 6, 7], [0, 1, 2]]
    assert part.logprobs.tolist() == [[25, 26, 27], [20, 21, 22]]
    assert part.ref_logprobs.tolist() == [[35, 36, 37], [30, 31, 32]]
    assert part.advantages.tolist() == [[45, 46, 47], [40, 41, 42]]
    assert part.returns.tolist() == [[55, 56, 57], [50, 51, 52]]
    assert part.values.tolist() == [[6, 7, 8], [0, 1, 2]]  # of the state before each token


def test_a_part_without_rows_is_one_that_nothing_counts():
    part = cut(micro_batch([], 1))
    assert part.tokens.tolist() == [[0]]
    assert part.counts.tolist() == [[0]]
    assert part.action_mask.tolist() == [[False]]
    assert {tensor.shape for tensor in (part.logprobs, part.advantages, part.returns, part.values)} == {(1, 1)}
    assert token_ids(batch_of_two(), micro_batch([], 1), "cpu").dtype == torch.long


def test_a_part_without_critic_and_reference_has_neither():
    part = cut(micro_batch([0], 5), with_critic=False)
    assert part.values is None
    assert part.ref_logprobs is None

"""Tallies by hand: means over the action tokens of all ranks, maxima, and what every rank knows alike."""

import math

import pytest
import torch

from rl.tally import Tally, merge


def tally(losses, tokens, *, gap=None, shared=None):
    counted = Tally(shared=shared or {})
    for loss, num_tokens in zip(losses, tokens, strict=True):
        counted.add("actor/pg_loss", torch.tensor(loss))
        counted.count("actor", torch.tensor(num_tokens))
    if gap is not None:
        counted.largest("actor/first_ratio_gap", gap)
    return counted


def test_a_mean_is_over_tokens_and_not_over_ranks_or_micro_batches():
    # (1 + 2 + 6) / (1 + 2 + 3); the mean of the ranks' means would be 1.5
    assert merge([tally([1.0, 2.0], [1, 2]), tally([6.0], [3])]) == {"actor/pg_loss": 1.5}
    assert merge([tally([1.0], [1]), tally([6.0], [2])]) == {"actor/pg_loss": pytest.approx(7 / 3)}


def test_each_role_has_its_own_tokens():
    counted = tally([4.0], [2])
    counted.add("critic/vf_loss", torch.tensor(9.0))
    counted.count("critic", torch.tensor(3))
    assert merge([counted]) == {"actor/pg_loss": 2.0, "critic/vf_loss": 3.0}


def test_a_rank_that_saw_no_tokens_changes_no_mean():
    assert merge([tally([3.0], [2]), tally([0.0], [0])]) == {"actor/pg_loss": 1.5}
    assert merge([tally([0.0], [0]), tally([3.0], [2])]) == {"actor/pg_loss": 1.5}
    assert merge([tally([0.0], [0])]) == {"actor/pg_loss": 0.0}


def test_maxima_are_over_all_ranks():
    counted = tally([], [], gap=0.25)
    counted.largest("actor/first_ratio_gap", 0.5)
    counted.largest("actor/first_ratio_gap", 0.125)
    assert merge([counted, tally([], [], gap=0.75)]) == {"actor/first_ratio_gap": 0.75}
    assert merge([counted, tally([], [])]) == {"actor/first_ratio_gap": 0.5}


@pytest.mark.parametrize("values", [(math.nan, 0.5), (0.5, math.nan)])
def test_a_maximum_does_not_hide_nan(values):
    counted = Tally()
    for value in values:
        counted.largest("actor/first_ratio_gap", value)
    assert math.isnan(merge([counted])["actor/first_ratio_gap"])
    ranks = [tally([], [], gap=value) for value in values]
    assert math.isnan(merge(ranks)["actor/first_ratio_gap"])


def test_shared_numbers_are_taken_once():
    shared = {"actor/grad_norm": 2.0, "actor/lr": 0.1}
    assert merge([tally([], [], shared=shared), tally([], [], shared=shared)]) == shared


def test_nothing_counted_is_no_metrics():
    assert merge([Tally(), Tally()]) == {}

"""The loss of pairs, worked by hand."""

import math

import pytest
import torch

from rl.preference_losses import bradley_terry, centring


def test_bradley_terry_by_hand() -> None:
    chosen, rejected = torch.tensor([1.0, math.log(3.0), 0.0]), torch.tensor([1.0, 0.0, math.log(3.0)])
    # sigmoid of 0, ln 3 and -ln 3 is 1/2, 3/4 and 1/4
    assert bradley_terry(chosen, rejected).tolist() == pytest.approx([math.log(2), math.log(4 / 3), math.log(4)])


def test_only_the_difference_counts() -> None:
    chosen, rejected = torch.tensor([0.3, -2.0]), torch.tensor([0.1, 5.0])
    torch.testing.assert_close(bradley_terry(chosen + 7, rejected + 7), bradley_terry(chosen, rejected))


def test_its_gradient_is_the_probability_of_being_wrong() -> None:
    chosen, rejected = torch.tensor([math.log(3.0)], requires_grad=True), torch.tensor([0.0], requires_grad=True)
    bradley_terry(chosen, rejected).sum().backward()
    assert chosen.grad is not None and rejected.grad is not None
    assert (float(chosen.grad), float(rejected.grad)) == pytest.approx((-0.25, 0.25))


def test_a_hopeless_pair_has_a_finite_loss_and_gradient() -> None:
    chosen = torch.tensor([-500.0], requires_grad=True)
    loss = bradley_terry(chosen, torch.tensor([500.0]))
    loss.sum().backward()
    assert loss.item() == pytest.approx(1000.0)
    assert chosen.grad is not None and chosen.grad.item() == pytest.approx(-1.0)


def test_centring_pulls_the_level_and_not_the_difference() -> None:
    chosen, rejected = torch.tensor([3.0, 2.0]), torch.tensor([1.0, -2.0])
    assert centring(chosen, rejected).tolist() == [16.0, 0.0]

import math

import pytest

from rl.kl import KLController


def test_fixed_coefficient_never_moves():
    assert KLController(0.05).update(kl=9.0, num_steps=512) == KLController(0.05)


def test_adaptive_coefficient_by_hand():
    controller = KLController(0.1, target=0.02, horizon=1000)
    # error = 0.022 / 0.02 - 1 = 0.1, over 100 of 1000 trajectories: + 1 %
    assert controller.update(kl=0.022, num_steps=100).coef == pytest.approx(0.101)
    assert controller.update(kl=0.018, num_steps=100).coef == pytest.approx(0.099)
    assert controller.update(kl=0.02, num_steps=100).coef == pytest.approx(0.1)


def test_one_update_moves_by_a_fifth_at_most():
    controller = KLController(0.1, target=0.02, horizon=10)
    assert controller.update(kl=100.0, num_steps=10**6).coef == pytest.approx(0.12)
    assert controller.update(kl=-100.0, num_steps=10**6).coef == pytest.approx(0.08)


def test_restored_controller_goes_on_where_it_was():
    controller = KLController(0.1, target=0.02, horizon=1000)
    moved = controller.update(kl=0.03, num_steps=100)
    assert controller.restore(moved.state) == moved
    assert KLController(0.3).restore(moved.state).coef == 0.3  # a fixed one is what the configuration says


@pytest.mark.parametrize("kl", [math.nan, math.inf])
def test_broken_kl_is_refused(kl):
    with pytest.raises(ValueError, match="cannot steer"):
        KLController(0.1, target=0.02).update(kl=kl, num_steps=1)


def test_target_without_a_coefficient_to_scale_is_refused():
    with pytest.raises(ValueError, match="kl_coef is 0"):
        KLController(0.0, target=0.02)

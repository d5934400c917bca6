"""Learning rate and entropy bonus over a run, by hand."""

import pytest

from rl.config import OptimizerConfig, PPOConfig
from rl.ppo import entropy_coef, learning_rate


@pytest.mark.parametrize(
    ("scheduler", "decay_start", "rates"),
    [
        ("constant", 0.0, {0: 0.5, 1: 1.0, 2: 1.0, 11: 1.0, 19: 1.0}),
        ("linear", 0.0, {0: 0.5, 1: 1.0, 2: 1.0, 11: 0.55, 19: 0.15, 20: 0.1, 30: 0.1}),
        ("linear", 0.5, {0: 0.5, 9: 1.0, 10: 1.0, 15: 0.55, 19: 0.19}),
        ("cosine", 0.0, {0: 0.5, 2: 1.0, 8: 0.775, 11: 0.55, 14: 0.325, 20: 0.1}),
    ],
)
def test_learning_rate_by_hand(scheduler, decay_start, rates):
    # 20 steps, of which two warm up and, without a plateau, 18 decay from 1 to 0.1
    optimizer = OptimizerConfig(
        lr=1.0, lr_scheduler=scheduler, lr_warmup_ratio=0.1, lr_decay_start=decay_start, lr_min_ratio=0.1
    )
    assert {step: learning_rate(optimizer, step, 20) for step in rates} == pytest.approx(rates)


def test_a_run_of_one_step_has_the_full_rate_and_coefficient():
    assert learning_rate(OptimizerConfig(lr=0.3), 0, 1) == pytest.approx(0.3)
    assert entropy_coef(PPOConfig(entropy_coef=0.1, entropy_coef_final=0.02), 0, 1) == 0.1


@pytest.mark.parametrize(
    ("final", "decay_start", "coefs"),
    [
        (None, 0.0, {0: 0.1, 9: 0.1}),
        (0.01, 0.0, {0: 0.1, 3: 0.07, 6: 0.04, 9: 0.01, 12: 0.01}),
        (0.02, 0.5, {0: 0.1, 5: 0.1, 7: 0.06, 9: 0.02}),
    ],
)
def test_entropy_coef_by_hand(final, decay_start, coefs):
    ppo = PPOConfig(entropy_coef=0.1, entropy_coef_final=final, entropy_decay_start=decay_start)
    assert {step: entropy_coef(ppo, step, 10) for step in coefs} == pytest.approx(coefs)

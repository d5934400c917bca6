from fractions import Fraction

import pytest

from rewards.equations import Step, steps


def test_step_holds_operands_and_result() -> None:
    assert steps("12 + 30 = 42") == (Step((Fraction(12), Fraction(30)), Fraction(42), True),)


@pytest.mark.parametrize(
    "text",
    [
        "2+3*4=14",
        "2 * 3 + 4 = 10",
        "8 / 4 / 2 = 1",
        "3 - 5 = -2",
        "3 − 5 = −2",
        "3 - -5 = 8",
        "3 x 4 = 12",
        "6 ÷ 4 = 1.5",
        "10 / 3 = 3.33",
        "It is 7 = 3 + 4.",
        "2 + 3 = 5 apples",
        "0.1 + 0.2 = 0.3",
    ],
)
def test_true_steps(text: str) -> None:
    assert [step.holds for step in steps(text)] == [True]


@pytest.mark.parametrize("text", ["2 + 3 = 6", "10 / 3 = 3", "10 / 3 = 3.34", "5 / 0 = 0", "2+3*4=20"])
def test_false_steps(text: str) -> None:
    assert [step.holds for step in steps(text)] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x = 5",
        "x + 3 = 5",
        "2x + 3 = 5",
        "x2+3+4=5",
        "(1 + 1) * 2 = 5",
        "1,000 + 1 = 2",
        "1 + 1 = 1,000",
        "1 + = 2",
    ],
)
def test_what_is_not_plainly_a_claim_is_not_read(text: str) -> None:
    assert steps(text) == ()


def test_chain_makes_a_step_of_every_equals_sign() -> None:
    assert [step.holds for step in steps("1 + 1 = 2 = 4 - 1, 2 + 2 = 4")] == [True, False, True]

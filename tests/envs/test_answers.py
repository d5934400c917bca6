from fractions import Fraction

import pytest

from envs.answers import decimal_text, final_number, plain


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("18", 18),
        ("She makes 9 * 2 = $18 every day.", 18),
        ("9 + 9\n#### 18", 18),
        ("#### 18 dollars for 2 days", 18),
        ("#### 7\nNo, wait.\n#### 18", 18),
        ("It is 1,080,000.", 1_080_000),
        ("It is 1,080.", 1080),
        ("$-4", -4),
        ("-$4.50", Fraction(-9, 2)),
        ("\N{MINUS SIGN}4", -4),
        ("10-20", 20),
        ("- 4 apples", 4),
        (".5 of it", Fraction(1, 2)),
        ("1/2", Fraction(1, 2)),
        ("1/0", 0),
        ("50%", 50),
        ("€ 12", 12),
        (r"\boxed{18} after 3 tries", 18),
        (r"\boxed{7} no, \boxed{18}", 18),
        (r"\boxed{\frac{1}{2}} or 3", Fraction(1, 2)),
        (r"\boxed{1{,}080\text{ in } \text{June}}", 1080),
        (r"\boxed{18", 18),
        ("none", None),
        ("", None),
        ("It was 18 at first. ####", None),
        (r"18, so \boxed{x}", None),
        ("9" * 41, None),
    ],
)
def test_final_number(text: str, number: Fraction | int | None) -> None:
    assert final_number(text) == number


def test_very_long_digits_are_read_fast_and_as_nothing() -> None:
    assert final_number("9" * 200_000) is None
    assert final_number("1," * 100_000 + "1") == 1


@pytest.mark.parametrize(
    ("value", "text"), [(Fraction(-1080), "-1080"), (Fraction(5, 2), "2.5"), (Fraction(100), "100")]
)
def test_decimal_text(value: Fraction, text: str) -> None:
    assert decimal_text(value) == text


@pytest.mark.parametrize("value", [Fraction(1, 3), Fraction(10**200 + 1)])
def test_decimal_text_refuses_what_it_would_round(value: Fraction) -> None:
    with pytest.raises(ValueError, match="not a decimal number"):
        decimal_text(value)


def test_plain_strips_space_and_reads_the_typographic_minus() -> None:
    assert plain(" \N{MINUS SIGN}4\n") == "-4"

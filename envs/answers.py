"""Reading numbers out of what a policy wrote.

Numbers are written the international way: a point before decimals, and commas, if anything, between groups of three
digits. Left out: a comma before decimals (it reads "1,5" as 1 and then 5), numerals in words, and powers of ten.
"""

import re
from decimal import Decimal, localcontext
from fractions import Fraction

MAX_LENGTH = 40  # longer ones are noise, and Python refuses to read very long ones

_NUMBER = re.compile(
    r"""(?P<sign>(?<![\w)])-)?                  # not where it stands between two operands, as in 9-4
        (?:\\?[$€£¥₹]\s?)?
        (?P<value>\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)
                | \d+/[1-9]\d*(?![\d.])
                | \d+(?:\.\d+)?
                | \.\d+)""",
    re.VERBOSE | re.ASCII,
)
_LATEX_FRACTION = re.compile(r"\\[dt]?frac\{(\d+)\}\{(\d+)\}")
_BOX = "\\boxed{"


def plain(text: str) -> str:
    """The answer without white space around it, and with an ASCII minus."""
    return text.strip().replace("\N{MINUS SIGN}", "-")


def final_number(text: str) -> Fraction | None:
    r"""The number that a worked answer ends in, or None. "She has 1,080." ends in 1080, `\boxed{\frac{1}{2}}` in 1/2.

    It is the first number after the last "####" where there is one; else the last one in the last `\boxed{}` where
    there is one; else the last one of all. Currency signs and what follows the number do not matter.
    """
    text = _LATEX_FRACTION.sub(r"\1/\2", plain(text).replace("{,}", ","))
    if "####" in text:
        numbers = _numbers(text.rpartition("####")[2])[:1]
    else:
        numbers = _numbers(_boxed(text) if _BOX in text else text)
    return Fraction(numbers[-1]) if numbers and len(numbers[-1]) <= MAX_LENGTH else None


def decimal_text(value: Fraction) -> str:
    """The number in plain digits, such as "-1080" or "2.5". Raises ValueError where they are too many or do not end."""
    with localcontext(prec=4 * MAX_LENGTH):
        decimal = Decimal(value.numerator) / Decimal(value.denominator)
    if Fraction(decimal) != value:
        raise ValueError(f"{value} is not a decimal number of at most {4 * MAX_LENGTH} digits")
    return f"{decimal:f}"


def _numbers(text: str) -> list[str]:
    return [(found["sign"] or "") + found["value"].replace(",", "") for found in _NUMBER.finditer(text)]


def _boxed(text: str) -> str:
    """What the last box holds, up to its own closing brace, or to the end where that is missing."""
    content = text.rpartition(_BOX)[2]
    depth = 1
    for position, character in enumerate(content):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return content[:position]
    return content

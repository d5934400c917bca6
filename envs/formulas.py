"""Formulas and conditions that a policy writes, worked out without ever being run.

The text is parsed to a syntax tree, and only what stands in `_value` has a meaning: numbers, the names that the
caller gives, arithmetic, comparisons and logic. Length, exponents and all numbers on the way are bounded, so any text
is done with in milliseconds. What an error says is for the policy to read.
"""

import ast
from collections.abc import Mapping
from fractions import Fraction
from math import isfinite

Value = bool | int | Fraction

MAX_LENGTH = 200  # characters
MAX_EXPONENT = 100
MAX_DIGITS = 40  # of the numerator and of the denominator of any number on the way


class FormulaError(ValueError):
    """A text that is no formula, or one that is too large or has no value."""


def evaluate(text: str, values: Mapping[str, Value]) -> Value:
    """The value that Python would give, with fractions in place of floats: 0.1 is a tenth. Raises `FormulaError`.

    Example: `evaluate("x*2 + 1", {"x": 3}) == 7`
    """
    return value_of(parse(text), values)


def parse(text: str, max_length: int = MAX_LENGTH) -> ast.expr:
    """The syntax tree of one expression in ASCII. Raises `FormulaError`."""
    if len(text) > max_length or not text.isascii():
        raise FormulaError(f"not a formula of at most {max_length} ASCII characters")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:  # the last two: thousands of brackets
        raise FormulaError("that is no formula") from error


def value_of(node: ast.expr, values: Mapping[str, Value]) -> Value:
    """The value of a syntax tree. Raises `FormulaError`."""
    value = _value(node, values)
    if max(abs(value.numerator), value.denominator) >= 10**MAX_DIGITS:
        raise FormulaError(f"a number has more than {MAX_DIGITS} digits")
    return value


def _value(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool() | int() as number):
            return number
        case ast.Constant(value=float() as number) if isfinite(number):
            return Fraction(str(number))  # its digits (15 are kept), not the nearest binary number
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -value_of(operand, values)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not value_of(operand, values)
        case ast.BinOp(left=left, op=operator, right=right):
            return _arithmetic(operator, value_of(left, values), value_of(right, values))
        case ast.BoolOp(op=ast.And(), values=operands):
            return all(bool(value_of(operand, values)) for operand in operands)
        case ast.BoolOp(op=ast.Or(), values=operands):
            return any(bool(value_of(operand, values)) for operand in operands)
        case ast.Compare(left=left, ops=operators, comparators=others):
            numbers = [value_of(operand, values) for operand in (left, *others)]
            return all(map(_compares, operators, numbers, numbers[1:]))
    raise FormulaError(f"{type(node).__name__} has no meaning here")


def _arithmetic(operator: ast.operator, a: Value, b: Value) -> Value:
    match operator:
        case ast.Div() | ast.FloorDiv() | ast.Mod() if b == 0:
            raise FormulaError("division by zero")
        case ast.Add():
            return a + b
        case ast.Sub():
            return a - b
        case ast.Mult():
            return a * b
        case ast.Div():
            return Fraction(a) / Fraction(b)
        case ast.FloorDiv():
            return a // b
        case ast.Mod():
            return a % b
        case ast.Pow():
            return _power(a, b)
    raise FormulaError(f"{type(operator).__name__} has no meaning here")


def _power(base: Value, exponent: Value) -> Fraction:
    if exponent.denominator != 1 or abs(exponent.numerator) > MAX_EXPONENT:
        raise FormulaError(f"an exponent is a whole number of at most {MAX_EXPONENT}")
    if base == 0 and exponent < 0:
        raise FormulaError("division by zero")
    return Fraction(base) ** int(exponent)


def _compares(operator: ast.cmpop, a: Value, b: Value) -> bool:
    match operator:
        case ast.Eq():
            return a == b
        case ast.NotEq():
            return a != b
        case ast.Lt():
            return a < b
        case ast.LtE():
            return a <= b
        case ast.Gt():
            return a > b
        case ast.GtE():
            return a >= b
    raise FormulaError(f"{type(operator).__name__} has no meaning here")

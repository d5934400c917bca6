"""Tools that a policy may call in one line, such as `calc(3*4)`: the parser, the tools, and a box that sets limits.

Here a call is a whole answer, which the scenario answers with its next question. Calls within an answer, of tools that
the run offers whatever the scenario, are those of `envs/calls.py`; they use the same calculator.

A tool is a plain function of its arguments to a text, so a result depends on the call alone. What a call gets wrong is
a `ToolError`, whose message is written for the policy to read. Nothing here evaluates Python: the calculator takes
numbers and operators, which `envs/formulas.py` works out, and refuses the rest.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from envs.answers import decimal_text
from envs.formulas import FormulaError, Value, evaluate

MAX_CALL_LENGTH = 200  # characters
MAX_RESULT_LENGTH = 200  # characters

_CALL = re.compile(r"\s*([a-z_]{1,32})\((.*)\)\s*", re.DOTALL)
_ARITHMETIC = re.compile(r"[0-9.+*/%() -]+")
_COMPARISON = re.compile(r"[0-9.+*/%()<>=! -]+")
_LONG_DECIMAL = re.compile(r"(?=[0-9]*\.)[0-9.]{17}")  # floats keep 15 digits
_ATOM = re.compile(r"[0-9]+(?:\.[0-9]+)?|\w+")


class ToolError(ValueError):
    """A call that cannot be carried out. The message says why, for the policy to read."""


@dataclass(frozen=True, slots=True)
class Call:
    """Example: `Call("convert", ("5", "km", "m"))`, which is written convert(5, km, m)"""

    name: str
    arguments: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.arguments)})"


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a policy may call.

    Attributes:
        parameters: what it takes, for the listing.
        run: from as many texts to the result. Raises `ToolError`.
    """

    name: str
    parameters: tuple[str, ...]
    run: Callable[..., str]

    @property
    def usage(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"


def parse_call(text: str) -> Call:
    """The call that a whole answer is: a name and, in brackets, arguments between commas. Raises `ToolError`."""
    if len(text) > MAX_CALL_LENGTH:
        raise ToolError(f"a call has at most {MAX_CALL_LENGTH} characters")
    found = _CALL.fullmatch(text)
    if found is None:
        raise ToolError("a call is written name(arguments)")
    return Call(found[1], tuple(argument.strip() for argument in found[2].split(",")))


@dataclass(frozen=True, slots=True)
class Toolbox:
    """The tools of one dialog.

    Example: `Toolbox((CALCULATOR,)).run(parse_call("calc(3*4)"))` is "12".
    """

    tools: tuple[Tool, ...]

    @property
    def usages(self) -> list[str]:
        return [tool.usage for tool in self.tools]

    def run(self, call: Call) -> str:
        """The result of a call. Raises `ToolError`."""
        for tool in self.tools:
            if tool.name == call.name:
                return self._run(tool, call)
        raise ToolError(f"unknown tool; there are: {', '.join(self.usages)}")

    def _run(self, tool: Tool, call: Call) -> str:
        if len(call.arguments) != len(tool.parameters) or not all(call.arguments):
            raise ToolError(f"it is called as {tool.usage}")
        result = tool.run(*call.arguments)
        if len(result) > MAX_RESULT_LENGTH:
            raise ToolError(f"the result is longer than {MAX_RESULT_LENGTH} characters")
        return result

    def same(self, call: Call, due: Call) -> bool:
        """Do two calls ask the same of the same tool? The order of operands and brackets may differ, not the result."""
        if call.name != due.name or atoms(call) != atoms(due):
            return False
        try:
            return self.run(call) == self.run(due)
        except ToolError:
            return False


class Session:
    """A toolbox with a budget: how many calls are left.

    Example: `Session(Toolbox((CALCULATOR,)), max_calls=3).use("calc(3*4)")` is "12".
    """

    def __init__(self, toolbox: Toolbox, max_calls: int) -> None:
        self.toolbox = toolbox
        self.calls_left = max_calls

    def use(self, text: str) -> str:
        """The result of the call that `text` is. Every attempt counts. Raises `ToolError`."""
        if self.calls_left == 0:
            raise ToolError("no calls are left")
        self.calls_left -= 1
        return self.toolbox.run(parse_call(text))


def atoms(call: Call) -> list[str]:
    """The numbers and words of a call's arguments, sorted."""
    return sorted(_ATOM.findall(" ".join(call.arguments).casefold()))


def calculate(expression: str) -> str:
    """The value of an expression of numbers, brackets and + - * / // % **; a fraction where it is no decimal. Of a
    comparison, such as 2/3 < 3/4, "true" or "false". Raises `ToolError`.
    """
    value = _evaluate(expression, _COMPARISON)
    return str(value).lower() if isinstance(value, bool) else number_text(Fraction(value))


def number_text(value: Fraction) -> str:
    try:
        return decimal_text(value)
    except ValueError:
        return str(value)


def exact_value(expression: str) -> Fraction:
    """The exact value of an expression. Raises `ToolError` where it is none, or too large on the way."""
    return Fraction(_evaluate(expression, _ARITHMETIC))


def _evaluate(expression: str, alphabet: re.Pattern[str]) -> Value:
    if alphabet.fullmatch(expression) is None:
        raise ToolError("only numbers, brackets and + - * / // % ** are known")
    if _LONG_DECIMAL.search(expression):
        raise ToolError("a decimal number has at most 15 digits")
    try:
        return evaluate(expression, {})
    except FormulaError as error:
        raise ToolError(str(error)) from None


CALCULATOR = Tool("calc", ("expression",), calculate)


def lookup_tool(entries: Mapping[str, str], name: str = "lookup", parameter: str = "key") -> Tool:
    """A tool that finds the entry of a key, whatever its case."""
    folded = {key.casefold(): value for key, value in entries.items()}

    def look_up(key: str) -> str:
        if key.casefold() not in folded:
            raise ToolError("there is no such entry")
        return folded[key.casefold()]

    return Tool(name, (parameter,), look_up)


UNITS: dict[str, tuple[str, Fraction]] = {  # unit -> what it measures, how many base units it is
    "mm": ("length", Fraction(1, 1000)),
    "cm": ("length", Fraction(1, 100)),
    "m": ("length", Fraction(1)),
    "km": ("length", Fraction(1000)),
    "g": ("mass", Fraction(1, 1000)),
    "kg": ("mass", Fraction(1)),
    "t": ("mass", Fraction(1000)),
    "ml": ("volume", Fraction(1, 1000)),
    "l": ("volume", Fraction(1)),
    "s": ("time", Fraction(1)),
    "min": ("time", Fraction(60)),
    "h": ("time", Fraction(3600)),
}


def convert(value: str, unit: str, wanted: str) -> str:
    """A value in another unit of the same quantity, such as 5, km, m -> 5000."""
    for name in (unit, wanted):
        if name not in UNITS:
            raise ToolError(f"unknown unit; there are: {', '.join(UNITS)}")
    (quantity, size), (other, other_size) = UNITS[unit], UNITS[wanted]
    if quantity != other:
        raise ToolError(f"{unit} is a {quantity}, {wanted} is a {other}")
    return number_text(exact_value(value) * size / other_size)


CONVERTER = Tool("convert", ("value", "unit", "unit"), convert)


def weekday_tool(weekdays: Sequence[str]) -> Tool:
    """A tool that names the weekday of a date, in the words of `weekdays`, Monday first."""
    return Tool("weekday", ("date",), lambda day: weekdays[_date(day).weekday()])


def _add_days(day: str, days: str) -> str:
    if re.fullmatch(r"-?[0-9]{1,7}", days) is None:
        raise ToolError("that is no whole number of days")
    try:
        return (_date(day) + timedelta(days=int(days))).isoformat()
    except OverflowError:
        raise ToolError("that day is too far away") from None


DATE_ADDER = Tool("add_days", ("date", "days"), _add_days)
DAY_COUNTER = Tool("days_between", ("date", "date"), lambda first, last: str((_date(last) - _date(first)).days))


def _date(text: str) -> date:
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) is None:
        raise ToolError("a date is written 2026-01-31")
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ToolError("there is no such day") from None

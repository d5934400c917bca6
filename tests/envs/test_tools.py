import pytest

from envs.tools import (
    CALCULATOR,
    CONVERTER,
    DATE_ADDER,
    DAY_COUNTER,
    Call,
    Session,
    Toolbox,
    ToolError,
    lookup_tool,
    parse_call,
    weekday_tool,
)

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TOOLS = Toolbox((CALCULATOR, CONVERTER, DATE_ADDER, DAY_COUNTER, lookup_tool({"Anna": "417"}), weekday_tool(WEEKDAYS)))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("calc(3*4)", "12"),
        (" calc( (1+2)*3/4 )\n", "2.25"),
        ("calc(1/3)", "1/3"),
        ("calc(0.1+0.2)", "0.3"),
        ("calc(7//2-7%2)", "2"),
        ("calc(2**-2)", "0.25"),
        ("convert(5, km, m)", "5000"),
        ("convert(1.5,h,min)", "90"),
        ("convert(1, g, t)", "0.000001"),
        ("lookup(anna)", "417"),
        ("weekday(2024-02-29)", "Thu"),
        ("add_days(2024-02-28, 2)", "2024-03-01"),
        ("days_between(2024-03-01, 2024-02-28)", "-2"),
    ],
)
def test_a_call_has_a_result(text: str, result: str) -> None:
    assert TOOLS.run(parse_call(text)) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("12", "a call is written"),
        ("I say calc(3*4)", "a call is written"),
        ("calc(" + "1+" * 100 + "1)", "at most 200 characters"),
        ("open(file)", "unknown tool; there are: calc(expression), convert"),
        ("calc()", "called as calc(expression)"),
        ("convert(5, km)", "called as convert(value, unit, unit)"),
        ("calc(__import__)", "only numbers"),
        ("calc(3 4)", "no formula"),
        ("calc(3(4))", "no meaning"),
        ("calc(1/0)", "division by zero"),
        ("calc(0**-1)", "division by zero"),
        ("calc(9**9**9)", "exponent"),
        ("calc(10**50)", "more than 40 digits"),
        ("calc(0.12345678901234567)", "at most 15 digits"),
        ("convert(5, km, kg)", "km is a length, kg is a mass"),
        ("convert(5, km, mile)", "unknown unit"),
        ("lookup(Ben)", "no such entry"),
        ("weekday(2023-02-29)", "no such day"),
        ("weekday(tomorrow)", "a date is written"),
        ("add_days(9999-12-31, 1)", "too far"),
        ("add_days(2024-01-01, 1.5)", "no whole number"),
    ],
)
def test_what_is_wrong_with_a_call_is_said(text: str, message: str) -> None:
    with pytest.raises(ToolError) as caught:
        TOOLS.run(parse_call(text))
    assert message in str(caught.value)


def test_calls_are_the_same_if_they_ask_the_same() -> None:
    due = Call("calc", ("3*4-2",))
    same, other = ("calc(4*3-2)", "calc( (3*4) - 2 )"), ("calc(10)", "calc(2*4+3-1)", "calc(2-3*4)", "lookup(3*4-2)")
    assert [TOOLS.same(parse_call(text), due) for text in same] == [True, True]
    assert [TOOLS.same(parse_call(text), due) for text in other] == [False] * len(other)


def test_a_session_has_a_budget_and_every_attempt_counts() -> None:
    session = Session(TOOLS, max_calls=2)
    with pytest.raises(ToolError, match="written"):
        session.use("hm")
    assert session.use("calc(1+1)") == "2"
    with pytest.raises(ToolError, match="no calls are left"):
        session.use("calc(1+1)")


def test_a_result_is_not_endless() -> None:
    long = Toolbox((lookup_tool({"all": "x" * 201}),))
    with pytest.raises(ToolError, match="longer than 200"):
        long.run(Call("lookup", ("all",)))

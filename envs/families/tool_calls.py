"""Tool use in two turns: write the right call, then use its result.

The environment carries out whatever call the policy writes and passes on the result, right or not, or the error. What
is due in the end is the true answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache, partial
from math import prod

from envs.chance import digits, pick, scatter
from envs.families.tool_phrasings import PHRASINGS
from envs.families.words import NAMES, WORDS
from envs.family import Family, Level
from envs.speech_phrasings import LANGUAGES
from envs.task import Dialog, Kind, Question, Task, Transcript
from envs.tools import (
    CALCULATOR,
    CONVERTER,
    DATE_ADDER,
    DAY_COUNTER,
    UNITS,
    Call,
    Session,
    Tool,
    Toolbox,
    ToolError,
    lookup_tool,
    parse_call,
    weekday_tool,
)
from envs.verdicts import verdict

MAX_CALLS = 2  # a wrong call may be repeated once
PLAIN_TOOLS = (CALCULATOR, CONVERTER, DATE_ADDER, DAY_COUNTER)
UNIT_PAIRS = tuple(  # a larger unit and a smaller one
    (unit, wanted)
    for unit, (quantity, size) in UNITS.items()
    for wanted, (other, other_size) in UNITS.items()
    if quantity == other and size > other_size
)
FIRST_DAY = date(2024, 1, 1)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a user wants to know, and the call that finds it. `kind` is that of the final answer."""

    text: str
    call: Call
    kind: Kind


def sums(task: Task, choices: Sequence[int]) -> Errand:
    a, b, operator = choices
    expression = f"{a + 2}{'+-*'[operator]}{b + 2}"
    if task.level > 0:
        numbers = range(12, 99) if task.level == 1 else range(123, 987)
        a, b, c = (pick(numbers, task.seed, place) for place in "abc")
        expression = pick((f"{a}*{b}", f"{a}*({b}+{c})", f"{a}*{b}-{c}"), task.seed, "form")
    text = PHRASINGS[task.language].calculate.format(expression=expression)
    return Errand(text, Call("calc", (expression,)), "integer")


def numbers_of(task: Task, choices: Sequence[int]) -> Errand:
    name = NAMES[choices[0]]
    return Errand(PHRASINGS[task.language].extension.format(name=name), Call("lookup", (name,)), "integer")


def units(task: Task, choices: Sequence[int]) -> Errand:
    """From a larger unit to a smaller one, so that the result is whole."""
    amount, place = choices
    unit, wanted = UNIT_PAIRS[place]
    value = amount + 2 if task.level == 0 else pick(range(11, 10 ** (task.level + 1)), task.seed, "value")
    text = PHRASINGS[task.language].convert.format(value=value, unit=unit, wanted=wanted)
    return Errand(text, Call("convert", (str(value), unit, wanted)), "integer")


def dates(task: Task, choices: Sequence[int]) -> Errand:
    """The weekday of a date; from level 1 on also sums and differences of dates."""
    phrasings, seed = PHRASINGS[task.language], task.seed
    day = FIRST_DAY + timedelta(days=choices[0])
    form = "weekday" if task.level == 0 else pick(("weekday", "later", "between"), seed, "form")
    days = pick(range(2, 10 ** (task.level + 1)), seed, "days")
    if form == "weekday":
        return Errand(phrasings.weekday.format(day=day), Call("weekday", (str(day),)), "choice")
    if form == "later":
        return Errand(phrasings.later.format(days=days, day=day), Call("add_days", (str(day), str(days))), "exact")
    last = day + timedelta(days=days)
    call = Call("days_between", (str(day), str(last)))
    return Errand(phrasings.between.format(first=day, last=last), call, "integer")


@lru_cache(256)
def toolbox(task: Task, names: tuple[str, ...]) -> Toolbox:
    """The tools of these names. The numbers that `lookup` finds are drawn for the task: nobody can know them."""

    def tool(name: str) -> Tool:
        match name:
            case "lookup":
                entries = {name: str(pick(range(100, 1000), task.seed, name)) for name in NAMES}
                return lookup_tool(entries, parameter="name")
            case "weekday":
                return weekday_tool(WORDS[task.language].weekdays)
        return next(tool for tool in PLAIN_TOOLS if tool.name == name)

    return Toolbox(tuple(map(tool, names)))


class ToolDialog:
    """A `Dialog` that asks for a call, carries it out, and asks for the answer.

    After a call that fails it tells the error and asks once more; after a second one it asks for the answer all the
    same.
    """

    def __init__(self, errand: Errand, tools: Toolbox, language: str) -> None:
        self.errand = errand
        self.session = Session(tools, MAX_CALLS)
        self.phrasings = PHRASINGS[language]
        self.answer = tools.run(errand.call)
        self.done = False

    def open(self) -> Question:
        usages = ", ".join(self.session.toolbox.usages)
        return self._want_call(f"{self.phrasings.use.format(usages=usages)} {self.errand.text}")

    def reply(self, answer: str) -> Question | None:
        if self.done:
            return None
        try:
            result = self.session.use(answer)
        except ToolError as error:
            text = self.phrasings.error.format(error=error, question=self.errand.text)
            return self._want_call(text) if self.session.calls_left else self._want_answer(text)
        return self._want_answer(self.phrasings.result.format(result=result, question=self.errand.text))

    def _want_call(self, text: str) -> Question:
        return Question(text, kind="call", oracle=str(self.errand.call))

    def _want_answer(self, text: str) -> Question:
        self.done = True
        return Question(text, self.answer, self.errand.kind)


def errands(
    name: str,
    description: str,
    tools: tuple[tuple[str, ...], ...],
    choices: tuple[int, ...],
    errand: Callable[[Task, Sequence[int]], Errand],
) -> Family:
    """A family of errands.

    Args:
        tools: level -> the names of the tools on offer.
        choices: how many values each choice has that makes up an opening of level 0.
    """
    size = prod(choices)

    def start(task: Task, number: int) -> Dialog:
        chosen = errand(task, digits(scatter(number, size), *choices))
        return ToolDialog(chosen, toolbox(task, tools[task.level]), task.language)

    levels = (Level(start, lambda language: size, is_varied=level > 0) for level in range(len(tools)))
    return Family(name, "tools", description, tuple(levels), LANGUAGES, partial(judge, tools))


def judge(tools: tuple[tuple[str, ...], ...], transcript: Transcript) -> float:
    """A call is right if it is the due one, however it is written."""
    turn, task = transcript.last, transcript.task
    if turn.question.kind != "call":
        return verdict(transcript)
    try:
        call = parse_call(turn.answer)
    except ToolError:
        return 0.0
    return float(toolbox(task, tools[task.level]).same(call, parse_call(turn.question.demonstration)))


ALL = ("calc", "lookup", "convert", "weekday", "add_days", "days_between")
CALENDAR = ("weekday", "add_days", "days_between")

SCENARIOS = (
    errands(
        "tool-calculator",
        "A calculation to be passed to a calculator, and its result to the user.",
        (("calc",), ("calc",), ALL),
        (8, 8, 3),
        sums,
    ),
    errands(
        "tool-lookup",
        "Somebody's number to be looked up: it differs in every dialog.",
        (("lookup",), ("lookup", "calc"), ALL),
        (len(NAMES),),
        numbers_of,
    ),
    errands(
        "tool-units",
        "A length, mass, volume or time to be converted into a smaller unit.",
        (("convert",), ("convert", "calc"), ALL),
        (8, len(UNIT_PAIRS)),
        units,
    ),
    errands(
        "tool-calendar",
        "Weekdays, later dates and numbers of days to be taken from a calendar.",
        (("weekday",), CALENDAR, ALL),
        (366,),
        dates,
    ),
)

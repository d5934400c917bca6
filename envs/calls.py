"""Calls within an answer: the policy writes `<calc>12*(3+4)</calc>`, reads `<out>84</out>`, and goes on in that turn.

The run offers these tools (`rollout.tools`), whatever the scenario, and the user hears nothing of it: what a tool gave
is context that the policy never learns to write. The families of `envs/families/tool_calls.py` are another thing: there
the scenario offers tools, a call is a whole answer, and its result comes with the next question.
"""

import re
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal, get_args

from envs.algebra import Algebra
from envs.task import ERROR, Question, ToolUse
from envs.tools import MAX_CALL_LENGTH, MAX_RESULT_LENGTH, ToolError, calculate

ToolName = Literal["calculator", "algebra"]
TOOL_NAMES: tuple[ToolName, ...] = get_args(ToolName)
TAGS: dict[ToolName, str] = {"calculator": "calc", "algebra": "algebra"}
EXAMPLES = {
    "calculator": ToolUse("calc", "12*(3+4)", "84"),
    "algebra": ToolUse("algebra", "solve(2*x = 6, x)", "3"),
}
OUTPUT = re.compile(r"<out>.*?</out>", re.DOTALL)  # in an answer: what the policy read and did not write


@dataclass(frozen=True, slots=True)
class Call:
    """A call at the end of what was written, with what stands before it, and behind it in the token that closed it."""

    before: str
    tool: str
    expression: str
    after: str


def announcement(tools: Sequence[ToolName]) -> str:
    """What a policy is told of its tools, at the start of a dialog."""
    return "Tools: " + " ".join(str(EXAMPLES[name]) for name in tools)


def markers(tools: Sequence[ToolName]) -> tuple[str, ...]:
    """All marks of calls and outputs, none without tools; a tokenizer of our own makes each of them a token."""
    if not tools:
        return ()
    return (*(mark for name in tools for mark in (f"<{TAGS[name]}>", closing(name))), "<out>", "</out>")


def closing(tool: ToolName) -> str:
    return f"</{TAGS[tool]}>"


def find_call(text: str, tools: Sequence[ToolName]) -> Call | None:
    """The call whose closing mark is the last thing in `text`, or nearly; None where there is none, or it never opened.

    Example: `find_call("So <calc>1+1</calc>", ("calculator",)) == Call("So ", "calc", "1+1", "")`
    """
    for name in tools:
        head, closed, after = text.rpartition(closing(name))
        before, opened, expression = head.rpartition(f"<{TAGS[name]}>")
        if closed and opened:
            return Call(before, TAGS[name], expression, after)
    return None


def demonstrate(question: Question, tools: Sequence[ToolName]) -> str:
    """The question's own demonstration, after a call of the calculator where it names a calculation."""
    if not question.calculation or "calculator" not in tools:
        return question.demonstration
    use = ToolUse(TAGS["calculator"], question.calculation, calculate(question.calculation))
    return f"{use}{question.demonstration}"


class CallRunner:
    """Carries out calls. The calculator answers at once, algebra from a process of its own, one call at a time.

    Example: `CallRunner(("calculator",), timeout_seconds=2.0).run("calc", "1/0").result() == "error: division by zero"`
    """

    def __init__(self, tools: Sequence[ToolName], timeout_seconds: float) -> None:
        self._tools = {TAGS[name] for name in tools}
        self._algebra = Algebra(timeout_seconds)
        self._thread: ThreadPoolExecutor | None = None

    def run(self, tool: str, expression: str) -> Future[str]:
        """What the policy is to read: a result, or `ERROR` and why there is none."""
        assert tool in self._tools
        if tool == TAGS["calculator"]:
            done: Future[str] = Future()
            done.set_result(_output(calculate, expression))
            return done
        self._thread = self._thread or ThreadPoolExecutor(1, "algebra")
        return self._thread.submit(_output, self._algebra.run, expression)

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown()
        self._algebra.close()


def _output(run: Callable[[str], str], expression: str) -> str:
    try:
        if not expression.strip():
            raise ToolError("there is nothing to work out")
        if len(expression) > MAX_CALL_LENGTH:
            raise ToolError(f"a call has at most {MAX_CALL_LENGTH} characters")
        result = run(expression.strip())
        if len(result) > MAX_RESULT_LENGTH:
            raise ToolError(f"the result is longer than {MAX_RESULT_LENGTH} characters")
    except ToolError as error:
        return f"{ERROR}{error}"
    return result

"""Does the policy use its tools well, where it calls them within an answer (see `envs/calls.py`)?

All abstain where there is no call. None of them pays for calling as such: what a call is good for, `answer.correct`
says.
"""

import re
from fractions import Fraction

from envs.answers import decimal_text
from envs.task import ToolUse, Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import bare

_OPEN = re.compile(r"</?(?:calc|algebra|out)>")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def well_formed(transcript: Transcript) -> float | None:
    """calls that were read as calls / those and all marks of calls and outputs that are left over in the answer"""
    turn = transcript.last
    stray = len(_OPEN.findall(turn.answer))
    number = len(turn.tool_uses) + stray
    return len(turn.tool_uses) / number if number else None


def no_errors(transcript: Transcript) -> float | None:
    """Share of the calls that gave a result."""
    uses = transcript.last.tool_uses
    return sum(not use.is_error for use in uses) / len(uses) if uses else None


def used(transcript: Transcript) -> float | None:
    """Whether the answer says what the last call gave."""
    turn = transcript.last
    results = [use for use in turn.tool_uses if not use.is_error]
    if not results:
        return None
    last, said = results[-1], turn.answer[results[-1].position :]
    if _number(last.output) is not None:
        return float(_number(last.output) in map(_number, re.findall(r"-?[0-9]+(?:[./][0-9]+)?", said)))
    return float(f" {bare(last.output)} " in f" {bare(said)} ")


def needed(transcript: Transcript) -> float | None:
    """Share of the calls that ask something new: not what an earlier call asked, and more than its own result."""
    uses = transcript.last.tool_uses
    if not uses:
        return None
    asked = [_pressed(use.call) for use in uses]
    return sum(
        call not in asked[:index] and call != _pressed(use.output)
        for index, (call, use) in enumerate(zip(asked, uses, strict=True))
    ) / len(uses)


def from_question(transcript: Transcript) -> float | None:
    """Share of the numbers in the calls that the dialog has mentioned before, or an earlier call has given."""
    turn = transcript.last
    if not turn.tool_uses:
        return None
    said = [text for earlier in transcript.turns[:-1] for text in (earlier.question.text, earlier.text)]
    known = set(_numbers(" ".join([*said, turn.question.text])))
    given: list[bool] = []
    for use in turn.tool_uses:
        given += [number in known for number in _numbers(use.call)]
        known |= set(_numbers(use.output))
    return sum(given) / len(given) if given else None


def _numbers(text: str) -> list[str]:
    """Without their signs, which in a calculation may be operators."""
    return [decimal_text(Fraction(number)) for number in _NUMBER.findall(text) if len(number) <= 40]


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text) if len(text) <= 80 else None
    except (ValueError, ZeroDivisionError):
        return None


def _pressed(text: str) -> str:
    return "".join(text.split())


def _example(answer: str, *uses: ToolUse) -> Transcript:
    return example("What is 12*34?", answer, expected="408", kind="integer", tool_uses=uses)


_RIGHT = ToolUse("calc", "12*34", "408")

DIMENSIONS = (
    Dimension(
        "tools.well_formed",
        "tools",
        "Calls are opened and closed, and the marks of calls occur nowhere else.",
        well_formed,
        passes=_example("408", _RIGHT),
        fails=_example("<calc>12*34"),
    ),
    Dimension(
        "tools.no_errors",
        "tools",
        "Share of the calls that gave a result and no error.",
        no_errors,
        passes=_example("408", _RIGHT),
        fails=_example("408", ToolUse("calc", "12x34", "error: only numbers are known")),
    ),
    Dimension(
        "tools.used",
        "tools",
        "The answer says what the last call gave.",
        used,
        passes=_example("408", _RIGHT),
        fails=_example("418", _RIGHT),
    ),
    Dimension(
        "tools.needed",
        "tools",
        "Calls ask something new: no repetition, and no number that is its own result.",
        needed,
        passes=_example("408", _RIGHT),
        fails=_example("408", ToolUse("calc", "408", "408")),
    ),
    Dimension(
        "tools.from_question",
        "tools",
        "The numbers in the calls are those of the dialog, or come from earlier calls.",
        from_question,
        passes=_example("408", _RIGHT),
        fails=_example("432", ToolUse("calc", "12*36", "432")),
    ),
)

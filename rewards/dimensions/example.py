"""Short transcripts that show what a dimension means."""

from envs.task import Constraint, FinishReason, Kind, Question, Task, ToolUse, Transcript, Turn


def example(
    question: str,
    answer: str,
    *,
    expected: str | None = None,
    kind: Kind = "text",
    finish: FinishReason = "stop",
    num_tokens: int | None = None,
    language: str = "en",
    earlier: Transcript | None = None,
    constraints: tuple[Constraint, ...] = (),
    tool_uses: tuple[ToolUse, ...] = (),
) -> Transcript:
    """A dialog whose last turn is this one; `earlier` holds the turns before it.

    Example: `example("3 + 4 = ?", "7", expected="7", kind="integer")`
    """
    if num_tokens is None:
        num_tokens = len(answer) // 4 + 1
    turn = Turn(Question(question, expected, kind, constraints=constraints), answer, finish, num_tokens, tool_uses)
    return Transcript(Task("example", language, 0, 0), (*(earlier.turns if earlier else ()), turn))


def sum_of_3_and_4(answer: str, *, finish: FinishReason = "stop") -> Transcript:
    """An answer to the simplest arithmetic task."""
    return example("3 + 4 = ?", answer, expected="7", kind="integer", finish=finish)

"""Does the answer fit into the dialog so far?"""

from fractions import Fraction

from envs.task import Transcript, Turn
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import NUMERIC_KINDS, SHORT_KINDS, last_number, trigrams


def no_echo_of_question(transcript: Transcript) -> float | None:
    """1 - the share of the answer's three-word sequences that the question holds too."""
    turn = transcript.last
    said = trigrams(turn.answer)
    if not said:
        return None
    asked = set(trigrams(turn.question.text))
    return 1.0 - sum(trigram in asked for trigram in said) / len(said)


def consistent_with_earlier(transcript: Transcript) -> float | None:
    """Share of the earlier turns with this very question that were answered the same."""
    last = transcript.last
    earlier = [turn for turn in transcript.turns[:-1] if turn.question.text == last.question.text]
    if not earlier or last.question.kind not in (*SHORT_KINDS, *NUMERIC_KINDS):
        return None  # a free text may well be put differently the second time
    return sum(_gist(turn) == _gist(last) for turn in earlier) / len(earlier)


def _gist(turn: Turn) -> str | Fraction | None:
    return last_number(turn.answer) if turn.question.kind == "number" else turn.answer.strip().casefold()


_EARLIER = example("3 + 4 = ?", "7", kind="integer")

DIMENSIONS = (
    Dimension(
        "context.no_echo_of_question",
        "context",
        "The answer says something instead of copying the question.",
        no_echo_of_question,
        passes=example("Which city is the capital of Italy?", "It is Rome, on the Tiber."),
        fails=example("Which city is the capital of Italy?", "Which city is the capital of Italy?"),
    ),
    Dimension(
        "context.consistent_with_earlier",
        "context",
        "A question asked again gets the answer that it got before.",
        consistent_with_earlier,
        passes=example("3 + 4 = ?", "7", kind="integer", earlier=_EARLIER),
        fails=example("3 + 4 = ?", "8", kind="integer", earlier=_EARLIER),
    ),
)

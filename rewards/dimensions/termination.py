"""Does the answer come to an end of its own accord?"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.reading import words

SENTENCE_ENDS = tuple(".!?…。！？؟।։።")
CLOSERS = "\"'”’»)]}*_ \n\t"
MIN_WORDS = 4  # a shorter answer need not be a sentence


def ended(transcript: Transcript) -> float:
    return float(transcript.last.finish == "stop")


def complete_sentence(transcript: Transcript) -> float | None:
    turn = transcript.last
    if turn.question.kind != "text" or len(words(turn.answer)) < MIN_WORDS or transcript.task.language == "th":
        return None  # Thai sentences end in a space
    return float(turn.answer.rstrip(CLOSERS).endswith(SENTENCE_ENDS))


DIMENSIONS = (
    Dimension(
        "termination.ended",
        "termination",
        "The policy ended the answer itself; no limit cut it off.",
        ended,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7", finish="length"),
    ),
    Dimension(
        "termination.complete_sentence",
        "termination",
        "A text of several words ends like a sentence.",
        complete_sentence,
        passes=example("Where is Rome?", "Rome is in Italy."),
        fails=example("Where is Rome?", "Rome is in Italy and the"),
    ),
)

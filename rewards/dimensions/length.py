"""Is the answer as long as it needs to be?"""

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.prose import NOT_PROSE, falling, prose, uses
from rewards.reading import SHORT_KINDS, words

ENOUGH_CHARACTERS = 400  # for a free text, a paragraph
ENOUGH_CHARACTERS_SHORT = 4  # for a number or a choice whose right answer is shorter or unknown
BUDGET_TOKENS = 256
BUDGET_TOKENS_SHORT = 16
DETAIL_WORDS = 20  # that an explanation takes
GROWTH = (3.0, 12.0)  # times the longest earlier answer: still natural, and out of hand
SHORTEST_REFERENCE = 12  # words; from a shorter earlier answer, any length can follow

_CALLS_FOR_DETAIL = (
    *("explain", "describe", "tell me about", "why", "how do", "how does", "how can", "write a story", "write about"),
    *("erkläre", "beschreibe", "erzähl", "warum", "wieso", "explique", "décris", "raconte", "pourquoi"),
    *("explica", "describe", "cuéntame", "por qué", "spiega", "descrivi", "racconta", "perché"),
)


def concise(transcript: Transcript) -> float | None:
    """min(1, allowance / length): an answer of twice the length that is due gets one half."""
    turn = transcript.last
    length = len(turn.answer.strip())
    if not length:
        return None
    enough = ENOUGH_CHARACTERS_SHORT if turn.question.kind in SHORT_KINDS else ENOUGH_CHARACTERS
    allowance = max(enough, len(turn.question.answer or ""))
    return min(1.0, allowance / length)


def detailed(transcript: Transcript) -> float | None:
    """min(1, words / `DETAIL_WORDS`), where the question calls for an explanation or a description."""
    question = transcript.last.question
    if question.kind in NOT_PROSE or not uses(prose(question.text), _CALLS_FOR_DETAIL):
        return None
    return min(1.0, len(words(transcript.last.answer)) / DETAIL_WORDS)


def like_the_right_answer(transcript: Transcript) -> float | None:
    """shorter / longer of the answer and the right one, in words, where the right one is a sentence."""
    expected = transcript.last.question.demonstration
    if transcript.last.question.kind in NOT_PROSE or len(words(expected)) < 4:
        return None
    given, due = len(words(transcript.last.answer)), len(words(expected))
    return min(given, due) / max(given, due)


def steady(transcript: Transcript) -> float | None:
    earlier = [len(words(turn.answer)) for turn in transcript.turns[:-1]]
    if not earlier:
        return None
    reference = max(SHORTEST_REFERENCE, *earlier)
    return falling(len(words(transcript.last.answer)) / reference, *GROWTH)


def within_budget(transcript: Transcript) -> float:
    """1 up to the budget, then linearly down to 0 at twice the budget (soft overlong punishment, DAPO, eq. 13)."""
    turn = transcript.last
    budget = BUDGET_TOKENS_SHORT if turn.question.kind in SHORT_KINDS else BUDGET_TOKENS
    return min(1.0, max(0.0, 2.0 - turn.num_tokens / budget))


DIMENSIONS = (
    Dimension(
        "length.concise",
        "length",
        "The answer is not longer, in characters, than its kind of question calls for.",
        concise,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("777 777 777"),
    ),
    Dimension(
        "length.within_budget",
        "length",
        "The answer stays within the tokens that its kind of question calls for.",
        within_budget,
        passes=example("Name a colour.", "Red.", num_tokens=3),
        fails=example("Name a colour.", "Red or blue " * 120, num_tokens=400),
    ),
    Dimension(
        "length.detailed",
        "length",
        "A question that calls for an explanation or a description gets more than a few words.",
        detailed,
        passes=example(
            "Explain why the sky is blue.",
            "Sunlight holds all colours, and the air scatters the blue part of it far more than the red one, so that "
            "blue reaches us from everywhere.",
        ),
        fails=example("Explain why the sky is blue.", "Because of air."),
    ),
    Dimension(
        "length.like_the_right_answer",
        "length",
        "A text is about as long as the right answer.",
        like_the_right_answer,
        passes=example("Where is Rome?", "Rome is in the middle of Italy.", expected="It lies in central Italy."),
        fails=example("Where is Rome?", "Italy.", expected="It lies in central Italy."),
    ),
    Dimension(
        "length.steady",
        "length",
        "The answer is not many times longer than the earlier ones of the dialog.",
        steady,
        passes=example("And Paris?", "It is in France.", earlier=example("Where is Rome?", "It is in Italy.")),
        fails=example("And Paris?", "It is in France. " * 30, earlier=example("Where is Rome?", "It is in Italy.")),
    ),
)

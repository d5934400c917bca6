"""Does the answer know how sure it may be? What it says of its confidence, against whether it is right."""

import re
from functools import lru_cache
from statistics import fmean

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.dimensions.phrases import phrase_list
from rewards.prose import count_phrases, prose, uses
from rewards.reading import MEMORY, NUMERIC_KINDS, bare, expected_number, numbers_inside

LANGUAGES = ("en",)
ASKS = ("how sure", "how certain", "how confident", "your confidence", "probability that you")
CERTAIN = phrase_list(
    "definitely, certainly, undoubtedly, without a doubt, no doubt, i am certain, i'm certain, i am sure, i'm sure, "
    "absolutely sure, absolutely certain, for sure"
)
DOUBTFUL = ("maybe", "perhaps", "i guess", "not sure", "unsure", "might be", "could be", "i am uncertain")
SURE_FROM, DOUBT_TO = 0.8, 0.7  # what the words mean in numbers: certain from one on, doubtful up to the other

_CONFIDENCE = re.compile(
    r"(?:confidence(?: is| of)?:?|sure:|certain:)\s{0,2}(\d{1,3}(?:\.\d{1,4})?) ?%"
    r"|(\d{1,3}(?:\.\d{1,4})?) ?% (?:sure|certain|confident|confidence)",
    re.IGNORECASE,
)


@lru_cache(MEMORY)
def confidences(text: str) -> tuple[float, ...]:
    """The confidences that a text states, in [0, 1]: "80% sure" and "confidence: 80%" are 0.8."""
    stated = (float(before or after) / 100.0 for before, after in _CONFIDENCE.findall(prose(text)))
    return tuple(value for value in stated if value <= 1.0)


def is_right(transcript: Transcript) -> bool | None:
    """Whether the answer, its confidence aside, names what is due; None where there is no single right answer."""
    turn = transcript.last
    if not turn.question.answer:
        return None
    said = _CONFIDENCE.sub("", turn.answer)
    if turn.question.kind in NUMERIC_KINDS:
        return expected_number(turn.question) in numbers_inside(said)
    return f" {bare(turn.question.answer)} " in f" {bare(said)} "


def states_confidence(transcript: Transcript) -> float | None:
    """Where the question asks for it, whether the answer puts its confidence in percent."""
    if not uses(prose(transcript.last.question.text), ASKS):
        return None
    return float(bool(confidences(transcript.last.answer)))


def brier(transcript: Transcript) -> float | None:
    """1 - (confidence - right)^2, right being 0 or 1 (Brier 1950): in expectation best for an honest confidence."""
    stated, right = confidences(transcript.last.answer), is_right(transcript)
    return 1.0 - (stated[-1] - right) ** 2 if stated and right is not None else None


def no_certain_error(transcript: Transcript) -> float | None:
    """Of the wrong answers that hold a word: 0 for those that call themselves certain."""
    text = prose(transcript.last.answer)
    if is_right(transcript) is not False or not bare(text) or transcript.task.language not in LANGUAGES:
        return None
    return float(not uses(text, CERTAIN) or uses(text, DOUBTFUL))


def no_idle_doubt(transcript: Transcript) -> float | None:
    """1 / (1 + words of doubt) in a right answer"""
    if not is_right(transcript) or transcript.task.language not in LANGUAGES:
        return None
    return 1.0 / (1.0 + count_phrases(prose(transcript.last.answer), DOUBTFUL))


def one_confidence(transcript: Transcript) -> float | None:
    """1 - (highest - lowest) of two or more stated confidences"""
    stated = confidences(transcript.last.answer)
    return 1.0 - (max(stated) - min(stated)) if len(stated) >= 2 else None


def words_fit_number(transcript: Transcript) -> float | None:
    """1 - how far the number lies outside what the words of certainty or doubt beside it mean."""
    text = prose(transcript.last.answer)
    stated = confidences(transcript.last.answer)
    doubtful, certain = uses(text, DOUBTFUL), uses(text, CERTAIN)
    if not stated or doubtful == certain:
        return None
    mean = fmean(stated)
    return 1.0 - max(0.0, mean - DOUBT_TO if doubtful else SURE_FROM - mean)


def _sum(answer: str) -> Transcript:
    return example("What is 17 + 26? How sure are you?", answer, expected=str(17 + 26), kind="number")


DIMENSIONS = tuple(
    Dimension(
        f"calibration.{name}",
        "calibration",
        description,
        score,
        passes=_sum(passes),
        fails=_sum(fails),
        languages=LANGUAGES,
    )
    for name, description, score, passes, fails in (
        (
            "states_confidence",
            "A question for the confidence is answered in percent.",
            states_confidence,
            "I am 90% sure that it is 43.",
            "It is 43.",
        ),
        (
            "brier",
            "The stated confidence is high in a right answer and low in a wrong one, by the Brier score.",
            brier,
            "Confidence: 90%. It is 43.",
            "Confidence: 90%. It is 44.",
        ),
        (
            "no_certain_error",
            "A wrong answer does not call itself certain.",
            no_certain_error,
            "It is perhaps 44.",
            "It is definitely 44.",
        ),
        (
            "no_idle_doubt",
            "A right answer does not doubt itself.",
            no_idle_doubt,
            "It is 43.",
            "I guess that it might be 43.",
        ),
        (
            "one_confidence",
            "Confidence that is stated twice is the same.",
            one_confidence,
            "Confidence: 80%. I am 80% sure that it is 43.",
            "Confidence: 10%. I am 80% sure that it is 43.",
        ),
        (
            "words_fit_number",
            "Words of certainty or doubt agree with the confidence in percent.",
            words_fit_number,
            "I am not sure, but it is 43. Confidence: 60%.",
            "I am not sure, but it is 43. Confidence: 100%.",
        ),
    )
)

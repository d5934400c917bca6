"""How right an answer is, by the kind of question: what scenarios with a known answer share."""

import re
import unicodedata

from envs.answers import plain
from envs.task import Question, Transcript

_WORD = re.compile(r"[^\W_]+")
_EDGES = " \t\n.,;:!?\"'“”„«»…¿¡"


def verdict(transcript: Transcript) -> float:
    """Success of the last turn, 0 to 1; an answer that was cut off has none."""
    turn = transcript.last
    return agreement(turn.answer, turn.question) if turn.finish == "stop" else 0.0


def agreement(answer: str, question: Question) -> float:
    """How far an answer agrees with what is due.

    By kind: "integer" and "exact" must be equal but for white space around; "slots" counts the values in their places,
    "list" the items in any order; "choice" with a constraint "one_of" wants one of these named, in a sentence or alone,
    and none of "none_of"; all else must be equal but for case and the punctuation around it.
    """
    due = question.demonstration
    match question.kind:
        case "integer" | "exact":
            return float(plain(answer) == due)
        case "slots":
            return in_place(items(answer), items(due))
        case "list":
            return in_common(items(answer), items(due))
        case "choice" if any(constraint.name == "one_of" for constraint in question.constraints):
            return float(len(named(answer, question)) == 1)
    return float(fold(answer) == fold(due))


def fold(text: str) -> str:
    """For comparing: composed letters in lower case, without white space and punctuation around."""
    return unicodedata.normalize("NFC", text).strip(_EDGES).casefold()


def items(text: str) -> list[str]:
    """What stands between commas, folded."""
    return [fold(item) for item in text.split(",")]


def in_place(given: list[str], due: list[str]) -> float:
    """Share of the values that stand in their places; 0 where there are more or fewer than due."""
    return sum(a == b for a, b in zip(given, due, strict=True)) / len(due) if len(given) == len(due) else 0.0


def in_common(given: list[str], due: list[str]) -> float:
    """F1 of two lists without regard to order: 2 * common / (given + due)."""
    left, common = list(due), 0
    for item in given:
        if item in left:
            left.remove(item)
            common += 1
    return 2 * common / (len(given) + len(due))


def mentioned(answer: str, names: list[str]) -> list[str]:
    """The names, each a word, that an answer holds."""
    spoken = set(_WORD.findall(fold(answer)))
    return [name for name in names if fold(name) in spoken]


def named(answer: str, question: Question) -> list[str]:
    """Which of the options the answer names; none where it names a forbidden one too."""
    values = {constraint.name: str(constraint.value).split("|") for constraint in question.constraints}
    if mentioned(answer, values.get("none_of", [])):
        return []
    return mentioned(answer, values["one_of"])

"""Is the answer written in the form that was due?"""

import re

from envs.answers import plain
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.reading import NUMERIC_KINDS, SHORT_KINDS, is_bare_number

# Control characters but for tab, line feed and carriage return; surrogates, private use, the replacement character.
_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ue000-\uf8ff\ufffd-\uffff]")
_DIGIT = re.compile(r"[0-9]")
_SIGN = re.compile(r"-[0-9]")
_POINT = re.compile(r"[0-9]\.[0-9]")
_ROLE_MARK = re.compile(
    r"<\|[\w ]{1,30}\|>|\[/?INST\]|^[ \t]*(?:user|assistant|system|human)\s*:", re.IGNORECASE | re.MULTILINE
)

_MARKUP = re.compile(r"\*\*|__|`|^#{1,6}\s|^\s*[-*+•]\s|\[[^\]\n]{1,99}\]\(|^\|", re.MULTILINE)


def nonempty(transcript: Transcript) -> float:
    return float(bool(transcript.last.answer.strip()))


def valid_text(transcript: Transcript) -> float | None:
    text = transcript.last.answer
    return 1.0 - len(_INVALID.findall(text)) / len(text) if text else None


def number_only(transcript: Transcript) -> float | None:
    kind = transcript.last.question.kind
    if kind not in NUMERIC_KINDS:
        return None
    return float(is_bare_number(transcript.last.answer, kind))


def number_characters(transcript: Transcript) -> float | None:
    kind = transcript.last.question.kind
    if kind not in NUMERIC_KINDS:
        return None
    body = plain(transcript.last.answer)
    if not body:
        return 0.0
    sign = _SIGN.match(body) is not None
    point = kind == "number" and _POINT.search(body) is not None
    return (len(_DIGIT.findall(body)) + sign + point) / len(body)


def no_role_marks(transcript: Transcript) -> float | None:
    text = transcript.last.answer
    return float(_ROLE_MARK.search(text) is None) if text.strip() else None


def no_markup_in_short(transcript: Transcript) -> float | None:
    turn = transcript.last
    if turn.question.kind not in SHORT_KINDS or not turn.answer.strip():
        return None
    return float(_MARKUP.search(turn.answer) is None)


DIMENSIONS = (
    Dimension(
        "format.nonempty",
        "format",
        "There is an answer: more than white space.",
        nonempty,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("  "),
    ),
    Dimension(
        "format.valid_text",
        "format",
        "Share of characters that are text, rather than control or replacement characters.",
        valid_text,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7\ufffd\x07"),
    ),
    Dimension(
        "format.number_only",
        "format",
        "A numeric question is answered with a number and nothing else.",
        number_only,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("It is 7"),
    ),
    Dimension(
        "format.number_characters",
        "format",
        "Share of the characters of a numeric answer that can belong to a number.",
        number_characters,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7 I say"),
    ),
    Dimension(
        "format.no_role_marks",
        "format",
        "The answer speaks for itself only: no chat template marks, no line of another speaker.",
        no_role_marks,
        passes=example("Where is Rome?", "In Italy."),
        fails=example("Where is Rome?", "In Italy.\nUser: And Paris?"),
    ),
    Dimension(
        "format.no_markup_in_short",
        "format",
        "A number or a choice comes without any markup.",
        no_markup_in_short,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("**7**"),
    ),
)

"""Does the answer keep to the protocol of a dialog: think first, answer once, no chatter around, no loose ends?"""

import re

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example, sum_of_3_and_4
from rewards.reading import NUMERIC_KINDS, SHORT_KINDS, bare, words

MAX_THOUGHT_SHARE = 0.9  # of the characters, before an answer counts as drowned
BEGINNING = 60  # characters in which a preamble is looked for
END = 120
MAX_CHARACTERS = 4000  # of a text that is searched for broken letters

_BOX = "\\boxed{"
_PREAMBLE = re.compile(
    r"\W{0,3}(?:sure\b|of course\b|certainly\b|absolutely\b|great question|good question|as an ai\b|i'?d be happy to"
    r"|here(?: i|')s (?:the|your|an?)\b|natürlich\b|selbstverständlich\b|gerne?\b[!,]|gute frage|als ki\b|hier ist\b"
    r"|bien sûr\b|certainement\b|bonne question|avec plaisir|en tant qu'ia\b|voici\b"
    r"|claro\b[!,. ]|por supuesto\b|buena pregunta|con gusto\b|como ia\b|aquí (?:está|tienes)\b)",
    re.IGNORECASE,
)
_OFFER = re.compile(
    r"let me know\b|hope (?:this|that) helps|feel free to|anything else\b|happy to help"
    r"|lass es mich wissen|hoffe,? das hilft|sonst noch etwas|melde dich gern"
    r"|n'hésite[zs]? pas|j'espère que (?:cela|ça)|autre chose\s*\?"
    r"|espero que (?:esto|te|le) |no dudes en|algo más\s*\?|avísame",
    re.IGNORECASE,
)
_LOOSE_END = re.compile(
    r"lorem ipsum|\bTODO\b|\bFIXME\b|\bTBD\b|\bXXX+\b|\[(?:insert|your|add|name here|ihr|dein|votre)\b[^\]\n]{0,60}\]"
    r"|\{\{?[a-z_]{2,30}\}\}?|<(?:your|insert)[^>\n]{0,60}>|\bundefined\b|\bNaN\b|\[object Object\]",
    re.IGNORECASE,
)
_ESCAPE = re.compile(
    r"\\[nt](?![a-z])|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|&(?:[a-z]{2,8}|#[0-9]{1,6});|%[0-9A-F]{2}%", re.IGNORECASE
)
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")
_FINAL_MARK = re.compile(
    r"####|\\boxed\{|\b(?:the (?:final )?answer is|final answer"
    r"|die antwort (?:ist|lautet)|la réponse est|la respuesta es)\b",
    re.IGNORECASE,
)


def think_first(transcript: Transcript) -> float | None:
    """A third each: the thought opens the answer, there is one, and it is closed."""
    text = transcript.last.answer.strip()
    if "<think>" not in text and "</think>" not in text:
        return None
    once = text.count("<think>") == 1 == text.count("</think>")
    return (text.startswith("<think>") + once + (0 <= text.find("<think>") < text.rfind("</think>"))) / 3


def answer_after_thought(transcript: Transcript) -> float | None:
    """1 if something is said after the thought; falling where the thought is more than nine tenths."""
    text = transcript.last.answer
    if "<think>" not in text:
        return None
    said = text.rpartition("</think>")[2].strip() if "</think>" in text else ""
    return min(1.0, len(said) / len(text.strip()) / (1.0 - MAX_THOUGHT_SHARE))


def one_final_answer(transcript: Transcript) -> float | None:
    """1 / number of marks that announce the final answer"""
    number = len(_FINAL_MARK.findall(transcript.last.answer))
    return 1.0 / number if number else None


def final_answer_last(transcript: Transcript) -> float | None:
    """How far down the last mark of a final answer stands, by lines: 1 for the last line."""
    text = transcript.last.answer.rstrip()
    marks = list(_FINAL_MARK.finditer(text))
    if not marks:
        return None
    after = text[marks[-1].end() :].count("\n")
    return 1.0 / (1.0 + after)


def box_filled(transcript: Transcript) -> float | None:
    """Share of the boxes that are closed and hold something."""
    parts = transcript.last.answer.split(_BOX)[1:]
    if not parts:
        return None
    return sum("}" in part and part.partition("}")[0].strip() != "" for part in parts) / len(parts)


def no_preamble(transcript: Transcript) -> float | None:
    text = transcript.last.answer.strip()[:BEGINNING]
    return float(_PREAMBLE.match(text) is None) if len(words(text)) > 1 else None


def no_closing_offer(transcript: Transcript) -> float | None:
    text = transcript.last.answer.strip()
    return float(_OFFER.search(text[-END:]) is None) if len(words(text[-END:])) > 2 else None


def no_loose_ends(transcript: Transcript) -> float | None:
    """1 / (1 + places that were left to be filled in)"""
    text = transcript.last.answer
    if not text.strip() or any(
        constraint.name == "placeholders" for constraint in transcript.last.question.constraints
    ):
        return None
    return 1.0 / (1.0 + len(_LOOSE_END.findall(text)))


def no_escapes(transcript: Transcript) -> float | None:
    """1 / (1 + escape sequences shown instead of their characters); code and LaTeX are left alone."""
    text = transcript.last.answer
    if not text.strip() or "```" in text or "$" in text or "\\(" in text:
        return None
    return 1.0 / (1.0 + len(_ESCAPE.findall(text)))


def no_mojibake(transcript: Transcript) -> float | None:
    """1 / (1 + places where UTF-8 was read as something else, by ftfy); only of texts beyond ASCII."""
    text = transcript.last.answer[:MAX_CHARACTERS]
    if text.isascii():
        return None
    from ftfy.badness import badness

    return 1.0 / (1.0 + badness(text))


def no_invisible(transcript: Transcript) -> float | None:
    """1 / (1 + invisible characters); only of texts beyond ASCII."""
    text = transcript.last.answer
    return None if text.isascii() else 1.0 / (1.0 + len(_INVISIBLE.findall(text)))


def trimmed(transcript: Transcript) -> float | None:
    """Share of the characters that are not white space around the answer."""
    text = transcript.last.answer
    return len(text.strip()) / len(text) if text else None


def one_line(transcript: Transcript) -> float | None:
    """For a number or a choice: 1 / lines"""
    turn = transcript.last
    if turn.question.kind not in SHORT_KINDS or not turn.answer.strip():
        return None
    return 1.0 / len(turn.answer.strip().splitlines())


def number_stands_out(transcript: Transcript) -> float | None:
    """A worked answer ends in a short line: 40 characters / length of the last line, at most 1."""
    turn = transcript.last
    lines = turn.answer.strip().splitlines()
    if turn.question.kind not in NUMERIC_KINDS or len(lines) < 2:
        return None
    return min(1.0, 40 / max(len(lines[-1]), 1))


def no_question_first(transcript: Transcript) -> float | None:
    """The answer does not begin by saying the question over again."""
    turn = transcript.last
    asked, said = bare(turn.question.text), bare(turn.answer)
    if len(asked) < 12 or not said or any(constraint.name == "repeats" for constraint in turn.question.constraints):
        return None
    return float(not said.startswith(asked))


def _rome(answer: str) -> Transcript:
    return example("Where is Rome?", answer)


DIMENSIONS = (
    Dimension(
        "protocol.think_first",
        "protocol",
        "A thought opens the answer, there is one, and it is closed.",
        think_first,
        passes=_rome("<think>Not in Spain.</think>In Italy."),
        fails=_rome("In Italy.<think>Not in Spain."),
    ),
    Dimension(
        "protocol.answer_after_thought",
        "protocol",
        "After the thought something is said, and it is not drowned by the thought.",
        answer_after_thought,
        passes=_rome("<think>Not in Spain.</think>In Italy."),
        fails=_rome("<think>Not in Spain.</think>"),
    ),
    Dimension(
        "protocol.one_final_answer",
        "protocol",
        "The final answer is announced once.",
        one_final_answer,
        passes=sum_of_3_and_4("The answer is 7."),
        fails=sum_of_3_and_4("The answer is 7. The answer is 8."),
    ),
    Dimension(
        "protocol.final_answer_last",
        "protocol",
        "Nothing but the final answer comes after its announcement.",
        final_answer_last,
        passes=sum_of_3_and_4("I add.\n#### 7"),
        fails=sum_of_3_and_4("#### 7\nI add.\nThat is all."),
    ),
    Dimension(
        "protocol.box_filled",
        "protocol",
        "Share of the boxes that are closed and hold something.",
        box_filled,
        passes=sum_of_3_and_4("\\boxed{7}"),
        fails=sum_of_3_and_4("\\boxed{}"),
    ),
    Dimension(
        "protocol.no_preamble",
        "protocol",
        "The answer begins with its matter, not with 'Sure!' or praise of the question.",
        no_preamble,
        passes=_rome("It is in Italy."),
        fails=_rome("Sure! It is in Italy."),
    ),
    Dimension(
        "protocol.no_closing_offer",
        "protocol",
        "The answer ends with its matter, not with an offer of more help.",
        no_closing_offer,
        passes=_rome("It is in Italy."),
        fails=_rome("It is in Italy. Let me know if you need more."),
    ),
    Dimension(
        "protocol.no_question_first",
        "protocol",
        "The answer does not begin by saying the question over again.",
        no_question_first,
        passes=_rome("It is in Italy."),
        fails=_rome("Where is Rome? It is in Italy."),
    ),
    Dimension(
        "protocol.number_stands_out",
        "protocol",
        "An answer of several lines ends in a short one that gives the number.",
        number_stands_out,
        passes=sum_of_3_and_4("I add 3 and 4.\n7"),
        fails=sum_of_3_and_4("Let me see.\nI add 3 and 4, which makes 7, if I am not wrong about it."),
    ),
    Dimension(
        "format.no_loose_ends",
        "format",
        "No place is left to be filled in, such as [your name] or TODO.",
        no_loose_ends,
        passes=_rome("In Italy."),
        fails=_rome("In [insert country]."),
    ),
    Dimension(
        "format.no_escapes",
        "format",
        "Characters are written themselves, not as escape sequences.",
        no_escapes,
        passes=_rome("In Italy, near the sea & hills."),
        fails=_rome("In Italy, near the sea &amp; hills.\\n"),
    ),
    Dimension(
        "format.no_mojibake",
        "format",
        "Letters beyond ASCII are whole: no UTF-8 that was read as something else.",
        no_mojibake,
        passes=_rome("Près de la mer, en été."),
        fails=_rome("PrÃ¨s de la mer, en Ã©tÃ©."),
    ),
    Dimension(
        "format.no_invisible",
        "format",
        "The text holds no invisible characters.",
        no_invisible,
        passes=_rome("Près de la mer."),
        fails=_rome("Près\u200b de la\u200b mer."),
    ),
    Dimension(
        "format.trimmed",
        "format",
        "There is no white space around the answer.",
        trimmed,
        passes=_rome("In Italy."),
        fails=_rome("\n\n  In Italy.  \n"),
    ),
    Dimension(
        "format.one_line",
        "format",
        "A number or a choice is given on one line.",
        one_line,
        passes=sum_of_3_and_4("7"),
        fails=sum_of_3_and_4("7\n7"),
    ),
)

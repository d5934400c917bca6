"""Is what a dialog has settled kept: its language, form, subject and demands, and the way to address each other?"""

import re
from collections.abc import Iterable
from functools import lru_cache

from envs.constraints import degree
from envs.prose import bullets, is_json, main_language, numbered
from envs.task import Constraint, Transcript
from rewards.dimension import Dimension
from rewards.dimensions.context_facts import MAX_CHARACTERS, said_before
from rewards.dimensions.example import example
from rewards.equations import steps
from rewards.reading import MEMORY, NUMERIC_KINDS, bare, last_number, words

MIN_CONTENT = 5  # letters of a word that says what a text is about

_LASTING = ("language", "all_lower", "all_upper", "avoids", "no_commas", "no_digits", "without_letter")
_CASE = {"all_lower", "all_upper"}
_SHORTER = re.compile(r"\b(?:shorter|kürzer|plus court|abrège|más corto|acorta)", re.IGNORECASE)
_ADDRESS = {  # close, and polite
    "de": (r"\b(?:du|dich|dir|deine?[mnrs]?)\b", r"(?<=[a-zäöüß,] )(?:Sie|Ihnen|Ihre?[mnrs]?)\b"),
    "fr": (r"\b(?:[Tt]u|[Tt]oi|[Tt]on|[Tt]es)\b|\b[Tt]'", r"\b(?:[Vv]ous|[Vv]otre|[Vv]os)\b"),
    "es": (r"\b(?:[Tt]ú|ti|[Tt]us?|contigo)\b", r"\b[Uu]sted(?:es)?\b"),
}


def demands_kept(transcript: Transcript) -> float | None:
    """The mean degree to which lasting demands of earlier questions are met that this one does not replace."""
    last = transcript.last
    new = {constraint.name for constraint in last.question.constraints}
    new |= _CASE if new & _CASE else set()
    lasting = {
        constraint: degree(constraint, last.answer)
        for turn in transcript.turns[:-1]
        for constraint in turn.question.constraints
        if constraint.name in _LASTING and constraint.name not in new
    }
    return sum(lasting.values()) / len(lasting) if lasting else None


@lru_cache(MEMORY)
def _language(text: str) -> str | None:
    return main_language(text[:MAX_CHARACTERS])


def language_kept(transcript: Transcript) -> float | None:
    """Share of the earlier answers that are in the language of this one, as far as both can be told."""
    said = _language(transcript.last.answer)
    earlier = [language for turn in transcript.turns[:-1] if (language := _language(turn.answer)) is not None]
    return sum(language == said for language in earlier) / len(earlier) if earlier and said else None


def form_kept(transcript: Transcript) -> float | None:
    """Share of the earlier answers to questions of this kind that have the form of this one."""
    last = transcript.last
    earlier = [_form(turn.answer) for turn in transcript.turns[:-1] if turn.question.kind == last.question.kind]
    if not earlier or last.question.constraints:
        return None
    return sum(form == _form(last.answer) for form in earlier) / len(earlier)


@lru_cache(MEMORY)
def _form(text: str) -> str:
    if bullets(text) or numbered(text):
        return "list"
    if text.lstrip().startswith(("{", "[")) and is_json(text):
        return "json"
    number = len(words(text))
    return "nothing" if not number else "word" if number == 1 else "phrase" if number < 5 else "prose"


def answers_newest(transcript: Transcript) -> float | None:
    """0 if the answer is the right one to an earlier question and not to this one, else 1."""
    last = transcript.last
    due = [turn.question.answer for turn in transcript.turns[:-1] if turn.question.answer is not None]
    if not due or last.question.answer is None or not last.answer.strip():
        return None
    said = bare(last.answer)
    return float(said == bare(last.question.answer) or said not in map(bare, due))


def mends(transcript: Transcript) -> float | None:
    """Asked the same again, a wrong answer is changed."""
    if len(transcript.turns) < 2:
        return None
    before, last = transcript.turns[-2:]
    again = before.question.text in last.question.text and before.question.answer == last.question.answer
    if not again or last.question.answer is None or bare(before.answer) == bare(last.question.answer):
        return None
    return float(bare(before.answer) != bare(last.answer))


def topic_kept(transcript: Transcript) -> float | None:
    """From the second turn on: a text shares a longer word with what was said before."""
    turn = transcript.last
    said = _content(words(turn.answer))
    if len(transcript.turns) < 2 or turn.question.kind != "text" or not said:
        return None
    return float(not said.isdisjoint(_content(words(said_before(transcript)))))


def _content(spoken: Iterable[str]) -> frozenset[str]:
    return frozenset(word for word in spoken if len(word) >= MIN_CONTENT)


def shorter_when_asked(transcript: Transcript) -> float | None:
    """Asked for something shorter: 1 from a fifth shorter on, 0 where it is not shorter at all."""
    if len(transcript.turns) < 2 or _SHORTER.search(transcript.last.question.text) is None:
        return None
    before, now = (len(words(turn.answer)) for turn in transcript.turns[-2:])
    return min(1.0, max(0.0, 5.0 * (before - now) / before)) if before and now else None


def address_kept(transcript: Transcript) -> float | None:
    """Share of the words of address that are of the user's kind: du or Sie, tu or vous, tú or usted."""
    forms = _ADDRESS.get(transcript.task.language)
    if forms is None:
        return None
    asked = [len(re.findall(form, transcript.last.question.text)) for form in forms]
    said = [len(re.findall(form, transcript.last.answer[:MAX_CHARACTERS])) for form in forms]
    if not sum(said) or asked[0] == asked[1]:
        return None
    return said[asked[1] > asked[0]] / sum(said)


def result_carried(transcript: Transcript) -> float | None:
    """A worked answer to a follow-up calculates with the number of the answer before."""
    if len(transcript.turns) < 2 or transcript.last.question.kind not in NUMERIC_KINDS:
        return None
    before, last = transcript.turns[-2:]
    stated, number = steps(last.answer), last_number(before.answer)
    return float(any(number in step.operands for step in stated)) if stated and number is not None else None


def _rome(answer: str, question: str = "Tell me about Rome.", earlier: Transcript | None = None) -> Transcript:
    return example(question, answer, earlier=earlier)


def _sum(answer: str, question: str, expected: str, earlier: Transcript | None = None) -> Transcript:
    return example(question, answer, expected=expected, kind="integer", earlier=earlier)


_SMALL = example("Write in small letters.", "in italy", constraints=(Constraint("all_lower"),))
_EIGHT = _sum("8", "3 + 4 = ?", "7")
_HELLO = "Kannst du mir sagen, wo Rom liegt?"

DIMENSIONS = (
    Dimension(
        "context.demands_kept",
        "context",
        "Lasting demands of earlier questions, such as small letters only, are still met.",
        demands_kept,
        passes=_rome("it is old", "And how old?", _SMALL),
        fails=_rome("It is OLD", "And how old?", _SMALL),
    ),
    Dimension(
        "context.language_kept",
        "context",
        "The answer is in the language of the earlier answers.",
        language_kept,
        passes=_rome("It is in the south.", earlier=_rome("It is in Italy.")),
        fails=_rome("Das ist nicht der Norden.", earlier=_rome("It is in Italy.")),
    ),
    Dimension(
        "context.form_kept",
        "context",
        "The answer has the form of earlier answers to such questions: a word, a list, prose.",
        form_kept,
        passes=_rome("Paris", "And of France?", _rome("Rome", "The capital of Italy?")),
        fails=_rome("- Paris\n- Lyon", "And of France?", _rome("Rome", "The capital of Italy?")),
    ),
    Dimension(
        "context.answers_newest",
        "context",
        "The answer is to the newest question, not to an earlier one.",
        answers_newest,
        passes=_sum("9", "And plus 2?", "9", _sum("7", "3 + 4 = ?", "7")),
        fails=_sum("7", "And plus 2?", "9", _sum("7", "3 + 4 = ?", "7")),
    ),
    Dimension(
        "context.mends",
        "context",
        "A wrong answer is changed when the same is asked again.",
        mends,
        passes=_sum("6", "Pardon? 3 + 4 = ?", "7", _EIGHT),
        fails=_sum("8", "Pardon? 3 + 4 = ?", "7", _EIGHT),
    ),
    Dimension(
        "context.topic_kept",
        "context",
        "A text goes on with something that the dialog spoke of.",
        topic_kept,
        passes=_rome("The river is long.", "And more?", _rome("It is on a river.")),
        fails=_rome("Bananas grow slowly.", "And more?", _rome("It is on a river.")),
    ),
    Dimension(
        "context.shorter_when_asked",
        "context",
        "Asked for something shorter, the answer is.",
        shorter_when_asked,
        passes=_rome("In Italy.", "Shorter, please.", _rome("It is in the middle of Italy.")),
        fails=_rome("It is in the very middle of Italy.", "Shorter, please.", _rome("It is in Italy.")),
    ),
    Dimension(
        "context.address_kept",
        "context",
        "The user is addressed as the user addresses: du or Sie, tu or vous, tú or usted.",
        address_kept,
        passes=example(_HELLO, "Wenn du willst, zeige ich dir eine Karte.", language="de"),
        fails=example(_HELLO, "Wenn Sie wollen, zeige ich Ihnen eine Karte.", language="de"),
        languages=tuple(_ADDRESS),
    ),
    Dimension(
        "context.result_carried",
        "context",
        "A worked answer to a follow-up calculates with the answer before.",
        result_carried,
        passes=_sum("7 + 2 = 9", "And plus 2?", "9", _sum("7", "3 + 4 = ?", "7")),
        fails=_sum("4 + 5 = 9", "And plus 2?", "9", _sum("7", "3 + 4 = ?", "7")),
    ),
)

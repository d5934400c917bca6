"""Does the answer set marks as its language does? What is right in one language is wrong in the next: « Oui ! »"""

import re

from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.prose import prose, read_prose, sentences
from rewards.reading import letters, word_set, words

FREE_ROW = 24.0  # words without a mark

_LATIN = tuple(sorted(word_set("ca cs da de en es fi fr hr hu id it nl no pl pt ro sk sl sv tr")))
_WIDE = ("ja", "zh")

# The sentence marks of a language; any other mark of the whole set is foreign to it.
_MARKS = {
    **dict.fromkeys((*_LATIN, "ru", "uk", "bg", "mk", "vi", "he", "ko", "ta"), ".,!?;"),
    **dict.fromkeys(_WIDE, "。，、！？；"),
    **dict.fromkeys(("ar", "fa", "ur"), ".،!؟؛۔"),
    **dict.fromkeys(("hi", "mr", "ne", "bn"), "।,!?;."),
    "el": ".,!;·",
}
_ANY_MARK = re.compile(r"[.,!?;](?=\s|$)|[。，、！？；،؟؛۔।·]")

_QUOTES = {
    **dict.fromkeys(("en", "nl", "pt", "hi", "ko", "tr", "id", "vi"), '“”‘’"'),
    **dict.fromkeys(("de", "cs", "sk", "bg", "sl"), '„“‚‘»«"'),
    **dict.fromkeys(("pl", "hu", "ro", "hr"), '„”»«"'),
    **dict.fromkeys(("fr", "es", "it", "ru", "uk", "el", "ca", "ar", "fa"), '«»“”„"'),
    **dict.fromkeys(("sv", "fi", "da", "no"), '”»«"'),
    "ja": "「」『』",
    "zh": "“”‘’「」《》",
}
_ANY_QUOTE = re.compile(r"[“”„‚«»\"「」『』《》]|‘(?=\w)")

_ANY_BREAK = re.compile(r"[^\w\s'’-]|\n")
_MARK_AFTER_SPACE = re.compile(r"\s[,.](?=\s|$)|\s[!?;:](?=\s|$)")
_MARK_AFTER_WORD = re.compile(r"\w[\"”')]?[!?;:,.](?=\s|$)")
_FRENCH_SPACED = re.compile(r"[\w\"»)][ \u00a0\u202f][!?;:](?=\s|$)|\w[,.](?=\s|$)")
_FRENCH_WRONG = re.compile(r"\w[!?;:](?=\s|$)|\s[,.](?=\s|$)")

_ASKING = {
    "en": word_set("who what when where why how which whose"),
    "de": word_set("wer was wann wo warum wie welche welcher welches wieso woher"),
    "fr": word_set("qui quand où pourquoi comment quel quelle combien"),
    "es": word_set("quién qué cuándo dónde cómo cuál cuánto cuánta"),
    "nl": word_set("wie wat wanneer waar waarom hoe welke"),
}


def own_marks(transcript: Transcript) -> float | None:
    """Share of sentence marks that are those of the language."""
    own = _MARKS.get(transcript.task.language)
    text = prose(transcript.last.answer)
    if own is None or len(letters(text)) < 4:
        return None
    found = _ANY_MARK.findall(text)
    return sum(mark in own for mark in found) / len(found) if found else None


def own_quotes(transcript: Transcript) -> float | None:
    """Share of quotation marks that are usual in the language."""
    own = _QUOTES.get(transcript.task.language)
    if own is None:
        return None
    found = _ANY_QUOTE.findall(prose(transcript.last.answer))
    return sum(mark in own for mark in found) / len(found) if found else None


def inverted_marks(transcript: Transcript) -> float | None:
    """Spanish only: 1 - the difference of opening and closing marks, by kind, / all of them."""
    if transcript.task.language != "es":
        return None
    text = prose(transcript.last.answer)
    counts = [(text.count("¿"), text.count("?")), (text.count("¡"), text.count("!"))]
    total = sum(map(sum, counts))
    return 1.0 - sum(abs(opening - closing) for opening, closing in counts) / total if total else None


def mark_spacing(transcript: Transcript) -> float | None:
    """Share of marks with the space before them that is due: French has one before ! ? ; :, others have none."""
    language = transcript.task.language
    if language not in _LATIN:
        return None
    text = prose(transcript.last.answer)
    right, wrong = (_FRENCH_SPACED, _FRENCH_WRONG) if language == "fr" else (_MARK_AFTER_WORD, _MARK_AFTER_SPACE)
    num_right, num_wrong = len(right.findall(text)), len(wrong.findall(text))
    return num_right / (num_right + num_wrong) if num_right + num_wrong else None


def question_marks(transcript: Transcript) -> float | None:
    """Of the short sentences that begin with a question word, the share that ends in a question mark."""
    text = read_prose(transcript, _ASKING)
    if text is None:
        return None
    asking = _ASKING[transcript.task.language]
    asked = [part for part in sentences(text) if words(part)[0] in asking and 3 <= len(words(part)) <= 10]
    return sum(part.rstrip("\"'”»)*_ ").endswith("?") for part in asked) / len(asked) if asked else None


def commas(transcript: Transcript) -> float | None:
    """min(1, `FREE_ROW` / words in the longest row without any mark)"""
    text = read_prose(transcript, (*_LATIN, "ru", "uk", "el"), min_words=12)
    if text is None:
        return None
    longest = max(len(words(part)) for part in _ANY_BREAK.split(text))
    return min(1.0, FREE_ROW / max(longest, 1))


DIMENSIONS = (
    Dimension(
        "punctuation.own_marks",
        "punctuation",
        "Sentences are divided by the marks of the task's language.",
        own_marks,
        passes=example("罗马在哪里？", "罗马在意大利。", language="zh"),
        fails=example("罗马在哪里？", "罗马在意大利.", language="zh"),
        languages=tuple(sorted(_MARKS)),
    ),
    Dimension(
        "punctuation.own_quotes",
        "punctuation",
        "Quotation marks have the form that is usual in the task's language.",
        own_quotes,
        passes=example("Wie heißt es?", "Es heißt „Haus“ oder auch „Heim“.", language="de"),
        fails=example("Wie heißt es?", "Es heißt ”Haus” oder auch 「Heim」.", language="de"),
        languages=tuple(sorted(_QUOTES)),
    ),
    Dimension(
        "punctuation.inverted_marks",
        "punctuation",
        "A Spanish question or exclamation has its mark at both ends.",
        inverted_marks,
        passes=example("Hola", "¡Hola! ¿Qué tal estás?", language="es"),
        fails=example("Hola", "Hola! Qué tal estás?", language="es"),
        languages=("es",),
    ),
    Dimension(
        "punctuation.space_before_marks",
        "punctuation",
        "Marks stand right after the word, or after a space where French wants one.",
        mark_spacing,
        passes=example("Where is Rome?", "In Italy, of course!"),
        fails=example("Where is Rome?", "In Italy , of course !"),
        languages=_LATIN,
    ),
    Dimension(
        "punctuation.question_marks",
        "punctuation",
        "A sentence that begins like a question ends in a question mark.",
        question_marks,
        passes=example("I lost it.", "What did you lose? I can help."),
        fails=example("I lost it.", "What did you lose. I can help."),
        languages=tuple(_ASKING),
    ),
    Dimension(
        "punctuation.divided",
        "punctuation",
        "A longer text is divided by marks.",
        commas,
        passes=example(
            "Where is Rome?", "Rome is in Italy. It lies on the Tiber, not far from the sea, and it is large."
        ),
        fails=example(
            "Where is Rome?",
            "Rome is in Italy it lies on the Tiber not far from the sea and it is large and old so that people come to "
            "see it from everywhere in the world",
        ),
        languages=(*_LATIN, "ru", "uk", "el"),
    ),
)

"""Does an answer speak of what was asked, and give the sort of thing that was asked for?"""

import re
from functools import lru_cache

from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.lexicon import fold
from envs.knowledge.reading import MEMORY
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.reading import words
from rewards.sense import answer_clauses, concepts_of, question_clauses, share

MIN_LETTERS = 4  # shorter words are mostly grammar
STEM = 5  # letters that the forms of a word mostly share
MIN_WORDS = 4  # a shorter answer need not repeat the question

_GRAMMAR = frozenset(
    [
        "what",
        "which",
        "when",
        "where",
        "does",
        "have",
        "that",
        "this",
        "with",
        "your",
        "from",
        "about",
        "best",
        "quelle",
        "quel",
        "combien",
        "comment",
        "faut",
        "temps",
        "pour",
        "dans",
        "avec",
        "puedo",
        "cual",
        "cuanto",
        "cuanta",
        "como",
        "donde",
        "para",
        "wann",
        "wo",
        "wie",
        "viel",
        "kann",
        "man",
        "eine",
        "einen",
        "lange",
        "could",
        "would",
        "should",
        "much",
        "many",
        "long",
        "there",
        "their",
        "they",
    ]
)
# What is asked for, by the first of these that a folded question matches.
_ASKED = tuple(
    (re.compile(pattern), wanted)
    for pattern, wanted in (
        (r"\bhow (?:hot|warm|cold)\b|temperatur|\bwie (?:heiss|warm|kalt)\b|temperature", "temperature"),
        (r"\bhow fast\b|\bwie schnell\b|\bvitesse\b|\bvelocidad\b", "speed"),
        (r"\bhow heavy\b|\bwie schwer\b|\bpese\b|\bpesa\b|weigh\b", "mass"),
        (
            r"\bhow (?:tall|high|deep|far|wide)\b|\bwie (?:gross|hoch|tief|weit|breit)\b|\bhauteur\b|\baltura\b|"
            r"\bmesure\b|\bmide\b",
            "length",
        ),
        (r"\bcosts?\b|\bkostet\b|\bcoute\b|\bcuesta\b|\bprice\b", "money"),
        (r"\bhow long (?:do|does|should|will|can)\b|\bwie lange\b|\bcombien de temps\b|\bcuanto tiempo\b", "duration"),
    )
)  # fmt: skip
_HOW_TO = re.compile(
    r"\bhow (?:do|can|should|to)\b|\bway to\b|\bwie (?:kann|geht|macht)\b|\bcomment\b|\bfacon de\b|\bcomo\b|"
    r"\bforma de\b"
)
_WHEN = re.compile(r"\bwhen\b|\bwann\b|\bquand\b|\bcuando\b")
_COUNT = re.compile(r"\bhow many\b|\bwie viele\b|\bcombien d[e']|\bcuant[oa]s\b")
_TIME = re.compile(
    r"\d|\b(?:today|tomorrow|now|monday|tuesday|wednesday|thursday|friday|saturday|sunday|morning|evening|before|after|"
    r"at (?:noon|night)|heute|morgen|jetzt|montag|freitag|abend|nach|bevor|vor|aujourd'hui|demain|lundi|matin|soir|"
    r"avant|apres|hoy|manana|ahora|lunes|noche|antes|despues|january|june|summer|winter)\b"
)


@lru_cache(MEMORY)
def _stems(text: str) -> frozenset[str]:
    spoken = (fold(word) for word in words(text[:2000]))
    return frozenset(word[:STEM] for word in spoken if len(word) >= MIN_LETTERS and word not in _GRAMMAR)


def shared_words(transcript: Transcript) -> float | None:
    """Share of the content words of the question that come up in the answer, in any form."""
    asked, said = _stems(transcript.last.question.text), _stems(transcript.last.answer)
    if transcript.task.language not in LANGUAGES or not asked or len(words(transcript.last.answer)) < MIN_WORDS:
        return None
    return len(asked & said) / len(asked)


def subject(transcript: Transcript) -> float | None:
    """Share of the things and actions asked about that are spoken of, by whatever word."""
    asked = {concept.name for concept in concepts_of(question_clauses(transcript))}
    if not asked or len(words(transcript.last.answer)) < MIN_WORDS:
        return None
    said = {concept.name for concept in concepts_of(answer_clauses(transcript))}
    return len(asked & said) / len(asked)


def measure(transcript: Transcript) -> float | None:
    """A question for a weight is answered with a weight: share of the amounts that are of the measure asked for."""
    wanted = _measure_asked(transcript.last.question.text)
    amounts = [amount for part in answer_clauses(transcript) for amount in part.amounts]
    if wanted is None or not amounts:
        return None
    return share([amount.measure == wanted for amount in amounts])


def amount_given(transcript: Transcript) -> float | None:
    """A question for an amount is answered with a number, and a question for a number with one too."""
    asked = transcript.last.question.text
    if transcript.task.language not in LANGUAGES or transcript.last.question.kind != "text":
        return None
    if _measure_asked(asked) is None and not _COUNT.search(fold(asked[:2000])):
        return None
    parts = answer_clauses(transcript)
    return float(any(part.amounts for part in parts) or any(word[0].isdigit() for part in parts for word in part.words))


@lru_cache(MEMORY)
def _measure_asked(question: str) -> str | None:
    folded = fold(question[:2000])
    return next((wanted for pattern, wanted in _ASKED if pattern.search(folded)), None)


def time_given(transcript: Transcript) -> float | None:
    """ "When" is answered with a time."""
    if transcript.task.language not in LANGUAGES or not _WHEN.search(fold(transcript.last.question.text[:2000])):
        return None
    return float(_TIME.search(fold(transcript.last.answer[:2000])) is not None)


def place_given(transcript: Transcript) -> float | None:
    """A question with "where" is answered with a place: something that is in, on or under another."""
    parts = answer_clauses(transcript)
    if not parts or not re.search(
        r"\bwhere\b|\bwo\b|\bou\b(?= )|\bdonde\b", fold(transcript.last.question.text[:2000])
    ):
        return None
    known = [part for part in parts if part.mentions]
    return share([bool(part.concepts("place")) for part in known])


def instructs(transcript: Transcript) -> float | None:
    """ "How do I" is answered with things to do: share of the sentences that name an action."""
    parts = answer_clauses(transcript)
    if not parts or not _HOW_TO.search(fold(transcript.last.question.text[:2000])):
        return None
    return share([bool(part.concepts("action")) for part in parts])


_HEAVY = "How heavy is a cat?"

DIMENSIONS = (
    Dimension(
        "relevance.words",
        "relevance",
        "The content words of the question come up in the answer.",
        shared_words,
        passes=example("Which city is the capital of Italy?", "The capital city is called Rome."),
        fails=example("Which city is the capital of Italy?", "Bananas are a yellow kind of fruit."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.subject",
        "relevance",
        "The things and actions asked about are spoken of, by whatever word.",
        subject,
        passes=example("How do I cook eggs?", "Boil an egg for some minutes."),
        fails=example("How do I cook eggs?", "Wash the car with a sponge."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.measure",
        "relevance",
        "A question for a weight, a time or a length is answered in units of it.",
        measure,
        passes=example(_HEAVY, "It weighs 4 kilograms."),
        fails=example(_HEAVY, "It weighs 4 hours."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.amount_given",
        "relevance",
        "A question for an amount or a number is answered with one.",
        amount_given,
        passes=example(_HEAVY, "It weighs 4 kilograms."),
        fails=example(_HEAVY, "It is a nice cat."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.time_given",
        "relevance",
        "A question with when is answered with a time.",
        time_given,
        passes=example("When does it open?", "It opens on Monday."),
        fails=example("When does it open?", "It opens with a key."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.place_given",
        "relevance",
        "A question with where is answered with a place.",
        place_given,
        passes=example("Where is the milk?", "The milk is in the fridge."),
        fails=example("Where is the milk?", "The milk is cold."),
        languages=LANGUAGES,
    ),
    Dimension(
        "relevance.instructs",
        "relevance",
        "A question how to do something is answered with things to do.",
        instructs,
        passes=example("How do I clean a window?", "Wash it. Dry it."),
        fails=example("How do I clean a window?", "Windows are nice. Windows are made of glass."),
        languages=LANGUAGES,
    ),
)

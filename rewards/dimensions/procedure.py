"""Are the steps of an answer in an order that works, and, where the question is about a known procedure, its steps?

The first ones know general order only (open before close). The last three look the procedure up by what the question
asks for, and abstain on others; `rewards/absurd.py` leaves them out.
"""

import re
from functools import cache, lru_cache
from itertools import combinations

from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.lexicon import fold
from envs.knowledge.matching import matched_steps, procedure_amounts
from envs.knowledge.procedures import PROCEDURES, Procedure
from envs.knowledge.reading import MEMORY
from envs.knowledge.sanity import PREREQUISITES
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.sense import answer_clauses, share

MAX_STEPS = 40
_BEFORE = frozenset(PREREQUISITES)
_ORDINALS: dict[str, tuple[str, str, str]] = {  # opening, going on, and closing words
    "en": (r"first(?:ly)?|to begin with", r"then|next|after that", r"finally|lastly|in the end"),
    "de": (r"zuerst|zunächst|als erstes", r"dann|danach|anschließend", r"zuletzt|schließlich|zum schluss"),
    "fr": (r"d'abord|premièrement", r"puis|ensuite", r"enfin|finalement|pour finir"),
    "es": (r"primero|en primer lugar", r"luego|después|a continuación", r"por último|finalmente|al final"),
}
_RELATION = {
    "en": re.compile(r"\bbefore\b"),
    "de": re.compile(r"\bbevor\b"),
    "fr": re.compile(r"\bavant d(?:e|')"),
    "es": re.compile(r"\bantes de\b"),
}


def _steps(transcript: Transcript) -> list[tuple[str, int | None]]:
    """Name and phase of the actions, in the order in which they are told."""
    parts = answer_clauses(transcript)[:MAX_STEPS]
    return [(action.name, action.phase) for part in parts if not part.negated for action in part.concepts("action")][
        :MAX_STEPS
    ]


def phases(transcript: Transcript) -> float | None:
    """Getting ready comes first and serving last: 1 - backward / all differences of phase between any two steps."""
    told = [phase for _, phase in _steps(transcript) if phase is not None]
    differences = [later - earlier for earlier, later in combinations(told, 2)]
    size = sum(map(abs, differences))
    return 1.0 - sum(-difference for difference in differences if difference < 0) / size if size else None


def prerequisites(transcript: Transcript) -> float | None:
    """Of the pairs of steps of which one needs the other's result, the share that is in order."""
    told = list(dict.fromkeys(name for name, _ in _steps(transcript)))
    pairs = list(combinations(told, 2))
    return share([pair in _BEFORE for pair in pairs if pair in _BEFORE or (pair[1], pair[0]) in _BEFORE])


@cache
def _markers(language: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b(?:{fold(words)})\b") for words in _ORDINALS[language])


def markers(transcript: Transcript) -> float | None:
    """ "First" comes before "then" and that before "finally"."""
    if transcript.task.language not in LANGUAGES:
        return None
    text = fold(transcript.last.answer[:2000])
    positions = [[found.start() for found in marker.finditer(text)] for marker in _markers(transcript.task.language)]
    pairs = [
        earlier < later
        for first, second in combinations(positions, 2)
        for earlier in first[:1]
        for later in second[-1:]
    ]
    return share(pairs)


def before(transcript: Transcript) -> float | None:
    """Of the clauses with "before" and a known pair ("peel it before you cook it"), the share that is in order."""
    if transcript.task.language not in LANGUAGES:
        return None
    relation, holds = _RELATION[transcript.task.language], []
    for part in answer_clauses(transcript):
        found = relation.search(" ".join(part.words))
        names = [mention.concept.name for mention in part.mentions if mention.role == "action"]
        if found is None or len(names) != 2:
            continue
        pair = (names[1], names[0]) if found.start() == 0 else (names[0], names[1])
        if pair in _BEFORE or pair[::-1] in _BEFORE:
            holds.append(pair in _BEFORE)
    return share(holds)


@lru_cache(MEMORY)
def asked_procedure(question: str, language: str) -> Procedure | None:
    folded = fold(question[:2000])
    if language not in LANGUAGES:
        return None
    found = [procedure for procedure in PROCEDURES if fold(procedure.goal_in(language)) in folded]
    return max(found, key=lambda procedure: len(procedure.goal_in(language)), default=None)


def known_steps(transcript: Transcript) -> float | None:
    turn, language = transcript.last, transcript.task.language
    procedure = asked_procedure(turn.question.text, language)
    if procedure is None or turn.question.kind not in ("text", "procedure"):
        return None
    return len(matched_steps(procedure, turn.answer, language)) / len(procedure.steps)


def known_order(transcript: Transcript) -> float | None:
    turn, language = transcript.last, transcript.task.language
    procedure = asked_procedure(turn.question.text, language)
    if procedure is None:
        return None
    told = matched_steps(procedure, turn.answer, language)
    return share([procedure.in_order(earlier, later) for earlier, later in combinations(told, 2)])


def known_amounts(transcript: Transcript) -> float | None:
    turn, language = transcript.last, transcript.task.language
    procedure = asked_procedure(turn.question.text, language)
    return share(procedure_amounts(procedure, turn.answer, language)) if procedure is not None else None


_EGGS = "How do I boil eggs?"

DIMENSIONS = (
    Dimension(
        "procedure.phases",
        "procedure",
        "The answer goes from getting ready through the main thing to finishing.",
        phases,
        passes=example(_EGGS, "Buy eggs. Boil them. Serve them."),
        fails=example(_EGGS, "Serve the eggs. Boil them. Buy them."),
        languages=LANGUAGES,
    ),
    Dimension(
        "procedure.prerequisites",
        "procedure",
        "No step comes before one whose result it needs.",
        prerequisites,
        passes=example("How do I clean a cup?", "Wash it. Dry it."),
        fails=example("How do I clean a cup?", "Dry it. Wash it."),
        languages=LANGUAGES,
    ),
    Dimension(
        "procedure.markers",
        "procedure",
        "Words such as first, then and finally come in this order.",
        markers,
        passes=example(_EGGS, "First boil water, then add the eggs, finally eat them."),
        fails=example(_EGGS, "Finally boil water, then add the eggs, first eat them."),
        languages=LANGUAGES,
    ),
    Dimension(
        "procedure.before",
        "procedure",
        "What is said to come before something else can come before it.",
        before,
        passes=example("How do I clean a cup?", "Wash it before you dry it."),
        fails=example("How do I clean a cup?", "Dry it before you wash it."),
        languages=LANGUAGES,
    ),
    Dimension(
        "procedure.known_steps",
        "procedure",
        "Share of the steps of a known procedure that the answer tells.",
        known_steps,
        passes=example(_EGGS, "Put the eggs into water. Boil the eggs for 8 minutes."),
        fails=example(_EGGS, "Eggs are nice."),
        languages=LANGUAGES,
    ),
    Dimension(
        "procedure.known_order",
        "procedure",
        "Share of the pairs of steps of a known procedure that are in order.",
        known_order,
        passes=example(_EGGS, "Put the eggs into the water. Boil the eggs for 8 minutes."),
        fails=example(_EGGS, "Boil the eggs for 8 minutes. Put the eggs into the water."),
        languages=LANGUAGES,
    ),
    Dimension(
        "quantity.known_amounts",
        "quantity",
        "Share of the amounts in the steps of a known procedure that lie in its own ranges.",
        known_amounts,
        passes=example(_EGGS, "Boil the eggs for 8 minutes."),
        fails=example(_EGGS, "Boil the eggs for 40 minutes."),
        languages=LANGUAGES,
    ),
)
GENERAL = DIMENSIONS[:4]  # what knows no procedure

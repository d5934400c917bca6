"""Does an answer make sense: who does what to what, with what, and where, and does it agree with itself?

By categories (only food is eaten, only blades cut), never by whole sentences, so that it holds for what nobody listed.
Each abstains where it knows none of the words.
"""

from functools import cache, lru_cache
from itertools import combinations

from envs.knowledge.amounts import LANGUAGES
from envs.knowledge.lexicon import Concept, fold
from envs.knowledge.reading import MEMORY
from envs.knowledge.sanity import CONTENTS, DANGEROUS, OPPOSITES
from envs.task import Transcript
from rewards.dimension import Dimension
from rewards.dimensions.example import example
from rewards.sense import answer_clauses, concepts_of, question_clauses, share

MAX_CLAUSES = 40

_ALIVE = frozenset(["person", "animal"])
_OF_THE_LIVING = frozenset(["sleep", "speak", "think_act", "run", "swim", "walk"])
_INGREDIENTS = frozenset(["food", "drink", "liquid", "powder", "chemical"])
_OFTEN = frozenset(
    [
        "the",
        "a",
        "an",
        "and",
        "or",
        "is",
        "are",
        "der",
        "die",
        "das",
        "und",
        "oder",
        "ist",
        "sind",
        "ein",
        "eine",
        "le",
        "la",
        "les",
        "un",
        "une",
        "et",
        "ou",
        "est",
        "sont",
        "el",
        "los",
        "las",
        "una",
        "y",
        "o",
        "es",
        "do",
        "does",
        "it",
        "you",
        "that",
        "this",
        "man",
        "es",
        "ne",
        "il",
        "on",
        "se",
    ]
)
_DENIALS = frozenset(["not", "no", "nicht", "kein", "keine", "pas", "jamais", "nunca", "never", "nie", "ne"])


def objects(transcript: Transcript) -> float | None:
    """Of the things that something is done to, the share that this can be done to."""
    holds = []
    for part in answer_clauses(transcript):
        actions = [action for action in part.concepts("action") if action.objects]
        things = part.concepts("object")
        if len(actions) == 1 and things:
            holds.append(any(actions[0].objects & thing.categories for thing in things))
    return share(holds)


def tools(transcript: Transcript) -> float | None:
    """Of the tools, the share that can serve for an action of their clause. What is no tool may be an ingredient."""
    holds = []
    for part in answer_clauses(transcript):
        wanted = frozenset(tool for action in part.concepts("action") for tool in action.tools)
        allowed = wanted | frozenset(
            kind for action in part.concepts("action") for kind in action.objects & _INGREDIENTS
        )
        holds += [bool(allowed & tool.categories) for tool in part.concepts("tool") if wanted]
    return share(holds)


def places(transcript: Transcript) -> float | None:
    """Of the things put into a container or an appliance, the share that belongs there."""
    holds = []
    for part in answer_clauses(transcript):
        things = part.concepts("object")
        for place in part.concepts("place"):
            if place.name in CONTENTS and things:
                holds += [any(CONTENTS[place.name] & thing.categories for thing in things)]
    return share(holds)


def safe(transcript: Transcript) -> float | None:
    """No instruction brings together what must not meet; a warning may."""
    judged = [part for part in answer_clauses(transcript) if len(part.mentions) > 1]
    return share([part.negated or not _dangerous(tuple(part.concepts())) for part in judged])


@lru_cache(MEMORY)
def _dangerous(concepts: tuple[Concept, ...]) -> bool:
    said = [concept.categories for concept in concepts]
    return any(
        first in one and second in other
        for first, second in DANGEROUS
        for one in said
        for other in said
        if one is not other
    )


def earthly(transcript: Transcript) -> float | None:
    """No moon, volcano or dinosaur, unless the question is about such things."""
    said = concepts_of(answer_clauses(transcript))
    asked = concepts_of(question_clauses(transcript))
    if not said or any("fantastic" in concept.kinds for concept in asked):
        return None
    return 1.0 / (1.0 + sum("fantastic" in concept.kinds for concept in said))


def agents(transcript: Transcript) -> float | None:
    """Of what sleeps, speaks, thinks, runs or walks, the share that is alive."""
    holds = []
    for part in answer_clauses(transcript):
        for index, mention in enumerate(part.mentions[1:], 1):
            before = part.mentions[index - 1]
            if mention.concept.name in _OF_THE_LIVING and mention.position - before.position <= 2:
                holds += [] if before.concept.is_action else [bool(_ALIVE & before.concept.kinds)]
    return share(holds)


@cache
def _opposites(language: str) -> tuple[tuple[str, str], ...]:
    return tuple((fold(one), fold(other)) for one, other in OPPOSITES[language])


def opposites(transcript: Transcript) -> float | None:
    """Of the clauses that say a word and its opposite of one subject, none may do so; judged where such words occur."""
    parts = answer_clauses(transcript)[:MAX_CLAUSES]
    spoken = [(set(part.words), frozenset(concept.name for concept in part.concepts()), part.negated) for part in parts]
    judged = clashing = 0
    for one, other in _opposites(transcript.task.language) if parts else ():
        for (words, about, negated), (words_too, about_too, negated_too) in combinations(spoken, 2):
            if about and about == about_too and ({one} & words or {other} & words):
                judged += 1
                clash = (one in words and other in words_too) or (other in words and one in words_too)
                clashing += clash and not negated and not negated_too
    return 1.0 - clashing / judged if judged else None


def no_denial(transcript: Transcript) -> float | None:
    """No clause denies another one: the same content words, with "not" in one of them only."""
    parts = answer_clauses(transcript)[:MAX_CLAUSES]
    contents = [
        (
            frozenset(word for word in part.words if word not in _DENIALS and word not in _OFTEN),
            bool(_DENIALS & set(part.words)),
        )
        for part in parts
    ]
    pairs = [
        denied != denied_too
        for (content, denied), (content_too, denied_too) in combinations(contents, 2)
        if content and len(content & content_too) >= max(2, 0.75 * len(content | content_too))
    ]
    return 1.0 / (1.0 + sum(pairs)) if len(parts) > 1 else None


def fields(transcript: Transcript) -> float | None:
    """Of the things in the answer, the share that belongs to the world that most of them and the question live in."""
    said = [concept for concept in concepts_of(answer_clauses(transcript)) if concept.fields]
    asked = [concept for concept in concepts_of(question_clauses(transcript)) if concept.fields]
    votes: dict[str, int] = {}
    for concept in said + asked * 2:
        for field in sorted(concept.fields - {"any"}):
            votes[field] = votes.get(field, 0) + 1
    if len(said) < 2 or not votes:
        return None
    most = max(votes.values())
    world = {field for field, count in votes.items() if count >= 0.6 * most} | {"any"}
    return sum(bool(concept.fields & world) for concept in said) / len(said)


_CHOP = "How do I cut an onion?"

DIMENSIONS = (
    Dimension(
        "semantics.objects",
        "semantics",
        "Things are done to what they can be done to: food is peeled, screws are not.",
        objects,
        passes=example("How do I make soup?", "Peel the potatoes."),
        fails=example("How do I make soup?", "Peel the hammer."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.tools",
        "semantics",
        "Tools fit what is done with them.",
        tools,
        passes=example(_CHOP, "Cut the onion with a knife."),
        fails=example(_CHOP, "Cut the onion with a towel."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.places",
        "semantics",
        "Things are put where they belong.",
        places,
        passes=example("Where does the milk go?", "Put the milk into the fridge."),
        fails=example("Where does the milk go?", "Put the milk into the washing machine."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.safe_pairs",
        "semantics",
        "No instruction brings together what must not meet, such as metal and a microwave.",
        safe,
        passes=example("How do I warm up soup?", "Put the soup into the microwave."),
        fails=example("How do I warm up soup?", "Put the fork into the microwave."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.earthly",
        "semantics",
        "Everyday questions are answered without volcanoes and dinosaurs.",
        earthly,
        passes=example(_CHOP, "Put the onion on a plate."),
        fails=example(_CHOP, "Put the onion into a volcano."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.agents",
        "semantics",
        "Only the living sleep, speak, think and walk.",
        agents,
        passes=example("Who is tired?", "The dog sleeps."),
        fails=example("Who is tired?", "The table sleeps."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.opposites",
        "semantics",
        "Nothing is called a word and its opposite.",
        opposites,
        passes=example("Is the soup ready?", "The soup is hot. I like the hot soup."),
        fails=example("Is the soup ready?", "The soup is hot. The soup is cold."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.no_denial",
        "semantics",
        "No sentence of the answer is denied by another one.",
        no_denial,
        passes=example(_CHOP, "It takes five minutes. You need a knife."),
        fails=example(_CHOP, "You need a sharp knife. You do not need a sharp knife."),
        languages=LANGUAGES,
    ),
    Dimension(
        "semantics.fields",
        "semantics",
        "The things in an answer belong to the same part of life.",
        fields,
        passes=example(_CHOP, "Put the onion on a plate and use a knife."),
        fails=example(_CHOP, "Put the onion on a printer and use a passport."),
        languages=LANGUAGES,
    ),
)

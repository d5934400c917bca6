"""Which steps of a procedure does a text tell, in which order, and with plausible amounts?

A clause tells the step whose content words it shares most of; at least half of them. Wording, length and further
sentences are free.
"""

from functools import lru_cache

from envs.knowledge.lexicon import fold
from envs.knowledge.procedure import Procedure
from envs.knowledge.reading import MEMORY, Clause, clauses

MIN_SHARED = 0.5  # of a step's content words
MIN_LETTERS = 3
STEM = 5
TOLERANCE = 1e-9

_GRAMMAR = frozenset(
    [
        "the",
        "and",
        "for",
        "with",
        "into",
        "from",
        "der",
        "die",
        "das",
        "den",
        "dem",
        "ein",
        "eine",
        "einen",
        "einem",
        "mit",
        "und",
        "les",
        "des",
        "une",
        "avec",
        "pour",
        "dans",
        "sur",
        "los",
        "las",
        "una",
        "con",
        "del",
        "por",
        "para",
        "durante",
        "pendant",
        "its",
    ]
)


@lru_cache(MEMORY)
def told(procedure: Procedure, text: str, language: str) -> tuple[tuple[int, Clause], ...]:
    """Steps and the clauses that tell them, in the order of the text; each step once."""
    contents = [_content(clauses(step.text(language), language)) for step in procedure.steps]
    found: dict[int, Clause] = {}
    for clause in clauses(text, language):
        said = _content((clause,))
        shared = [len(content & said) / len(content) for content in contents]
        best = max(range(len(shared)), key=lambda index: (shared[index], -index))
        if shared[best] >= MIN_SHARED:
            found.setdefault(best, clause)
    return tuple(found.items())


def matched_steps(procedure: Procedure, text: str, language: str) -> list[int]:
    return [step for step, _ in told(procedure, text, language)]


def procedure_amounts(procedure: Procedure, text: str, language: str) -> list[bool]:
    """For every told step that has an amount of its own: does the text give one, in its range?"""
    holds = []
    for index, clause in told(procedure, text, language):
        step = procedure.steps[index]
        due = [amount for part in clauses(step.text(language), language) for amount in part.amounts]
        if not due or not step.high:
            continue
        low, high = step.low * due[0].factor, step.high * due[0].factor
        given = [amount for amount in clause.amounts if amount.measure == due[0].measure]
        holds.append(any(low - TOLERANCE <= amount.base <= high + TOLERANCE for amount in given))
    return holds


def success(procedure: Procedure, text: str, language: str) -> float:
    """1 for all steps, in order, with plausible amounts; otherwise the product of the three shares.

    Fewer than two told steps are no procedure: 0.
    """
    steps = matched_steps(procedure, text, language)
    if len(steps) < 2:
        return 0.0
    pairs = [(a, b) for position, a in enumerate(steps) for b in steps[position + 1 :]]
    ordered = sum(procedure.in_order(a, b) for a, b in pairs) / len(pairs)
    amounts = procedure_amounts(procedure, text, language)
    return len(steps) / len(procedure.steps) * ordered * (sum(amounts) / len(amounts) if amounts else 1.0)


def _content(parts: tuple[Clause, ...]) -> frozenset[str]:
    words = (fold(word) for part in parts for word in part.words)
    return frozenset(
        word[:STEM] for word in words if len(word) >= MIN_LETTERS and word not in _GRAMMAR and word[0].isalpha()
    )

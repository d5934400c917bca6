"""What a text claims in plain sentences: that something is so or is not, and that one thing is more than another.

In English, German, French and Spanish. Cautious on purpose: a clause that is not plainly such a claim is not read.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from rewards.reading import MEMORY, last_number, words

MAX_CHARACTERS = 2000
MAX_COMPARISONS = 20  # what follows from them grows with the cube of their number
MAX_SUBJECT, MAX_PREDICATE = 4, 6  # words

_CLAUSE_END = re.compile(
    r"[.!?;,:\n]+(?!\d)|\b(?:and|but|so|because|while|und|aber|weil|während|mais|donc|parce que|pero|porque|mientras)\b"
)
_COPULA = re.compile(
    r"(?<!\w)(?:(?P<no>isn't|aren't|wasn't|is not|are not|was not|is never|ist nicht|sind nicht|war nicht|ist keine?"
    r"|sind keine?|n'est pas|ne sont pas|n'était pas|no es|no son|no está|no era)"
    r"|is|are|was|ist|sind|war|est|sont|était|es|son|está|era)(?!\w)",
    re.IGNORECASE,
)
_ARTICLE_WORDS = "the a an der die das ein eine den le la les un une el los las una l"
_ARTICLES = frozenset(_ARTICLE_WORDS.split())
_VAGUE_WORDS = (
    "it he she they this that there what who which here i you we er sie es wir ich dies was wer da il elle ils ce ça "
    "on ella ellos eso esto que qui quien yo tú"
)
_VAGUE = frozenset(_VAGUE_WORDS.split())  # what these stand for cannot be told
_COMPARISON = re.compile(
    r"\b(?P<a>\w{1,30}) (?:is|ist|est|es) (?P<scale>\w{2,20}er|(?:more|less|plus|moins|más|menos) \w{2,20}) "
    r"(?:than|als|que) (?P<b>\w{1,30})",
    re.IGNORECASE,
)
_OPPOSITES = {
    "shorter": "taller",
    "smaller": "bigger",
    "larger": "bigger",
    "younger": "older",
    "slower": "faster",
    "lighter": "heavier",
    "cheaper": "dearer",
    "kleiner": "größer",
    "jünger": "älter",
    "langsamer": "schneller",
    "leichter": "schwerer",
    "petit": "grand",
    "petite": "grande",
    "jeune": "âgé",
    "bajo": "alto",
    "baja": "alta",
    "joven": "viejo",
}
_SAME_WAY = {"larger"}  # a second word for the same end of a scale
_NUMBERS = re.compile(
    r"(?<![\w.,])(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(<=|>=|≤|≥|<|>)\s*(-?[0-9]{1,15}(?:\.[0-9]{1,9})?)(?![\w]|[.,][0-9])"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """That `subject` is `predicate`, or is not. Both are words in lower case without articles."""

    subject: tuple[str, ...]
    predicate: tuple[str, ...]
    affirmed: bool

    def denies(self, other: "Claim") -> bool:
        return self.affirmed != other.affirmed and self.subject == other.subject and self.predicate == other.predicate


@lru_cache(MEMORY)
def claims(text: str) -> tuple[Claim, ...]:
    """The plain claims of a text; questions make none."""
    if _COPULA.search(text) is None:
        return ()
    stated = re.sub(r"[^.!?\n]{0,300}\?", "", text[:MAX_CHARACTERS])
    found = (_claim(clause) for clause in _CLAUSE_END.split(stated))
    return tuple(claim for claim in found if claim is not None)


def _claim(clause: str) -> Claim | None:
    for copula in _COPULA.finditer(clause):
        subject, predicate = _core(clause[: copula.start()]), _core(clause[copula.end() :])
        if subject:
            plain = len(subject) <= MAX_SUBJECT and 0 < len(predicate) <= MAX_PREDICATE
            return Claim(subject, predicate, copula["no"] is None) if plain and not _VAGUE & {subject[0]} else None
    return None


def _core(text: str) -> tuple[str, ...]:
    return tuple(word for word in words(text) if word not in _ARTICLES)


def denials(said: Iterable[Claim], before: Iterable[Claim]) -> int:
    """How many of the claims said deny one of those before."""
    earlier = tuple(before)
    return sum(any(claim.denies(other) for other in earlier) for claim in said)


@lru_cache(MEMORY)
def values(text: str) -> dict[tuple[str, ...], frozenset[Fraction]]:
    """The numbers that each subject is said to be."""
    stated: dict[tuple[str, ...], frozenset[Fraction]] = {}
    for claim in claims(text):
        number = last_number(" ".join(claim.predicate[:1])) if claim.affirmed else None
        if number is not None:
            stated[claim.subject] = stated.get(claim.subject, frozenset()) | {number}
    return stated


@lru_cache(MEMORY)
def comparisons(text: str) -> frozenset[tuple[str, str, str]]:
    """(scale, more, less) of each comparison: "Anna is taller than Ben" gives ("taller", "anna", "ben")."""
    if " than " not in text and " als " not in text and " que " not in text:
        return frozenset()
    found = islice(_COMPARISON.finditer(text[:MAX_CHARACTERS]), MAX_COMPARISONS)
    return frozenset(_ordered(match) for match in found)


def _ordered(match: re.Match[str]) -> tuple[str, str, str]:
    degree, _, adjective = match["scale"].lower().rpartition(" ")
    scale = _OPPOSITES.get(adjective, adjective)
    turned = (scale != adjective and adjective not in _SAME_WAY) != (degree in ("less", "moins", "menos"))
    first, second = match["a"].lower(), match["b"].lower()
    return (scale, second, first) if turned else (scale, first, second)


def closure(pairs: Iterable[tuple[str, str, str]]) -> frozenset[tuple[str, str, str]]:
    """All that follows from comparisons by going on from one to the next."""
    known = set(pairs)
    while True:
        new = {(s, a, d) for s, a, b in known for t, c, d in known if s == t and b == c} - known
        if not new:
            return frozenset(known)
        known |= new


@lru_cache(MEMORY)
def inequalities(text: str) -> tuple[bool, ...]:
    """Whether each inequality between two numbers holds: "3 < 5" does."""
    if "<" not in text and ">" not in text and "≤" not in text and "≥" not in text:
        return ()
    return tuple(_holds(Fraction(a), sign, Fraction(b)) for a, sign, b in _NUMBERS.findall(text[:MAX_CHARACTERS]))


def _holds(a: Fraction, sign: str, b: Fraction) -> bool:
    if a == b:
        return sign in ("<=", ">=", "≤", "≥")
    return (a < b) == (sign in ("<", "<=", "≤"))

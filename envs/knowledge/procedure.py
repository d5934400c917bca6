"""What a procedure is: its goal and its steps in order, each in every language, with marks for what may be exchanged.

Marks in the text of a step: `[the eggs]` an object, `<a knife>` a tool, `(in the fridge)` a place, `{8 minutes}` an
amount.
"""

import re
from dataclasses import dataclass

from envs.knowledge.amounts import LANGUAGES

MARKS = {"object": re.compile(r"\[([^]]*)\]"), "tool": re.compile(r"<([^>]*)>"), "place": re.compile(r"\(([^)]*)\)")}
AMOUNT = re.compile(r"\{(\d+(?:[.,]\d+)?) ?([^}]*)\}")  # the number and its unit
_MARK = re.compile(r"[\[\]<>(){}]")

Lines = tuple[str, str, str, str]  # one text for each of LANGUAGES


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction. `low` and `high` bound its amount, in the unit of its text."""

    lines: Lines
    low: float = 0.0
    high: float = 0.0

    def marked(self, language: str) -> str:
        return self.lines[LANGUAGES.index(language)]

    def text(self, language: str) -> str:
        return plain_text(self.marked(language))


@dataclass(frozen=True, slots=True)
class Procedure:
    """How something is done.

    Attributes:
        goal: as it stands in "How do I ...?".
        steps: in their order.
        free: pairs of steps, by index, that may change places.
        forbidden: names of things that have no place in it.
    """

    name: str
    domain: str
    goal: Lines
    steps: tuple[Step, ...]
    free: tuple[tuple[int, int], ...] = ()
    forbidden: tuple[str, ...] = ()

    def goal_in(self, language: str) -> str:
        return self.goal[LANGUAGES.index(language)]

    def in_order(self, earlier: int, later: int) -> bool:
        """May step `earlier` come before step `later`?"""
        return earlier < later or (later, earlier) in self.free


def plain_text(marked: str) -> str:
    """The text without its marks."""
    return _MARK.sub("", marked)


def step(en: str, de: str, fr: str, es: str, low: float = 0.0, high: float = 0.0) -> Step:
    return Step((en, de, fr, es), low, high)

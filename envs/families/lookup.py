"""Scenarios that are a table of facts and a wording: what to ask about is looked up, and so is the answer.

Each level lists its facts. The wordings come from `wordings.py`, by language. A dialog asks one fact, then whatever
the level says follows from it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from envs.answers import plain
from envs.chance import pick, scatter
from envs.families.wordings import wordings
from envs.languages import CODES
from envs.matching import same_words
from envs.task import Constraint, Dialog, Question, Task, Transcript
from envs.users import SimulatedUser

MAX_LISTED = 10_000  # openings; levels with more are drawn from, not listed


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to ask.

    Attributes:
        ask: which wordings ask it, a key of `wordings.WORDINGS`.
        x, y: fill the places `{x}` and `{y}` of a wording.
        kind: "text": the words count, not their case, spaces and stops; "list": numbers in order, whatever is
            between them; "integer", "notation": every character counts.
    """

    ask: str
    x: str
    answer: str
    y: str = ""
    kind: str = "text"


class Facts(Protocol):
    """A tuple of facts, or anything that works like one."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Fact: ...


@dataclass(frozen=True, slots=True)
class Computed:
    """Facts too many to keep: `fact` makes another one of each number below `num_facts`."""

    num_facts: int
    fact: Callable[[int], Fact]

    def __len__(self) -> int:
        return self.num_facts

    def __getitem__(self, index: int, /) -> Fact:
        return self.fact(index)


def nothing_more(language: str, opening: Fact, seed: int) -> tuple[Fact, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Level:
    """What one level asks.

    Attributes:
        facts: language -> what may open a dialog, all with the same `ask`.
        follow_ups: language, opening, seed -> what is asked after it.
        num_wordings: how many of the language's wordings open a dialog; None: all.
        closed: nothing but an answer of one of `facts` makes sense, as where a weekday is asked for; a wrong one is
            then worth more than none. The facts must be few.
    """

    facts: Callable[[str], Facts]
    follow_ups: Callable[[str, Fact, int], tuple[Fact, ...]] = nothing_more
    num_wordings: int | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """Questions with one right answer each, from a table of facts."""

    name: str
    domain: str
    description: str
    levels: tuple[Level, ...]
    languages: tuple[str, ...] = CODES

    @property
    def num_levels(self) -> int:
        return len(self.levels)

    def size(self, language: str, level: int) -> int | None:
        facts, texts = self._openings(language, level)
        size = len(facts) * len(texts)
        return size if size <= MAX_LISTED else None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser(self.plan(task))

    def verify(self, transcript: Transcript) -> float:
        """1 if the last answer is the due one and nothing else."""
        turn = transcript.last
        return float(turn.finish == "stop" and is_right(turn.question, turn.answer))

    def plan(self, task: Task) -> tuple[Question, ...]:
        """The opening question and the follow-ups, which do not depend on what is answered."""
        facts, texts = self._openings(task.language, task.level)
        size = len(facts) * len(texts)
        wording, number = divmod(scatter(task.seed % size, size), len(facts))
        opening = facts[number]
        constraints = _one_of(facts) if self.levels[task.level].closed else ()
        following = self.levels[task.level].follow_ups(task.language, opening, task.seed)
        return (
            replace(worded(opening, texts[wording]), constraints=constraints),
            *(
                worded(fact, pick(wordings(fact.ask, task.language), task.seed, step, "wording"))
                for step, fact in enumerate(following)
            ),
        )

    def _openings(self, language: str, level: int) -> tuple[Facts, tuple[str, ...]]:
        rule = self.levels[level]
        facts = rule.facts(language)
        return facts, wordings(facts[0].ask, language)[: rule.num_wordings]


def _one_of(facts: Facts) -> tuple[Constraint, ...]:
    answers = dict.fromkeys(facts[number].answer for number in range(len(facts)))
    return (Constraint("options", "|".join(answers)),)


def worded(fact: Fact, wording: str) -> Question:
    return Question(wording.format(x=fact.x, y=fact.y), fact.answer, fact.kind)


def is_right(question: Question, answer: str) -> bool:
    due = question.answer or ""
    match question.kind:
        case "text":
            return same_words(answer, due)
        case "list":
            return re.split(r"[\s,;，、]+", answer.strip()) == due.split()
        case "notation":  # thousands are set apart by spaces of many widths
            return answer.split() == due.split()
        case _:
            return plain(answer) == due

"""Levels that are a table of facts and a wording: what to ask about is looked up, and so is the answer.

Each level lists its facts. The wordings come from `wordings.py`, by language. A dialog asks one fact, then whatever
the level says follows from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from envs.chance import pick, scatter
from envs.families.wordings import wordings
from envs.family import Level, asking
from envs.task import Kind, Question, Task


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to ask.

    Attributes:
        ask: which wordings ask it, a key of `wordings.WORDINGS`.
        x, y: fill the places `{x}` and `{y}` of a wording.
    """

    ask: str
    x: str
    answer: str
    y: str = ""
    kind: Kind = "text"


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


def lookup(
    facts: Callable[[str], Facts],
    follow_ups: Callable[[str, Fact, int], tuple[Fact, ...]] = nothing_more,
    num_wordings: int | None = None,
) -> Level:
    """A level that asks for facts; the follow-ups do not depend on what is answered.

    Args:
        facts: language -> what may open a dialog, all with the same `ask`.
        follow_ups: language, opening, seed -> what is asked after it.
        num_wordings: how many of the language's wordings open a dialog; None: all.
    """

    def openings(language: str) -> tuple[Facts, tuple[str, ...]]:
        listed = facts(language)
        return listed, wordings(listed[0].ask, language)[:num_wordings]

    def num_openings(language: str) -> int:
        listed, texts = openings(language)
        return len(listed) * len(texts)

    def plan(task: Task, number: int) -> tuple[Question, ...]:
        listed, texts = openings(task.language)
        wording, place = divmod(scatter(number, len(listed) * len(texts)), len(listed))
        opening = listed[place]
        following = follow_ups(task.language, opening, task.seed)
        return (
            worded(opening, texts[wording]),
            *(
                worded(fact, pick(wordings(fact.ask, task.language), task.seed, step, "wording"))
                for step, fact in enumerate(following)
            ),
        )

    return Level(asking(plan), num_openings)


def worded(fact: Fact, wording: str) -> Question:
    return Question(wording.format(x=fact.x, y=fact.y), fact.answer, fact.kind)

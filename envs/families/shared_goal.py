"""A user who wants something, and an assistant who must find out what: the smallest dialog that two models can hold.

The user's player is told what it wants, and speaks first; the assistant hears its words alone. Both succeed by the
hidden goal, so neither is served by words that only the other one understands. Level 0 names one number a turn; level 1
hints at it; level 2 has a table for some people at some hour, and a change of mind.
"""

import re
from dataclasses import dataclass

from envs.answers import plain
from envs.chance import digits, draw, pick, scatter
from envs.family import Family, Level, PlayedFamily, asking
from envs.task import Constraint, Kind, PlayedDialog, Question, Task, Transcript
from envs.verdicts import verdict

MAX_ECHO = 40  # characters of the assistant's answer that the player reads
AMOUNTS = range(2, 10)  # people and hours
CHANGES = (1, -1, 2)  # of a hint that adds; the last one doubles
NUM_OPENINGS = (10, 9 * 4, len(AMOUNTS) * (len(AMOUNTS) - 1))  # by level

_NUMBER = re.compile(r"-?[0-9]+")


@dataclass(frozen=True, slots=True)
class Phrasings:
    """One language. `hints` are in the order of `CHANGES`, doubling last."""

    want: str
    hints: tuple[str, str, str, str]
    want_table: str
    table: str
    want_other: str
    other: str


PHRASINGS = {
    "en": Phrasings(
        "You want {goal}. Say it.",
        ("one more than {n}", "one less than {n}", "two more than {n}", "twice {n}"),
        "You want a table for {people} at {hour}. Say both.",
        "For {people} at {hour}.",
        "Now you want {new}, not {old}. Say so.",
        "{new}, not {old}.",
    ),
    "de": Phrasings(
        "Du willst {goal}. Sag es.",
        ("eins mehr als {n}", "eins weniger als {n}", "zwei mehr als {n}", "das Doppelte von {n}"),
        "Du willst einen Tisch für {people} um {hour}. Sag beides.",
        "Für {people} um {hour}.",
        "Jetzt willst du {new}, nicht {old}. Sag es.",
        "{new}, nicht {old}.",
    ),
    "fr": Phrasings(
        "Tu veux {goal}. Dis-le.",
        ("un de plus que {n}", "un de moins que {n}", "deux de plus que {n}", "le double de {n}"),
        "Tu veux une table pour {people} à {hour} heures. Dis les deux.",
        "Pour {people} à {hour} heures.",
        "Maintenant tu veux {new}, pas {old}. Dis-le.",
        "{new}, pas {old}.",
    ),
    "es": Phrasings(
        "Quieres {goal}. Dilo.",
        ("uno más que {n}", "uno menos que {n}", "dos más que {n}", "el doble de {n}"),
        "Quieres una mesa para {people} a las {hour}. Di las dos cosas.",
        "Para {people} a las {hour}.",
        "Ahora quieres {new}, no {old}. Dilo.",
        "{new}, no {old}.",
    ),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user wants in one turn.

    Attributes:
        brief: what the player is told.
        words: how a program says it.
        goal: what the assistant must answer.
        numbers: what the player's words must name, and nothing else.
    """

    brief: str
    words: str
    goal: str
    numbers: tuple[str, ...]


class PlayedGoal:
    """The wishes one after the other, whatever is said."""

    def __init__(self, wishes: tuple[Wish, ...], *, kind: Kind) -> None:
        self._wishes, self._kind = wishes, kind
        self._position = 0

    def brief(self) -> Question:
        return self._brief("")

    def ask(self, words: str) -> Question | None:
        return _question(self._wishes[self._position], words)

    def tell(self, answer: str) -> Question | None:
        self._position += 1
        return self._brief(f"{answer[:MAX_ECHO]}\n") if self._position < len(self._wishes) else None

    def _brief(self, heard: str) -> Question:
        wish = self._wishes[self._position]
        if self._kind == "integer":
            return Question(heard + wish.brief, wish.goal, self._kind)
        constraints = tuple(Constraint("mentions", number) for number in wish.numbers) if len(wish.numbers) > 1 else ()
        return Question(heard + wish.brief, None, self._kind, oracle=wish.words, constraints=constraints)


def wishes(task: Task) -> tuple[Wish, ...]:
    """The first does not depend on more than the seed modulo the number of openings."""
    phrasings, seed = PHRASINGS[task.language], task.seed
    match task.level:
        case 0:
            return _plain_wish(phrasings, scatter(seed % 10, 10)), _plain_wish(phrasings, pick(range(10), seed, "goal"))
        case 1:
            return _hint(phrasings, scatter(seed % 36, 36)), _hint(phrasings, pick(range(36), seed, "hint"))
        case _:
            return _table(phrasings, seed)


def _plain_wish(phrasings: Phrasings, number: int) -> Wish:
    goal = str(number)
    return Wish(phrasings.want.format(goal=goal), goal, goal, (goal,))


def _hint(phrasings: Phrasings, index: int) -> Wish:
    form, number = digits(index, 4, 9)
    number += 1
    goal = str(number + CHANGES[form] if form < len(CHANGES) else 2 * number)
    hint = phrasings.hints[form].format(n=number)
    return Wish(phrasings.want.format(goal=hint), f"{hint[0].upper()}{hint[1:]}.", goal, (goal,))


def _table(phrasings: Phrasings, seed: int) -> tuple[Wish, ...]:
    """A table for some people at some hour, which are different numbers, so that "5, not 4" says which one changes."""
    size = len(AMOUNTS) * (len(AMOUNTS) - 1)
    gap, first = digits(scatter(seed % size, size), len(AMOUNTS) - 1, len(AMOUNTS))
    amounts = [AMOUNTS[first], AMOUNTS[(first + gap + 1) % len(AMOUNTS)]]
    changed = pick((0, 1), seed, "changed")
    (new,) = draw([amount for amount in AMOUNTS if amount not in amounts], 1, seed, "new")
    both = {"people": amounts[0], "hour": amounts[1]}
    change = {"new": new, "old": amounts[changed]}
    then = [new if index == changed else amount for index, amount in enumerate(amounts)]
    return (
        Wish(
            phrasings.want_table.format(**both),
            phrasings.table.format(**both),
            _listed(amounts),
            tuple(map(str, amounts)),
        ),
        Wish(
            phrasings.want_other.format(**change),
            phrasings.other.format(**change),
            _listed(then),
            (str(new), str(amounts[changed])),
        ),
    )


def _question(wish: Wish, words: str) -> Question:
    return Question(words, wish.goal, "integer" if len(wish.numbers) == 1 else "text")


def _listed(amounts: list[int]) -> str:
    return " ".join(map(str, amounts))


def _verify_user(transcript: Transcript) -> float:
    turn, wish = transcript.last, wishes(transcript.task)[len(transcript.turns) - 1]
    if transcript.task.level == 0:
        return verdict(transcript)
    named = tuple(_NUMBER.findall(turn.answer)) == wish.numbers
    return float(named or plain(turn.answer) == wish.words)


def _play(task: Task) -> PlayedDialog:
    return PlayedGoal(wishes(task), kind="integer" if task.level == 0 else "text")


def _level(num_openings: int) -> Level:
    return Level(
        asking(lambda task, number: [_question(wish, wish.words) for wish in wishes(task)]),
        lambda language: num_openings,
    )


SCENARIOS = (
    PlayedFamily(
        Family(
            "shared-goal",
            "selfplay",
            "A user wants a number, or a table; the assistant answers with what it was, twice.",
            tuple(map(_level, NUM_OPENINGS)),
            tuple(PHRASINGS),
        ),
        player=_play,
        judge_user=_verify_user,
    ),
)

"""A user with a goal as a model plays it: told what it wants, it speaks for itself, and in its own order.

`envs.goals.GoalUser` is the same user as a program. What the assistant must do next follows from what the words told:
ask for a slot whose value they have not named yet, or read all values back.
"""

import re
from collections.abc import Iterable

from envs.goals import Goal, Slot, ask_for, confirm
from envs.task import Question, Transcript
from envs.verdicts import agreement, fold, mentioned

MAX_ECHO = 80  # characters of the assistant's answer that the player reads
MAX_EXCHANGES = 6


class PlayedGoalUser:
    """A `PlayedDialog`. It ends when the assistant has read back all values, or after `MAX_EXCHANGES`."""

    def __init__(self, goal: Goal) -> None:
        self._goal = goal
        self._words: list[str] = []
        self._due: Question | None = None

    def brief(self) -> Question:
        wanted = ", ".join(f"{slot.name}: {slot.value}" for slot in self._goal.slots)
        opening = [slot for slot in self._goal.slots if slot.name in self._goal.told] or [self._goal.slots[0]]
        return _wish(f"{self._goal.request} {wanted}.", opening)

    def ask(self, words: str) -> Question | None:
        self._words.append(words)
        missing = untold(self._goal, self._words)
        names = self._goal.names
        if missing:
            due = ask_for([slot.name for slot in missing], [name for name in names if name not in _names(missing)])
            text = words
        else:
            due = confirm(names, {slot.name: slot.value for slot in self._goal.slots})
            text = f"{words} {self._goal.closing}".strip()
        if len(self._words) == 1:
            text = f"{self._goal.request} {text}"
        self._due = due
        return Question(text, due.answer, due.kind, due.oracle, due.constraints)

    def tell(self, answer: str) -> Question | None:
        assert self._due is not None, "the user speaks first"
        missing = untold(self._goal, self._words)
        confirmed = not missing and agreement(answer, self._due) == 1.0
        if confirmed or len(self._words) == MAX_EXCHANGES:
            return None
        return _wish(answer[:MAX_ECHO], asked_for(self._goal, self._words, answer))


def verify_words(goal: Goal, transcript: Transcript) -> float:
    """Whether the user's last turn told what it should: any slot at first, then the one that the assistant asked for;
    if it asked for none, one that is still missing; if none is, all of them once more.
    """
    *earlier, last = transcript.turns
    if last.finish != "stop":
        return 0.0
    if not earlier:
        return float(len(untold(goal, [last.answer])) < len(goal.slots))
    due = asked_for(goal, [turn.answer for turn in earlier], last.question.text)
    return float(all(tells(last.answer, slot) for slot in due))


def asked_for(goal: Goal, words: Iterable[str], answer: str) -> list[Slot]:
    """What the user should tell next, after this answer of the assistant."""
    missing = untold(goal, words)
    asked = mentioned(answer, _names(missing))
    if len(asked) == 1:
        return [slot for slot in missing if slot.name == asked[0]]
    return missing[:1] or list(goal.slots)


def untold(goal: Goal, words: Iterable[str]) -> list[Slot]:
    said = list(words)
    return [slot for slot in goal.slots if not any(tells(text, slot) for text in said)]


def tells(words: str, slot: Slot) -> bool:
    """Whether the words name the slot's value, and not as a part of another one: 5 is not told by 15:05."""
    return bool(re.search(rf"(?<![\w:]){re.escape(fold(slot.value))}(?![\w:])", fold(words)))


def _wish(text: str, slots: Iterable[Slot]) -> Question:
    return Question(text, None, "text", oracle=" ".join(slot.saying.format(v=slot.value) for slot in slots))


def _names(slots: Iterable[Slot]) -> list[str]:
    return [slot.name for slot in slots]

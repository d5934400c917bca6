"""A user with a goal: a few slots with values, told bit by bit, to a policy that must ask and then confirm.

The user reacts to what the policy said. Asked for a slot, they give its value; asked for what they had said, they say
so; read back a wrong value, they correct it. Every turn either brings the dialog on or costs patience, so it ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from envs.chance import pick
from envs.speech import voice, words_of
from envs.speech_phrasings import SPEECH
from envs.task import Constraint, Question
from envs.users import EASYGOING, Persona
from envs.verdicts import fold, mentioned

MAX_ECHO = 40  # characters of a wrong value that the user repeats


@dataclass(frozen=True, slots=True)
class Slot:
    """One thing to be known, such as the day.

    Attributes:
        name: the one word that asks for it.
        saying: how the user gives it, with a place for the value `{v}`.
        slip: another value, for a user who first says something wrong.
    """

    name: str
    value: str
    saying: str = "{v}."
    slip: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """What the user wants.

    Attributes:
        request: how they begin; the slots that they tell at once follow.
        slots: in the order in which they are to be confirmed.
        told: names of the slots that they tell at once.
        closing: what the user adds when nothing is missing any more, such as a reminder of what to confirm.
    """

    request: str
    slots: tuple[Slot, ...]
    told: tuple[str, ...] = ()
    closing: str = ""

    @property
    def names(self) -> list[str]:
        return [slot.name for slot in self.slots]


class GoalUser:
    """A `Dialog` with a user who has a goal; due is the name of a missing slot, or all values in order.

    A user without a limit of patience goes on after nonsense as if they had been asked for the first missing slot.

    Example: with `Goal("A table.", (Slot("day", "Friday"), Slot("time", "19:00")), told=("day",))` the dialog
    "A table. Friday." / "time" / "19:00." / "Friday, 19:00" goes right.
    """

    def __init__(self, goal: Goal, persona: Persona = EASYGOING, language: str = "en", seed: int = 0) -> None:
        self.goal = goal
        self.persona = persona
        self.seed = seed
        self.speech = SPEECH[language]
        kept = words_of(*(text for slot in goal.slots for text in (slot.name, slot.value, slot.slip)))
        self.voice = voice(persona, language, seed, kept)
        self.told: dict[str, str] = {}  # name of the slot -> the value that the user last gave
        self.slipped: Slot | None = None  # said wrong and not yet put right
        self.postponed = ""  # what the user will say when they are back from another topic
        self.patience = persona.patience
        self.has_slipped = self.has_strayed = False
        self.num_turns = 0
        self.text = ""  # what they said last to bring the dialog on

    def open(self) -> Question:
        sayings = [self._tell(slot, slot.value) for slot in self.goal.slots if slot.name in self.goal.told]
        return self._ask(" ".join([self.goal.request, *sayings]))

    def reply(self, answer: str) -> Question | None:
        if self.postponed:
            text, self.postponed = self.postponed, ""
            return self._ask(self.speech.back.format(text=text))
        missing = self._missing()
        return self._inform(answer, missing) if missing else self._conclude(answer)

    def _inform(self, answer: str, missing: list[Slot]) -> Question | None:
        """The user still has something to tell: what did the policy ask for?"""
        asked = mentioned(answer, self.goal.names)
        if len(asked) == 1 and asked[0] in self.told:
            return self._mind(self.speech.already.format(value=self.told[asked[0]]))
        if len(asked) != 1 and self.patience is not None:
            return self._complain()
        slot = next((slot for slot in missing if slot.name in asked), missing[0])
        text = self._reveal(slot)
        if self.persona.changes_topic and not self.has_strayed:
            return self._stray(text)
        return self._ask(text)

    def _conclude(self, answer: str) -> Question | None:
        """All is told: did the policy confirm it?"""
        if self.slipped:
            return self._ask(self._put_right(self.slipped))
        given = [item.strip() for item in answer.split(",")]
        values = [self.told[name] for name in self.goal.names]
        wrong = [(said, value) for said, value in zip(given, values, strict=False) if fold(said) != fold(value)]
        if self.patience is None or (len(given) == len(values) and not wrong):
            return None
        if len(given) != len(values) or len(wrong) == len(values):
            return self._complain()
        said, value = wrong[0]
        return self._mind(self.speech.correction.format(wrong=said[:MAX_ECHO], right=value))

    def _reveal(self, slot: Slot) -> str:
        """How the user tells a slot, after putting right what they said wrong before."""
        before = [self._put_right(self.slipped)] if self.slipped else []
        value = slot.value
        if self.persona.corrects_itself and slot.slip and not self.has_slipped:
            self.slipped, self.has_slipped, value = slot, True, slot.slip
        return " ".join([*before, self._tell(slot, value)])

    def _tell(self, slot: Slot, value: str) -> str:
        self.told[slot.name] = value
        return f"{value}." if self.persona.terse else slot.saying.format(v=value)

    def _put_right(self, slot: Slot) -> str:
        self.slipped = None
        self.told[slot.name] = slot.value
        return self.speech.slip.format(wrong=slot.slip, right=slot.value)

    def _stray(self, text: str) -> Question:
        """Ask for something that was told earlier, or a sum where nothing was; `text` waits."""
        self.has_strayed, self.postponed = True, text
        earlier = [slot for slot in self.goal.slots if slot.name in self.goal.told]
        if earlier:
            slot = pick(earlier, self.seed, "aside")
            question = Question(self.speech.recall.format(slot=slot.name), self.told[slot.name])
        else:
            question = small_sum(self.seed)
        return self._say(self.speech.aside.format(question=question.text), question)

    def _complain(self) -> Question | None:
        complaint = pick(self.speech.complaints, self.seed, self.num_turns)
        return self._mind(complaint.format(question=self.text))

    def _mind(self, text: str) -> Question | None:
        """React to an answer that did not help; None: the user has had enough."""
        if self.patience == 0:
            return None
        if self.patience is not None:
            self.patience -= 1
        last = self.text
        question = self._ask(text)
        self.text = last  # a second complaint repeats this, not the first complaint
        return question

    def _missing(self) -> list[Slot]:
        return [slot for slot in self.goal.slots if slot.name not in self.told]

    def _ask(self, text: str) -> Question:
        """Say `text`; due is what follows from what has been told."""
        self.text = text
        missing = [slot.name for slot in self._missing()]
        if missing:
            return self._say(text, ask_for(missing, list(self.told)))
        return self._say(f"{text} {self.goal.closing}".strip(), confirm(self.goal.names, self.told))

    def _say(self, text: str, due: Question) -> Question:
        spoken = self.voice(text, self.num_turns)
        self.num_turns += 1
        return Question(spoken, due.answer, due.kind, due.oracle, due.constraints)


def ask_for(missing: Sequence[str], told: Sequence[str]) -> Question:
    """Due is one of the missing names, in a sentence or alone, and no other."""
    constraints = [Constraint("one_of", "|".join(missing))]
    if told:
        constraints.append(Constraint("none_of", "|".join(told)))
    only = missing[0] if len(missing) == 1 else None
    return Question("", only, "mention", missing[0], tuple(constraints))


def confirm(names: Sequence[str], values: Mapping[str, str]) -> Question:
    return Question("", ", ".join(values[name] for name in names), "slots")


def small_sum(seed: int) -> Question:
    """A question that belongs to no topic and to every language."""
    a, b = pick(range(2, 10), seed, "a"), pick(range(2, 10), seed, "b")
    return Question(f"{a}+{b}=?", str(a + b), "integer")

"""Services that fill slots: a table, an appointment, a change of address.

The policy asks for what is missing and then reads everything back. What the user says depends on what it asked; they
correct it where it reads back something wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from envs.chance import digits, draw, pick, scatter
from envs.families.service_phrasings import PHRASINGS
from envs.families.words import NAMES, WORDS
from envs.goals import Goal, GoalUser, Slot
from envs.played_goals import PlayedGoalUser, verify_words
from envs.speech_phrasings import LANGUAGES
from envs.task import Dialog, PlayedDialog, Task, Transcript
from envs.users import CROWD, EASYGOING
from envs.verdicts import verdict

NUM_LISTED_VALUES = 5  # of each slot that opens a dialog of level 0
STREETS = ("Rosa Luna", "Santa Anna", "Park", "Victoria", "Beethoven", "Mozart")
NUM_LEVELS = 3


def values(language: str, key: str) -> Sequence[str]:
    """What a slot may hold, at least `NUM_LISTED_VALUES` of them."""
    match key:
        case "people":
            return tuple(map(str, range(2, 10)))
        case "day":
            return WORDS[language].weekdays
        case "time":
            return tuple(f"{hour}:{minute}" for hour in range(10, 21) for minute in ("00", "30"))
        case "treatment":
            return PHRASINGS[language].treatments
        case "name":
            return NAMES
        case "street":
            return STREETS
        case "number":
            return tuple(map(str, range(1, 60)))
        case "postcode":
            return tuple(str(number) for number in range(10117, 10917, 101))
    raise ValueError(f"unknown slot {key!r}")


@dataclass(frozen=True, slots=True)
class SlotService:
    """A `Scenario` with a goal-driven user. `request` picks how the user begins, `keys` the slots in order."""

    name: str
    description: str
    request: str
    keys: tuple[str, ...]
    domain: str = "service"
    languages: tuple[str, ...] = LANGUAGES
    num_levels: int = NUM_LEVELS

    @property
    def choices(self) -> tuple[int, ...]:
        """At level 0 one slot is missing, and the others have a value each."""
        return (len(self.keys), *(NUM_LISTED_VALUES for _ in self.keys[1:]))

    def size(self, language: str, level: int) -> int | None:
        return prod(self.choices) if level == 0 else None

    def dialog(self, task: Task) -> Dialog:
        persona = EASYGOING if task.level < 2 else pick(CROWD, task.seed, "persona")
        return GoalUser(self.goal(task), persona, task.language, task.seed)

    def verify(self, transcript: Transcript) -> float:
        return verdict(transcript)

    def played(self, task: Task) -> PlayedDialog:
        return PlayedGoalUser(self.goal(task))

    def verify_user(self, transcript: Transcript) -> float:
        return verify_words(self.goal(transcript.task), transcript)

    def goal(self, task: Task) -> Goal:
        language, seed, phrasings = task.language, task.seed, PHRASINGS[task.language]
        if task.level == 0:
            size = prod(self.choices)
            missing, *indices = digits(scatter(seed % size, size), *self.choices)
            told = [key for place, key in enumerate(self.keys) if place != missing]
            listed = {key: values(language, key)[index] for key, index in zip(told, indices, strict=True)}
        else:
            listed = {}
            told = draw(self.keys, len(self.keys) - min(3, task.level + 1), seed, "told")
        slots = []
        for key in self.keys:
            value, slip = draw(values(language, key), 2, seed, key)
            name, saying = phrasings.slots[key]
            slots.append(Slot(name, listed.get(key, value), saying, slip))
        names = ", ".join(slot.name for slot in slots)
        rules = (phrasings.short if task.level == 0 else phrasings.rules).format(names=names)
        opening = f"{rules} {phrasings.requests[self.request]}"
        closing = phrasings.closing.format(names=names)
        return Goal(opening, tuple(slots), tuple(phrasings.slots[key][0] for key in told), closing)


SCENARIOS = (
    SlotService(
        "service-booking",
        "A table in a restaurant: ask for what is missing, then confirm people, day and time.",
        "booking",
        ("people", "day", "time"),
    ),
    SlotService(
        "service-appointment",
        "An appointment: ask for what is missing, then confirm treatment, day, time and name.",
        "appointment",
        ("treatment", "day", "time", "name"),
    ),
    SlotService(
        "service-address",
        "A change of address: ask for what is missing, then confirm street, number and postcode.",
        "address",
        ("street", "number", "postcode"),
    ),
)

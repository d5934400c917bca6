"""Services that fill slots: a table, an appointment, a change of address.

The policy asks for what is missing and then reads everything back. What the user says depends on what it asked; they
correct it where it reads back something wrong.
"""

from collections.abc import Mapping, Sequence
from math import prod

from envs.chance import digits, draw, pick, scatter
from envs.families.service_phrasings import PHRASINGS
from envs.families.words import NAMES, WORDS
from envs.family import Family, Level, PlayedFamily
from envs.goals import Goal, GoalUser, Slot
from envs.played_goals import PlayedGoalUser, verify_words
from envs.speech_phrasings import LANGUAGES
from envs.task import Dialog, Task
from envs.users import CROWD, EASYGOING

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


def slot_service(name: str, description: str, request: str, keys: tuple[str, ...]) -> PlayedFamily:
    """A goal-driven user. `request` picks how they begin, `keys` the slots in order.

    At level 0 one slot is missing, and the others have a value each.
    """
    choices = (len(keys), *(NUM_LISTED_VALUES for _ in keys[1:]))

    def goal(task: Task) -> Goal:
        if task.level == 0:
            told = _told_at_level_0(task, keys, digits(scatter(task.seed % prod(choices), prod(choices)), *choices))
        else:
            told = dict.fromkeys(draw(keys, len(keys) - min(3, task.level + 1), task.seed, "told"))
        return _goal(task, request, keys, told)

    def start(task: Task, number: int) -> Dialog:
        persona = EASYGOING if task.level < 2 else pick(CROWD, task.seed, "persona")
        return GoalUser(goal(task), persona, task.language, task.seed)

    levels = (Level(start, lambda language: prod(choices)), *(Level(start) for _ in range(1, NUM_LEVELS)))
    return PlayedFamily(
        Family(name, "service", description, levels, LANGUAGES),
        player=lambda task: PlayedGoalUser(goal(task)),
        judge_user=lambda transcript: verify_words(goal(transcript.task), transcript),
    )


def _told_at_level_0(task: Task, keys: tuple[str, ...], choices: Sequence[int]) -> dict[str, str | None]:
    missing, *indices = choices
    told = [key for place, key in enumerate(keys) if place != missing]
    return {key: values(task.language, key)[index] for key, index in zip(told, indices, strict=True)}


def _goal(task: Task, request: str, keys: tuple[str, ...], told: Mapping[str, str | None]) -> Goal:
    """The goal of a user who tells the slots in `told` at once; a value that is None there is drawn."""
    phrasings, slots = PHRASINGS[task.language], []
    for key in keys:
        value, slip = draw(values(task.language, key), 2, task.seed, key)
        name, saying = phrasings.slots[key]
        slots.append(Slot(name, told.get(key) or value, saying, slip))
    names = ", ".join(slot.name for slot in slots)
    rules = (phrasings.short if task.level == 0 else phrasings.rules).format(names=names)
    opening = f"{rules} {phrasings.requests[request]}"
    closing = phrasings.closing.format(names=names)
    return Goal(opening, tuple(slots), tuple(phrasings.slots[key][0] for key in told), closing)


SCENARIOS = (
    slot_service(
        "service-booking",
        "A table in a restaurant: ask for what is missing, then confirm people, day and time.",
        "booking",
        ("people", "day", "time"),
    ),
    slot_service(
        "service-appointment",
        "An appointment: ask for what is missing, then confirm treatment, day, time and name.",
        "appointment",
        ("treatment", "day", "time", "name"),
    ),
    slot_service(
        "service-address",
        "A change of address: ask for what is missing, then confirm street, number and postcode.",
        "address",
        ("street", "number", "postcode"),
    ),
)

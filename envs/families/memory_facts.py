"""Memory across turns: facts that the user tells, changes, attributes to somebody or collects in a list.

Where the user only tells something, the answer due is "ok", so that every turn can be checked. The facts are drawn
anew for each dialog: nothing of them can be known beforehand.
"""

from collections.abc import Sequence
from functools import cache

from envs.chance import draw, pick
from envs.families.memory_phrasings import PHRASINGS
from envs.families.words import NAMES, WORDS
from envs.family import Family, Level
from envs.planned import TALKERS, Choices, Plan, planned
from envs.speech import words_of
from envs.speech_phrasings import LANGUAGES
from envs.task import Question, Task

OK = "ok"
LUCKY_NUMBERS = ("3", "7", "8", "12", "21", "33", "50", "64")
NUM_TOPICS = 5
NUM_EASY_TOPICS = 3  # colour, animal, food
NUM_VALUES = 8


def values(language: str, topic: int) -> tuple[str, ...]:
    """What a fact on the topic may be: colours, animals, foods, numbers or names."""
    words = WORDS[language]
    return (words.colours, words.animals, words.foods, LUCKY_NUMBERS, NAMES)[topic]


def tell(language: str, text: str) -> Question:
    """The user tells something and wants no more than an "ok"."""
    return Question(f"{text} {PHRASINGS[language].say.format(v=OK)}", OK, "choice")


def fact(language: str, topic: int, value: str) -> str:
    return f"{PHRASINGS[language].facts[topic][0]}: {value}."


def ask(language: str, topic: int, value: str) -> Question:
    return Question(PHRASINGS[language].facts[topic][1], value, "choice")


def recall(task: Task, choices: Sequence[int]) -> list[Question]:
    """One to three facts, then questions for one or two of them."""
    language, seed = task.language, task.seed
    first, index = choices
    others = [topic for topic in draw(range(NUM_TOPICS), 3, seed, "topics") if topic != first][: task.level]
    told = {first: values(language, first)[index]}
    told |= {topic: pick(values(language, topic), seed, topic) for topic in others}
    asked = draw(list(told), 1 + (task.level > 1), seed, "asked")
    return [
        *(tell(language, fact(language, topic, value)) for topic, value in told.items()),
        *(ask(language, topic, told[topic]) for topic in asked),
    ]


def update(task: Task, choices: Sequence[int]) -> list[Question]:
    """A fact that changes once or twice, from level 1 on among others that do not. The last value counts."""
    language, seed = task.language, task.seed
    topic, index = choices
    course = [values(language, topic)[index]]
    for change in range(1 + (task.level > 1)):
        left = [value for value in values(language, topic) if value != course[-1]]
        course.append(pick(left, seed, change))
    facts = [fact(language, topic, course[0])]
    asked = ask(language, topic, course[-1])
    if task.level > 0:
        other = pick([other for other in range(NUM_TOPICS) if other != topic], seed, "other")
        value = pick(values(language, other), seed, "value")
        facts.append(fact(language, other, value))
        asked = pick((asked, ask(language, other, value)), seed, "asked")
    changed = PHRASINGS[language].changed
    facts += [f"{changed} {fact(language, topic, value)}" for value in course[1:]]
    return [*(tell(language, text) for text in facts), asked]


def speaker(task: Task, choices: Sequence[int]) -> list[Question]:
    """Two to four speakers, each of whom says a word: who said it, or what did they say?"""
    language, seed, phrasings = task.language, task.seed, PHRASINGS[task.language]
    who, index = choices
    colours = WORDS[language].colours
    names = [NAMES[who], *draw([name for name in NAMES if name != NAMES[who]], 1 + task.level, seed, "names")]
    said = [colours[index], *draw([word for word in colours if word != colours[index]], 2 + task.level, seed, "words")]
    lines = list(zip(names, said, strict=False))
    name, word = pick(lines, seed, "asked")
    asked = Question(phrasings.who.format(v=word), name, "choice")
    if task.level > 1:  # the first one speaks again
        lines.append((names[0], said[-1]))
        asked = Question(phrasings.last.format(name=names[0]), said[-1], "choice")
    elif task.level == 1 and pick((True, False), seed, "what"):
        asked = Question(phrasings.what.format(name=name), word, "choice")
    return [*(tell(language, f"{name}: {word}.") for name, word in lines), asked]


def shopping(task: Task, choices: Sequence[int]) -> list[Question]:
    """A list of two or three things, from which some are crossed off and to which some are added."""
    language, seed, phrasings = task.language, task.seed, PHRASINGS[task.language]
    foods = list(WORDS[language].foods)
    start = [foods.pop(index) for index in choices]
    others = draw(foods, 3, seed, "others")
    if task.level == 0:
        gone = pick(start, seed, "gone")
        left = ", ".join(item for item in start if item != gone)
        return [
            tell(language, phrasings.shopping.format(v=", ".join(start))),
            Question(f"{phrasings.remove.format(v=gone)} {phrasings.left}", left, "list"),
        ]
    items = start
    questions = [tell(language, phrasings.shopping.format(v=", ".join(items)))]
    for step, new in enumerate(others[: 1 + task.level]):
        if step % 2 == 0:
            items = [*items, new]
            questions.append(tell(language, phrasings.add.format(v=new)))
        else:
            gone = pick(items, seed, step)
            items = [item for item in items if item != gone]
            questions.append(tell(language, phrasings.remove.format(v=gone)))
    return [*questions, Question(phrasings.left, ", ".join(items), "list")]


@cache
def vocabulary(language: str) -> frozenset[str]:
    """What is told may be asked for: nobody misspells it."""
    words = WORDS[language]
    return words_of(*words.colours, *words.animals, *words.foods, *NAMES)


def about_a_topic(plan: Plan) -> tuple[Level, ...]:
    """Levels of dialogs on a topic and a value of it: easy topics, all topics, all topics with talkers."""
    return planned(
        plan,
        Choices((NUM_EASY_TOPICS, NUM_VALUES)),
        Choices((NUM_TOPICS, NUM_VALUES)),
        Choices((NUM_TOPICS, NUM_VALUES), TALKERS),
        kept=vocabulary,
    )


SCENARIOS = (
    Family(
        "memory-recall",
        "memory",
        "The user tells facts about themselves and asks for them turns later.",
        about_a_topic(recall),
        LANGUAGES,
    ),
    Family(
        "memory-update",
        "memory",
        "A fact changes during the dialog; the last value counts.",
        about_a_topic(update),
        LANGUAGES,
    ),
    Family(
        "memory-speaker",
        "memory",
        "Several people say a word each; who said what?",
        planned(
            speaker,
            Choices((len(NAMES), NUM_VALUES)),
            Choices((len(NAMES), NUM_VALUES)),
            Choices((len(NAMES), NUM_VALUES), TALKERS),
            kept=vocabulary,
        ),
        LANGUAGES,
    ),
    Family(
        "memory-list",
        "memory",
        "A shopping list that grows and shrinks over turns; what is on it now?",
        planned(
            shopping,
            Choices((NUM_VALUES, NUM_VALUES - 1)),
            Choices((NUM_VALUES, NUM_VALUES - 1, NUM_VALUES - 2)),
            Choices((NUM_VALUES, NUM_VALUES - 1, NUM_VALUES - 2), TALKERS),
            kept=vocabulary,
        ),
        LANGUAGES,
    ),
)

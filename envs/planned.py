"""Levels whose questions follow from the task alone: a plan, and a user who walks it in some persona."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import prod

from envs.chance import digits, pick, scatter
from envs.family import Level
from envs.goals import small_sum
from envs.speech import kept_words, voice
from envs.speech_phrasings import SPEECH
from envs.task import Dialog, Question, Task
from envs.users import CHATTY, EASYGOING, IMPATIENT, PATIENT, RAMBLING, SLOPPY, TERSE, Persona, SimulatedUser

STEADY = (PATIENT, IMPATIENT, TERSE, CHATTY, SLOPPY)  # they keep to the plan
TALKERS = (*STEADY, RAMBLING)

Plan = Callable[[Task, Sequence[int]], Sequence[Question]]


@dataclass(frozen=True, slots=True)
class Choices:
    """What opens the dialogs of one level.

    Attributes:
        counts: how many values each choice has that makes up the opening question. Together they make it unique.
        personas: who may ask.
    """

    counts: tuple[int, ...]
    personas: tuple[Persona, ...] = (EASYGOING,)


def _no_words(language: str) -> Collection[str]:
    return ()


def planned(plan: Plan, *levels: Choices, kept: Callable[[str], Collection[str]] = _no_words) -> tuple[Level, ...]:
    """Levels on which the questions are planned, and a user in some persona asks them.

    Args:
        plan: a task and the value of each of its level's choices -> the questions, six at most.
        kept: the words in lower case that nobody may misspell, beyond those that are checked.
    """

    def one(choices: Choices) -> Level:
        size = prod(choices.counts)

        def start(task: Task, number: int) -> Dialog:
            questions = plan(task, digits(scatter(number, size), *choices.counts))
            return _user(task, questions, pick(choices.personas, task.seed, "persona"), kept)

        return Level(start, lambda language: size, is_varied=choices.personas != (EASYGOING,))

    return tuple(map(one, levels))


def _user(
    task: Task, questions: Sequence[Question], persona: Persona, kept: Callable[[str], Collection[str]]
) -> Dialog:
    if persona == EASYGOING:
        return SimulatedUser(questions)
    if persona.changes_topic:
        questions = with_aside(questions, task)
    spelled = {*kept_words(questions), *kept(task.language)} if persona.typos else ()
    return SimulatedUser(
        questions,
        persona,
        understands=has_words,
        complaints=SPEECH[task.language].complaints,
        voice=voice(persona, task.language, task.seed, spelled),
    )


def with_aside(questions: Sequence[Question], task: Task) -> Sequence[Question]:
    """The plan with a small sum before one of the later questions."""
    if len(questions) < 2:
        return questions
    speech, aside = SPEECH[task.language], small_sum(task.seed)
    place = pick(range(1, len(questions)), task.seed, "aside")
    return (
        *questions[:place],
        Question(speech.aside.format(question=aside.text), aside.answer, aside.kind),
        *questions[place:],
    )


def has_words(answer: str) -> bool:
    """Is there a letter or a digit at all?"""
    return any(map(str.isalnum, answer))

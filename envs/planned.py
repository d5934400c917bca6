"""Scenarios whose questions follow from the task alone: a plan, and a user who walks it in some persona."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import prod

from envs.chance import digits, pick, scatter
from envs.goals import small_sum
from envs.speech import kept_words, voice
from envs.speech_phrasings import LANGUAGES, SPEECH
from envs.task import Dialog, Question, Task, Transcript
from envs.users import CHATTY, EASYGOING, IMPATIENT, PATIENT, RAMBLING, SLOPPY, TERSE, Persona, SimulatedUser
from envs.verdicts import verdict

MAX_LISTED = 10_000  # openings; levels with more are drawn from, not listed

STEADY = (PATIENT, IMPATIENT, TERSE, CHATTY, SLOPPY)  # they keep to the plan
TALKERS = (*STEADY, RAMBLING)

Plan = Callable[[Task, Sequence[int]], Sequence[Question]]


@dataclass(frozen=True, slots=True)
class Level:
    """What opens the dialogs of one level.

    Attributes:
        choices: how many values each choice has that makes up the opening question. Together they make it unique.
        personas: who may ask.
    """

    choices: tuple[int, ...]
    personas: tuple[Persona, ...] = (EASYGOING,)


def _no_words(language: str) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class PlannedScenario:
    """A `Scenario` made of a plan.

    Attributes:
        plan: a task and the value of each of its level's choices -> the questions, six at most.
        kept: the words in lower case that nobody may misspell, beyond those that are checked.
        success: of the last turn; by the kind of the question where not said otherwise.
    """

    name: str
    domain: str
    description: str
    levels: tuple[Level, ...]
    plan: Plan
    languages: tuple[str, ...] = LANGUAGES
    kept: Callable[[str], Collection[str]] = _no_words
    success: Callable[[Transcript], float] = verdict

    @property
    def num_levels(self) -> int:
        return len(self.levels)

    def size(self, language: str, level: int) -> int | None:
        rule = self.levels[level]
        size = prod(rule.choices)
        return size if size <= MAX_LISTED and rule.personas == (EASYGOING,) else None  # others put it in many ways

    def questions(self, task: Task) -> Sequence[Question]:
        choices = self.levels[task.level].choices
        size = prod(choices)
        return self.plan(task, digits(scatter(task.seed % size, size), *choices))

    def dialog(self, task: Task) -> Dialog:
        persona = pick(self.levels[task.level].personas, task.seed, "persona")
        questions = self.questions(task)
        if persona == EASYGOING:
            return SimulatedUser(questions)
        if persona.changes_topic:
            questions = with_aside(questions, task)
        kept = {*kept_words(questions), *self.kept(task.language)} if persona.typos else ()
        return SimulatedUser(
            questions,
            persona,
            understands=has_words,
            complaints=SPEECH[task.language].complaints,
            voice=voice(persona, task.language, task.seed, kept),
        )

    def verify(self, transcript: Transcript) -> float:
        return self.success(transcript)


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

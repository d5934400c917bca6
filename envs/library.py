'''The scenarios that a run can name: the built-in ones, the user's own, and questions from a file.

A scenario of your own is an object with the shape of `envs.task.Scenario`, in a Python file anywhere. The file ends in
a list of such objects, and `tasks.files` in the recipe names the file:

    from envs.task import Question
    from envs.users import SimulatedUser

    class Capitals:
        """Capitals of countries."""

        name, domain, languages, num_levels = "capitals", "knowledge", ("en",), 1
        cities = [("France", "Paris"), ("Japan", "Tokyo")]

        def size(self, language, level):
            return len(self.cities)

        def dialog(self, task):
            country, city = self.cities[task.seed % len(self.cities)]
            return SimulatedUser([Question(f"What is the capital of {country}?", city)])

        def verify(self, transcript):
            return float(transcript.last.answer.strip() == transcript.last.question.answer)

    SCENARIOS = [Capitals()]
'''

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, cast, runtime_checkable

from envs.adapters import reasoning_gym
from envs.families import (
    arithmetic,
    code_puzzles,
    dates,
    howto,
    knowledge,
    logic_puzzles,
    memory_course,
    memory_facts,
    numbers,
    programs,
    selfplay,
    service_desk,
    service_slots,
    shared_goal,
    small_talk,
    tool_calls,
    translation,
    word_problems,
    writing_exact,
    writing_free,
)
from envs.questions import NAME as QUESTIONS
from envs.questions import questions_family
from envs.task import KINDS, Outcome, Played, Question, Scenario, Task, Transcript, Turn
from envs.user_file import UserFileError, cause_of, line_of, load_list

BUILT_IN: tuple[Scenario, ...] = (
    *arithmetic.SCENARIOS,
    *knowledge.SCENARIOS,
    *dates.SCENARIOS,
    *numbers.SCENARIOS,
    *translation.SCENARIOS,
    *small_talk.SCENARIOS,
    *memory_facts.SCENARIOS,
    *memory_course.SCENARIOS,
    *service_slots.SCENARIOS,
    *service_desk.SCENARIOS,
    *tool_calls.SCENARIOS,
    *word_problems.SCENARIOS,
    *logic_puzzles.SCENARIOS,
    *code_puzzles.SCENARIOS,
    *writing_exact.SCENARIOS,
    *writing_free.SCENARIOS,
    *howto.SCENARIOS,
    *programs.SCENARIOS,
    *selfplay.SCENARIOS,
    *shared_goal.SCENARIOS,
)
ADAPTED: tuple[Scenario, ...] = reasoning_gym.SCENARIOS  # made and judged by other people's libraries

METHODS = (("size", ("language", "level")), ("dialog", ("task",)), ("verify", ("transcript",)))
ROLES = (  # `envs.task.Played` and `envs.task.Proposing`: who has one method of a role needs all of them
    (("played", ("task",)), ("verify_user", ("transcript",))),
    (("proposed", ("transcript",)),),
)


class ScenarioError(ValueError):
    """A scenario that is asked for does not exist, or not in this language or at this level, or cannot be asked."""


@runtime_checkable
class Described(Protocol):
    """A scenario that describes itself, because its class makes many."""

    @property
    def description(self) -> str: ...


@dataclass(frozen=True, slots=True)
class ScenarioInfo:
    """What a listing shows of a scenario."""

    name: str
    domain: str
    languages: tuple[str, ...]
    num_levels: int
    description: str


@dataclass(frozen=True, slots=True)
class Library:
    """All scenarios of a run, each under its own name."""

    scenarios: tuple[Scenario, ...] = (*BUILT_IN, *ADAPTED)

    def find(self, name: str) -> Scenario:
        for scenario in self.scenarios:
            if scenario.name == name:
                return scenario
        if name == QUESTIONS:
            raise ScenarioError("scenario 'questions' needs a file: set tasks.questions to its path")
        close = difflib.get_close_matches(name, [scenario.name for scenario in self.scenarios], n=3)
        advice = f"did you mean {' or '.join(close)}?" if close else "`zero2one scenarios` lists all."
        raise ScenarioError(f"unknown scenario {name!r}; {advice} Your own files go in tasks.files")

    def opening(self, task: Task) -> str:
        """The text of the task's first question. Raises `ScenarioError` where the scenario raises anything."""
        return self.questions(task, max_turns=1)[0].text

    def questions(self, task: Task, *, max_turns: int) -> list[Question]:
        """What somebody is asked, `max_turns` times at most, who always answers right. Raises `ScenarioError`."""
        scenario = self.find(task.scenario)
        try:
            dialog = scenario.dialog(task)
            asked = [dialog.open()]
            while len(asked) < max_turns and (question := dialog.reply(asked[-1].demonstration)) is not None:
                asked.append(question)
        except Exception as error:  # a user's scenario may do anything
            raise ScenarioError(f"{task.id} cannot be asked: {cause_of(error)}") from error
        _require_sound(task, asked)
        return asked

    def user_questions(self, task: Task, *, max_turns: int) -> list[Question]:
        """What a model that plays the user reads, `max_turns` times at most, in a dialog in which both sides say what
        is right; nothing where none can play it. Raises `ScenarioError`.
        """
        scenario = self.find(task.scenario)
        if not isinstance(scenario, Played):
            return []
        try:
            dialog = scenario.played(task)
            read = [dialog.brief()]
            while (heard := dialog.ask(read[-1].demonstration)) is not None and len(read) < max_turns:
                if (question := dialog.tell(heard.demonstration)) is None:
                    break
                read.append(question)
        except Exception as error:  # a user's scenario may do anything
            raise ScenarioError(f"{task.id} cannot be played: {cause_of(error)}") from error
        _require_sound(task, read)
        return read

    def rehearse(self, task: Task, *, max_turns: int) -> None:
        """Hold the dialog with somebody who answers right, and ask for the verdicts. Raises `ScenarioError` where the
        scenario cannot be asked or judged here.
        """
        asked = self.questions(task, max_turns=max_turns)
        _judge_right_answers(self.find(task.scenario).verify, Transcript(task), asked)

    def rehearse_user(self, task: Task, *, max_turns: int) -> None:
        """The same with a model that plays the user, where one can: it says what is right, and is judged."""
        scenario = self.find(task.scenario)
        if isinstance(scenario, Played):
            read = self.user_questions(task, max_turns=max_turns)
            _judge_right_answers(scenario.verify_user, Transcript(task, outcome=Outcome(success=1.0)), read)

    def listing(self) -> list[ScenarioInfo]:
        return [
            ScenarioInfo(
                scenario.name,
                scenario.domain,
                tuple(scenario.languages),
                scenario.num_levels,
                description=_description(scenario),
            )
            for scenario in self.scenarios
        ]


def build_library(files: Sequence[str] = (), questions: str = "") -> Library:
    """The built-in scenarios, those in the user's Python files, and `questions` if its file is given.

    Raises `UserFileError`, `envs.questions.DataError`, or `ScenarioError` where two scenarios have one name.
    """
    scenarios = [*BUILT_IN, *ADAPTED]
    if questions:
        scenarios.append(questions_family(questions))
    for path in files:
        for scenario in load_scenarios(path):
            if any(scenario.name == other.name for other in scenarios):
                raise ScenarioError(f"{path}: the name {scenario.name!r} is taken; give your scenario another one")
            scenarios.append(scenario)
    return Library(tuple(scenarios))


def _judge_right_answers(verify: Callable[[Transcript], float], start: Transcript, asked: Sequence[Question]) -> None:
    turns = tuple(Turn(question, question.demonstration, "stop", num_tokens=1) for question in asked)
    try:
        for index in range(len(turns)):
            verify(replace(start, turns=turns[: index + 1]))
    except Exception as error:  # a user's scenario may do anything
        raise ScenarioError(f"{start.task.id} cannot be judged: {cause_of(error)}") from error


def _require_sound(task: Task, questions: Sequence[Question]) -> None:
    for question in questions:
        if not isinstance(question, Question):
            raise ScenarioError(f"{task.id} asks {question!r:.80}, which is no envs.task.Question")
        for text in (question.text, question.demonstration):
            if not isinstance(text, str):
                raise ScenarioError(
                    f"{task.id} asks a question with {text!r:.80} where a text is due: {question!r:.200}"
                )
        if question.kind not in KINDS:
            known = ", ".join(KINDS)
            raise ScenarioError(f"{task.id} asks a question of unknown kind {question.kind!r}; known: {known}")


def load_scenarios(path: str) -> list[Scenario]:
    """The scenarios of a user's own file. Raises `UserFileError`."""
    values = load_list(path, "SCENARIOS")
    for index, value in enumerate(values):
        problem = _shape_problem(value)
        if problem:
            cause = f"SCENARIOS[{index}] {problem}; see envs.task.Scenario"
            raise UserFileError(path, line_of(path, "SCENARIOS"), cause)
    return [cast(Scenario, value) for value in values]


def _description(scenario: Scenario) -> str:
    """One line: what the scenario says of itself, or else its class."""
    if isinstance(scenario, Described):
        return inspect.cleandoc(scenario.description).partition("\n")[0]
    return inspect.cleandoc(type(scenario).__doc__ or "").partition("\n")[0]


def _shape_problem(value: object) -> str:
    """What keeps the object from being a scenario; empty if nothing does."""
    if inspect.isclass(value):
        return f"is a class, not an object: write {value.__name__}()"
    for attribute in ("name", "domain", "languages", "num_levels", *(method for method, _ in METHODS)):
        if not hasattr(value, attribute):
            return f"has no {attribute!r}"
    scenario = cast(Scenario, value)
    if not all(isinstance(text, str) and text for text in (scenario.name, scenario.domain)):
        return "needs texts as 'name' and 'domain'"
    languages = scenario.languages
    if not isinstance(languages, tuple | list) or not languages or not all(isinstance(code, str) for code in languages):
        return "needs a tuple of language codes as 'languages', such as ('en',)"
    if not isinstance(scenario.num_levels, int) or scenario.num_levels < 1:
        return "needs a whole number of at least 1 as 'num_levels'"
    roles = [role for role in ROLES if any(hasattr(value, method) for method, _ in role)]
    for method, parameters in (*METHODS, *(method for role in roles for method in role)):
        if not _accepts(getattr(scenario, method, None), len(parameters)):
            return f"needs a method {method}({', '.join(parameters)})"
    return ""


def _accepts(method: object, num_arguments: int) -> bool:
    if not callable(method):
        return False
    try:
        inspect.signature(method).bind(*range(num_arguments))
    except TypeError:
        return False
    return True

"""Multiple choice out of the embedded knowledge, five examples before each question: for policies that know no MMLU.

Examples and question are a chat, and each of four answers is scored as the policy would have to give it, its end
included. Letters before the answers would ask for more than knowledge: a small policy that knows the capital of France
does not know what a "B" is for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from envs.chance import draw
from envs.family import Family
from envs.languages import CODES
from envs.library import Library
from envs.task import Question, Task
from models.chat import ChatFormat
from rl.suites.choices import Choice, examine_choices
from rl.suites.config import SuitesConfig
from rl.suites.draw import draw_items
from rl.suites.suite import Examination, Subject

SCENARIOS = (
    "capital-cities",
    "countries-by-capital",
    "continents",
    "currencies",
    "official-languages",
    "country-codes",
    "language-codes",
)
LEVEL = 0  # where each fact has one wording
NUM_CHOICES = 4


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Asked in all languages, or in those that a policy is meant to speak."""

    config: SuitesConfig
    name: str = "knowledge"
    headline: str = "accuracy"
    lower_is_better: bool = False

    async def examine(self, subject: Subject) -> Examination:
        cells = [(name, language) for name in SCENARIOS for language in CODES]
        choices = [choice for cell in cells for choice in self._choices(subject, *cell)]
        return await examine_choices(
            subject,
            draw_items(choices, self.config),
            note="chat; the likeliest of four whole answers counts, chance is 25 %",
        )

    def _choices(self, subject: Subject, scenario: str, language: str) -> list[Choice]:
        facts = facts_of(subject.library, scenario, language)
        return [
            choice_of(Task(scenario, language, LEVEL, number), facts, number, subject.chat, self.config.num_shots)
            for number in range(len(facts))
        ]


def facts_of(library: Library, scenario: str, language: str) -> list[Question]:
    """All opening questions of a scenario, each with its answer."""
    family = library.find(scenario)
    size = family.size(language, LEVEL)
    assert isinstance(family, Family) and size is not None, f"{scenario}: is no list of facts"
    return [library.questions(Task(scenario, language, LEVEL, seed), max_turns=1)[0] for seed in range(size)]


def choice_of(task: Task, facts: Sequence[Question], number: int, chat: ChatFormat, num_shots: int) -> Choice:
    """Question `number` with three wrong answers, which are right for others, and examples among the other facts."""
    question = facts[number]
    wrong = sorted({fact.demonstration for fact in facts} - {question.demonstration})
    options = [question.demonstration, *draw(wrong, NUM_CHOICES - 1, task.id, "wrong")]
    options = list(draw(options, len(options), task.id, "order"))
    others = [fact for fact in facts if fact is not question]
    shots = [(fact.text, fact.demonstration) for fact in draw(others, num_shots, task.id, "examples")]
    return Choice(
        item=task.id,
        group=task.scenario,
        question=question.text,
        labels=tuple(options),
        correct=options.index(question.demonstration),
        tokens=partial(_tokens, chat, shots, question.text, options),
        num_shots=len(shots),
    )


def _tokens(
    chat: ChatFormat, shots: Sequence[tuple[str, str]], question: str, options: Sequence[str], num_shots: int
) -> list[list[int]]:
    return [chat.render([*shots[:num_shots], (question, option)])[0] for option in options]

"""Reward and success agree: `answer.correct` and the scenario's verdict, wherever a question has one right answer."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from envs.library import BUILT_IN
from envs.questions import questions_family
from envs.task import Question, Scenario, Task, Transcript, Turn
from rewards.dimensions import answer

VERSIONS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in another case": str.swapcase,
    "with a full stop": lambda text: f"{text}.",
    "with white space": lambda text: f" {text}\n",
    "spaces wider": lambda text: text.replace(" ", "  "),
    "inside a sentence": lambda text: f"I think that it is {text}, or so.",
    "with another word": lambda text: f"{text} {text}",
    "cut short": lambda text: text[:-1],
    "empty": lambda text: "",
}
NUM_LANGUAGES = 4  # of a scenario, on each of its levels
SEEDS = (0, 1, 2**40 + 3)


def disagreements(scenario: Scenario) -> list[tuple[str, Question, str, float, float | None]]:
    """The task, the question, the answer, the scenario's verdict, and the score of `answer.correct`."""
    found = []
    for language in scenario.languages[:NUM_LANGUAGES]:
        for level in range(scenario.num_levels):
            for seed in SEEDS:
                task = Task(scenario.name, language, level, seed)
                dialog, earlier = scenario.dialog(task), tuple[Turn, ...]()
                question: Question | None = dialog.open()
                while question is not None:
                    for said in {version(question.demonstration) for version in VERSIONS.values()}:
                        transcript = Transcript(task, (*earlier, Turn(question, said, "stop", num_tokens=1)))
                        score = answer.correct(transcript)
                        if score is not None and score != scenario.verify(transcript):
                            found.append((task.id, question, said, scenario.verify(transcript), score))
                    earlier = (*earlier, Turn(question, question.demonstration, "stop", num_tokens=1))
                    question = dialog.reply(question.demonstration)
    return found


@pytest.mark.parametrize("scenario", BUILT_IN, ids=lambda scenario: scenario.name)
def test_every_family_agrees_with_the_reward(scenario: Scenario) -> None:
    assert disagreements(scenario) == []


def test_questions_from_a_file_agree_with_the_reward(tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text("".join(json.dumps({"question": "?", "answer": text}) + "\n" for text in ("7", "-2.5", "1,080")))
    assert disagreements(questions_family(str(file))) == []


class Strict:
    """A family of an opinion of its own."""

    name, domain, languages, num_levels = "strict", "test", ("en",), 1

    def size(self, language: str, level: int) -> int:
        return 1

    def dialog(self, task: Task) -> "Strict":
        return self

    def open(self) -> Question:
        return Question("Capital of Italy?", "Rome")

    def reply(self, answer: str) -> None:
        return None

    def verify(self, transcript: Transcript) -> float:
        return float(transcript.last.answer == "Rome")


def test_a_family_that_judges_in_its_own_way_is_found() -> None:
    assert {said for _, _, said, _, _ in disagreements(Strict())} == {"rOME", "Rome.", " Rome\n"}

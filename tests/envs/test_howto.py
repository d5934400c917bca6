import pytest

from envs.families.howto import SCENARIOS, talk_through
from envs.family import Family
from envs.task import Question, Task, Transcript, Turn

BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


def success(scenario: Family, question: Question, answer: str) -> float:
    task = Task(scenario.name, "en", 0, 0)
    return scenario.verify(Transcript(task, (Turn(question, answer, "stop", 1),)))


def questions(name: str, language: str = "en", level: int = 0) -> list[Question]:
    scenario = BY_NAME[name]
    size = scenario.size(language, level)
    assert size is not None
    return [scenario.dialog(Task(name, language, level, seed)).open() for seed in range(size)]


def test_every_plausible_number_is_right() -> None:
    asked = next(question for question in questions("howto-amount") if "Boil the eggs" in question.text)
    assert asked.text == "Boil the eggs for ___ minutes. Which number?"
    answers = ("4", "12 minutes", "I take 8", "3", "30", "")
    assert [success(BY_NAME["howto-amount"], asked, answer) for answer in answers] == [1, 1, 1, 0, 0, 0]


def test_a_choice_needs_the_letter_alone() -> None:
    asked = questions("howto-first-step")[0]
    assert asked.answer in ("a", "b")
    other = "b" if asked.answer == "a" else "a"
    answers = (asked.answer, asked.answer.upper(), other, "a b")
    assert [success(BY_NAME["howto-first-step"], asked, answer) for answer in answers] == [1, 1, 0, 0]


@pytest.mark.parametrize(
    "name", ["howto-first-step", "howto-next-step", "howto-tool", "howto-missing-step", "howto-sensible"]
)
def test_no_answer_is_much_more_often_right_than_another(name: str) -> None:
    answers = [question.answer for question in questions(name)]
    assert len(set(answers)) == 2
    assert max(answers.count(answer) for answer in set(answers)) <= 0.6 * len(answers)


@pytest.mark.parametrize("name", ["howto-next-step", "howto-tool", "howto-missing-step"])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_options_differ(name: str, level: int) -> None:
    for language in ("en", "de", "fr", "es"):
        for question in questions(name, language, level):
            options = [
                option.strip() for option in question.text.partition(" a) ")[2].replace(" c) ", " b) ").split(" b) ")
            ]
            assert len(set(options)) == len(options) >= 2, question.text


def test_a_dialog_goes_on_and_asks_for_an_amount() -> None:
    plan = next(plan for plan in talk_through("en", 0) if "water" in plan[0].text and len(plan) == 3)
    assert plan[1].text.startswith("And after that?")
    assert plan[2].kind == "amount"
    assert plan[2].text.startswith("And how many")


def test_listings_tell_the_families_apart() -> None:
    assert len({scenario.description for scenario in SCENARIOS}) == len(SCENARIOS) == 10

"""Memory dialogs, worked by hand, and the plan that every persona walks."""

import re

import pytest

from envs.families import memory_course, memory_facts
from envs.families.memory_phrasings import PHRASINGS
from envs.families.words import WORDS
from envs.planned import Plan, with_aside
from envs.task import Question, Task


def script(plan: Plan, task: Task, choices: list[int]) -> list[tuple[str, str | None]]:
    return [(question.text, question.answer) for question in plan(task, choices)]


def test_a_fact_is_told_and_asked_for() -> None:
    assert script(memory_facts.recall, Task("memory-recall", "en", 0, 1), [0, 1]) == [
        ("My favourite colour: blue. Say ok.", "ok"),
        ("What is my favourite colour?", "blue"),
    ]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_last_value_of_a_fact_counts(level: int) -> None:
    for seed in range(60):
        *told, (asked, answer) = script(memory_facts.update, Task("memory-update", "en", level, seed), [1, 0])
        topic = next(noun for noun, question in PHRASINGS["en"].facts if question == asked)
        values = [text.partition(f"{topic}: ")[2] for text, _ in told if topic in text]
        assert values[-1] == f"{answer}. Say ok."


@pytest.mark.parametrize("level", [0, 1, 2])
def test_who_said_what_follows_from_the_lines(level: int) -> None:
    for seed in range(60):
        *told, (asked, answer) = script(memory_facts.speaker, Task("memory-speaker", "en", level, seed), [2, 3])
        lines = [re.fullmatch(r"(\w+): (\w+)\. Say ok\.", text) for text, _ in told]
        said = {found[2]: found[1] for found in lines if found}
        last = {found[1]: found[2] for found in lines if found}
        about = re.findall(r"“(\w+)”|did (\w+) say", asked)[0]
        assert answer == (said[about[0]] if about[0] else last[about[1]])


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_list_follows_from_what_was_added_and_crossed_off(level: int) -> None:
    for seed in range(60):
        items: list[str] = []
        choices = [0, 0, 0][: 2 + (level > 0)]
        questions = script(memory_facts.shopping, Task("memory-list", "en", level, seed), choices)
        for text, _ in questions:
            if found := re.match(r"(On my list:|Add|Cross off) ([\w, ]+)\.", text):
                new = found[2].split(", ")
                items = [item for item in items if item not in new] if found[1] == "Cross off" else items + new
        assert questions[-1][1] == ", ".join(items)


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_total_is_that_of_the_numbers(level: int) -> None:
    for seed in range(60):
        questions = script(memory_course.total, Task("memory-total", "de", level, seed), [4])
        signs = [(re.findall(r"\d+", text)[0], text.startswith("Minus")) for text, _ in questions]
        assert questions[-1][1] == str(sum(-int(number) if lower else int(number) for number, lower in signs))


@pytest.mark.parametrize("level", [0, 1, 2])
def test_the_course_of_the_dialog_is_what_was_asked(level: int) -> None:
    for seed in range(60):
        *asked, (which, answer) = script(memory_course.first, Task("memory-first", "en", level, seed), [1, 2])
        place = next(place for place, word in enumerate(("first", "second", "third")) if word in which)
        assert asked[place][0] == f"{answer}?"
        assert len(set(asked)) == len(asked)
        *asked, (_, count) = script(memory_course.count, Task("memory-count", "en", level, seed), [1, 2])
        assert count == str(sum("+" in text for text, _ in asked))


def test_a_rule_holds_until_it_is_lifted() -> None:
    for seed in range(30):
        (first, due), (second, upper), (lifted, bare) = script(
            memory_course.rule, Task("memory-rule", "de", 1, seed), [0, 2]
        )
        assert (first, due) == ("Antworte in Großbuchstaben. Sag grün.", "GRÜN")
        assert f"Sag {upper.lower() if upper else ''}." == second
        assert lifted == f"Vergiss jetzt diese Regel. Sag {bare}."
        assert upper is not None
        assert upper.isupper()
        assert bare is not None
        assert bare.islower()


def test_an_aside_interrupts_the_plan_and_never_opens_it() -> None:
    plan = [Question("a", "1"), Question("b", "2"), Question("c", "3")]
    for seed in range(20):
        questions = with_aside(plan, Task("x", "en", 2, seed))
        assert len(questions) == 4
        assert [question for question in questions if question in plan] == plan
        assert questions[0] == plan[0]
    assert with_aside(plan[:1], Task("x", "en", 2, 1)) == plan[:1]


def test_words_are_equally_many_in_every_language_and_differ() -> None:
    for words in WORDS.values():
        lists = (words.colours, words.animals, words.foods, words.weekdays)
        assert [len(set(names)) for names in lists] == [8, 8, 8, 7]

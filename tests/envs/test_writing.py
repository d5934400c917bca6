"""The writing families by hand: what is asked, and which answers pass."""

import json

import pytest

from envs.families.writing_exact import misspelt
from envs.families.writing_phrasings import CITIES, LONG_WORDS, NAMES, RHYMES, WORDINGS, WORDS
from envs.families.writing_task import arrangement, num_arrangements
from envs.library import BUILT_IN
from envs.task import Constraint, Question, Scenario, Task
from envs.verdicts import agreement

WRITING = {scenario.name: scenario for scenario in BUILT_IN if scenario.domain == "writing"}
LANGUAGES = ("en", "de", "fr", "es")


def asked(name: str, *, language: str = "en", level: int = 0, seed: int = 0) -> list[Question]:
    dialog = WRITING[name].dialog(Task(name, language, level, seed))
    questions, question = [dialog.open()], dialog.reply("")
    while question is not None:
        questions.append(question)
        question = dialog.reply("")
    return questions


def success(question: Question, answer: str) -> float:
    return agreement(answer, question)


def test_there_are_twelve_families_in_four_languages() -> None:
    assert len(WRITING) == 12
    assert all(scenario.languages == LANGUAGES for scenario in WRITING.values())


@pytest.mark.parametrize("scenario", WRITING.values(), ids=lambda scenario: scenario.name)
def test_the_lowest_level_is_small_and_short(scenario: Scenario) -> None:
    for language in LANGUAGES:
        size = scenario.size(language, 0)
        assert size is not None and size <= 250
        openings = [scenario.dialog(Task(scenario.name, language, 0, seed)).open() for seed in range(size)]
        assert max(len(opening.demonstration) for opening in openings) <= 24


@pytest.mark.parametrize(
    ("name", "seed", "text", "answer"),
    [
        ("write-case", 1, "In capitals: tea", "TEA"),
        ("write-case", 0, "In small letters: TEA", "tea"),
        ("write-sorted", 0, "A to Z: tea, bee", "bee, tea"),
        ("write-acronym", 0, "Initials: tea bee", "TB"),
        ("write-rhyme", 0, "Rhyme of cat: hat, tree?", "hat"),
        ("write-without", 1, "Without bee: tea, bee", "tea"),
        ("write-replaced", 0, "bee becomes tea: bee, sun", "tea, sun"),
        ("write-spelling", 0, "Correct: teaa", "tea"),
        ("write-spelling", 24, "Correct: ttea", "tea"),
    ],
)
def test_an_opening_by_hand(name: str, seed: int, text: str, answer: str) -> None:
    (question,) = asked(name, seed=seed)
    assert (question.text, question.answer) == (text, answer)
    assert success(question, f" {answer}\n") == 1.0
    assert success(question, answer.swapcase()) == float(question.kind != "exact")
    assert success(question, f"It is {answer}") == 0.0


def test_json_is_compared_by_value() -> None:
    (question,) = asked("write-json", seed=1)
    assert json.loads(question.answer or "") == {"city": "Rome"}
    assert success(question, '```json\n{ "city":"Rome" }\n```') == 1.0
    assert success(question, '{"city": "Paris"}') == 0.0
    assert success(question, "city Rome") == 0.0


def test_a_free_text_passes_by_its_demands() -> None:
    (question,) = asked("write-words")
    assert question.constraints == (Constraint("num_words", 2), Constraint("mentions", "tea"))
    assert [success(question, answer) for answer in ("Good tea!", "tea", "Good milk", "")] == [1.0, 0.0, 0.0, 0.0]


def test_a_summary_is_shorter_than_its_text() -> None:
    for language in LANGUAGES:
        for level in range(3):
            question = asked("write-summary", language=language, level=level, seed=5)[0]
            told = question.text.partition(": ")[2]
            assert success(question, told) == 0.0
            assert success(question, question.demonstration) == 1.0


def test_follow_ups_build_on_what_was_asked() -> None:
    first, then, last = asked("write-sorted", level=2, seed=3)
    ordered = (first.answer or "").split(", ")
    assert (then.answer or "").split(", ") == ordered[::-1]
    assert last.answer == ordered[-1]


def test_the_words_are_as_many_and_as_different_in_every_language() -> None:
    for language in LANGUAGES:
        assert len({word.lower() for word in WORDS[language]}) == 24
        assert len(set(LONG_WORDS[language])) == 24
        assert min(map(len, LONG_WORDS[language])) >= 5
        assert len(set(NAMES[language])) == len(set(CITIES[language])) == 8
        assert len({word for sound in RHYMES[language] for word in sound}) == 24
        assert WORDINGS[language].keys() == WORDINGS["en"].keys()


def test_arrangements_are_different_and_complete() -> None:
    assert num_arrangements(4, 2) == 12
    assert len({tuple(arrangement("abcd", number, 2)) for number in range(12)}) == 12


def test_a_slip_changes_the_word() -> None:
    assert (misspelt("letter", 0), misspelt("letter", 2)) == ("eltter", "lettter")
    assert all(misspelt(word, place) != word for words in LONG_WORDS.values() for word in words for place in range(4))

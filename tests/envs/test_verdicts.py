"""What counts as right, by the kind of the question."""

import pytest

from envs.task import Constraint, FinishReason, Kind, Question, Task, Transcript, Turn
from envs.verdicts import agreement, letters, same_words, verdict


@pytest.mark.parametrize(
    ("kind", "due", "right", "wrong"),
    [
        ("integer", "-4", (" -4\n", "\N{MINUS SIGN}4"), ("-4.", "-04", "It is -4", "4", "")),
        ("number", "2.5", ("2.5", "5/2", "It is 2.50.", "2, no, 2.5 apples"), ("2", "2.5 of 3", "")),
        ("choice", "Anna", ("anna", " Anna.\n", "“ANNA”"), ("Ann", "Anna Ben", "It is Anna", "")),
        ("choice", "?", ("?",), ("", "!")),
        ("text", "Buenos Aires", ("buenos-aires.", "BUENOS  AIRES"), ("Buenos", "It is Buenos Aires", "")),
        ("text", "Istanbul", ("ISTANBUL",), ("İstanbulu",)),
        ("text", "عمّان", ("عمان",), ("عم",)),
        ("text", "schön", ("Schön!",), ("schon",)),
        ("text", "...", ("...",), ("", "!")),
        ("exact", "GRÜN!", (" GRÜN!\n",), ("grün!", "GRÜN", "")),
        ("exact", "1\N{NARROW NO-BREAK SPACE}000,50", ("1 000,50",), ("1000,50", "1 000,50.")),
        ("sequence", "cat, Dog", ("cat, dog.", "Cat dog", "cat;dog"), ("dog, cat", "cat", "cat, dog, cow", "")),
        ("json", '{"age": 3}', ('{"age":3}', '```json\n{"age": 3}\n```'), ('{"age": 4}', "age: 3", "")),
        ("call", "calc(1)", (" calc(1) ",), ("calc(2)", "CALC(1)")),
    ],
)
def test_right_and_wrong_by_kind(kind: Kind, due: str, right: tuple[str, ...], wrong: tuple[str, ...]) -> None:
    question = Question("?", due, kind)
    assert {answer: agreement(answer, question) for answer in right} == dict.fromkeys(right, 1.0)
    assert {answer: agreement(answer, question) for answer in wrong} == dict.fromkeys(wrong, 0.0)


@pytest.mark.parametrize(
    ("kind", "due", "degrees"),
    [
        ("list", "milk, rice, tea", {"Tea, milk, rice.": 1, "milk, tea": 0.8, "milk, milk, rice, tea": 6 / 7, "": 0}),
        ("slots", "4, Friday, 19:00", {"4, friday, 19:00.": 1, "4, Monday, 19:00": 2 / 3, "4, Friday": 0, "": 0}),
    ],
)
def test_of_several_things_some_may_be_right(kind: Kind, due: str, degrees: dict[str, float]) -> None:
    question = Question("?", due, kind)
    assert {answer: agreement(answer, question) for answer in degrees} == pytest.approx(degrees)


def test_a_text_without_a_right_one_must_meet_all_constraints() -> None:
    question = Question("?", constraints=(Constraint("num_words", 2), Constraint("mentions", "tea")), oracle="Good tea")
    assert [agreement(answer, question) for answer in ("My tea!", "tea", "My milk", "")] == [1, 0, 0, 0]
    assert [agreement(answer, Question("?", oracle="Good tea")) for answer in ("good tea.", "My tea!", "")] == [1, 0, 0]


def test_a_number_that_is_none_is_an_error_and_not_a_wrong_answer() -> None:
    with pytest.raises(ValueError, match="expects 'many'"):
        agreement("7", Question("?", "many", "number"))


@pytest.mark.parametrize(("finish", "success"), [("stop", 1.0), ("length", 0.0)])
def test_a_cut_off_answer_is_wrong(finish: FinishReason, success: float) -> None:
    turn = Turn(Question("?", "7", "integer"), "7", finish, num_tokens=1)
    assert verdict(Transcript(Task("x", "en", 0, 0), (turn,))) == success


def test_the_same_words_have_the_same_letters() -> None:
    assert letters("on altı") == letters("Onaltı")
    assert not same_words("Paris, Rome", "Paris")
    assert not same_words("...", "!")

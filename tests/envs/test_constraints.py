"""Demands on the form of an answer: what meets them, what meets a part of them, and examples that meet several."""

from itertools import combinations

import pytest

from envs.constraint_examples import FILLER, example
from envs.constraint_phrases import PHRASES
from envs.constraints import CHECKS, degree, holds, phrase
from envs.prose import FUNCTION_WORDS, items, main_language, sentences, words
from envs.task import Constraint

SCHEMA = (
    '{"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer"}}, "required": ["age"]}'
)

# name, value, an answer that meets the demand, one that does not, and how far the latter does.
CASES = (
    ("max_words", 3, "one two three", "one two three four", 3 / 4),
    ("min_words", 3, "one two three", "one two", 2 / 3),
    ("num_words", 2, "It's well-known", "one two three", 2 / 3),
    ("max_characters", 5, " 12345 ", "1234567890", 1 / 2),
    ("max_word_length", 4, "tiny word", "lengthy", 4 / 7),
    ("max_sentences", 1, "It is 3.5 metres.", "Yes. No.", 1 / 2),
    ("num_sentences", 2, "Yes! Is it?", "Yes, it is", 1 / 2),
    ("num_paragraphs", 2, "One.\n\nTwo.", "One.\nTwo.", 1 / 2),
    ("num_bullets", 2, "- one\n- two", "- one\n two", 1 / 2),
    ("num_numbered", 2, "1. one\n2. two", "1. one\n3. two", 1 / 2),
    ("num_items", 3, "tea, milk, bread.", "tea, milk", 2 / 3),
    ("mentions", "tea", "Some tea, please", "Some teapot", 0.5),
    ("avoids", "tea", "Some teapot", "Some tea", 1 / 2),
    ("times", "2 tea", "Tea or tea?", "No tea", 1 / 2),
    ("starts_with", "Dear", " Dear Anna", "Deal", 3 / 4),
    ("ends_with", "Bye", "Good. Bye\n", "Good rye", 2 / 3),
    ("all_lower", "", "über 3 tea", "Tea", 2 / 3),
    ("all_upper", "", "ÜBER 3 TEA", "TeA", 2 / 3),
    ("capital_words", 2, "I SEE THE sea", "SEE", 1 / 2),
    ("no_commas", "", "a b", "a, b", 1 / 2),
    ("no_digits", "", "two", "2", 1 / 2),
    ("without_letter", "e", "Fish and milk", "Fish and Eggs", 1 / 2),
    ("initials", "tea", "To eat apples", "to eat pears", 2 / 3),
    ("sorted_words", "", "ant Bee cat", "bee ant cat", 1 / 2),
    ("distinct_words", "", "to be or not", "to be To be", 1 / 2),
    ("json", "", '```json\n{"a": 1}\n```', "{a: 1}", 0.0),
    ("json_keys", "name, age", '{"age": 7, "name": "Anna"}', '{"name": "Anna"}', 1 / 2),
    ("json_schema", SCHEMA, '{"age": 7}', '{"name": 7}', 1 / 4),
    ("title", "", "<<Tea>>\nGood.", "<Tea> Good.", 0.0),
    ("placeholders", 2, "Dear [name] of [city]", "Dear [name] of [a](b)", 1 / 2),
    ("highlights", 2, "*so* **much** tea", "*so much tea", 0.0),
    ("repeats", "Who is it?", "Who is it? Anna.", "Who is it?", 1 / 2),
    ("language", "de", "Das ist nicht gut.", "This is not good.", 0.0),
    ("postscript", "", "Bye.\nP.S. Bring tea", "Bye. No P.S.", 0.0),
    ("quoted", "", '"Tea, please"', '"Tea" please', 1 / 2),
    ("num_versions", 2, "tea\n******\nmilk", "tea\n******\ntea", 1 / 2),
    ("options", "yes|no", "Yes.", "yes and more", 1 / 6),
    ("one_line", "", "a b\n", "a\nb", 1 / 2),
    ("is_question", "", "Is it? ", "It is.", 0.0),
    ("fenced", "", "```\ntea\n```", "tea ```", 0.0),
)


@pytest.mark.parametrize(("name", "value", "right", "wrong", "share"), CASES, ids=[case[0] for case in CASES])
def test_a_demand_by_hand(name: str, value: str | int, right: str, wrong: str, share: float) -> None:
    constraint = Constraint(name, value)
    assert holds(constraint, right)
    assert not holds(constraint, wrong)
    assert degree(constraint, wrong) == pytest.approx(share)


def test_every_demand_is_tested_and_reads_in_four_languages() -> None:
    assert [case[0] for case in CASES] == list(CHECKS)
    assert PHRASES.keys() == CHECKS.keys()
    for name, value, *_ in CASES:
        texts = {phrase(Constraint(name, value), language) for language in ("en", "de", "fr", "es")}
        assert len(texts) == 4
        assert not any("{first}" in text or "{value}" in text for text in texts)


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_meets_no_demand(name: str) -> None:
    value = next(case[1] for case in CASES if case[0] == name)
    assert [degree(Constraint(name, value), text) for text in ("", " \n", "?!", "*_*")] == [0.0] * 4


@pytest.mark.parametrize("language", FILLER)
@pytest.mark.parametrize("name", CHECKS)
def test_an_example_meets_one_demand(name: str, language: str) -> None:
    value = next(case[1] for case in CASES if case[0] == name)
    constraints = (Constraint(name, "tea" if name == "initials" else value),)
    assert holds(constraints[0], example(constraints, language))


COMPATIBLE = (
    Constraint("min_words", 12),
    Constraint("mentions", "tea"),
    Constraint("mentions", "river"),
    Constraint("avoids", "and"),
    Constraint("all_lower"),
    Constraint("no_commas"),
    Constraint("title"),
    Constraint("num_paragraphs", 2),
    Constraint("starts_with", "dear anna"),
    Constraint("quoted"),
)


def test_an_example_meets_several_demands_at_once() -> None:
    for several in combinations(COMPATIBLE, 4):
        text = example(several, "en")
        assert all(holds(constraint, text) for constraint in several)


def test_demands_that_contradict_each_other_have_no_example() -> None:
    with pytest.raises(ValueError, match="max_words=1"):
        example((Constraint("max_words", 1), Constraint("min_words", 3)), "en")


def test_an_unknown_demand_is_refused() -> None:
    with pytest.raises(KeyError):
        degree(Constraint("max_wrods", 3), "tea")


def test_words_and_sentences() -> None:
    assert words("It's 3.5 l'eau, well-known_tea.") == ["It's", "3", "5", "l'eau", "well-known", "tea"]
    assert sentences('He said "No!" Then... he left') == ['He said "No!', "Then...", "he left"]
    assert items("- tea\n- milk") == items("tea, milk") == ["tea", "milk"]


def test_function_words_belong_to_one_language() -> None:
    assert main_language("Le chat est sur la table") == "fr"
    assert main_language("tea") is None
    for a, b in combinations(FUNCTION_WORDS, 2):
        assert len(FUNCTION_WORDS[a] & FUNCTION_WORDS[b]) <= 3, (a, b)

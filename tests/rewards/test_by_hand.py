"""Single dimensions against numbers worked out by hand. None: it abstains."""

import json
from pathlib import Path

import pytest

from envs.families.arithmetic import SCENARIOS
from envs.questions import questions_family
from envs.task import ToolUse, Transcript
from rewards.dimensions.example import example
from rewards.table import by_name

DIMENSIONS = by_name()


def integer(answer: str, expected: str, question: str = "?") -> Transcript:
    return example(question, answer, expected=expected, kind="integer")


def number(answer: str, expected: str) -> Transcript:
    return example("?", answer, expected=expected, kind="number")


def text(answer: str, expected: str | None = None, language: str = "en") -> Transcript:
    return example("Tell me about it.", answer, expected=expected, language=language)


def tokens(num_tokens: int, kind: str) -> Transcript:
    return example("?", "x", kind=kind, num_tokens=num_tokens)


def calls(answer: str, *uses: tuple[str, str], position: int = 0) -> Transcript:
    made = tuple(ToolUse("calc", call, output, position) for call, output in uses)
    return example("What is 12*34, less 5?", answer, expected="403", kind="integer", tool_uses=made)


CASES = (
    ("answer.correct", calls("403", ("12*34-5", "403")), 1.0),
    ("answer.digits", calls("413", ("12*34-5", "403")), 2 / 3),
    ("tools.well_formed", calls("403"), None),
    ("tools.well_formed", calls("403</calc>", ("12*34", "408")), 1 / 2),
    ("tools.well_formed", calls("<calc>12*34</out>"), 0.0),
    ("tools.no_errors", calls("403"), None),
    ("tools.no_errors", calls("403", ("12*34", "408"), ("408-", "error: that is no formula")), 1 / 2),
    ("tools.used", calls("It is 403.", ("12*34-5", "403")), 1.0),
    ("tools.used", calls("4030", ("12*34-5", "403")), 0.0),
    ("tools.used", calls("403 and", ("12*34-5", "403"), position=7), 0.0),  # it was said before it was known
    ("tools.used", calls("0.50", ("1/2", "0.5")), 1.0),
    ("tools.used", calls("true", ("1<2", "true")), 1.0),
    ("tools.used", calls("1", ("1/0", "error: division by zero")), None),
    ("tools.needed", calls("403", ("12*34", "408"), ("12 * 34", "408"), ("408-5", "403")), 2 / 3),
    ("tools.needed", calls("403", ("403", "403")), 0.0),
    ("tools.from_question", calls("403", ("12*34", "408"), ("408-5", "403")), 1.0),
    ("tools.from_question", calls("403", ("12*35", "420")), 1 / 2),
    ("tools.from_question", calls("403", ("-", "error: that is no formula")), None),
    ("answer.correct", integer("7", "7"), 1.0),
    ("answer.correct", integer(" 7\n", "7"), 1.0),
    ("answer.correct", integer("07", "7"), 0.0),
    ("answer.correct", integer("7.", "7"), 0.0),
    ("answer.correct", integer("−7", "-7"), 1.0),
    ("answer.correct", example("?", "7", expected="7", kind="integer", finish="length"), 0.0),
    ("answer.correct", number("Half of 5 is 2.50", "2.5"), 1.0),
    ("answer.correct", number("2.5 or 3", "2.5"), 0.0),
    ("answer.correct", text("rome!", "Rome"), 1.0),
    ("answer.correct", text("!", "?"), 0.0),
    ("answer.correct", text("7"), None),
    ("answer.closeness", integer("10", "7"), 1 / 4),
    ("answer.closeness", integer("-7", "7"), 1 / 15),
    ("answer.closeness", integer("−7", "-7"), 1.0),
    ("answer.closeness", integer("ten", "7"), 0.0),
    ("answer.closeness", number("It is 3", "2.5"), 1 / 1.5),
    ("answer.closeness", text("7", "7"), None),
    ("answer.digits", integer("123", "129"), 2 / 3),
    ("answer.digits", integer("12", "1234"), 1 / 2),
    ("answer.digits", integer("1234", "12"), 1 / 2),
    ("answer.digits", integer("", "12"), 0.0),
    ("answer.magnitude", integer("5", "1234"), 1 / 4),
    ("answer.magnitude", integer("-9999", "1234"), 1.0),
    ("answer.sign", integer("0", "5"), 0.0),
    ("answer.sign", integer("0", "0"), 1.0),
    ("answer.contains", integer("17 or 7", "7"), 1.0),
    ("answer.contains", integer("17", "7"), 0.0),
    ("answer.contains", text("In Rome, Italy", "rome"), 1.0),
    ("answer.contains", text("A romeo", "rome"), 0.0),
    ("answer.final_number", integer("7 then 8", "7"), 0.0),
    ("answer.final_number", integer("nothing", "7"), 0.0),
    ("answer.overlap", text("in Italy", "Rome is in Italy"), 2 * 2 / 6),
    ("answer.overlap", text("", "Rome"), 0.0),
    ("format.nonempty", text("\n"), 0.0),
    ("format.valid_text", text("ab\ufffd\x00"), 1 / 2),
    ("format.valid_text", text("a\tb\r\n"), 1.0),
    ("format.valid_text", text(""), None),
    ("format.number_only", integer("-12", "7"), 1.0),
    ("format.number_only", integer("007", "7"), 0.0),
    ("format.number_only", integer("2.5", "7"), 0.0),
    ("format.number_only", number("2.5", "7"), 1.0),
    ("format.number_only", text("7"), None),
    ("format.number_characters", integer("-1a", "7"), 2 / 3),
    ("format.number_characters", integer("-", "7"), 0.0),
    ("format.number_characters", number("2.5 m", "7"), 3 / 5),
    ("format.number_characters", integer("", "7"), 0.0),
    ("format.no_role_marks", text("Fine.<|im_end|>"), 0.0),
    ("format.no_role_marks", text("The user: a person"), 1.0),
    ("length.concise", integer("12345678", "7"), 4 / 8),
    ("length.concise", integer("12345678", "12345678"), 1.0),
    ("length.concise", text("x" * 800), 1 / 2),
    ("length.concise", text(""), None),
    ("length.within_budget", tokens(16, "integer"), 1.0),
    ("length.within_budget", tokens(24, "integer"), 1 / 2),
    ("length.within_budget", tokens(33, "integer"), 0.0),
    ("length.within_budget", tokens(256, "number"), 1.0),
    ("repetition.words", text("a a b b"), 1 / 2),
    ("repetition.words", text(" "), None),
    ("repetition.characters", text("aaaaaa"), 3 / 6),
    ("repetition.characters", integer("100000", "100000"), 1.0),
    ("repetition.ngrams", text("a b c a b c"), 3 / 4),
    ("repetition.ngrams", text("a b"), 1.0),
    ("repetition.loops", text("start " + "abcd" * 6), 1 - 24 / 30),
    ("repetition.loops", text("777"), 1.0),
    ("repetition.loops", text("abcdefghijklmn, abcdefghijklmn"), 1.0),
    ("language.script", text("ab вг"), 1 / 2),
    ("language.script", text("ひらがな漢字", language="ja"), 1.0),
    ("language.script", text("コーヒー、人々", language="ja"), 1.0),
    ("language.script", text("12"), None),
    ("language.script", text("abc", language="xx"), None),
    ("language.matches", text("Not enough"), None),
    ("language.matches", text("Der Zug nach Berlin fährt heute leider später ab."), 0.0),
    ("arithmetic.steps_hold", text("1 + 1 = 2, then 2 * 3 = 5"), 1 / 2),
    ("arithmetic.steps_hold", text("x = 5"), None),
    ("arithmetic.step_leads_to_answer", text("So it is 42"), None),
    ("arithmetic.uses_given_numbers", integer("12 + 1 = 13", "42", "12 + 30"), 1 / 2),
    ("structure.balanced_brackets", text("(a] [b]"), 1 / 2),
    ("structure.balanced_brackets", text("1) Nice :)"), None),
    ("style.no_shouting", text("ABCDEfghij"), (5 / 10) / 0.7),
    ("style.no_shouting", text("NATO"), None),
    ("text.compressibility", text("short"), None),
    ("text.distinct_words", text("a b c d " * 5), 4 / 20 / 0.5),
    ("text.distinct_words", text("one two"), None),
    ("termination.complete_sentence", text('He said "it is over there."'), 1.0),
    ("termination.complete_sentence", text("Yes"), None),
    ("context.no_echo_of_question", example("a b c d", "a b c x"), 1 / 2),
    ("context.no_echo_of_question", example("3 + 4 = ?", "7"), None),
    ("context.consistent_with_earlier", integer("7", "7"), None),
)


@pytest.mark.parametrize(("name", "transcript", "score"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_score_worked_by_hand(name: str, transcript: Transcript, score: float | None) -> None:
    assert DIMENSIONS[name].score(transcript) == (None if score is None else pytest.approx(score))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The train to London leaves a little later than usual today."),
        ("de", "Der Zug nach Berlin fährt heute leider etwas später ab."),
        ("ru", "Поезд в Москву сегодня отправляется немного позже."),
        ("zh", "今天开往北京的火车比平时晚一些出发。"),
        ("ja", "今日の東京行きの電車はいつもより少し遅れて出発します。"),
    ],
)
def test_language_is_recognised(language: str, sentence: str) -> None:
    score = DIMENSIONS["language.matches"].score(text(sentence, language=language))
    assert score is not None and score > 0.5


def test_right_answer_of_the_wrong_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="expects 'seven'"):
        DIMENSIONS["answer.closeness"].score(integer("7", "seven"))


def test_consistency_counts_the_earlier_answers_to_the_same_question() -> None:
    dialog = example("3 + 4", "7", kind="integer")
    dialog = example("1 + 1", "2", kind="integer", earlier=dialog)
    dialog = example("3 + 4", "8", kind="integer", earlier=dialog)
    dialog = example("3 + 4", "7", kind="integer", earlier=dialog)
    assert DIMENSIONS["context.consistent_with_earlier"].score(dialog) == 1 / 2


@pytest.mark.parametrize(
    "answer", ["7", " 7 ", "−7", "-7", "07", "+7", "7.", "7.0", "It is 7", "", "8 - 1 = 7", "1,007", "7/1"]
)
def test_correct_agrees_with_the_scenarios(answer: str, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(json.dumps({"question": "?", "answer": "7"}))
    score = DIMENSIONS["answer.correct"].score
    for expected in ("7", "-7", "1007"):
        assert score(integer(answer, expected)) == SCENARIOS[0].verify(integer(answer, expected))
        assert score(number(answer, expected)) == questions_family(str(file)).verify(number(answer, expected))

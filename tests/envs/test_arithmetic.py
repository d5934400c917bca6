import re
from collections import Counter
from itertools import pairwise

import pytest

from envs.families.arithmetic import LEVELS, SCENARIOS, Problem, calculate, plan
from envs.families.arithmetic_phrasings import PHRASINGS
from envs.task import FinishReason, Question, Task, Transcript, Turn

ARITHMETIC, ARITHMETIC_DIALOG = SCENARIOS
LANGUAGES = tuple(PHRASINGS)
ALL_LEVELS = range(len(LEVELS))


def verify(answer: str, finish: FinishReason = "stop", due: str = "-4") -> float:
    task = Task("arithmetic", "en", 0, 0)
    turn = Turn(Question("3-7=?", due, "integer"), answer, finish, num_tokens=3)
    return ARITHMETIC.verify(Transcript(task, (turn,)))


def opening(task: Task) -> Question:
    return ARITHMETIC.dialog(task).open()


def test_only_the_bare_number_is_right() -> None:
    assert [verify(answer) for answer in ("-4", " -4\n", "\N{MINUS SIGN}4")] == [1, 1, 1]
    wrong = ("4", "-04", "-4.", "-4.0", "The answer is -4", "-4 -4", "- 4", "", "-5", "3-7=-4")
    assert [verify(answer) for answer in wrong] == [0] * len(wrong)


def test_an_answer_that_was_cut_off_is_not_right() -> None:
    assert verify("-4", finish="length") == 0


def test_level_0_asks_every_single_digit_problem_in_two_wordings() -> None:
    asked = [opening(Task("arithmetic", "en", 0, seed)) for seed in range(400)]
    due: dict[str, int] = {}
    for a in range(10):
        for b in range(10):
            due |= {f"{a}+{b}=?": a + b, f"What is {a} plus {b}?": a + b}
            due |= {f"{a}-{b}=?": a - b, f"What is {a} minus {b}?": a - b}
    assert {question.text: question.answer for question in asked} == {text: str(n) for text, n in due.items()}
    assert ARITHMETIC.size("en", 0) == len(due) == 400


@pytest.mark.parametrize("language", LANGUAGES)
def test_level_0_speaks_the_language(language: str) -> None:
    words = {re.sub(r"\d", "#", opening(Task("arithmetic", language, 0, seed)).text) for seed in range(400)}
    assert len(words) == 4  # two wordings of two operators
    assert {"#+#=?", "#-#=?"} < words


@pytest.mark.parametrize("language", LANGUAGES)
def test_english_has_many_wordings_and_every_operator_equally_many(language: str) -> None:
    counts = {len(PHRASINGS[language].openings(operator)) for operator in "+-*/"}
    assert len(counts) == 1
    assert counts.pop() >= (8 if language == "en" else 6)


@pytest.mark.parametrize("language", LANGUAGES)
def test_wordings_have_the_places_that_they_need(language: str) -> None:
    phrasings = PHRASINGS[language]
    for texts, places in (
        (phrasings.notation, ["e"]),
        (sum(phrasings.words.values(), ()), ["a", "b"]),
        (sum(phrasings.follow_ups.values(), ()), ["n"]),
        (phrasings.complaints, ["question"]),
    ):
        assert texts
        for text in texts:
            assert sorted(re.findall(r"\{(\w+)\}", text)) == places, text


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_an_expression_has_the_value_that_is_due(level: int) -> None:
    rule = LEVELS[level]
    problems = [rule.problem(number) for number in range(0, rule.num_problems, 7)]
    for problem in problems:
        assert re.fullmatch(r"[-+*/()\d]+", problem.expression)
        assert eval(problem.expression) == problem.answer, problem  # checked above to be digits and operators
    assert {problem.operator for problem in problems} == set(["+-", "+-", "+-", "*", ["()"], "+-*/"][level])


def test_problems_worked_by_hand() -> None:
    assert LEVELS[0].problem(137) == Problem("-", "3-7", -4, 3, 7)
    assert LEVELS[3].problem(56) == Problem("*", "6*7", 42, 6, 7)
    assert LEVELS[4].problem(9**3 + 2 * 81 + 4 * 9 + 5).expression == "(3-5)*6"
    assert LEVELS[5].problem(3 * 900 * 90) == Problem("/", "1000/10", 100, 1000, 10)


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_every_number_gives_another_problem(level: int) -> None:
    rule = LEVELS[level]
    numbers = range(0, rule.num_problems, max(1, rule.num_problems // 5000))
    assert len({rule.problem(number).expression for number in numbers}) == len(numbers)


def test_a_follow_up_builds_on_the_true_result() -> None:
    first, second = plan(Task("arithmetic-dialog", "en", 0, 17), 17)
    dialog = ARITHMETIC_DIALOG.dialog(Task("arithmetic-dialog", "en", 0, 17))
    assert dialog.open() == first
    assert dialog.reply("1000") == second  # a wrong answer changes nothing
    assert dialog.reply("1000") is None
    step = int(re.findall(r"\d+", second.text)[0])
    sign = 1 if second.text.startswith(("And plus", "Now add")) else -1
    assert int(str(second.answer)) == int(str(first.answer)) + sign * step


@pytest.mark.parametrize("level", ALL_LEVELS)
def test_follow_ups_by_level(level: int) -> None:
    rule = LEVELS[level]
    wordings = {name: texts[: rule.num_follow_up_wordings] for name, texts in PHRASINGS["en"].follow_ups.items()}
    seen: Counter[str] = Counter()
    for seed in range(300):
        questions = plan(Task("arithmetic-dialog", "en", level, seed), seed)
        assert len(questions) == 1 + rule.num_follow_ups
        for before, question in pairwise(questions):
            operand = int(re.findall(r"\d+", question.text)[0])
            assert operand in rule.operands
            template = question.text.replace(str(operand), "{n}")
            operator = next(
                name for name, texts in wordings.items() if template in texts[: rule.num_follow_up_wordings]
            )
            seen[operator] += 1
            assert str(calculate(operator, int(str(before.answer)), operand)) == question.answer
    assert set(seen) == set(rule.operators)


def test_seeds_with_one_opening_get_different_follow_ups() -> None:
    plans = [plan(Task("arithmetic-dialog", "en", 0, 17 + 400 * i), 17) for i in range(50)]
    assert len({questions[0] for questions in plans}) == 1
    assert len({questions[1] for questions in plans}) > 4  # of 6: two operators, three operands


def test_the_first_openings_in_order_are_spread_over_all() -> None:
    """An evaluation of the first 40 of 400 sees each operator, wording and first digit."""
    texts = [opening(Task("arithmetic", "en", 0, seed)).text for seed in range(40)]
    assert {re.sub(r"\d", "#", text) for text in texts} == {"#+#=?", "#-#=?", "What is # plus #?", "What is # minus #?"}
    assert len({re.findall(r"\d", text)[0] for text in texts}) == 10


def test_an_impatient_user_at_a_higher_level_leaves() -> None:
    left_after: Counter[int] = Counter()
    for seed in range(40):
        dialog = ARITHMETIC_DIALOG.dialog(Task("arithmetic-dialog", "de", 2, seed))
        first, num_turns = dialog.open(), 1
        while (question := dialog.reply("hm")) is not None:
            num_turns += 1
            assert question.text.endswith(first.text)
            assert len(question.text) > len(first.text)
            assert question.answer == first.answer
        left_after[num_turns] += 1
    assert set(left_after) == {2, 3}  # impatient ones ask again once, patient ones twice


def test_at_level_0_the_dialog_goes_on_whatever_is_answered() -> None:
    dialog = ARITHMETIC_DIALOG.dialog(Task("arithmetic-dialog", "de", 0, 5))
    dialog.open()
    assert dialog.reply("hm") == plan(Task("arithmetic-dialog", "de", 0, 5), 5)[1]


def test_a_division_with_a_remainder_is_refused() -> None:
    with pytest.raises(ValueError, match="7/2"):
        calculate("/", 7, 2)

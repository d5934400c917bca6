"""Tool dialogs, worked by hand."""

from envs.families.tool_calls import SCENARIOS
from envs.task import Question, Task, Transcript, Turn

CALCULATOR, LOOKUP, UNITS, CALENDAR = SCENARIOS


def test_a_call_is_carried_out_and_its_result_is_used() -> None:
    task = Task("tool-calculator", "en", 0, 1)
    dialog = CALCULATOR.dialog(task)
    opening = dialog.open()
    assert opening.text.startswith("Tools: calc(expression). Call one first. What is ")
    expression = opening.demonstration[len("calc(") : -1]
    result = dialog.reply(opening.demonstration)
    assert result is not None
    assert result.text == f"Result: {result.answer}. What is {expression}?"
    assert dialog.reply(str(result.answer)) is None


def test_the_result_of_a_wrong_call_is_passed_on_and_the_truth_is_due() -> None:
    dialog = CALCULATOR.dialog(Task("tool-calculator", "en", 0, 1))
    dialog.open()
    question = dialog.reply("calc(1000)")
    assert question is not None
    assert question.text.startswith("Result: 1000. ")
    assert question.answer != "1000"


def test_an_error_may_be_put_right_once() -> None:
    dialog = CALCULATOR.dialog(Task("tool-calculator", "en", 0, 1))
    opening = dialog.open()
    again = dialog.reply("hm")
    assert again is not None
    assert again.text.startswith("Error: a call is written name(arguments). What is ")
    assert (again.kind, again.oracle) == ("call", opening.oracle)
    last = dialog.reply("calc(1/0)")
    assert last is not None
    assert last.text.startswith("Error: division by zero. ")
    assert last.kind == "integer"


def test_only_the_right_call_is_right() -> None:
    task = Task("tool-lookup", "en", 1, 3)
    opening = LOOKUP.dialog(task).open()
    name = opening.demonstration[len("lookup(") : -1]
    verdicts = {
        answer: LOOKUP.verify(Transcript(task, (Turn(opening, answer, "stop", 5),)))
        for answer in (f"lookup({name})", f" lookup( {name.lower()} )", "lookup(Zoe)", name, f"calc({name})", "")
    }
    assert list(verdicts.values()) == [1, 1, 0, 0, 0, 0]
    assert LOOKUP.verify(Transcript(task, (Turn(opening, f"lookup({name})", "length", 5),))) == 0


def test_a_number_cannot_be_known_beforehand() -> None:
    numbers = set()
    for seed in range(0, 800, 8):  # one opening
        dialog = LOOKUP.dialog(Task("tool-lookup", "en", 0, seed))
        question = dialog.reply(dialog.open().demonstration)
        numbers.add(question.answer if question else None)
    assert len(numbers) > 60


def answers(scenario: object, due: str) -> Question:
    """The final question of the first task whose call is `due`."""
    for seed in range(400):
        dialog = scenario.dialog(Task(scenario.name, "de", 0, seed))  # type: ignore[attr-defined]
        if dialog.open().demonstration == due:
            question = dialog.reply(due)
            assert isinstance(question, Question)
            return question
    raise AssertionError(f"nobody asks for {due}")


def test_units_and_weekdays_known_by_hand() -> None:
    assert answers(UNITS, "convert(3, h, min)").answer == "180"
    weekday = answers(CALENDAR, "weekday(2024-02-29)")
    assert weekday.answer == "Donnerstag"
    assert weekday.text == "Ergebnis: Donnerstag. Welcher Wochentag ist 2024-02-29?"

from envs.speech import kept_words, voice
from envs.task import Constraint, Question
from envs.users import EASYGOING, IMPATIENT, PATIENT, TERSE, Persona, SimulatedUser

PLAN = (Question("3+4=?", "7", "integer"), Question("And plus 2?", "9", "integer"))
COMPLAINTS = ("A number? {question}", "Please. {question}")


def user(persona: Persona) -> SimulatedUser:
    return SimulatedUser(PLAN, persona, understands=str.isdigit, complaints=COMPLAINTS)


def texts(dialog: SimulatedUser, answers: list[str]) -> list[str | None]:
    """What the user says: first, and after each answer."""
    said: list[str | None] = [dialog.open().text]
    for answer in answers:
        question = dialog.reply(answer)
        said.append(question.text if question else None)
    return said


def test_right_or_wrong_the_plan_goes_on_after_a_number() -> None:
    assert texts(user(IMPATIENT), ["7", "0"]) == ["3+4=?", "And plus 2?", None]


def test_an_easygoing_user_never_minds() -> None:
    assert texts(user(EASYGOING), ["x", "y"]) == ["3+4=?", "And plus 2?", None]


def test_an_impatient_user_asks_again_once_and_leaves() -> None:
    assert texts(user(IMPATIENT), ["x", "y"]) == ["3+4=?", "A number? 3+4=?", None]


def test_patience_is_for_the_whole_dialog() -> None:
    said = texts(user(PATIENT), ["x", "7", "y", "z"])
    assert said == ["3+4=?", "A number? 3+4=?", "And plus 2?", "Please. And plus 2?", None]


def test_a_repeated_question_keeps_its_answer() -> None:
    dialog = user(IMPATIENT)
    dialog.open()
    again = dialog.reply("x")
    assert again == Question("A number? 3+4=?", "7", "integer")


def test_braces_in_a_question_are_text() -> None:
    dialog = SimulatedUser([Question("{x}?")], IMPATIENT, str.isdigit, COMPLAINTS)
    assert texts(dialog, ["y"]) == ["{x}?", "A number? {x}?"]


def test_a_user_speaks_in_their_voice_from_first_to_last() -> None:
    plan = [Question("Say ok.", "ok"), Question("And now?", "ok")]
    dialog = SimulatedUser(plan, TERSE, str.isalpha, ("Sorry? {question}",), voice(TERSE, "en", seed=1))
    assert texts(dialog, ["?", "ok"]) == ["Say ok", "Sorry? Say ok", "And now?"]


def test_words_that_are_checked_are_kept() -> None:
    questions = [Question("", "Anna"), Question("", oracle="calc(Day)", constraints=(Constraint("one_of", "Tag|Uhr"),))]
    assert kept_words(questions) == {"anna", "calc", "day", "tag", "uhr"}

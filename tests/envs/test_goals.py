"""Dialogs with a goal-driven user, worked by hand."""

from dataclasses import replace

import pytest

from envs.families.service_phrasings import PHRASINGS
from envs.families.service_slots import SCENARIOS, values
from envs.goals import Goal, GoalUser, Slot
from envs.speech_phrasings import LANGUAGES
from envs.task import Task, Transcript, Turn
from envs.users import CHATTY, EASYGOING, IMPATIENT, PATIENT, RAMBLING, SLOPPY, TERSE, WAVERING, Persona
from envs.verdicts import agreement

DAY = Slot("day", "Friday", "On {v}.", slip="Monday")
TIME = Slot("time", "19:00", "At {v}.", slip="20:00")
PEOPLE = Slot("people", "4", "We are {v}.", slip="5")
GOAL = Goal("A table.", (PEOPLE, DAY, TIME), told=("people",), closing="Repeat.")


def play(persona: Persona, answers: list[str], goal: Goal = GOAL) -> list[str]:
    """What the user says after each answer; "-" where they leave."""
    user = GoalUser(goal, persona)
    user.open()
    replies = [user.reply(answer) for answer in answers]
    return [reply.text if reply else "-" for reply in replies]


def test_a_slot_is_told_when_it_is_asked_for() -> None:
    user = GoalUser(GOAL, PATIENT)
    opening = user.open()
    assert opening.text == "A table. We are 4."
    assert (opening.kind, opening.answer, opening.oracle) == ("mention", None, "day")
    asked = user.reply("Which time?")
    assert asked is not None
    assert (asked.text, asked.answer) == ("At 19:00.", "day")
    last = user.reply("day")
    assert last is not None
    assert (last.text, last.answer, last.kind) == ("On Friday. Repeat.", "4, Friday, 19:00", "slots")
    assert user.reply("4, friday, 19:00.") is None


def test_naming_a_missing_slot_is_right_and_naming_another_one_too_is_not() -> None:
    opening = GoalUser(GOAL).open()
    right, wrong = ("day", "Time?", "At what time?"), ("people", "day, people", "day or time", "Friday", "")
    assert [agreement(answer, opening) for answer in right] == [1, 1, 1]
    assert [agreement(answer, opening) for answer in wrong] == [0] * len(wrong)


def test_asked_for_what_they_said_a_user_says_so_and_minds() -> None:
    assert play(IMPATIENT, ["people", "people"]) == ["I said that already: 4.", "-"]


def test_nonsense_costs_patience_and_then_the_user_leaves() -> None:
    said = play(PATIENT, ["hm", "hm", "hm"])
    assert said[2] == "-"
    assert all(text.endswith("A table. We are 4.") and text != "A table. We are 4." for text in said[:2])


def test_an_easygoing_user_goes_on_after_nonsense() -> None:
    assert play(EASYGOING, ["hm", "hm", "hm"]) == ["On Friday.", "At 19:00. Repeat.", "-"]


def test_a_wrong_value_is_corrected() -> None:
    said = play(PATIENT, ["day", "time", "4, Monday, 19:00", "4, Friday, 19:00"])
    assert said[2:] == ["No, not Monday: Friday. Repeat.", "-"]


def test_a_wavering_user_says_something_wrong_and_puts_it_right() -> None:
    user = GoalUser(GOAL, WAVERING)
    user.open()
    said = [user.reply("day"), user.reply("time")]
    assert [question and question.text for question in said] == [
        "On Monday.",
        "Sorry, not Monday, I meant Friday. At 19:00. Repeat.",
    ]
    assert said[1] is not None
    assert said[1].answer == "4, Friday, 19:00"


def test_a_slip_in_the_last_slot_is_put_right_after_the_confirmation() -> None:
    user = GoalUser(replace(GOAL, told=("people", "day")), WAVERING)
    user.open()
    told, again = user.reply("time"), user.reply("4, Friday, 20:00")
    assert told is not None
    assert again is not None
    assert told.answer == "4, Friday, 20:00"
    assert (again.text, again.answer) == ("Sorry, not 20:00, I meant 19:00. Repeat.", "4, Friday, 19:00")
    assert user.reply("4, Friday, 19:00") is None


def test_a_rambling_user_changes_the_topic_and_comes_back() -> None:
    user = GoalUser(GOAL, RAMBLING)
    user.open()
    aside, back = user.reply("day"), user.reply("4")
    assert aside is not None
    assert back is not None
    assert (aside.text, aside.answer) == ("First something else. What did I say for “people”?", "4")
    assert (back.text, back.answer) == ("Thanks. Back to it. On Friday.", "time")


def test_a_terse_user_gives_values_alone() -> None:
    assert play(TERSE, ["day"]) == ["Friday"]


def test_a_chatty_user_talks_of_something_else_first() -> None:
    openings = {GoalUser(GOAL, CHATTY, seed=seed).open().text for seed in range(30)}
    assert all(text.endswith("A table. We are 4.") for text in openings)
    assert len(openings) > 2


def test_a_sloppy_user_misspells_but_not_what_counts() -> None:
    goal = replace(GOAL, request="Please reserve something comfortable.")
    openings = [GoalUser(goal, SLOPPY, seed=seed).open() for seed in range(30)]
    assert len({question.text for question in openings}) > 10
    assert all(question.text.endswith(" 4.") for question in openings)
    spoken = [GoalUser(Goal("Comfortable", (DAY,), told=("day",)), SLOPPY, seed=seed).open().text for seed in range(50)]
    assert all("Friday" in text for text in spoken)
    assert len(set(spoken)) > 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_slots_have_names_of_one_word_that_differ(language: str) -> None:
    for service in SCENARIOS:
        user = service.dialog(Task(service.name, language, 2, 1))
        assert isinstance(user, GoalUser)
        names = user.goal.names
        assert len({name.casefold() for name in names}) == len(names) >= 3
        assert all(name.isalpha() for name in names)
    for key in PHRASINGS[language].slots:
        assert len(set(values(language, key))) == len(values(language, key)) >= 5


def test_a_booking_of_level_0_in_german() -> None:
    service = SCENARIOS[0]
    for seed in range(75):
        task = Task(service.name, "de", 0, seed)
        dialog = service.dialog(task)
        opening = dialog.open()
        if opening.answer == "Tag":
            break
    assert opening.text.startswith("Personen, Tag, Uhrzeit: was fehlt? Ich hätte gern einen Tisch. Wir sind ")
    confirm = dialog.reply("Tag")
    assert confirm is not None
    assert confirm.text.startswith("Am ")
    assert confirm.text.endswith("tag. Wiederhole: Personen, Tag, Uhrzeit.") or "Mittwoch" in confirm.text
    right = Turn(confirm, str(confirm.answer), "stop", 1)
    assert service.verify(Transcript(task, (right,))) == 1
    assert service.verify(Transcript(task, (replace(right, finish="length"),))) == 0

"""What every scenario promises whose users a model can play, and how goals are told bit by bit."""

import pytest

from envs.families.service_slots import SCENARIOS
from envs.goals import Goal, Slot
from envs.library import BUILT_IN
from envs.played_goals import MAX_EXCHANGES, PlayedGoalUser, verify_words
from envs.task import FinishReason, Played, PlayedDialog, Question, Scenario, Task, Transcript, Turn

PLAYED: dict[str, Scenario] = {scenario.name: scenario for scenario in BUILT_IN if isinstance(scenario, Played)}
MAX_TURNS = 8
TABLE = Goal("A table.", (Slot("people", "5"), Slot("day", "Friday"), Slot("time", "19:00", "At {v}.")), told=("day",))


def play(
    dialog: PlayedDialog,
    task: Task,
    says: str | None = None,
    answers: str | None = None,
    finish: FinishReason = "stop",
) -> tuple[Transcript, Transcript]:
    """The user's and the assistant's transcript of a dialog in which both say what is right, or the same every time."""
    user: list[Turn] = []
    assistant: list[Turn] = []
    read: Question | None = dialog.brief()
    while read is not None and len(user) <= MAX_TURNS:
        words = says if says is not None else read.demonstration
        user.append(Turn(read, words, finish, 1))
        heard = dialog.ask(words)
        assert heard is not None
        answer = answers if answers is not None else heard.demonstration
        assistant.append(Turn(heard, answer, finish, 1))
        read = dialog.tell(answer)
    assert len(user) <= MAX_TURNS
    return Transcript(task, tuple(user)), Transcript(task, tuple(assistant))


def successes(scenario: Scenario, user: Transcript, assistant: Transcript) -> tuple[set[float], set[float]]:
    assert isinstance(scenario, Played)
    turns = range(len(user.turns))
    return {scenario.verify_user(user.upto(i)) for i in turns}, {scenario.verify(assistant.upto(i)) for i in turns}


@pytest.mark.parametrize("name", PLAYED)
def test_what_is_right_succeeds_on_both_sides_and_nothing_else_does(name: str) -> None:
    scenario = PLAYED[name]
    assert isinstance(scenario, Played)
    for language in scenario.languages:
        for level in range(scenario.num_levels):
            for seed in range(3):
                task = Task(name, language, level, seed * 0x51F1A7E53C97)
                whole = play(scenario.played(task), task)
                assert successes(scenario, *whole) == ({1.0}, {1.0}), task
                assert play(scenario.played(task), task) == whole
                for garbage in ("", "yes", "999999", "\x00{v}"):
                    vain = play(scenario.played(task), task, garbage, garbage)
                    assert successes(scenario, *vain) == ({0.0}, {0.0}), task
                cut = play(scenario.played(task), task, finish="length")
                assert successes(scenario, *cut) == ({0.0}, {0.0}), task


def test_scenarios_that_can_be_played() -> None:
    assert {"shared-goal", *(scenario.name for scenario in SCENARIOS)} <= set(PLAYED)


def test_the_assistant_asks_for_what_the_words_have_not_told() -> None:
    dialog = PlayedGoalUser(TABLE)
    assert dialog.brief().text == "A table. people: 5, day: Friday, time: 19:00."
    heard = dialog.ask("on friday, at 15:05")
    assert heard is not None
    assert heard.text == "A table. on friday, at 15:05"
    assert [str(constraint.value) for constraint in heard.constraints] == ["people|time", "day"]
    read = dialog.tell("time")
    assert read is not None
    assert (read.text, read.demonstration) == ("time", "At 19:00.")
    dialog.ask("19:00 for 5 of us")
    assert dialog.tell("5, Friday, 18:00") is not None
    heard = dialog.ask("no, 19:00")
    assert heard is not None
    assert heard.answer == "5, Friday, 19:00"
    assert dialog.tell("5, friday, 19:00.") is None


def test_a_dialog_that_leads_nowhere_ends() -> None:
    user, _ = play(PlayedGoalUser(TABLE), Task("test", "en", 0, 0), says="hm")
    assert len(user.turns) == MAX_EXCHANGES


@pytest.mark.parametrize(
    ("read", "words", "right"),
    [("time", "At 19:00.", 1.0), ("time", "5.", 0.0), ("hm", "5.", 1.0), ("hm", "At 19:00.", 0.0), ("day", "5.", 1.0)],
)
def test_a_user_tells_what_is_asked_or_else_what_is_missing_first(read: str, words: str, right: float) -> None:
    turns = (Turn(Question("?"), "Friday", "stop", 1), Turn(Question(read), words, "stop", 1))
    assert verify_words(TABLE, Transcript(Task("test", "en", 0, 0), turns)) == right

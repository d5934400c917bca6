"""Dialogs with hidden goals as two models hold them. That of the program's user is tested with all scenarios."""

import pytest

from envs.families.shared_goal import PHRASINGS, SCENARIOS
from envs.library import Library, ScenarioError
from envs.task import Dialog, FinishReason, Played, PlayedDialog, Question, Task, Transcript, Turn
from envs.users import SimulatedUser

(SCENARIO,) = SCENARIOS
CELLS = [(language, level) for language in PHRASINGS for level in range(SCENARIO.num_levels)]


def play(
    task: Task, says: str | None = None, answers: str | None = None, finish: FinishReason = "stop"
) -> tuple[Transcript, Transcript]:
    """The user's and the assistant's transcript of a dialog in which both say what is right, or the same every time."""
    dialog = SCENARIO.played(task)
    user: list[Turn] = []
    assistant: list[Turn] = []
    read: Question | None = dialog.brief()
    while read is not None:
        words = says if says is not None else read.demonstration
        user.append(Turn(read, words, finish, 1))
        heard = dialog.ask(words)
        assert heard is not None
        answer = answers if answers is not None else heard.demonstration
        assistant.append(Turn(heard, answer, finish, 1))
        read = dialog.tell(answer)
    return Transcript(task, tuple(user)), Transcript(task, tuple(assistant))


def successes(user: Transcript, assistant: Transcript) -> tuple[list[float], list[float]]:
    turns = range(len(user.turns))
    return [SCENARIO.verify_user(user.upto(i)) for i in turns], [SCENARIO.verify(assistant.upto(i)) for i in turns]


@pytest.mark.parametrize(("language", "level"), CELLS)
def test_what_is_right_succeeds_on_both_sides(language: str, level: int) -> None:
    for seed in range(60):
        task = Task("shared-goal", language, level, seed * 0x51F1A7E53C97)
        user, assistant = play(task)
        assert successes(user, assistant) == ([1.0, 1.0], [1.0, 1.0])
        assert play(task) == (user, assistant)
        program = Library().questions(task, max_turns=8)
        assert [turn.question.answer for turn in assistant.turns] == [question.answer for question in program]


@pytest.mark.parametrize(("language", "level"), CELLS)
def test_nothing_else_does(language: str, level: int) -> None:
    for seed in range(20):
        task = Task("shared-goal", language, level, seed)
        for garbage in ("", "yes", "999999", "0 1 2 3 4 5 6 7 8 9", "\N{ARABIC-INDIC DIGIT SEVEN}", "\x00{goal}"):
            assert successes(*play(task, garbage, garbage)) == ([0.0, 0.0], [0.0, 0.0])
        assert successes(*play(task, finish="length")) == ([0.0, 0.0], [0.0, 0.0])


def test_the_assistant_hears_the_words_and_is_judged_by_the_goal() -> None:
    task = Task("shared-goal", "en", 0, 3)
    goal = SCENARIO.played(task).brief().demonstration
    for words in ("xx", "", str((int(goal) + 1) % 10)):
        heard = SCENARIO.played(task).ask(words)
        assert heard is not None
        assert (heard.text, heard.answer) == (words, goal)
    user, assistant = play(task, says=str((int(goal) + 1) % 10), answers=goal)
    # an assistant that guesses right helps no user who said something else
    assert (successes(user, assistant)[0][0], successes(user, assistant)[1][0]) == (0.0, 1.0)


def test_a_hint_may_be_passed_on_or_understood() -> None:
    task = Task("shared-goal", "en", 1, 0)  # one more than 1
    for words, right in (("2", 1.0), ("It is 2!", 1.0), ("One more than 1.", 1.0), ("1", 0.0), ("2 or 3", 0.0)):
        turn = Turn(SCENARIO.played(task).brief(), words, "stop", 1)
        assert SCENARIO.verify_user(Transcript(task, (turn,))) == right


def test_a_change_of_mind_says_which_of_both() -> None:
    for seed in range(100):
        task = Task("shared-goal", "de", 2, seed)
        user, assistant = play(task)
        first, then = (turn.answer.split() for turn in assistant.turns)
        new, old = (word.strip(".,") for word in user.turns[1].answer.split() if word.strip(".,").isdigit())
        assert then == [new if amount == old else amount for amount in first]
        assert len({*first, new}) == 3


def test_the_player_reads_what_the_assistant_said_up_to_a_length() -> None:
    dialog = SCENARIO.played(Task("shared-goal", "fr", 0, 1))
    dialog.ask("7")
    question = dialog.tell("a" * 1000)
    assert question is not None
    assert question.text.startswith("a" * 40 + "\nTu veux ")


def test_the_questions_of_a_player() -> None:
    library, task = Library(), Task("shared-goal", "en", 0, 1)
    assert [q.text for q in library.user_questions(task, max_turns=8)] == [
        "You want 7. Say it.",
        "7\nYou want 5. Say it.",
    ]
    assert len(library.user_questions(task, max_turns=1)) == 1
    assert library.user_questions(Task("arithmetic", "en", 0, 1), max_turns=8) == []
    assert isinstance(library.find("shared-goal"), Played)


class Mute:
    """A scenario of the user's own whose player is told nothing."""

    name, domain, languages, num_levels = "mute", "test", ("en",), 1

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([Question("?", "!")])

    def verify(self, transcript: Transcript) -> float:
        return 0.0

    def played(self, task: Task) -> PlayedDialog:
        raise LookupError("nobody is here")

    def verify_user(self, transcript: Transcript) -> float:
        return 0.0


def test_a_dialog_that_cannot_be_played_is_named() -> None:
    with pytest.raises(ScenarioError, match="mute/en/0/1 cannot be played: LookupError: nobody is here"):
        Library((Mute(),)).user_questions(Task("mute", "en", 0, 1), max_turns=2)

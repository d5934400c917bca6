import gc
from typing import Any

import gymnasium
import pytest

from envs.adapters.gym_text import GymText, from_id
from envs.task import FinishReason, Question, Task, Transcript, Turn


class Doors(gymnasium.Env[str, str]):
    """Rooms in a row; in each one of two doors leads on, and a wrong one leads nowhere."""

    observation_space = gymnasium.spaces.Text(100)
    action_space = gymnasium.spaces.Text(100)

    def __init__(self, rooms: int = 2) -> None:
        self.rooms = rooms

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        super().reset(seed=seed)
        self.room, self.start = 0, seed or 0
        return self._look()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        right = action.strip() == self._due()
        self.room += right
        return (self._look()[0], float(right) * 2, self.room == self.rooms, not right, self._look()[1])

    def _due(self) -> str:
        return ("left", "right")[(self.start + self.room) % 2]

    def _look(self) -> tuple[str, dict[str, Any]]:
        return f"Room {self.room} of house {self.start}: left or right?", {"oracle": self._due()}


class Counted(Doors):
    """Knows how often it was closed, and breaks on the answer "break"."""

    num_closed = 0

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        if action == "break":
            raise RuntimeError("broken")
        return super().step(action)

    def close(self) -> None:
        self.num_closed += 1


SCENARIO = GymText("doors", "games", lambda level: Doors(2 + level), num_levels=2, num_openings=10)
TASK = Task("doors", "en", 0, 0)


def hold(scenario: GymText, task: Task, answers: list[str], finish: FinishReason = "stop") -> Transcript:
    dialog, transcript = scenario.dialog(task), Transcript(task)
    question: Question | None = dialog.open()
    for answer in answers:
        assert question is not None
        transcript = Transcript(task, (*transcript.turns, Turn(question, answer, finish, num_tokens=1)))
        question = dialog.reply(answer)
    assert question is None
    return transcript


def test_an_episode_is_a_dialog_and_its_rewards_are_success() -> None:
    transcript = hold(SCENARIO, Task("doors", "en", 0, 4), ["left", "right"])
    assert [turn.question.text for turn in transcript.turns] == [f"Room {i} of house 4: left or right?" for i in (0, 1)]
    assert [turn.question.demonstration for turn in transcript.turns] == ["left", "right"]
    assert [SCENARIO.verify(transcript.upto(turn)) for turn in (0, 1)] == [1, 1]


def test_a_wrong_or_cut_off_answer_fails() -> None:
    task = Task("doors", "en", 0, 4)
    assert SCENARIO.verify(hold(SCENARIO, task, ["right"])) == 0
    late = hold(SCENARIO, task, ["left", "left"])
    assert [SCENARIO.verify(late.upto(turn)) for turn in (0, 1)] == [1, 0]
    assert SCENARIO.verify(hold(SCENARIO, task, ["left", "right"], finish="length")) == 0


def test_seeds_are_read_modulo_the_openings() -> None:
    texts = [SCENARIO.dialog(Task("doors", "en", 0, seed)).open().text for seed in (3, 13)]
    assert texts[0] == texts[1]
    assert (SCENARIO.size("en", 0), SCENARIO.size("en", 1)) == (10, None)


@pytest.fixture
def made() -> list[Counted]:
    return []


@pytest.fixture
def counted(made: list[Counted]) -> GymText:
    def make(level: int) -> Counted:
        made.append(Counted())
        return made[-1]

    return GymText("doors", "games", make)


def test_a_dialog_closes_its_environment_at_the_end(counted: GymText, made: list[Counted]) -> None:
    dialog = counted.dialog(TASK)
    dialog.open()
    dialog.reply("left")
    assert made[0].num_closed == 0
    assert dialog.reply("right") is None
    assert made[0].num_closed == 1
    del dialog
    gc.collect()
    assert made[0].num_closed == 1


def test_a_dialog_that_is_cut_short_closes_its_environment(counted: GymText, made: list[Counted]) -> None:
    dialog = counted.dialog(TASK)
    dialog.open()
    assert made[0].num_closed == 0
    del dialog
    gc.collect()
    assert made[0].num_closed == 1


def test_a_verdict_closes_its_environment(counted: GymText, made: list[Counted]) -> None:
    question = Question("Room 0 of house 0: left or right?")
    verdicts = [Transcript(TASK, (Turn(question, answer, "stop", num_tokens=1),)) for answer in ("left", "break")]
    assert counted.verify(verdicts[0]) == 1
    with pytest.raises(RuntimeError, match="broken"):
        counted.verify(verdicts[1])
    assert [one.num_closed for one in made] == [1, 1]


def test_a_registered_environment_plays_with_its_settings() -> None:
    gymnasium.register("zero2one/Doors-v0", entry_point=Doors)
    scenario = GymText("doors", "games", from_id("zero2one/Doors-v0", {"rooms": 1}, {"rooms": 3}), num_levels=2)
    assert scenario.verify(hold(scenario, Task("doors", "en", 0, 0), ["left"])) == 1
    assert scenario.verify(hold(scenario, Task("doors", "en", 1, 0), ["left", "right", "left"])) == 1

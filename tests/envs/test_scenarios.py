"""What every scenario promises, whichever it is."""

import json

import pytest

from envs.families import programs
from envs.library import BUILT_IN
from envs.questions import questions_family
from envs.sandbox import NoSandbox, find_sandbox
from envs.task import FinishReason, Question, Scenario, Task, Transcript, Turn

MAX_TURNS = 8  # the default limit of a rollout
MOST_LISTED_PER_LANGUAGE = 50  # openings; longer lists are read through in one language per level
NAMES = (*(scenario.name for scenario in BUILT_IN), "questions")
RUN_PROGRAMS = {scenario.name for scenario in programs.SCENARIOS} - {"program-output"}


@pytest.fixture(scope="module")
def questions_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("questions") / "questions.jsonl"
    rows = [{"question": f"{i} boxes of 6 eggs?", "answer": f"#### {6 * i}"} for i in range(1, 30)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


@pytest.fixture(params=NAMES)
def scenario(request: pytest.FixtureRequest, questions_file: str) -> Scenario:
    if request.param in RUN_PROGRAMS and isinstance(found := find_sandbox(), NoSandbox):
        pytest.skip(f"no sandbox here: {found.reason}")
    by_name: dict[str, Scenario] = {built_in.name: built_in for built_in in BUILT_IN}
    return by_name.get(request.param) or questions_family(questions_file)


def cells(scenario: Scenario) -> list[tuple[str, int]]:
    return [(language, level) for language in scenario.languages for level in range(scenario.num_levels)]


def hold(scenario: Scenario, task: Task, answer: str | None = None, finish: FinishReason = "stop") -> Transcript:
    """A whole dialog: the right answers, or the same given one every time."""
    dialog, transcript = scenario.dialog(task), Transcript(task)
    question: Question | None = dialog.open()
    while question is not None and len(transcript.turns) <= MAX_TURNS:
        said = answer if answer is not None else question.demonstration
        transcript = Transcript(task, (*transcript.turns, Turn(question, said, finish, num_tokens=1)))
        question = dialog.reply(said)
    return transcript


def successes(scenario: Scenario, transcript: Transcript) -> set[float]:
    return {scenario.verify(transcript.upto(index)) for index in range(len(transcript.turns))}


def cells_and_seeds(scenario: Scenario, num_seeds: int) -> list[tuple[str, int, range]]:
    """Every language and level with three seeds; on each level one of the languages, another one each, with all."""
    thorough = {(scenario.languages[level % len(scenario.languages)], level) for level in range(scenario.num_levels)}
    return [(*cell, range(num_seeds if cell in thorough else 3)) for cell in cells(scenario)]


def test_two_hundred_seeds_of_every_level(scenario: Scenario) -> None:
    for language, level, seeds in cells_and_seeds(scenario, 200):
        for seed in seeds:
            task = Task(scenario.name, language, level, seed * 0x51F1A7E53C97 % 2**63)
            right = hold(scenario, task)
            assert 1 <= len(right.turns) <= MAX_TURNS
            assert successes(scenario, right) == {1.0}
            assert hold(scenario, task) == right


@pytest.mark.parametrize("garbage", ["", "  ", "yes", "999999", "\x00{question}", "\N{ARABIC-INDIC DIGIT SEVEN}"])
def test_garbage_is_wrong_and_ends(scenario: Scenario, garbage: str) -> None:
    for language, level, seeds in cells_and_seeds(scenario, 20):
        for seed in seeds:
            transcript = hold(scenario, Task(scenario.name, language, level, seed), garbage)
            assert 1 <= len(transcript.turns) <= MAX_TURNS
            assert successes(scenario, transcript) == {0.0}


def test_a_cut_off_answer_is_never_right(scenario: Scenario) -> None:
    for language, level in cells(scenario):
        assert successes(scenario, hold(scenario, Task(scenario.name, language, level, 7), finish="length")) == {0.0}


def test_seeds_below_the_size_ask_each_opening_once(scenario: Scenario) -> None:
    for language, level, seeds in cells_and_seeds(scenario, 200):
        size = scenario.size(language, level)
        if size is None or (size > MOST_LISTED_PER_LANGUAGE and len(seeds) < 200):
            continue
        texts = [scenario.dialog(Task(scenario.name, language, level, seed)).open().text for seed in range(size)]
        assert len(set(texts)) == size
        beyond = scenario.dialog(Task(scenario.name, language, level, 5 * size + 3)).open().text
        assert beyond == texts[3 % size]


def test_the_lowest_levels_are_listed(scenario: Scenario) -> None:
    assert all(scenario.size(language, 0) for language in scenario.languages)

import os
import subprocess
import sys
import textwrap

import pytest

from envs.adapters import reasoning_gym
from envs.adapters.reasoning_gym import SCENARIOS, ReasoningGym
from envs.adapters.reasoning_gym_table import DATA_SETS, LEFT_OUT
from envs.library import build_library
from envs.task import FinishReason, Task, Transcript, Turn

GARBAGE = ("", "  ", "qwerty", "nan", "-0", "1e999", "[", "\x00{question}", "((((", "9" * 5000)
BY_NAME = {scenario.data_set.name: scenario for scenario in SCENARIOS}

every_data_set = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def verify(scenario: ReasoningGym, task: Task, answer: str | None = None, finish: FinishReason = "stop") -> float:
    """The verdict on one answer; None: a right one."""
    question = scenario.dialog(task).open()
    said = question.demonstration if answer is None else answer
    return scenario.verify(Transcript(task, (Turn(question, said, finish, num_tokens=1),)))


def item(name: str, level: int = 0, seed: int = 0) -> Task:
    return Task(f"reasoning-gym/{name}", "en", level, seed)


def test_the_table_is_the_library() -> None:
    factory = reasoning_gym._import_factory()
    names = [data_set.name for data_set in DATA_SETS]
    assert len(names) == len(set(names)) >= 84
    assert {*names, *LEFT_OUT} == factory.DATASETS.keys()
    assert not LEFT_OUT.keys() & set(names)
    for data_set in DATA_SETS:
        if data_set.levels != (0,):
            attributes = factory.create_curriculum(data_set.name).attributes.values()
            assert max(data_set.levels) < max(len(attribute.levels) for attribute in attributes), data_set


@every_data_set
def test_its_own_answer_is_right_and_garbage_is_wrong(scenario: ReasoningGym) -> None:
    last = scenario.num_levels - 1
    for task in (item(scenario.data_set.name, last, 3), item(scenario.data_set.name, last, 2**62 + 7)):
        assert verify(scenario, task) == 1
        assert verify(scenario, task, finish="length") == 0
        assert {verify(scenario, task, text) for text in GARBAGE} == {0}


@pytest.mark.slow
@every_data_set
def test_every_level_of_every_data_set(scenario: ReasoningGym) -> None:
    for level in range(scenario.num_levels):
        for seed in range(20):
            task = item(scenario.data_set.name, level, seed * 0x51F1A7E53C97)
            assert verify(scenario, task) == 1
            assert verify(scenario, task, "qwerty") == 0
            assert verify(scenario, task, finish="length") == 0


@pytest.mark.parametrize("name", ["chain_sum", "maze", "syllogism"])
def test_level_0_asks_each_of_its_openings_once(name: str) -> None:
    scenario = BY_NAME[name]
    size = scenario.size("en", 0)
    assert size is not None
    texts = [scenario.dialog(item(name, 0, seed)).open().text for seed in range(size)]
    assert len(set(texts)) == size >= 10
    assert scenario.dialog(item(name, 0, 5 * size + 3)).open().text == texts[3]
    assert scenario.size("en", 1) is None


def test_levels_grow_harder() -> None:
    scenario = BY_NAME["chain_sum"]
    lengths = [len(scenario.dialog(item("chain_sum", level, 1)).open().text) for level in range(scenario.num_levels)]
    assert lengths[0] < lengths[-1]


def test_partial_credit_is_no_success() -> None:
    task = item("simple_geometry", 0, 0)
    due = BY_NAME["simple_geometry"].dialog(task).open().demonstration
    library = reasoning_gym._library("simple_geometry", 0, 2**31)
    assert 0 < library.score_answer(f"It is {due}", BY_NAME["simple_geometry"]._item(task)) < 1
    assert verify(BY_NAME["simple_geometry"], task, f"It is {due}") == 0


def test_an_answer_is_never_run() -> None:
    code = "__import__('os').mkdir('reached')"
    for data_set in DATA_SETS:
        if data_set.reads != "text":
            for answer in (code, f"[{code}]", f"(lambda: {code})()", "9**9**9**9", "1" + "+1" * 5000):
                assert not reasoning_gym._may_read(data_set, answer), (data_set, answer)
    assert reasoning_gym._is_formula("-34*x**8/15 + C")
    assert not reasoning_gym._is_formula("(x + 1)**20")
    assert not os.path.exists("reached")


def test_data_sets_that_run_answers_are_marked() -> None:
    """Every scorer whose source runs its argument, itself or through sympy."""
    import inspect

    factory = reasoning_gym._import_factory()
    runs = set()
    for name in BY_NAME:
        source = inspect.getsource(factory.DATASETS[name][0].score_answer)
        if any(call in source for call in ("= eval(answer)", "eval(answer)", "parse_expr(answer", "exec(")):
            runs.add(name)
    assert runs == {data_set.name for data_set in DATA_SETS if data_set.reads != "text"}


def test_listing_does_not_import_the_library() -> None:
    code = """
        import sys
        from envs.library import build_library
        names = [info.name for info in build_library().listing()]
        assert "reasoning-gym/maze" in names
        print("reasoning_gym" in sys.modules)
        """
    assert run(code, hash_seed="0") == "False"


def test_the_library_describes_its_data_sets() -> None:
    listing = {info.name: info for info in build_library().listing()}
    assert listing["reasoning-gym/chain_sum"].description == "Reasoning Gym: chain sum."
    assert listing["reasoning-gym/chain_sum"].domain == "math"


@pytest.mark.slow
def test_items_are_the_same_in_every_process() -> None:
    code = """
        import hashlib
        from envs.adapters.reasoning_gym import SCENARIOS
        from envs.task import Task
        digest = hashlib.sha256()
        for scenario in sorted(SCENARIOS, key=lambda scenario: scenario.name, reverse={reverse}):
            own = hashlib.sha256()
            for level in range(scenario.num_levels):
                for seed in (5, 77, 2**60 + 1):
                    question = scenario.dialog(Task(scenario.name, "en", level, seed)).open()
                    own.update((question.text + question.demonstration).encode())
            print(scenario.name, own.hexdigest()[:12])
        """
    first = run(code.replace("{reverse}", "False"), hash_seed="1")
    second = run(code.replace("{reverse}", "True"), hash_seed="2")
    assert sorted(first.splitlines()) == sorted(second.splitlines())


def run(code: str, hash_seed: str) -> str:
    """What a new Python process prints."""
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout.strip()

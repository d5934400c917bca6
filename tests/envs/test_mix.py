from collections import Counter
from itertools import islice

import pytest

from envs.library import Library, ScenarioError
from envs.mix import MixLine, check_mix, draw, evaluation_tasks, expand, is_held_out
from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser
from tests.envs import arrivals

LIBRARY = Library()
MIX = (
    MixLine("arithmetic", weight=3.0, languages=("en", "de"), levels=(0, 1)),
    MixLine("arithmetic-dialog", weight=1.0, levels=(2,)),
)


class OneQuestion:
    """Always asks the same."""

    name = "one"
    domain = "test"
    languages: tuple[str, ...] = ("en",)
    num_levels = 1

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([Question("How are you?")])

    def verify(self, transcript: Transcript) -> float:
        return 1.0


def test_a_task_depends_on_seed_iteration_and_index() -> None:
    task = draw(LIBRARY, MIX, run_seed=42, iteration=3, index=5, held_out_fraction=0.1)
    assert draw(Library(), MIX, 42, 3, 5, 0.1) == task
    others = [draw(LIBRARY, MIX, *key, 0.1) for key in ((43, 3, 5), (42, 4, 5), (42, 3, 6))]
    assert len({task, *others}) == 4


def test_draws_never_change_between_versions() -> None:
    """A resumed run continues with the same tasks, so what a key gives is a promise."""
    assert [draw(LIBRARY, MIX[:1], 42, 0, index, 0.1).id for index in range(3)] == [
        "arithmetic/en/0/7e897b224ea185dc",
        "arithmetic/de/0/71ae68c51e7f7db4",
        "arithmetic/de/1/201bb6aa1a832566",
    ]


def test_draws_follow_the_mix() -> None:
    tasks = [draw(LIBRARY, MIX, 42, 0, index) for index in range(4000)]
    scenarios = Counter(task.scenario for task in tasks)
    assert abs(scenarios["arithmetic"] - 3000) < 140  # five standard deviations of 27
    first = [task for task in tasks if task.scenario == "arithmetic"]
    cells = Counter((task.language, task.level) for task in first)
    assert set(cells) == {(language, level) for language in ("en", "de") for level in (0, 1)}
    assert min(cells.values()) > 600  # 750 expected
    second = [task for task in tasks if task.scenario == "arithmetic-dialog"]
    assert {task.language for task in second} == set(LIBRARY.find("arithmetic-dialog").languages)
    assert {task.level for task in second} == {2}


def test_training_never_sees_a_held_out_opening() -> None:
    mix = (MixLine("arithmetic", languages=("en",)),)
    openings = {LIBRARY.opening(Task("arithmetic", "en", 0, seed)) for seed in range(400)}
    held_out = {opening for opening in openings if is_held_out(opening, 0.1)}
    assert 20 < len(held_out) < 60  # 40 expected, standard deviation 6
    trained = {LIBRARY.opening(draw(LIBRARY, mix, 42, 0, index, 0.1)) for index in range(5000)}
    assert trained == openings - held_out  # all the others, and none of these


def test_the_split_is_by_text_and_grows_with_the_fraction() -> None:
    texts = [f"question {i}" for i in range(2000)]
    small, large = ({text for text in texts if is_held_out(text, fraction)} for fraction in (0.1, 0.3))
    assert small < large
    assert 150 < len(small) < 250
    assert not any(is_held_out(text, 0.0) for text in texts)
    assert sorted(small)[:3] == ["question 1010", "question 1028", "question 1033"]


def test_a_scenario_with_nothing_left_to_train_on_says_so() -> None:
    library = Library((OneQuestion(),))
    fraction = next(value / 100 for value in range(101) if is_held_out("How are you?", value / 100))
    assert draw(library, [MixLine("one")], 42, 0, 0, fraction - 0.01).scenario == "one"
    with pytest.raises(ScenarioError, match=r"one/en/0: .*lower tasks\.held_out_fraction"):
        draw(library, [MixLine("one")], 42, 0, 0, fraction)


def test_evaluation_asks_a_listed_level_in_full_order() -> None:
    tasks = evaluation_tasks(LIBRARY, [MixLine("arithmetic", languages=("en",))], num_tasks=1000)
    assert [task.seed for task in tasks] == list(range(400))
    assert len({LIBRARY.opening(task) for task in tasks}) == 400


def test_evaluation_is_shared_out_by_weight_then_evenly() -> None:
    tasks = evaluation_tasks(LIBRARY, MIX, num_tasks=41)
    counts = Counter((task.scenario, task.language, task.level) for task in tasks)
    assert [counts["arithmetic", language, level] for level in (0, 1) for language in ("en", "de")] == [8, 8, 8, 7]
    assert sum(count for (scenario, _, _), count in counts.items() if scenario == "arithmetic-dialog") == 10
    assert len(tasks) == len(set(tasks)) == 41
    turned = Counter(task.scenario for task in evaluation_tasks(LIBRARY, MIX[::-1], num_tasks=41))
    assert turned == {"arithmetic": 31, "arithmetic-dialog": 10}  # 30.75 and 10.25: the larger remainder is rounded up


def test_evaluation_of_a_level_without_end_is_hashed_and_fixed() -> None:
    line = MixLine("arithmetic", languages=("en",), levels=(5,))
    tasks = evaluation_tasks(LIBRARY, [line], num_tasks=50)
    assert len({LIBRARY.opening(task) for task in tasks}) == 50
    assert evaluation_tasks(LIBRARY, [line], num_tasks=50) == tasks
    assert evaluation_tasks(LIBRARY, [line], num_tasks=30) == list(islice(tasks, 30))
    assert not set(evaluation_tasks(LIBRARY, [line], num_tasks=50, seed=1)) & set(tasks)


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        (MixLine("algebra"), "unknown scenario 'algebra'"),
        (MixLine("arithmetic", languages=("xx",)), "no language 'xx'; it speaks: en, de"),
        (MixLine("arithmetic", levels=(0, 6)), "no level 6; it has 0 to 5"),
        (MixLine("arithmetic", levels=(-1,)), "no level -1"),
        (MixLine("arithmetic", levels=()), "name at least one"),
        (MixLine("arithmetic", weight=0.0), "must be above 0"),
        (MixLine("arithmetic", weight=float("nan")), "must be above 0"),
    ],
)
def test_check_mix_names_what_is_wrong(line: MixLine, cause: str) -> None:
    check_mix(LIBRARY, MIX)
    with pytest.raises(ScenarioError, match=cause):
        check_mix(LIBRARY, [*MIX, line])


def test_an_empty_mix_is_refused() -> None:
    with pytest.raises(ScenarioError, match="mix is empty"):
        check_mix(LIBRARY, [])


def test_a_domain_and_everything_stand_for_their_scenarios() -> None:
    lines = [
        MixLine("*", 3.0, ("fr",), (0, 1)),
        MixLine("roots", 9.0),
        MixLine("domain:math", 1.0, ("de", "fr"), (1, 2)),
    ]
    assert expand(arrivals.LIBRARY, [*lines[:2], MixLine("riddles")]) == (
        MixLine("sums", 1.0, ("fr",), (0, 1)),
        MixLine("products", 1.0, ("fr",), (0, 1)),
        MixLine("verses", 1.0, ("fr",), (0,)),  # it has no level 1
        MixLine("roots", 9.0),  # named by itself, and left as it is
        MixLine("riddles"),
    )
    assert expand(arrivals.LIBRARY, [lines[0], MixLine("domain:math", 3.0, ("de", "fr"), (1, 2))]) == (
        MixLine("riddles", 1.5, ("fr",), (0, 1)),
        MixLine("verses", 1.5, ("fr",), (0,)),
        MixLine("sums", 1.0, ("de", "fr"), (1,)),
        MixLine("products", 1.0, ("de", "fr"), (1,)),
        MixLine("roots", 1.0, ("de",), (1, 2)),
    )
    assert expand(LIBRARY, MIX) == MIX


def test_everything_can_be_asked_together() -> None:
    mix = expand(LIBRARY, [MixLine("*")])
    check_mix(LIBRARY, mix)
    assert [line.scenario for line in mix] == [scenario.name for scenario in LIBRARY.scenarios]
    assert sum(line.weight for line in mix) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        ([MixLine("domain:maths")], "unknown domain 'maths'; known are: math, logic, words"),
        ([MixLine("domain:math", languages=("de", "xx"))], "domain:math: none of its scenarios speaks 'xx'"),
        ([MixLine("*", levels=(0, 7))], "none of its scenarios has level 7"),
        ([MixLine("domain:words", levels=(1,))], "none of its scenarios has level 1"),
        ([MixLine("domain:words"), MixLine("verses")], "domain:words: other lines name all of its scenarios"),
        ([MixLine("*", levels=())], "levels are empty"),
        ([MixLine("*", weight=float("nan"))], "must be above 0"),
    ],
)
def test_a_line_that_stands_for_nothing_is_refused(lines: list[MixLine], cause: str) -> None:
    with pytest.raises(ScenarioError, match=cause):
        check_mix(arrivals.LIBRARY, expand(arrivals.LIBRARY, lines))

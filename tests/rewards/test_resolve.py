from pathlib import Path

import pytest

from envs.user_file import UserFileError
from rewards.resolve import RewardConfigError, available, resolve
from rewards.score import judge
from rewards.table import TABLE
from rewards.user_file import load_dimensions

GOOD = """
from rewards.dimension import Dimension
from rewards.dimensions.example import example

def polite(transcript):
    return float("please" in transcript.last.answer)

def make(name="my.polite", **changes):
    fields = dict(
        name=name, family="my", description="Says please.", score=polite,
        passes=example("Hello", "Yes, please"), fails=example("Hello", "No"),
    )
    return Dimension(**(fields | changes))

"""


@pytest.fixture
def write(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write_file(text: str, name: str = "my_rewards.py") -> str:
        (tmp_path / name).write_text(text)
        return str(tmp_path / name)

    return write_file


def test_weighted_ones_come_first_in_their_order() -> None:
    chosen = resolve({"format.nonempty": 1.0, "answer.correct": 0.0}, monitor=("length.concise", "answer.correct"))
    assert [dimension.name for dimension in chosen] == ["format.nonempty", "answer.correct", "length.concise"]


def test_all_monitors_every_other_dimension_once() -> None:
    chosen = resolve({"text.distinct_words": 1.0}, monitor=("all",))
    assert chosen[0].name == "text.distinct_words"
    assert sorted(d.name for d in chosen) == sorted(d.name for d in TABLE)


def test_a_reward_model_is_asked_by_its_name_alone_and_reward_workers_abstain() -> None:
    (asked,) = resolve({"model.reward": 1.0})
    assert judge(asked, asked.passes) != judge(asked, asked.passes)  # NaN
    assert "model.reward" not in {d.name for d in resolve({"text.distinct_words": 1.0}, monitor=("all",))}
    assert resolve({"text.distinct_words": 1.0}, monitor=("model.reward",))[1] == asked


@pytest.mark.parametrize(("weights", "monitor"), [({"answer.corect": 1.0}, ()), ({}, ("answer.corect",))])
def test_unknown_name_is_answered_with_the_nearest(weights: dict[str, float], monitor: tuple[str, ...]) -> None:
    section = "weights" if weights else "monitor"
    with pytest.raises(RewardConfigError, match=rf"rewards\.{section}: no dimension 'answer.corect'.*answer\.correct"):
        resolve(weights, monitor)


def test_weight_must_be_finite() -> None:
    with pytest.raises(RewardConfigError, match=r"answer\.correct has the weight nan"):
        resolve({"answer.correct": float("nan")})


def test_dimension_of_a_user_file_is_one_like_any_other(write) -> None:  # type: ignore[no-untyped-def]
    path = write(GOOD + "DIMENSIONS = [make()]")
    (polite,) = resolve({"my.polite": 1.0}, user_files=(path,))
    assert polite.score(polite.passes) == 1.0
    assert list(available((path,)))[-1] == "my.polite"


@pytest.mark.parametrize(
    ("ending", "line", "cause"),
    [
        ("DIMENSIONS = [make(), 7]", 15, r"DIMENSIONS\[1\] is a int"),
        ("DIMENSIONS = [make(), make()]", 15, "'my.polite' is there twice"),
        ("DIMENSIONS = [make('answer.correct')]", 15, "'answer.correct' is already taken"),
        ("DIMENSIONS = [make(passes=None)]", 15, "passes must be a transcript"),
        ("DIMENSIONS = [make(low=1.0)]", 15, "low below high"),
        ("DIMENSIONS = [make(low='0')]", 15, "two finite numbers"),
        ("DIMENSIONS = [make(name=3)]", 15, "name must be"),
        ("DIMENSIONS = [make(score=3)]", 15, "score must be a function"),
        ("DIMENSIONS = [make(description=None)]", 15, "must be text"),
        ("DIMENSIONS = [make(cost='free')]", 15, "cost one of cheap"),
        ("DIMENSIONS = [make(score=lambda t: 1.0)]", 15, "passes must score higher"),
        ("DIMENSIONS = [make(score=lambda t: None)]", 15, "it abstained"),
        ("DIMENSIONS = [make(score=lambda t: t.nothing)]", 15, "AttributeError"),
        ("\n\n1 / 0", 17, "ZeroDivisionError"),
        ("import nothing_of_this_name", 15, "ModuleNotFoundError"),
        ("raise SystemExit(3)", 15, "SystemExit"),
        ("def", 15, "SyntaxError"),
        ("DIMENSIONS = 5", 15, "must be a list"),
        ("", None, "defines no DIMENSIONS"),
    ],
)
def test_unusable_file_is_one_error_with_file_line_and_cause(write, ending: str, line: int | None, cause: str) -> None:  # type: ignore[no-untyped-def]
    path = write(GOOD + ending)
    with pytest.raises(UserFileError, match=cause) as caught:
        resolve({"answer.correct": 1.0}, user_files=(path,))
    assert path in str(caught.value)
    assert line is None or caught.value.line == line


def test_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(UserFileError, match=r"absent\.py"):
        load_dimensions(str(tmp_path / "absent.py"))

"""Numbers worked by hand: what a target had cost, medians over seeds, ratios to the baseline."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rl.compare import CompareError, Spread, arrival, band, compare, parse_groups
from rl.load_config import load_config
from rl.runs import Milestone, Run, read_run
from tests.rl.hand_made_runs import evaluation, make_run

CONFIG = load_config("r1_zero_smoke", ["run.num_iterations=20"])


def run(name: str, points: Mapping[int, float], by_scenario: Mapping[str, float] | None = None) -> Run:
    """Accuracy by update; an update takes 10 tokens and 3 seconds."""
    milestones = tuple(Milestone(step, 10 * step, 3 * step, accuracy) for step, accuracy in points.items())
    return Run(Path(name), CONFIG, milestones, evaluation(max(points), milestones[-1].accuracy, by_scenario))


def milestones(*points: tuple[float, float]) -> Sequence[Milestone]:
    """Updates and accuracy, with tokens that get cheaper with time."""
    return [Milestone(step, step**2, 3 * step, accuracy) for step, accuracy in points]


# -- a run --------------------------------------------------------------------------------------------------------


def test_a_target_between_two_evaluations_is_on_the_line_between_them() -> None:
    # from 0.25 at 10 to 0.75 at 20: 0.5 is half-way, in updates, tokens (100 to 400) and seconds (30 to 60)
    reached = arrival(milestones((0, 0.0), (10, 0.25), (20, 0.75), (30, 0.5)), 0.5)
    assert reached == Milestone(15.0, 250.0, 45.0, 0.5)


def test_the_first_time_counts() -> None:
    reached = arrival(milestones((0, 0.0), (10, 0.5), (20, 0.25), (30, 1.0)), 0.5)
    assert reached == Milestone(10.0, 100.0, 30.0, 0.5)


def test_a_target_that_was_reached_before_training_cost_nothing() -> None:
    reached = arrival(milestones((0, 0.5), (10, 1.0)), 0.5)
    assert reached is not None
    assert reached.updates == 0


def test_a_target_that_was_never_reached() -> None:
    assert arrival(milestones((0, 0.0), (10, 0.5)), 0.75) is None


# -- labels -------------------------------------------------------------------------------------------------------


def test_medians_and_ratios() -> None:
    # to 0.5: 10, 16 and 20 updates against 4, 8 and 10
    slow = [run("a", {0: 0.0, 20: 1.0}), run("b", {0: 0.0, 16: 0.5, 20: 0.75}), run("c", {0: 0.0, 20: 0.5})]
    fast = [run("d", {0: 0.0, 8: 1.0, 20: 1.0}), run("e", {0: 0.0, 16: 1.0, 20: 1.0}), run("f", {0: 0.0, 20: 1.0})]
    base, other = compare({"slow": slow, "fast": fast}, 0.5).summaries
    assert [cost.until for cost in base.costs] == [Spread(16, 10, 20), Spread(160, 100, 200), Spread(48, 30, 60)]
    assert other.costs[0].until == Spread(8, 4, 10)
    assert [cost.ratio for cost in base.costs] == [1.0, 1.0, 1.0]
    assert [cost.ratio for cost in other.costs] == [0.5, 0.5, 0.5]
    assert [cost.total for cost in other.costs] == [Spread(20, 20, 20), Spread(200, 200, 200), Spread(60, 60, 60)]
    assert base.final == Spread(0.75, 0.5, 1.0)


def test_best_is_not_final() -> None:
    [summary] = compare({"a": [run("a", {0: 0.0, 10: 0.75, 20: 0.5})]}).summaries
    assert (summary.best.median, summary.final.median) == (0.75, 0.5)


def test_a_run_that_never_gets_there_counts_as_more_than_all_others() -> None:
    late, never = {0: 0.0, 20: 1.0}, {0: 0.0, 20: 0.25}
    one, two = compare(
        {"one": [run("a", never), run("b", late), run("c", late)], "two": [run("d", never), run("e", late)]}, 0.5
    ).summaries
    assert one.costs[0].until == Spread(10, 10, math.inf)
    assert two.costs[0].until == Spread(math.inf, 10, math.inf)
    assert (one.costs[0].ratio, two.costs[0].ratio) == (1.0, None)
    assert one.arrivals[0] is None


def test_no_ratio_to_a_baseline_that_never_got_there() -> None:
    groups = {"never": [run("a", {0: 0.0, 20: 0.25})], "late": [run("b", {0: 0.0, 20: 1.0})]}
    assert [summary.costs[0].ratio for summary in compare(groups, 0.5).summaries] == [None, None]


def test_the_target_is_by_default_within_reach_of_every_label_that_was_ever_right() -> None:
    finals = {"high": (0.75, 1.0, 1.0), "low": (0.25, 0.5, 1.0), "none": (0.0, 0.0, 0.125)}
    groups = {
        label: [run(f"{label}{seed}", {0: 0.0, 20: accuracy}) for seed, accuracy in enumerate(accuracies)]
        for label, accuracies in finals.items()
    }
    found = compare(groups)
    assert found.target == pytest.approx(0.9 * 0.5)
    assert not found.target_is_given
    reached = {summary.label: summary.arrivals for summary in found.summaries}
    assert [arrived is None for arrived in reached["low"]] == [True, False, False]
    assert reached["none"] == (None, None, None)


def test_no_target_where_nobody_was_right() -> None:
    found = compare({"none": [run("a", {0: 0.0, 20: 0.0})]})
    assert found.target is None
    assert [(cost.until, cost.ratio) for cost in found.summaries[0].costs] == [(None, None)] * 3


def test_breakdowns_are_medians_over_the_runs_that_have_them() -> None:
    end = {0: 0.0, 20: 0.5}
    runs = [run("a", end, {"sums": 0.25}), run("b", end, {"sums": 0.75, "words": 1.0}), run("c", end, {"sums": 0.5})]
    [summary] = compare({"a": runs}).summaries
    assert summary.by_scenario == {"sums": 0.5, "words": 1.0}


def test_the_band_over_runs_that_were_evaluated_at_different_times() -> None:
    # at 5 the second is half-way to 1.0; at 10 the first is half-way from 0.5 to 0.25; after 15 it has no more
    runs = [run("a", {0: 0.0, 5: 0.5, 15: 0.25}), run("b", {0: 0.0, 10: 1.0, 20: 1.0})]
    places, spreads = band(runs, "tokens")
    assert places == [0, 50, 100, 150]
    assert spreads == [
        Spread(0.0, 0.0, 0.0),
        Spread(0.5, 0.5, 0.5),
        Spread(0.6875, 0.375, 1.0),
        Spread(0.625, 0.25, 1.0),
    ]


# -- what cannot or should not be compared ------------------------------------------------------------------------


def test_the_same_run_twice_is_refused(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {0: 0.0})
    with pytest.raises(CompareError, match="pair: the same run is given twice"):
        compare({"pair": [read_run(folder), read_run(folder / ".." / "a")]})


@pytest.mark.parametrize(
    ("override", "warned"),
    [
        ("eval.num_tasks=9", "the evaluations do not ask the same: eval.num_tasks differ"),
        ("tasks.mix.0.levels=[0, 1]", "the evaluations do not ask the same: tasks.mix differ"),
        ("curriculum.enabled=true", None),
        ("tasks.held_out_fraction=0.5", None),
    ],
)
def test_evaluations_that_ask_something_else(override: str, warned: str | None, tmp_path: Path) -> None:
    first = read_run(make_run(tmp_path / "a", {0: 0.0, 2: 0.5}))
    second = read_run(make_run(tmp_path / "b", {0: 0.0, 2: 0.5}, override))
    assert compare({"a": [first], "b": [second]}).warnings == ((warned,) if warned else ())


def test_an_unfinished_run_is_told(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "a", {0: 0.0, 2: 0.5}, "run.num_iterations=9", finished=False)
    [warning] = compare({"a": [read_run(folder)]}).warnings
    assert warning == f"{folder} is unfinished: its last evaluation is of update 2 of 9"


# -- arguments ----------------------------------------------------------------------------------------------------


def test_labels_are_given_or_the_name_without_its_seed() -> None:
    assert parse_groups(["old=a,b", "runs/wide-seed1,runs/wide-seed2", "x/deep-s3", "plain", "steps-1"]) == {
        "old": ("a", "b"),
        "wide": ("runs/wide-seed1", "runs/wide-seed2"),
        "deep": ("x/deep-s3",),
        "plain": ("plain",),
        "steps-1": ("steps-1",),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a-seed1", "a-seed2"], "two labels 'a': join the seeds of one as a=RUN,RUN, or name them apart"),
        (["a=x", "a=y"], "two labels 'a'"),
        (["a=x,"], "must look like LABEL=RUN or LABEL=RUN,RUN"),
        (["a="], "must look like LABEL=RUN"),
        (["=x"], "'' is no label"),
        (["../x=y"], r"'\.\./x' is no label"),
    ],
)
def test_arguments_that_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(CompareError, match=message):
        parse_groups(arguments)

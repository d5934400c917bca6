"""The analysis behind `zero2one rewards report`: hand-made tables first, then a stored run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rewards.signal import Gate, build_signal
from rewards.table import by_name
from rl.load_config import load_config, save_config
from rl.reward_report import (
    Distribution,
    RewardReportError,
    describe,
    distribution,
    drift,
    pairs,
    rank_correlations,
    report_rewards,
    signal_shares,
    spearman,
    spread,
)
from rl.store import TrajectoryStore, judgements
from rl.trajectory import Purpose, Score, Scored
from tests.rl.builders import lost, request, trajectory

NAN = np.nan
NAMES = ("answer.correct", "length.concise", "format.nonempty")


def test_distribution_leaves_abstentions_out() -> None:
    assert distribution(np.array([NAN, 1.0, 3.0, NAN])) == Distribution(
        2.0, 1.0, pytest.approx(1.1), 2.0, pytest.approx(2.9)
    )
    assert distribution(np.array([NAN, NAN])) is None


def test_drift_is_in_standard_deviations_of_both_ends_together() -> None:
    """0, 0, 1, 1 and nothing: the mean moves by 1, the deviation is one half."""
    assert drift(np.array([0.0, 0.0]), np.array([1.0, NAN, 1.0])) == 2.0
    assert drift(np.array([3.0]), np.array([3.0, 3.0])) == 0.0


def test_shares_add_up_and_may_be_negative() -> None:
    """Parts (0, 2, 0, 2) and (1, 0, 1, 0): the sum (1, 2, 1, 2) has covariance 2, -1 and 1 with each and itself."""
    brought = np.array([[0.0, 1.0, NAN], [2.0, 0.0, NAN], [0.0, 1.0, NAN], [2.0, 0.0, NAN]])
    np.testing.assert_allclose(signal_shares(brought), [2.0, -1.0, 0.0])
    np.testing.assert_array_equal(signal_shares(np.ones((4, 2))), [0.0, 0.0])


def test_an_abstention_brings_zero_to_the_sum() -> None:
    np.testing.assert_allclose(signal_shares(np.array([[NAN, 1.0], [1.0, 1.0]])), [1.0, 0.0])


def test_spearman_by_hand() -> None:
    """Ranks 0, 1, 2, 3 against 0, 2, 1, 3: 1 - 6 * 2 / (4 * 15) = 0.8."""
    first, second = np.array([1.0, 20.0, 300.0, 4000.0, NAN, 7.0]), np.array([-9.0, 5.0, 4.0, 6.0, 0.0, NAN])
    assert spearman(first, second) == pytest.approx(0.8)
    assert np.isnan(spearman(np.ones(5), np.arange(5.0)))
    assert np.isnan(spearman(np.array([NAN, 1.0]), np.array([1.0, NAN])))


def test_ties_share_their_mean_rank() -> None:
    """Ranks 0.5, 0.5, 2, 3 and 2, 0, 1, 3: deviations (-1, -1, 0.5, 1.5) and (0.5, -1.5, -0.5, 1.5)."""
    wanted = (-0.5 + 1.5 - 0.25 + 2.25) / np.sqrt(4.5 * 5.0)
    assert spearman(np.array([0.0, 0.0, 1.0, 7.0]), np.array([4.0, -1.0, 0.0, 5.0])) == pytest.approx(wanted)


def test_all_pairs_at_once_are_what_each_pair_is_alone() -> None:
    values = np.random.default_rng(0).integers(0, 5, (200, 4)).astype(float)
    values[:, 3] = 7.0  # says nothing
    correlations, common = rank_correlations(values)
    for i in range(4):
        for j in range(4):
            np.testing.assert_allclose(correlations[i, j], spearman(values[:, i], values[:, j]), atol=1e-9)
    assert (common == 200).all()


def test_duplicates_are_found_whatever_their_scale_and_abstentions() -> None:
    numbers = np.random.default_rng(1)
    values = numbers.normal(size=(300, 5))
    values[:, 1] = np.exp(values[:, 0])  # the same order
    values[:, 2] = np.where(numbers.random(300) < 0.5, values[:, 0] ** 3, NAN)  # the same where it says anything
    values[40:, 4] = NAN
    values[:40, 4] = values[:40, 3]  # the same, in too few turns to tell
    found = pairs("abcde", values, above=0.98)
    assert {(pair.first, pair.second) for pair in found} == {("a", "b"), ("a", "c"), ("b", "c")}
    assert all(pair.correlation == pytest.approx(1.0) for pair in found)
    assert {pair.num_turns for pair in found} == {300, int((~np.isnan(values[:, 2])).sum())}


def test_conflicts_are_among_what_is_asked_for_the_strongest_first() -> None:
    numbers = np.random.default_rng(2)
    x = numbers.normal(size=(400, 1))
    values = np.hstack([x, -x, -x + 0.8 * numbers.normal(size=(400, 1)), -x])
    found = pairs("abcd", values, below=-0.5, among=np.array([0, 1, 2]))
    assert [(pair.first, pair.second) for pair in found] == [("a", "b"), ("a", "c")]
    assert -0.9 < found[1].correlation < -0.6


def test_dead_dimensions_have_a_reason() -> None:
    signal = build_signal([by_name()[name] for name in NAMES], {"answer.correct": 1.0})
    vector = np.array([[0.0, NAN, 1.0], [1.0, NAN, 1.0]], np.float32)
    lines = list(describe(signal, vector, vector[:1], vector[1:], np.array([1.0, 0.0, 0.0])))
    assert [line.dead for line in lines] == ["", "never judged", "always 1"]
    assert [line.judged for line in lines] == [1.0, 0.0, 1.0]
    assert [line.share for line in lines] == [1.0, None, None]
    assert (lines[0].drift, lines[1].drift, lines[1].early) == (2.0, None, None)


@pytest.mark.parametrize(("limit", "wanted"), [(9, [0, 1, 2, 3, 4]), (3, [0, 2, 4]), (2, [0, 4]), (1, [0])])
def test_a_sample_is_evenly_spread(limit: int, wanted: list[int]) -> None:
    assert spread(range(5), limit) == wanted


# -- a stored run -----------------------------------------------------------------------------------------------------


def judged(
    vectors: Sequence[Sequence[float]], success: float, *, iteration: int, group: int, purpose: Purpose = "train"
) -> Scored:
    vector = np.array(vectors, np.float32)
    asked = trajectory(request(iteration, group, purpose=purpose), ["7"] * len(vector))
    scalar = np.nansum(vector * np.float32([1.0, 0.5, 0.0]), axis=1).astype(np.float32)
    return Scored(asked, Score(vector, scalar, np.full(len(vector), success, np.float32)))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Eight iterations of 40 dialogs of one or two turns: right ones get rarer, brief ones more frequent."""
    weights = "rewards.weights={answer.correct: 1.0, length.concise: 0.5}"
    save_config(load_config("r1_zero_smoke", [weights, "rewards.monitor=[format.nonempty]"]), tmp_path / "config.yaml")
    store = TrajectoryStore(tmp_path, NAMES)
    numbers = np.random.default_rng(3)
    for iteration in range(8):
        brief = iteration / 7
        for half in range(2):  # two parts
            rows = []
            for group in range(20):
                turns = [[float(b), float(1 - b), NAN] for b in numbers.random(1 + group % 2) > brief]
                rows.append(judged(turns, 0.0, iteration=iteration, group=20 * half + group))
            store.write([*rows, lost(request(iteration, 99))])
        if iteration % 2 == 0:
            right = 1.0 - brief
            evals = [
                judged([[float(g < 40 * right), float(g >= 40 * right), NAN]], float(g < 40 * right),
                       iteration=iteration, group=g, purpose="eval")
                for g in range(40)
            ]  # fmt: skip
            store.write(evals)
    return tmp_path


def test_the_report_of_a_run(run: Path) -> None:
    report = report_rewards(run)
    assert (report.name, report.num_turns, report.iterations) == ("r1_zero_smoke", 8 * 60, tuple(range(8)))
    right, brief, filled = report.lines
    assert (right.name, brief.name, filled.name) == NAMES
    assert right.drift is not None and right.drift < -1.0
    assert brief.drift == pytest.approx(-right.drift)
    assert (filled.dead, filled.judged, filled.share) == ("never judged", 0.0, None)
    # right - brief / 2 where brief = 1 - right: 2 parts of right to 1 of what takes it back
    assert (right.share, brief.share) == (pytest.approx(2.0), pytest.approx(-1.0))
    [conflict] = report.conflicts
    assert (conflict.first, conflict.second) == ("answer.correct", "length.concise")
    assert conflict.correlation == pytest.approx(-1.0)
    assert report.duplicates == ()
    assert [line.name for line in report.by_share()] == ["answer.correct", "length.concise"]
    assert [step for step, _ in report.evaluations] == [0, 2, 4, 6]
    assert report.evaluations[0][1] == 1.0
    assert report.curves.shape == (8, 3)
    assert report.curves[0].tolist() == [1.0, 0.0, pytest.approx(NAN, nan_ok=True)]
    assert [(alarm.dimension, alarm.reference_step, alarm.step) for alarm in report.alarms] == [
        ("length.concise", 0, 4)
    ]


def test_a_run_without_judged_dialogs_has_no_report(run: Path, tmp_path: Path) -> None:
    for part in (run / "trajectories").iterdir():
        part.unlink()
    TrajectoryStore(run, NAMES).write([lost()])
    with pytest.raises(RewardReportError, match="no training dialog of the assistant has been judged yet"):
        report_rewards(run)


def test_roles_are_reported_apart_and_opponents_not_at_all(run: Path) -> None:
    """A proposer in every iteration that earns 1, and one by a past policy that earns nothing."""
    alone = report_rewards(run)
    store = TrajectoryStore(run, NAMES)
    for iteration in range(8):
        own = judged([[1.0, 0.0, NAN]], 1.0, iteration=iteration, group=50)
        own = replace(own, trajectory=replace(own.trajectory, request=replace(own.trajectory.request, role="proposer")))
        asked = replace(own.trajectory.request, group=51, opponent="opponents/step-000001")
        versions = np.full_like(own.trajectory.versions, -1)
        past = replace(own, trajectory=replace(own.trajectory, request=asked, versions=versions))
        assert past.score is not None
        store.write([own, replace(past, score=replace(past.score, vector=np.zeros((1, 3), np.float32)))])
    assert report_rewards(run).lines == alone.lines
    found = report_rewards(run, "proposer")
    assert (found.role, found.num_turns, found.lines[0].dead) == ("proposer", 8, "always 1")
    with pytest.raises(RewardReportError, match="no training dialog of the user"):
        report_rewards(run, "user")


def test_judgements_are_read_by_name(run: Path) -> None:
    parts = list(judgements(run, ("length.concise", "new.one", "answer.correct")))
    assert [part.iteration for part in parts if part.num_dialogs == 20][:4] == [0, 0, 1, 1]
    first = parts[1]
    assert (first.iteration, first.num_dialogs, len(first.success)) == (0, 20, 30)
    assert np.isnan(first.vector[:, 1]).all()
    np.testing.assert_array_equal(first.vector[:, 2], 1.0 - first.vector[:, 0])
    np.testing.assert_array_equal(first.scalar, first.vector[:, 2] + 0.5 * first.vector[:, 0])


def test_gates_count_in_the_shares() -> None:
    signal = build_signal(
        [by_name()[name] for name in NAMES], {"length.concise": 1.0}, None, [Gate("success", ("length",))]
    )
    vector = np.array([[NAN, 1.0, NAN], [NAN, 0.0, NAN]])
    brought = signal.contributions(vector, np.zeros(2), None)  # type: ignore[arg-type]
    assert not signal_shares(brought).any()

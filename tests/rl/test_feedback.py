"""From stored dialogs and what people say of them to new weights of the reward, in memory and through the real loop."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from envs.chance import pick
from envs.task import Question, Task, Turn
from rewards.signal import Gate, Moments, build_signal
from rl.config import Config
from rl.corrections import Adoption, adoptions, last_fit
from rl.feedback import Fitting, corrected, fit_new_ratings, fit_ratings, fitting_of, pairs_of
from rl.feedback_report import report_feedback, sentences
from rl.load_config import save_config
from rl.metrics import read_metrics
from rl.rating_items import find_items
from rl.rating_pairs import preferences
from rl.ratings import Rating, RatingBook, RatingError
from rl.report import write_report
from rl.store import EVERYTHING, Query, Record, TrajectoryStore, read
from rl.tasks import build_scorer, signal_of
from rl.trajectory import Score, Scored
from tests.rl.builders import request, trajectory
from tests.rl.fakes import Run, Trap, small_config
from tests.rl.simulated_rater import SimulatedRater
from tests.rl.test_loop import assert_same_run, stop

BIASED = "rewards.weights={length.concise: -1.0, answer.correct: 0.5, termination.ended: 0.5}"
NAMES = ("long", "right", "polite")


def planted(num_pairs: int, *, gates: Sequence[Gate] = ()) -> tuple[list[Record], Fitting]:
    """Pairs of answers with drawn reward vectors; the first dimension is length, and the reward pays for it."""
    rng = np.random.default_rng(3)
    records = []
    for group in range(num_pairs):
        for sample in range(2):
            length, right, polite = int(rng.integers(1, 20)), float(rng.integers(0, 2)), float(rng.random())
            dialog = trajectory(request(0, group, sample), ("x" * length,))
            vector = np.array([[length / 20, right, polite]], np.float32)
            score = Score(vector, vector.sum(1), np.array([right], np.float32))
            records.append(Record(Scored(dialog, score), NAMES, None))
    weights = dict(zip(NAMES, (2.0, 0.5, 0.2), strict=True))
    dimensions = [replace(d, name=name) for d, name in zip(build_scorer(biased()).dimensions, NAMES, strict=False)]
    signal = build_signal(dimensions, weights, gates=gates)
    return records, Fitting(signal, Moments.none(3), min_pairs=50, strength=1.0)


@cache
def biased() -> Config:
    return small_config(BIASED)


def compared(records: Sequence[Record], rater: SimulatedRater | None = None) -> list[Rating]:
    rater = rater or SimulatedRater()
    return [
        rater.compare(one, other)
        for one, other in zip(records[::2], records[1::2], strict=True)
        if one.trajectory.turns[0].answer != other.trajectory.turns[0].answer
    ]


def by_id(records: Sequence[Record]) -> dict[str, Record]:
    return {record.trajectory.request.id: record for record in records}


def test_a_planted_bias_is_corrected() -> None:
    """The bar: after 300 ratings, held-out agreement is higher by 0.15 at least."""
    records, fitting = planted(320)
    ratings = compared(records)[:300]
    fitted = corrected(ratings, by_id(records), fitting)
    assert (fitted.num_ratings, fitted.refused) == (300, "")
    assert fitted.agreement_before is not None
    assert fitted.agreement_after is not None
    assert fitted.agreement_after - fitted.agreement_before >= 0.15
    assert fitted.weights_after["long"] < 0 < fitted.weights_after["right"]


def test_a_planted_bias_is_corrected_in_what_real_dimensions_say() -> None:
    """Sums, answered in few words and in many, judged by the dimensions of a recipe that pays for the many."""
    config = biased()
    scorer, signal = build_scorer(config), signal_of(config.rewards)
    records = []
    for group in range(320):
        first, second = group % 10, group // 10 % 10
        question = Question(f"What is {first} + {second}?", str(first + second), "integer")
        for sample in range(2):
            said = pick((first + second, first + second, 5, 17), group, sample, "value")
            answer = pick(("{}", "{} {}", "{} {} {} {}", "{} and {} and {}"), group, sample, "form").format(*[said] * 4)
            asked = request(0, group, sample, task=Task("arithmetic-dialog", "en", 0, group))
            turn = Turn(question, answer, "stop", len(answer.split()) + 1)
            dialog = replace(trajectory(asked, (answer,)), turns=(turn,))
            score = scorer.score(dialog.transcript)
            judged = Score(score.vector, signal.scalar(score.vector, score.success, Moments.none(3)), score.success)
            records.append(Record(Scored(dialog, judged), scorer.names, None))
    fitting = Fitting(signal, Moments.none(len(signal.names)), 50, 1.0)
    fitted = corrected(compared(records, SimulatedRater(per_token=-1.0))[:300], by_id(records), fitting)
    assert fitted.agreement_before is not None
    assert fitted.agreement_after is not None
    assert fitted.agreement_after - fitted.agreement_before >= 0.15
    assert fitted.weights_after["length.concise"] > 0  # the recipe's is negative


def test_thumbs_correct_it_too() -> None:
    records, fitting = planted(320)
    rater = SimulatedRater()
    marks = [
        Rating("ana", "thumbs", r.trajectory.request.id, value=1 if rater.likes(r, 0) > 0 else -1) for r in records
    ]
    fitted = corrected(marks, by_id(records), fitting)
    assert not fitted.refused
    assert fitted.weights_after["long"] < 0


def test_too_few_ratings_change_nothing() -> None:
    records, fitting = planted(45)
    fitted = corrected(compared(records), by_id(records), fitting)
    assert "pairs with a better answer are too few; it takes feedback.min_pairs = 50" in fitted.refused
    assert not fitted.weights_after


def test_raters_who_toss_coins_change_nothing() -> None:
    records, fitting = planted(320)
    fitted = corrected(compared(records, SimulatedRater(correct=0.0, per_token=0.0)), by_id(records), fitting)
    assert "agree with held-out ratings as well" in fitted.refused


def test_raters_who_like_what_the_recipe_pays_change_nothing() -> None:
    records, fitting = planted(320)
    fitted = corrected(compared(records, SimulatedRater(correct=5.0, per_token=1.0)), by_id(records), fitting)
    assert fitted.refused


def test_what_a_gate_caps_is_not_evidence() -> None:
    """Where only right answers are paid for their length, wrong ones say nothing of what length is worth."""
    records, fitting = planted(2)
    gated = planted(2, gates=[Gate(when="success", cap=("long",), below=2.0)])[1]
    ratings = [Rating("ana", "pair", "train-0-0-0", "train-0-0-1", value=1)]
    assert corrected(ratings, by_id(records), fitting).num_pairs == 1
    found = preferences(ratings, by_id(records))
    assert pairs_of(found, fitting).values[0, 0] != 0
    assert pairs_of(found, gated).values[0, 0] == 0


def test_ratings_of_dialogs_that_are_not_stored_are_counted() -> None:
    records, fitting = planted(320)
    lost = Rating("ana", "pair", "train-7-0-0", "train-7-0-1", value=1)
    assert corrected([*compared(records), lost], by_id(records), fitting).num_unusable == 1


# -- through the files of a run, and the loop ----------------------------------------------------------------------


def rate_everything(run_dir: Path) -> None:
    """By a rater who likes what is short, however right."""
    rater, book = SimulatedRater(correct=0.0, per_token=-9.0), RatingBook(run_dir)
    stored = by_id(list(read(run_dir, EVERYTHING)))
    for item in find_items(run_dir, Query(purpose="train"), "pair"):
        book.note(rater.compare(stored[item.dialog], stored[item.other]))
    book.save()


def replies(dialog: str, seed: int) -> str:
    """A number of one to four digits, as the seed likes."""
    return str(seed % 9 + 1) * (seed // 7 % 4 * 2 + 1)


FEEDBACK_RUN = (
    BIASED,
    "rollout.rollout_batch_size=12",
    "rollout.n_samples_per_prompt=4",
    "rollout.max_response_length=12",
    "rollout.max_turns=1",
    "run.num_iterations=4",
    "checkpoint.every=1",
    "checkpoint.keep=9",
    "eval.every=0",
    "feedback.min_pairs=20",
)


def feedback_run(folder: Path, *overrides: str, trap: Trap | None = None) -> Run:
    config = small_config(*FEEDBACK_RUN, *overrides)
    folder.mkdir(exist_ok=True)
    save_config(config, folder / "config.yaml")
    return Run(folder, config, replies=replies, trap=trap)


def test_nothing_is_rated_yet(tmp_path: Path) -> None:
    TrajectoryStore(tmp_path, NAMES)
    config = biased()
    with pytest.raises(RatingError, match="has no ratings yet; `zero2one rate` collects some"):
        fit_ratings(tmp_path, fitting_of(config, tmp_path))
    assert fit_new_ratings(tmp_path, fitting_of(config, tmp_path)) is None


def test_a_run_uses_a_correction_from_the_next_iteration_on(tmp_path: Path) -> None:
    feedback_run(tmp_path, "run.num_iterations=3").train()
    rate_everything(tmp_path)
    fitted = fit_ratings(tmp_path, fitting_of(small_config(*FEEDBACK_RUN), tmp_path))
    assert fitted.version == 1
    run = feedback_run(tmp_path, "run.num_iterations=5")
    summary = run.train()
    assert [line.values["feedback/version"] for line in read_metrics(tmp_path)] == [0, 0, 0, 1, 1]
    last = read_metrics(tmp_path)[-1].values
    for name, weight in fitted.weights_after.items():
        assert last[f"feedback/weight/{name}"] == pytest.approx(weight, rel=1e-5)
    signal = signal_of(run.config.rewards).reweighted(fitted.weights)
    for record in read(tmp_path, Query("train", 3, 4)):
        score = record.scored.score
        assert score is not None
        assert score.scalar == pytest.approx(signal.scalar(score.vector, score.success, Moments.none(3)))
    write_report(tmp_path, summary)
    text = (tmp_path / "report.md").read_text()
    assert "## Human feedback" in text
    assert "Version 1 of the weights counts from iteration 3 on" in text
    assert "| length.concise | -1.000 |" in text


def test_a_run_fits_new_ratings_itself_and_only_new_ones(tmp_path: Path) -> None:
    feedback_run(tmp_path, "run.num_iterations=2").train()
    rate_everything(tmp_path)
    run = feedback_run(tmp_path, "run.num_iterations=4", "feedback.every=1")
    run.train()
    assert [line.values["feedback/version"] for line in read_metrics(tmp_path)] == [0, 0, 1, 1]
    assert sum("held-out agreement" in line for line in run.said) == 1
    fitted = last_fit(tmp_path)
    assert fitted is not None
    assert fitted.version == 1
    assert sentences(report_feedback(tmp_path))[0].endswith("of pairs by 1 rater.")


def test_a_run_that_pays_no_heed_keeps_its_weights(tmp_path: Path) -> None:
    feedback_run(tmp_path, "run.num_iterations=2").train()
    rate_everything(tmp_path)
    fit_ratings(tmp_path, fitting_of(small_config(*FEEDBACK_RUN), tmp_path))
    feedback_run(tmp_path, "run.num_iterations=3", "feedback.enabled=false").train()
    assert read_metrics(tmp_path)[-1].values["feedback/version"] == 0
    assert not adoptions(tmp_path)


def test_a_resumed_run_goes_on_with_the_same_version(tmp_path: Path) -> None:
    """Killed after the correction was adopted, at a checkpoint with it, and at one before it."""
    for name in ("whole", "killed"):
        feedback_run(tmp_path / name, "run.num_iterations=2").train()
        rate_everything(tmp_path / name)
        fit_ratings(tmp_path / name, fitting_of(small_config(*FEEDBACK_RUN), tmp_path / name))
    whole = feedback_run(tmp_path / "whole", "run.num_iterations=5")
    wanted = whole.train()
    killed = tmp_path / "killed"
    for visit in (0, 1, 0):  # in the first iteration with it; in the second; in the one after the last checkpoint
        stop(feedback_run(killed, "run.num_iterations=5", trap=Trap("annotate", visit)))
    resumed = feedback_run(killed, "run.num_iterations=5")
    assert_same_run(resumed, resumed.train(), whole, wanted)
    assert adoptions(killed) == adoptions(tmp_path / "whole") == [Adoption(1, 2)]

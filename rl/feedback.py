"""Human feedback corrects the bias of the reward: from a run's stored ratings to new weights of its dimensions.

A correction is a function of the recipe and all ratings so far, and never of an earlier correction: so it can be made
again, and errors do not add up. It is refused where there are too few ratings, and where pairs that it was not fitted
to do not agree with it clearly better than with the recipe.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rewards.signal import Moments, Signal, Weights
from rl.checkpoint import newest_state
from rl.config import Config, FeedbackConfig
from rl.corrections import Correction, adopt, keep_fit, last_fit
from rl.feedback_fit import SIGNIFICANT_Z, Pairs, agrees, fit, held_out, improvement_z
from rl.files import sha256_of
from rl.rating_pairs import Preference, preferences
from rl.ratings import FILE, FOLDER, Rating, RatingError, read_ratings
from rl.records import Records
from rl.store import Query, Record, read
from rl.tasks import signal_of


@dataclass(frozen=True, slots=True)
class Fitting:
    """What ratings are fitted against: the reward of the recipe, with the moments that normalise it, and the limits of
    `rl.config.FeedbackConfig`.
    """

    signal: Signal
    moments: Moments
    min_pairs: int
    strength: float


def fitting_of(config: Config, run_dir: Path) -> Fitting:
    """As the run itself would fit now, by its newest checkpoint."""
    signal, state = signal_of(config.rewards), newest_state(run_dir)
    moments = Moments.from_names(state.moments if state else {}, signal.names)
    return Fitting(signal, moments, config.feedback.min_pairs, config.feedback.prior_strength)


async def weights_at(
    iteration: int, current: Weights, feedback: FeedbackConfig, recipe: Signal, moments: Moments, records: Records
) -> Weights:
    """What the reward of a run weighs from `iteration` on; `recipe` is the reward as its recipe has it.

    In an iteration that had begun before the run was resumed, what people have said since then does not count yet.
    """
    if not feedback.enabled:
        return current
    has_begun = records.has_begun(iteration)
    if feedback.every and iteration and iteration % feedback.every == 0 and not has_begun:
        limits = Fitting(recipe, moments, feedback.min_pairs, feedback.prior_strength)
        fitted = await asyncio.to_thread(fit_new_ratings, records.run_dir, limits)  # others go on meanwhile
        if fitted is not None:
            records.say(f"feedback: {fitted}")
    correction = adopt(records.run_dir, iteration, current.version, new=not has_begun)
    if correction is None:
        return current
    records.say(f"feedback: the reward has the weights of correction {correction.version} from this iteration on")
    return correction.weights


def fit_new_ratings(run_dir: Path, fitting: Fitting) -> Correction | None:
    """`fit_ratings`, where there are ratings which the last fit has not seen; None: there are none."""
    path, last = run_dir / FOLDER / FILE, last_fit(run_dir)
    if not path.exists() or (last is not None and last.ratings_sha256 == sha256_of(path)):
        return None
    return fit_ratings(run_dir, fitting)


def fit_ratings(run_dir: Path, fitting: Fitting) -> Correction:
    """Fit the weights to all ratings of the run and write the result down. Raises RatingError if there are none."""
    path = run_dir / FOLDER / FILE
    if not path.exists():
        raise RatingError(f"{run_dir} has no ratings yet; `zero2one rate` collects some")
    sha256 = sha256_of(path)
    ratings = read_ratings(run_dir)
    return keep_fit(run_dir, corrected(ratings, rated_records(run_dir, ratings), fitting, sha256))


def rated_records(run_dir: Path, ratings: Sequence[Rating]) -> dict[str, Record]:
    """The stored dialogs that the ratings are about, by id."""
    ids = {name for rating in ratings for name in (rating.dialog, rating.other) if name}
    found = read(run_dir, Query(ids=tuple(sorted(ids)))) if ids else ()
    return {record.trajectory.request.id: record for record in found}


def corrected(
    ratings: Sequence[Rating], records: Mapping[str, Record], fitting: Fitting, ratings_sha256: str = ""
) -> Correction:
    """The weights that agree best with the ratings, or why they stay; nothing is written."""
    marks = [rating for rating in ratings if rating.kind != "text"]
    judged = {name for name, record in records.items() if record.scored.score is not None}
    usable = [r for r in marks if {r.dialog, r.other or r.dialog} <= judged]
    found = preferences(usable, records)
    pairs = pairs_of(found, fitting)
    weighted = np.flatnonzero(fitting.signal.weights)
    names = [fitting.signal.names[column] for column in weighted]
    prior = fitting.signal.weights[weighted].astype(np.float64)

    def verdict(refused: str = "", *, after: np.ndarray | None = None, agreement: Sequence[float] = ()) -> Correction:
        return Correction(
            ratings_sha256=ratings_sha256,
            num_ratings=len(usable),
            num_unusable=len(marks) - len(usable),
            num_raters=len({rating.rater for rating in usable}),
            num_pairs=len(found),
            weights_before=dict(zip(names, prior.tolist(), strict=True)),
            weights_after={} if after is None else dict(zip(names, after.tolist(), strict=True)),
            agreement_before=agreement[0] if agreement else None,
            agreement_after=agreement[1] if agreement else None,
            refused=refused,
        )

    decided = int((~pairs.ties).sum())
    if decided < fitting.min_pairs or len(np.unique(pairs.folds)) < 2:
        return verdict(
            f"{decided} pairs with a better answer are too few; it takes feedback.min_pairs = {fitting.min_pairs}"
        )
    before = agrees(pairs.rewards, pairs.ties)
    after = agrees(held_out(pairs, prior, strength=fitting.strength), pairs.ties)
    agreement = (float(before.mean()), float(after.mean()))
    if improvement_z(before, after) < SIGNIFICANT_Z:
        return verdict(
            "the recipe's weights agree with held-out ratings as well, or too nearly so", agreement=agreement
        )
    return verdict(after=fit(pairs, prior, strength=fitting.strength), agreement=agreement)


def pairs_of(found: Sequence[Preference], fitting: Fitting) -> Pairs:
    """The differences that a fit is made from; what a gate caps under the recipe's weights counts as no value."""
    weighted = np.flatnonzero(fitting.signal.weights)
    values, rewards = np.zeros((len(found), len(weighted))), np.zeros(len(found))
    for row, pair in enumerate(found):
        better, worse = (_side(record, pair.turn, fitting) for record in (pair.better, pair.worse))
        values[row], rewards[row] = (better[0] - worse[0])[weighted], better[1] - worse[1]
    ties = np.array([pair.tie for pair in found], bool)
    return Pairs(values, rewards, ties, np.array([pair.fold for pair in found], np.int64))


def _side(record: Record, turn: int | None, fitting: Fitting) -> tuple[np.ndarray, float]:
    """One answer, or the mean over a dialog's: what its dimensions say [D], 0 for an abstention, and its reward."""
    signal, score = fitting.signal, record.scored.score
    assert score is not None
    rows = slice(None) if turn is None else slice(turn, turn + 1)
    vector = aligned(score.vector[rows], record.dimensions, signal.names)
    brought = signal.contributions(vector, score.success[rows], fitting.moments)
    values = signal.values(vector, fitting.moments)
    capped = ~np.isclose(np.nan_to_num(brought), np.nan_to_num(values * signal.weights), atol=1e-6)
    free = np.where(capped, 0.0, np.nan_to_num(values, nan=0.0))
    return free.mean(0), float(np.nan_to_num(brought, nan=0.0).sum(1).mean())


def aligned(vector: np.ndarray, known: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Columns `known` [N, E] as columns `names` [N, D]; NaN where there was no such dimension."""
    if tuple(known) == tuple(names):
        return vector
    columns = {name: column for column, name in enumerate(known)}
    missing = np.full(len(vector), np.nan, np.float32)
    return np.stack([vector[:, columns[n]] if n in columns else missing for n in names], axis=1)

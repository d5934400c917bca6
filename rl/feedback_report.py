"""What people's ratings did to a run, in plain words: a section of its report, and `zero2one ratings report`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rl.agreement import RaterAgreement, rater_agreement
from rl.corrections import Adoption, Correction, adoptions, last_fit, read_correction
from rl.ratings import Rating, read_ratings

NAMES = {"thumbs": "thumbs", "stars": "1 to 5", "pair": "pairs", "text": "free text"}


@dataclass(frozen=True, slots=True)
class FeedbackReport:
    """`used`: the correction that the run used last; `last`: the newest attempt, also where it was refused."""

    num_ratings: int
    agreement: tuple[RaterAgreement, ...]
    texts: tuple[Rating, ...]
    last: Correction | None
    used: Correction | None
    adoptions: tuple[Adoption, ...]


def report_feedback(run_dir: Path) -> FeedbackReport:
    ratings = read_ratings(run_dir)
    adopted = adoptions(run_dir)
    return FeedbackReport(
        num_ratings=len(ratings),
        agreement=tuple(rater_agreement(ratings)),
        texts=tuple(rating for rating in ratings if rating.text),
        last=last_fit(run_dir),
        used=read_correction(run_dir, adopted[-1].version) if adopted else None,
        adoptions=tuple(adopted),
    )


def sentences(report: FeedbackReport) -> list[str]:
    """How many ratings there are, how far they agree with each other and with the reward, and what came of them."""
    lines = [f"{report.num_ratings:,} ratings: {', '.join(map(_kind, report.agreement))}."]
    lines += [_agreement(one) for one in report.agreement if one.alpha is not None]
    if report.last is not None:
        lines.append(f"The last fit of the reward's weights: {report.last}.")
        if not report.adoptions:
            lines.append("The run has always used the weights of its recipe.")
    lines += [f"Version {a.version} of the weights counts from iteration {a.iteration} on." for a in report.adoptions]
    return lines


def weight_lines(correction: Correction) -> list[str]:
    """`weight_rows` with a heading, for the terminal."""
    rows = [["dimension", "recipe", "corrected"], *weight_rows(correction)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def weight_rows(correction: Correction) -> list[list[str]]:
    """Dimension, weight in the recipe, weight in the correction; what moved most comes first."""
    before, after = correction.weights_before, correction.weights_after
    names = sorted(after, key=lambda name: -abs(after[name] - before.get(name, 0.0)))
    return [[name, f"{before.get(name, 0.0):+.3f}", f"{after[name]:+.3f}"] for name in names]


def json_feedback(report: FeedbackReport) -> dict[str, Any]:
    """What `report.json` says of it."""
    used = report.used
    return {
        "ratings": report.num_ratings,
        "rater_agreement": {one.kind: one.alpha for one in report.agreement},
        "version": used.version if used else 0,
        "agreement_before": used.agreement_before if used else None,
        "agreement_after": used.agreement_after if used else None,
        "weights": dict(used.weights_after) if used else {},
        "adopted": {str(adoption.version): adoption.iteration for adoption in report.adoptions},
    }


def _kind(one: RaterAgreement) -> str:
    return f"{one.num_ratings:,} of {NAMES[one.kind]} by {one.num_raters} rater{'s' if one.num_raters != 1 else ''}"


def _agreement(one: RaterAgreement) -> str:
    return (
        f"Raters agree on {NAMES[one.kind]} with a Krippendorff alpha of {one.alpha:.2f} over {one.num_items:,} items "
        "that more than one has rated (1: always, 0: as by chance)."
    )

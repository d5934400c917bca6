"""Corrections of the reward by human feedback, as files of the run directory that are numbered and never change.

    feedback/ratings.jsonl             what people said, see `rl/ratings.py`
    feedback/correction-000001.json    the weights that were fitted to it, and how well they agree with people
    feedback/fit.json                  the last attempt, also where it changed nothing
    feedback/adopted.jsonl             from which iteration on the run has used which version

What has been adopted is written down before it is used. So a run that is resumed from an earlier iteration changes its
weights again where it did before, and ends as if it had never stopped.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import TypeAdapter

from rewards.signal import Weights
from rl.files import sync, write_whole
from rl.ratings import FOLDER, RatingError

NAME = re.compile(r"correction-(\d{6,})\.json")
LAST_FIT, ADOPTED = "fit.json", "adopted.jsonl"


@dataclass(frozen=True, slots=True)
class Correction:
    """A fit of the reward's weights to ratings.

    Attributes:
        version: from 1 on; 0: the fit was refused, and `refused` says why.
        num_ratings: that could be used; `num_unusable` could not, as their dialogs are not stored or were not judged.
        num_pairs: ordered pairs of answers that they make.
        agreement_before, agreement_after: share of the pairs whose better answer has the higher reward, under the
            recipe's weights and under weights that were fitted without the pair; None where there is nothing to tell.
        weights_before, weights_after: by dimension; before: those of the recipe.
    """

    ratings_sha256: str
    num_ratings: int
    num_unusable: int
    num_raters: int
    num_pairs: int
    weights_before: Mapping[str, float]
    weights_after: Mapping[str, float] = field(default_factory=dict)
    agreement_before: float | None = None
    agreement_after: float | None = None
    version: int = 0
    refused: str = ""

    @property
    def weights(self) -> Weights:
        return Weights(self.version, self.weights_after)

    def __str__(self) -> str:
        known = f"{self.num_ratings:,} ratings of {self.num_raters} raters, {self.num_pairs:,} ordered pairs"
        if self.agreement_before is not None and self.agreement_after is not None:
            known += f"; held-out agreement {self.agreement_before:.1%} before, {self.agreement_after:.1%} after"
        return f"{known}: {f'nothing changes: {self.refused}' if self.refused else f'correction {self.version}'}"


@dataclass(frozen=True, slots=True)
class Adoption:
    """From this iteration on, the run has used this version."""

    version: int
    iteration: int


def keep_fit(run_dir: Path, fitted: Correction) -> Correction:
    """Write a fit down, under the next version unless it was refused; returns it with that."""
    folder = run_dir / FOLDER
    folder.mkdir(exist_ok=True)
    version = fitted.version
    if not fitted.refused:
        version = max(_versions(folder), default=0) + 1
        while not _write_new(folder / f"correction-{version:06d}.json", replace(fitted, version=version)):
            version += 1  # somebody else has just taken it
    kept = replace(fitted, version=version)
    write_whole(folder / LAST_FIT, _dump(kept))
    return kept


def last_fit(run_dir: Path) -> Correction | None:
    path = run_dir / FOLDER / LAST_FIT
    return _read(path) if path.exists() else None


def read_correction(run_dir: Path, version: int) -> Correction:
    return _read(run_dir / FOLDER / f"correction-{version:06d}.json")


def adopt(run_dir: Path, iteration: int, current: int, *, new: bool = True) -> Correction | None:
    """The correction that counts from `iteration` on, if it is a later one than version `current`; noted as adopted.

    One that an earlier process has adopted comes at the iteration that it did then; any other one at once, or not at
    all without `new`.
    """
    versions = _versions(run_dir / FOLDER)
    if not versions or max(versions) <= current:
        return None
    noted = adoptions(run_dir)
    due = [a.version for a in noted if a.iteration <= iteration and a.version in versions]
    unnoted = versions - {adoption.version for adoption in noted} if new else set()
    version = max([*due, *unnoted], default=0)
    if version <= current:
        return None
    correction = read_correction(run_dir, version)
    if version in unnoted:
        _note(run_dir / FOLDER / ADOPTED, Adoption(version, iteration))
    return correction


def adoptions(run_dir: Path) -> list[Adoption]:
    path = run_dir / FOLDER / ADOPTED
    if not path.exists():
        return []
    lines = path.read_bytes().splitlines(keepends=True)
    try:
        return [TypeAdapter(Adoption).validate_json(line) for line in lines if line.endswith(b"\n")]
    except ValueError as error:
        raise RatingError(f"{path} is damaged: {error}; remove it, and corrections count from now on") from error


def _versions(folder: Path) -> set[int]:
    return {int(match[1]) for match in map(NAME.fullmatch, os.listdir(folder) if folder.is_dir() else ()) if match}


def _write_new(path: Path, correction: Correction) -> bool:
    """False: there is such a file already."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    write_whole(temporary, _dump(correction))
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    sync(path.parent)
    return True


def _note(path: Path, adoption: Adoption) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"version": adoption.version, "iteration": adoption.iteration}) + "\n")
        file.flush()
        os.fsync(file.fileno())


def _dump(correction: Correction) -> bytes:
    return TypeAdapter(Correction).dump_json(correction, indent=1) + b"\n"


def _read(path: Path) -> Correction:
    try:
        return TypeAdapter(Correction).validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RatingError(f"{path} is damaged, or not a correction of the reward: {error}") from error

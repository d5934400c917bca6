"""From the names in a recipe to the dimensions of a run."""

import difflib
import math
from collections.abc import Mapping, Sequence

from envs.user_file import UserFileError, line_of
from rewards.dimension import Dimension
from rewards.dimensions.reward_model import MODEL_REWARD, REWARD_MODEL
from rewards.table import TABLE, by_name
from rewards.user_file import load_dimensions

ALL = "all"


class RewardConfigError(ValueError):
    """A recipe that asks for a reward which cannot be computed."""


def resolve(
    weights: Mapping[str, float], monitor: Sequence[str] = (), user_files: Sequence[str] = ()
) -> tuple[Dimension, ...]:
    """The weighted dimensions in the order of `weights`, then the monitored ones; `monitor=("all",)`: every
    other one, but for a reward model's.

    Raises `RewardConfigError` for an unknown name or a weight that is no number, `UserFileError` for a user's file.
    """
    known = available(user_files)
    judged_here = [name for name in known if name != MODEL_REWARD]
    for name, weight in weights.items():
        if not math.isfinite(weight):
            raise RewardConfigError(f"rewards.weights: {name} has the weight {weight}; it must be finite")
    monitored = [name for entry in monitor for name in (judged_here if entry == ALL else (entry,))]
    chosen = dict.fromkeys((*weights, *monitored))
    for name in chosen:
        if name not in known:
            section = "weights" if name in weights else "monitor"
            raise RewardConfigError(f"rewards.{section}: no dimension {name!r}; {_advice(name, known)}")
    return tuple(known[name] for name in chosen)


def available(user_files: Sequence[str] = ()) -> dict[str, Dimension]:
    """The dimensions of the table, of a reward model and of the user's files, by name."""
    known = by_name((*TABLE, REWARD_MODEL))
    for path in user_files:
        for dimension in load_dimensions(path):
            if dimension.name in known:
                line = line_of(path, "DIMENSIONS")
                raise UserFileError(path, line, f"the name {dimension.name!r} is already taken; choose another")
            known[dimension.name] = dimension
    return known


def _advice(name: str, known: Mapping[str, Dimension]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.4)
    return f"did you mean {' or '.join(close)}?" if close else "`zero2one rewards` lists all"

"""Fit the profile of a simulated engine (`models/simulated.py`) to a run that is done:

    python tests/benchmarks/fit_profile.py runs/r1_zero > profile.json

Lengths are those of the assistant's answers. The time of a dialog, from its admission to its last token, is that of its
answers, and each of these is taken to cost `prompt_seconds + n * token_seconds`: the least squares that are not below
0. What is left, the ratio of the dialog's time to that, is the spread: the crowd in the engine made it.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

from models.simulated import Profile
from rl.store import Query, read
from rl.trajectory import Trajectory

NUM_QUANTILES = 11


def fit(dialogs: Iterable[Trajectory]) -> Profile:
    """Of the trajectories of training; those that failed say nothing."""
    spoken = [dialog for dialog in dialogs if dialog.turns]
    lengths = [turn.num_tokens for dialog in spoken for turn in dialog.turns]
    work = np.array([(len(dialog.turns), dialog.num_action_tokens) for dialog in spoken], np.float64)
    seconds = np.array([dialog.seconds for dialog in spoken])
    (prompt_seconds, token_seconds), _ = nnls(work, seconds)
    spread = seconds / (work @ (prompt_seconds, token_seconds))
    return Profile(_quantiles(lengths), float(prompt_seconds), float(token_seconds), _quantiles(spread))


def _quantiles(values: Iterable[float]) -> tuple[float, ...]:
    found = np.quantile(np.asarray(list(values), np.float64), np.linspace(0.0, 1.0, NUM_QUANTILES))
    return tuple(round(float(value), 4) for value in found)


if __name__ == "__main__":
    run_dir = Path(sys.argv[1])
    print(json.dumps(asdict(fit(record.trajectory for record in read(run_dir, Query(purpose="train")))), indent=1))

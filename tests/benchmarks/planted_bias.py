"""A planted bias, and what feedback does about it: the reward pays for long answers, a simulated rater does not.

A small policy is fine-tuned on right answers, then trained by PPO with a reward in which `length.concise` weighs less
than nothing. At update `RATED_AT`, the simulated rater compares 300 pairs of its answers, and weights are fitted. The
run then goes on twice from the same checkpoint, with and without the correction. Prints the length of answers, update
by update. Run it from the top of the repository: `PYTHONPATH=. python tests/benchmarks/planted_bias.py`
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml
from harness import report
from real_run import FOLDER

from rl.corrections import last_fit
from rl.feedback import fit_ratings, fitting_of, rated_records
from rl.load_config import load_config
from rl.metrics import read_metrics, series
from rl.rating_items import find_items
from rl.ratings import Rating, RatingBook
from rl.store import Query
from tests.rl.simulated_rater import SimulatedRater

RATED_AT, LAST, NUM_RATINGS = 8, 20, 300
TASKS = {"mix": [{"scenario": "arithmetic", "languages": ["en"], "levels": [0]}]}
MODEL = {"preset": "r1-zero-6l-nano", "vocab_size": 384, "all_bytes": False, "max_length": 64}
LEARNER = {"num_threads": 1}
PIPELINE = {
    "model": MODEL,
    "learner": LEARNER,
    "stages": [
        {
            "name": "sft",
            "kind": "sft",
            "run": {"num_iterations": 60},
            "tasks": TASKS,
            "demonstrations": {"num_dialogs": 400, "max_turns": 1},
            "supervised": {"batch_rows": 8, "eval_every": 0},
            "optimizer": {"lr": 2e-3},
        },
        {
            "name": "ppo",
            "kind": "ppo",
            "run": {"num_iterations": RATED_AT},
            "tasks": TASKS,
            "rollout": {
                "rollout_batch_size": 24,
                "n_samples_per_prompt": 8,
                "max_prompt_length": 40,
                "max_response_length": 20,
                "max_turns": 1,
                "temperature": 1.2,
                "kv_cache_gib": 0.1,
            },
            "rewards": {"weights": {"length.concise": -1.0, "termination.ended": 0.5, "answer.correct": 0.5}},
            "ppo": {"mini_batch_size": 96, "advantage_estimator": "dr_grpo", "entropy_coef": 0.01},
            "actor": {"lr": 1e-3, "lr_scheduler": "constant", "lr_warmup_ratio": 0.0},
            "eval": {"every": 0, "num_tasks": 20},
            "checkpoint": {"every": RATED_AT},
        },
    ],
}


def measure() -> Mapping[str, object]:
    folder = FOLDER / "planted_bias"
    for name in ("with", "without"):
        shutil.rmtree(folder / name, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    recipe = folder / "planted_bias.yaml"
    recipe.write_text(yaml.safe_dump(PIPELINE))
    resume = ["--resume"] if (folder / "first").exists() else []  # a finished stage is not trained again
    _train(recipe, *resume, f"run.folder={folder}", "run.name=first")
    first = folder / "first" / "stages" / "ppo"
    for name in ("with", "without"):
        shutil.copytree(first, folder / name)
    num_ratings = rate(folder / "with", NUM_RATINGS)
    fit_ratings(folder / "with", fitting_of(load_config(str(first / "config.yaml")), folder / "with"))
    fitted = last_fit(folder / "with")
    assert fitted is not None
    print(fitted, dict(fitted.weights_before), dict(fitted.weights_after), file=sys.stderr)
    for name in ("with", "without"):
        overrides = (f"run.folder={folder}", f"run.name={name}", f"run.num_iterations={LAST}")
        _train(folder / name / "config.yaml", "--resume", *overrides)
    curves = {name: lengths(folder / name) for name in ("with", "without")}
    print("update  with  without (mean tokens of an answer)", file=sys.stderr)
    for update, (corrected, biased) in enumerate(zip(*curves.values(), strict=True)):
        print(f"{update:6}  {corrected:4.1f}  {biased:7.1f}", file=sys.stderr)
    return {
        "num_ratings": num_ratings,
        "agreement_before": fitted.agreement_before,
        "agreement_after": fitted.agreement_after,
        "length_first": curves["with"][0],
        "length_when_rated": curves["with"][RATED_AT - 1],
        "length_with_correction": curves["with"][-1],
        "length_without": curves["without"][-1],
        "weights_before": fitted.weights_before,
        "weights_after": fitted.weights_after,
    }


def rate(run_dir: Path, limit: int) -> int:
    """Have the simulated rater compare up to `limit` pairs of answers of the run."""
    rater, book = SimulatedRater(), RatingBook(run_dir)
    items = find_items(run_dir, Query(purpose="train"), "pair")[-limit:]
    ids = [Rating(rater.name, "pair", item.dialog, item.other, value=0) for item in items]
    records = rated_records(run_dir, ids)
    for item in items:
        book.note(rater.compare(records[item.dialog], records[item.other]))
    book.save()
    return len(items)


def lengths(run_dir: Path) -> list[float]:
    return series(read_metrics(run_dir), "response_length/mean")[1]


def _train(recipe: Path, *arguments: str) -> None:
    command = [sys.executable, "-c", "import sys; from cluster.cli import main; sys.exit(main())", "train", str(recipe)]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    subprocess.run([*command, *arguments], stdout=sys.stderr, env=environment, check=True)


if __name__ == "__main__":
    report("planted_bias", measure)

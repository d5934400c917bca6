"""Reward models started from R1-Zero's weights, from a fine-tuned model and from scratch, on the same held-out pairs.

    .venv/bin/zero2one train r1_zero run.num_iterations=60
    .venv/bin/python tests/benchmarks/compare_reward_models.py runs/r1_zero/checkpoints/step-000060/policy

All three have the network, the pairs and the steps of the recipe `reward_model`; R1-Zero and the fine-tuned model bring
their weights and tokenizers. With `--pairs-fraction 0.1` they see a tenth of the pairs; the held-out ones are the same.
One line of JSON: held-out pair accuracy with its interval, calibration and length bias of each.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness import report

from cluster.pipeline import train_pipeline
from cluster.supervised import train_supervised
from rl.load_pipeline import load_pipeline
from rl.pipeline import POLICY
from rl.stage_config import RewardModelConfig, SFTConfig

RECIPE = "reward_model"


def measure(arguments: argparse.Namespace) -> dict[str, object]:
    shutil.rmtree(arguments.out, ignore_errors=True)
    starts = {"scratch": "", "sft": str(fine_tune(arguments)), "r1_zero": str(arguments.r1_zero)}
    chosen = {name: starts[name] for name in arguments.starts.split(",")}
    return {
        f"pairs {fraction:g}": {name: reward_model(arguments, name, start, fraction) for name, start in chosen.items()}
        for fraction in arguments.pairs_fraction
    }


def reward_model(arguments: argparse.Namespace, name: str, start: str, fraction: float) -> dict[str, Any]:
    """The figures of a reward model from its report."""
    pipeline = load_pipeline(
        RECIPE,
        [
            f"run.folder={arguments.out}",
            f"run.name={name}-{fraction:g}",
            f"run.seed={arguments.seed}",
            f"model.name_or_path={start}",
            f"stages.reward_model.preferences.train_fraction={fraction}",
            *arguments.overrides,
        ],
    )
    train_pipeline(pipeline, resume=False, address=None)
    found = json.loads((pipeline.directory(RECIPE) / "report.json").read_bytes())
    pairs = found["pairs"]
    kept = ("num_pairs", "accuracy", "accuracy_interval", "calibration_error", "length_correlation", "by_chosen_length")
    return {key: pairs[key] for key in kept} | {"loss": found["loss"]["last"], "seconds": found["seconds"]}


def fine_tune(arguments: argparse.Namespace) -> Path:
    """A policy of the same network that has imitated right answers to the same questions."""
    if "sft" not in arguments.starts.split(","):
        return Path()
    config = load_pipeline(RECIPE, [f"run.seed={arguments.seed}", *arguments.overrides]).stages[0].config
    assert isinstance(config, RewardModelConfig) and config.tasks is not None
    steps = arguments.sft_steps
    stage = SFTConfig(
        run=config.run.model_copy(update={"folder": str(arguments.out), "name": "sft", "num_iterations": steps}),
        model=config.model,
        tasks=config.tasks,
        optimizer=config.optimizer,
        learner=config.learner,
    )
    train_supervised(stage, resume=False, address=None)
    return stage.run.directory / "checkpoints" / f"step-{steps:06d}" / POLICY


def parse(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("r1_zero", type=Path, help="folder of R1-Zero's policy")
    parser.add_argument("overrides", nargs="*", metavar="section.field=value", help="of the recipe reward_model")
    parser.add_argument("--pairs-fraction", type=float, nargs="+", default=[0.1, 1.0], help="of the training pairs")
    parser.add_argument("--starts", default="scratch,sft,r1_zero")
    parser.add_argument("--sft-steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--out", type=Path, default=Path("build/reward_models"))
    return parser.parse_intermixed_args(argv)


if __name__ == "__main__":
    report("reward_models", lambda: measure(parse()))

"""An experiment: variants of one recipe, each trained with every seed. Which runs that means, and which are still due.

Training itself is left to the caller, who does it as for any other run.
"""

from collections.abc import Sequence
from typing import Literal

from rl.compare import LABEL
from rl.config import Config
from rl.load_config import load_config
from rl.metrics import FILE
from rl.runs import different_keys, read_report

Standing = Literal["new", "interrupted", "finished"]
OURS = ("run.name", "run.seed", "run.folder", "run.cache")  # what a variant may not set


class SweepError(ValueError):
    """Variants or seeds that cannot be trained as asked."""


def plan(
    recipe: str, overrides: Sequence[str], variants: Sequence[Sequence[str]], seeds: Sequence[int]
) -> dict[str, tuple[Config, ...]]:
    """Variant -> a config for each seed. `overrides` are for all; a variant is its name and overrides of its own.

    Its runs are called <run.name>-<variant>-seed<N>. Raises SweepError, and ConfigError as for a single run.

    Example: `plan("r1_zero", [], [("plain",), ("wide", "ppo.clip_ratio=0.3")], [1, 2])`
    """
    _refuse_keys("the sweep", overrides, ("run.seed",))
    if len(set(seeds)) < len(seeds):
        raise SweepError(f"--seeds {','.join(map(str, seeds))}: a seed is given twice")
    planned: dict[str, tuple[Config, ...]] = {}
    for name, *own in variants:
        if not LABEL.fullmatch(name):
            raise SweepError(f"--variant {name}: a name comes first, of letters, digits, '.', '_' and '-'")
        if name in planned:
            raise SweepError(f"two variants {name!r}: give each a name of its own")
        _refuse_keys(f"variant {name}", own, OURS)
        base = load_config(recipe, [*overrides, *own]).run.name
        planned[name] = tuple(
            load_config(recipe, [*overrides, *own, f"run.seed={seed}", f"run.name={base}-{name}-seed{seed}"])
            for seed in seeds
        )
    _refuse_twins(planned)
    return planned


def standing(config: Config) -> Standing:
    """How far the run is. Raises SweepError where its folder holds a run of another configuration."""
    folder = config.run.directory
    if not (folder / FILE).exists():
        return "new"
    found = load_config(str(folder / "config.yaml"))
    differing = [key for key in different_keys(found, config) if key not in ("run.folder", "run.cache")]
    if differing:
        raise SweepError(
            f"{folder} holds a run of another configuration: {', '.join(differing)} differ; choose another run.name"
        )
    report = read_report(folder)
    return "finished" if report and report.step >= config.run.num_iterations else "interrupted"


def _refuse_keys(owner: str, overrides: Sequence[str], keys: Sequence[str]) -> None:
    for override in overrides:
        key = override.partition("=")[0].strip()
        if key in keys:
            raise SweepError(f"{owner} cannot set {key}: seeds are given by --seeds, names and folders are shared")


def _refuse_twins(planned: dict[str, tuple[Config, ...]]) -> None:
    names = list(planned)
    for index, name in enumerate(names):
        for other in names[:index]:
            if different_keys(planned[other][0], planned[name][0]) == ["run.name"]:
                raise SweepError(f"variants {other} and {name} are the same configuration")

"""From folders to a comparison: which of them are runs with a past, which are models, and what lies beside them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rl.compare import Comparison, compare
from rl.compare_policies import PolicyComparison, compare_policies, read_contender
from rl.runs import read_run
from rl.suites.policies import CONFIG, PolicyError, find_policy, is_ppo, run_directory


def read_comparison(
    groups: Mapping[str, Sequence[Path]], target: float | None
) -> tuple[Comparison | None, PolicyComparison | None]:
    """Learning curves of the labels whose folders are all PPO runs (None: of no label), and what the policies are
    worth (None: some run has kept none, so there is nothing but its curve).

    Raises what reading a run or a model does, and PolicyError for a folder that is neither.
    """
    homes = {label: [run_directory(path) for path in paths] for label, paths in groups.items()}
    trained = {label: runs for label, runs in homes.items() if all(map(_has_curve, runs))}
    comparison = (
        compare({label: [read_run(run) for run in runs] for label, runs in trained.items()}, target)
        if trained
        else None
    )
    try:
        policies = {label: [find_policy(path) for path in paths] for label, paths in groups.items()}
    except PolicyError:
        if len(trained) < len(groups):
            raise
        return comparison, None
    contenders = [read_contender(label, found) for label, found in policies.items()]
    return comparison, compare_policies(contenders, comparison)


def _has_curve(home: Path) -> bool:
    """Not so the stages before PPO, nor model folders."""
    return (home / CONFIG).exists() and (is_ppo(home) or not (home / "data").is_dir())

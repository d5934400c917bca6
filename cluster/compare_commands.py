"""The commands that measure policies and put them side by side: `sweep`, `compare`, `eval`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.command_line import print_json, run_directory


def sweep(arguments: argparse.Namespace) -> int:
    from rl.sweep import plan, standing

    variants = plan(arguments.recipe, arguments.overrides, arguments.variants, arguments.seeds)
    by_seed = [config for configs in zip(*variants.values(), strict=True) for config in configs]
    for config in by_seed:  # all of them, before hours go into the first
        standing(config)

    from cluster.local import train
    from cluster.run_directory import say
    from rl.mirror import mirrored

    for number, config in enumerate(by_seed, start=1):
        with mirrored(config.run.place, config.run.directory, resume=True, say=say):
            before = standing(config)
            say(f"run {number} of {len(by_seed)}, {before}: {config.run.place}")
            if before != "finished":
                train(config, resume=before == "interrupted", address=arguments.address)
    groups = {name: [config.run.directory for config in configs] for name, configs in variants.items()}
    out = arguments.out or _beside(groups)
    return _put_side_by_side(groups, arguments.target, out, as_json=False)


def compare(arguments: argparse.Namespace) -> int:
    from rl.compare import parse_groups

    groups = {label: [run_directory(run) for run in runs] for label, runs in parse_groups(arguments.runs).items()}
    if arguments.suite:
        _evaluate_missing(groups, arguments)
    return _put_side_by_side(groups, arguments.target, arguments.out or _beside(groups), as_json=arguments.json)


def _evaluate_missing(groups: Mapping[str, Sequence[Path]], arguments: argparse.Namespace) -> None:
    """Run the suites whose results are not there, or are of an older policy."""
    from rl.suites.policies import evaluation_config, find_policy, policy_sha256
    from rl.suites.results import read_results

    for path in (path for paths in groups.values() for path in paths):
        policy = find_policy(path)
        known, current = read_results(policy.results), policy_sha256(policy)
        missing = [name for name in arguments.suite if name not in known or known[name].policy != current]
        if missing:
            config = evaluation_config(policy, _suite_options(arguments) | {"names": missing}, [])

            from cluster.evaluate import evaluate

            evaluate(config, policy, policy.results, address=None)


def _put_side_by_side(groups: Mapping[str, Sequence[Path]], target: float | None, out: Path, *, as_json: bool) -> int:
    from cluster.console import PipedConsole
    from rl.compare_pages import json_comparison, print_comparison, write_comparison
    from rl.compare_reading import read_comparison

    comparison, policies = read_comparison(groups, target)
    write_comparison(comparison, out, policies)
    if as_json:
        print_json(json_comparison(comparison, policies))
    else:
        print_comparison(comparison, PipedConsole(), policies)
        print(f"\nsee {out}/compare.md and {out}/compare.html")
    return 0


def _beside(groups: Mapping[str, Sequence[Path]]) -> Path:
    """The folder for a comparison: next to the first run."""
    first = next(iter(groups.values()))[0]
    return first.parent / f"compare-{'-'.join(groups)}"


def evaluate(arguments: argparse.Namespace) -> int:
    from rl.suites.policies import evaluation_config, find_policy

    policy = find_policy(run_directory(arguments.run))
    config = evaluation_config(policy, _suite_options(arguments), arguments.overrides)

    from cluster.evaluate import evaluate  # as below

    out = arguments.out or policy.results
    results = evaluate(config, policy, out, address=arguments.address)
    if arguments.json:
        print_json([asdict(result) for result in results])
    else:
        from cluster.console import PipedConsole
        from rl.suites.pages import print_results

        print_results(results, PipedConsole())
        print(f"see {out}/*.json and *.parquet")
    return 0


def _suite_options(arguments: argparse.Namespace) -> dict[str, object]:
    """The section `suites`, as far as it was given."""
    given = {"data": arguments.data, "limit": arguments.limit, "num_samples": arguments.samples}
    return {"names": list(arguments.suite), **{name: value for name, value in given.items() if value is not None}}

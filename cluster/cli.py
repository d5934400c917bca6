"""The `zero2one` command: arguments in, an exit code out. What a command does is written elsewhere.

Every import of weight happens inside the command that needs it, so that `--help` and typing errors answer at once.

Exit codes: 0 done; 1 it failed while running; 2 what was asked for is wrong; 3 the cluster was lost, or is not there;
130 stopped before its end.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.arguments import parse
from rl.places import is_url

CLUSTER_LOST = 3
FLOORS = frozenset({"cluster", "rl", "rewards", "envs", "models"})


class UsageError(ValueError):
    """Arguments that name something which is not there."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if _is_stop(error):
            print(error, file=sys.stderr)
            return 130
        if arguments.debug or os.environ.get("ZERO2ONE_DEBUG") == "1":
            traceback.print_exc()
        else:
            print(_message(error), file=sys.stderr)
        if _is_lost_cluster(error):
            return CLUSTER_LOST
        return 2 if _is_input_error(error) else 1


def _train(arguments: argparse.Namespace) -> int:
    from rl.load_config import load_config
    from rl.load_pipeline import is_pipeline, load_pipeline

    if is_pipeline(arguments.recipe):
        pipeline = load_pipeline(arguments.recipe, arguments.overrides)

        from cluster.pipeline import train_pipeline  # as below
        from cluster.run_directory import say
        from rl.mirror import mirrored

        with mirrored(pipeline.place, pipeline.folder, resume=arguments.resume, say=say):
            return train_pipeline(pipeline, resume=arguments.resume, address=arguments.address)
    config = load_config(arguments.recipe, arguments.overrides)

    from cluster.local import train  # ray and torch: only once the config is known to be good
    from cluster.run_directory import say
    from rl.mirror import mirrored

    with mirrored(config.run.place, config.run.directory, resume=arguments.resume, say=say):
        return train(config, resume=arguments.resume, address=arguments.address)


def _remote(arguments: argparse.Namespace) -> int:
    """Commands that talk to jobs and to runs under way."""
    from cluster.remote import COMMANDS as REMOTE_COMMANDS

    return REMOTE_COMMANDS[arguments.command](arguments, _run_directory)


def _sweep(arguments: argparse.Namespace) -> int:
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
            print(f"run {number} of {len(by_seed)}, {before}: {config.run.place}", flush=True)
            if before != "finished":
                train(config, resume=before == "interrupted", address=arguments.address)
    groups = {name: [config.run.directory for config in configs] for name, configs in variants.items()}
    out = arguments.out or _beside(groups)
    return _put_side_by_side(groups, arguments.target, out, as_json=False)


def _compare(arguments: argparse.Namespace) -> int:
    from rl.compare import parse_groups

    groups = {label: [_run_directory(run) for run in runs] for label, runs in parse_groups(arguments.runs).items()}
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
    from rich.console import Console

    from rl.compare_pages import json_comparison, print_comparison, write_comparison
    from rl.compare_reading import read_comparison

    comparison, policies = read_comparison(groups, target)
    write_comparison(comparison, out, policies)
    if as_json:
        _print_json(json_comparison(comparison, policies))
    else:
        print_comparison(comparison, Console(), policies)
        print(f"\nsee {out}/compare.md and {out}/compare.html")
    return 0


def _beside(groups: Mapping[str, Sequence[Path]]) -> Path:
    """The folder for a comparison: next to the first run."""
    first = next(iter(groups.values()))[0]
    return first.parent / f"compare-{'-'.join(groups)}"


def _eval(arguments: argparse.Namespace) -> int:
    from rl.suites.policies import evaluation_config, find_policy

    policy = find_policy(_run_directory(arguments.run))
    config = evaluation_config(policy, _suite_options(arguments), arguments.overrides)

    from cluster.evaluate import evaluate  # as below

    out = arguments.out or policy.results
    results = evaluate(config, policy, out, address=arguments.address)
    if arguments.json:
        _print_json([asdict(result) for result in results])
    else:
        from rich.console import Console

        from rl.suites.pages import print_results

        print_results(results, Console())
        print(f"see {out}/*.json and *.parquet")
    return 0


def _suite_options(arguments: argparse.Namespace) -> dict[str, object]:
    """The section `suites`, as far as it was given."""
    given = {"data": arguments.data, "limit": arguments.limit, "num_samples": arguments.samples}
    return {"names": list(arguments.suite), **{name: value for name, value in given.items() if value is not None}}


def _show(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from rl.show import show
    from rl.store import Query

    query = Query(
        purpose=arguments.purpose,
        first=arguments.first,
        last=arguments.last,
        ids=(arguments.id,) if arguments.id else (),
        task=arguments.task,
        role=arguments.role,
        status=arguments.status,
        min_reward=arguments.min_reward,
        max_reward=arguments.max_reward,
    )
    show(_run_directory(arguments.run), query, sort=arguments.sort, limit=arguments.limit, console=Console())
    return 0


def _rate(arguments: argparse.Namespace) -> int:
    from cluster.rating_commands import rate_dialogs

    return rate_dialogs(arguments, _run_directory(arguments.run))


def _ratings(arguments: argparse.Namespace) -> int:
    from cluster.rating_commands import COMMANDS

    print(COMMANDS[arguments.subcommand](arguments, _run_directory(arguments.run)))
    return 0


def _rewards(arguments: argparse.Namespace) -> int:
    if arguments.subcommand == "report":
        return _rewards_report(arguments)
    from rewards.resolve import available
    from rewards.table import rows

    listing = rows(tuple(available().values()))
    if arguments.json:
        _print_json([asdict(row) for row in listing])
    else:
        _print_columns([(row.name, row.description) for row in listing])
    return 0


def _rewards_report(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from rl.files import write_whole
    from rl.reward_pages import html_report, json_report, print_report
    from rl.reward_report import report_rewards

    report = report_rewards(_run_directory(arguments.run), arguments.role)
    if arguments.html is not None:
        write_whole(arguments.html, html_report(report).encode())
    if arguments.json:
        _print_json(json_report(report))
    else:
        print_report(report, Console())
    return 0


def _scenarios(arguments: argparse.Namespace) -> int:
    if arguments.subcommand == "fit":
        return _scenarios_fit(arguments)
    from envs.library import build_library

    listing = build_library().listing()
    if arguments.json:
        _print_json([asdict(info) for info in listing])
    else:
        _print_columns([(i.name, f"{i.num_levels} levels", " ".join(i.languages), i.description) for i in listing])
    return 0


def _scenarios_fit(arguments: argparse.Namespace) -> int:
    from envs.library import build_library
    from envs.query_fit import fit
    from envs.query_log import read_queries
    from envs.query_report import describe, recipe

    library = build_library()
    fitted = fit(read_queries(arguments.log), library)
    if arguments.json:
        _print_json(asdict(fitted) | {"recipe": recipe(fitted, library)})
    else:
        print(f"{describe(fitted, library)}\n\n{recipe(fitted, library)}")
    return 0


def _recipes(_: argparse.Namespace) -> int:
    from rl.load_config import recipes

    _print_columns(list(recipes().items()))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from cluster.doctor import diagnose, is_fit, measure, render

    findings = diagnose(measure(Path()))
    if arguments.json:
        _print_json([asdict(finding) for finding in findings])
    else:
        print(render(findings))
    return 0 if is_fit(findings) else 1


def _modules(arguments: argparse.Namespace) -> int:
    match arguments.subcommand:
        case "list":
            return _modules_list(arguments)
        case "merge":
            return _modules_merge(arguments)
        case "route":
            return _modules_route(arguments)
        case _:
            return _modules_eval(arguments)


def _modules_list(arguments: argparse.Namespace) -> int:
    from models.module_folder import list_modules

    manifests = [module.manifest for module in list_modules(arguments.folder)]
    if arguments.json:
        _print_json([manifest.model_dump(mode="json") for manifest in manifests])
        return 0
    header = ("module", "rank", "base", "domains", "what it did")
    rows = [
        (m.name, str(m.rank), m.base_sha256[:12], " ".join(m.domains), _figures(m.metrics or m.merged_from))
        for m in manifests
    ]
    _print_columns([header, *rows])
    return 0


def _modules_merge(arguments: argparse.Namespace) -> int:
    from models.module_folder import merge_modules

    module = merge_modules(dict(arguments.parts), arguments.folder, arguments.name)
    print(f"module {module.manifest.name} of rank {module.manifest.rank} in {module.folder}")
    return 0


def _modules_route(arguments: argparse.Namespace) -> int:
    from rl.module_stage import route
    from rl.stage_config import RouterConfig

    if len(arguments.modules) < 2:
        raise UsageError(f"a router chooses among two modules at least, not {arguments.modules}")
    config = RouterConfig(modules=tuple(arguments.modules), min_confidence=arguments.min_confidence)
    route(arguments.folder, config, print)
    return 0


def _modules_eval(arguments: argparse.Namespace) -> int:
    from cluster.modules import evaluate_modules

    cells = evaluate_modules(arguments.folder, arguments.tasks, arguments.overrides, arguments.address)
    if arguments.json:
        _print_json([asdict(cell) for cell in cells])
        return 0
    domains = list(dict.fromkeys(cell.domain for cell in cells))
    rows = [("success on", *domains)]
    for label in dict.fromkeys(cell.contestant for cell in cells):
        of_one = {cell.domain: cell for cell in cells if cell.contestant == label}
        rows.append((label, *(f"{of_one[d].success:.3f} ± {of_one[d].standard_error:.3f}" for d in domains)))
    _print_columns(rows)
    return 0


def _figures(figures: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.3g}" for name, value in figures.items())


COMMANDS = {
    "train": _train,
    "modules": _modules,
    "submit": _remote,
    "jobs": _remote,
    "logs": _remote,
    "status": _remote,
    "stop": _remote,
    "scale": _remote,
    "sweep": _sweep,
    "compare": _compare,
    "eval": _eval,
    "show": _show,
    "rate": _rate,
    "ratings": _ratings,
    "rewards": _rewards,
    "scenarios": _scenarios,
    "recipes": _recipes,
    "doctor": _doctor,
}


def _run_directory(run: str) -> Path:
    if is_url(run):
        from rl.fetch import local_copy

        return local_copy(run, lambda line: print(line, file=sys.stderr))
    for path in (Path(run), Path("runs") / run):
        if path.is_dir():
            return path
    raise UsageError(f"no run directory {run}, nor runs/{run}")


def _is_stop(error: Exception) -> bool:
    """Without an import of weight, which only a command that has trained has paid for."""
    control = sys.modules.get("rl.control")
    return control is not None and isinstance(error, control.RunStoppedError)


def _is_lost_cluster(error: BaseException) -> bool:
    """Ray itself, which nobody has imported who has not been in a cluster, has nobody left to talk to."""
    if isinstance(error, BaseExceptionGroup):
        return any(_is_lost_cluster(inner) for inner in error.exceptions)
    ray = sys.modules.get("ray.exceptions")
    return ray is not None and isinstance(error, ConnectionError | ray.RpcError)


def _is_input_error(error: BaseException) -> bool:
    """The floors' own kinds of ValueError say that the input is wrong, also when Ray hands them on in a class of its
    own. Any other ValueError is a fault of the program.
    """
    return isinstance(error, ValueError) and any(_is_ours(kind) for kind in type(error).__mro__)


def _message(error: BaseException) -> str:
    where = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))  # such as the stage of a pipeline
    if any(_is_ours(kind) for kind in type(error).__mro__):
        return f"error: {where}{error}"
    return f"error: {where}{type(error).__name__}: {error}\n(--debug shows where)"


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in FLOORS


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Left-aligned; the last column is as long as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))

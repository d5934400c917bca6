"""The `zero2one` command: arguments in, an exit code out. What a command does is written elsewhere.

Every import of weight happens inside the command that needs it, so that `--help` and typing errors answer at once.

Exit codes: 0 done; 1 it failed while running; 2 what was asked for is wrong; 3 the cluster was lost, or is not there;
130 stopped before its end. A reader of the output that leaves early, such as `head`, ends a listing with 0; training
goes on without it.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.arguments import parse
from cluster.command_line import print_columns, print_json, run_directory, silence, tell
from cluster.compare_commands import compare, evaluate, sweep
from cluster.failures import CLUSTER_LOST, has_no_reader, is_input_error, is_lost_cluster, is_stop, message
from cluster.module_commands import modules


def main(argv: Sequence[str] | None = None) -> int:
    arguments = parse(argv)
    code = _run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
    return code


def _run(arguments: argparse.Namespace) -> int:
    try:
        return COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        tell("stopped by Ctrl-C", sys.stderr)
        return 130
    except Exception as error:
        if arguments.command != "train" and has_no_reader(error):  # such as `head`, which has seen enough
            silence(sys.stdout)
            return 0
        if is_stop(error):
            tell(str(error), sys.stderr)
            return 130
        if arguments.debug or os.environ.get("ZERO2ONE_DEBUG") == "1":
            tell(traceback.format_exc().rstrip(), sys.stderr)
        else:
            tell(message(error), sys.stderr)
        if is_lost_cluster(error):
            return CLUSTER_LOST
        return 2 if is_input_error(error) else 1


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

    return REMOTE_COMMANDS[arguments.command](arguments, run_directory)


def _show(arguments: argparse.Namespace) -> int:
    from cluster.console import PipedConsole
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
    show(run_directory(arguments.run), query, sort=arguments.sort, limit=arguments.limit, console=PipedConsole())
    return 0


def _rate(arguments: argparse.Namespace) -> int:
    from cluster.rating_commands import rate_dialogs

    return rate_dialogs(arguments, run_directory(arguments.run))


def _ratings(arguments: argparse.Namespace) -> int:
    from cluster.rating_commands import COMMANDS

    print(COMMANDS[arguments.subcommand](arguments, run_directory(arguments.run)))
    return 0


def _rewards(arguments: argparse.Namespace) -> int:
    if arguments.subcommand == "report":
        return _rewards_report(arguments)
    from rewards.resolve import available
    from rewards.table import rows

    listing = rows(tuple(available().values()))
    if arguments.json:
        print_json([asdict(row) for row in listing])
    else:
        print_columns([(row.name, row.description) for row in listing])
    return 0


def _rewards_report(arguments: argparse.Namespace) -> int:
    from cluster.console import PipedConsole
    from rl.files import write_whole
    from rl.reward_pages import html_report, json_report, print_report
    from rl.reward_report import report_rewards

    report = report_rewards(run_directory(arguments.run), arguments.role)
    if arguments.html is not None:
        write_whole(arguments.html, html_report(report).encode())
    if arguments.json:
        print_json(json_report(report))
    else:
        print_report(report, PipedConsole())
    return 0


def _scenarios(arguments: argparse.Namespace) -> int:
    if arguments.subcommand == "fit":
        return _scenarios_fit(arguments)
    from envs.library import build_library

    listing = build_library().listing()
    if arguments.json:
        print_json([asdict(info) for info in listing])
    else:
        print_columns([(i.name, f"{i.num_levels} levels", " ".join(i.languages), i.description) for i in listing])
    return 0


def _scenarios_fit(arguments: argparse.Namespace) -> int:
    from envs.library import build_library
    from envs.query_fit import fit
    from envs.query_log import read_queries
    from envs.query_report import describe, recipe

    library = build_library()
    fitted = fit(read_queries(arguments.log), library)
    if arguments.json:
        print_json(asdict(fitted) | {"recipe": recipe(fitted, library)})
    else:
        print(f"{describe(fitted, library)}\n\n{recipe(fitted, library)}")
    return 0


def _recipes(_: argparse.Namespace) -> int:
    from rl.load_config import recipes

    print_columns(list(recipes().items()))
    return 0


def _doctor(arguments: argparse.Namespace) -> int:
    from cluster.doctor import diagnose, is_fit, measure, render

    findings = diagnose(measure(Path()))
    if arguments.json:
        print_json([asdict(finding) for finding in findings])
    else:
        print(render(findings))
    return 0 if is_fit(findings) else 1


COMMANDS = {
    "train": _train,
    "modules": modules,
    "submit": _remote,
    "jobs": _remote,
    "logs": _remote,
    "status": _remote,
    "stop": _remote,
    "scale": _remote,
    "sweep": sweep,
    "compare": compare,
    "eval": evaluate,
    "show": _show,
    "rate": _rate,
    "ratings": _ratings,
    "rewards": _rewards,
    "scenarios": _scenarios,
    "recipes": _recipes,
    "doctor": _doctor,
}


if __name__ == "__main__":  # as the driver of a job starts it
    sys.exit(main())

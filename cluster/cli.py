"""The `zero2one` command: arguments in, an exit code out. What a command does is written elsewhere.

Every import of weight happens inside the command that needs it, so that `--help` and typing errors answer at once.

Exit codes: 0 done; 1 it failed while running; 2 what was asked for is wrong; 130 stopped with Ctrl-C.
"""

import argparse
import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

FLOORS = frozenset({"cluster", "rl", "rewards", "envs", "models"})
PURPOSES = ("train", "eval")
STATUSES = ("ok", "truncated", "failed", "stale")
SORTS = ("newest", "oldest", "best", "worst")


class UsageError(ValueError):
    """Arguments that name something which is not there."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parse(argv)
    try:
        return COMMANDS[arguments.command](arguments)
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if arguments.debug or os.environ.get("ZERO2ONE_DEBUG") == "1":
            traceback.print_exc()
        else:
            print(_message(error), file=sys.stderr)
        return 2 if _is_input_error(error) else 1


def _train(arguments: argparse.Namespace) -> int:
    from rl.load_config import load_config

    config = load_config(arguments.recipe, arguments.overrides)

    from cluster.local import train  # ray and torch: only once the config is known to be good

    return train(config, resume=arguments.resume, address=arguments.address)


def _show(arguments: argparse.Namespace) -> int:
    from rich.console import Console

    from rl.show import show
    from rl.store import Query

    query = Query(
        purpose=arguments.purpose,
        first=arguments.first,
        last=arguments.last,
        id=arguments.id,
        task=arguments.task,
        status=arguments.status,
        min_reward=arguments.min_reward,
        max_reward=arguments.max_reward,
    )
    show(_run_directory(arguments.run), query, sort=arguments.sort, limit=arguments.limit, console=Console())
    return 0


def _rewards(arguments: argparse.Namespace) -> int:
    if arguments.subcommand == "report":
        return _rewards_report(arguments)
    from rewards.table import rows

    listing = rows()
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

    report = report_rewards(_run_directory(arguments.run))
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


COMMANDS = {
    "train": _train,
    "show": _show,
    "rewards": _rewards,
    "scenarios": _scenarios,
    "recipes": _recipes,
    "doctor": _doctor,
}


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="zero2one", description="Reinforcement learning for dialog models.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="errors with their traceback (or ZERO2ONE_DEBUG=1)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=text, description=text, parents=[common])

    train = add("train", "run a recipe, here or in a cluster")
    train.add_argument("recipe", metavar="RECIPE", help="a built-in recipe (see `zero2one recipes`) or a .yaml file")
    train.add_argument("overrides", metavar="section.field=value", nargs="*", help="for example ppo.clip_ratio=0.1")
    train.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    train.add_argument("--address", metavar="A", help="of a running Ray cluster; without it, Ray starts here")

    show = add("show", "read the stored dialogs of a run")
    show.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
    show.add_argument("--first", type=int, default=0, metavar="N", help="from iteration N on")
    show.add_argument("--last", type=int, metavar="N", help="up to iteration N")
    show.add_argument("--id", default="", help="one episode, such as train-12-0-3")
    show.add_argument("--task", default="", help="a task id or its beginning, such as arithmetic/en")
    show.add_argument("--purpose", choices=PURPOSES)
    show.add_argument("--status", choices=STATUSES)
    show.add_argument("--min-reward", type=float, metavar="R")
    show.add_argument("--max-reward", type=float, metavar="R")
    show.add_argument("--sort", choices=SORTS, default="newest")
    show.add_argument("--limit", type=_count, default=10, metavar="N", help="at most N dialogs (10)")

    add("recipes", "list the built-in recipes")
    rewards = add("rewards", "list the reward dimensions, or report on those of a run")
    report = rewards.add_subparsers(dest="subcommand", metavar="report").add_parser(
        "report", help="what the reward of a run was made of, and whether it was gamed", parents=[common]
    )
    report.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
    report.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots, too")
    # no default of its own, or it would undo `rewards --json report`
    report.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="for programs")
    scenarios = add("scenarios", "list the dialog scenarios, or fit a mixture of them to your own query log")
    fit = scenarios.add_subparsers(dest="subcommand", metavar="fit").add_parser(
        "fit", help="topics, languages, sessions and users of a log, and a recipe that asks so", parents=[common]
    )
    fit.add_argument("log", metavar="LOG", help="a .jsonl file: time, user, topic and language of a query per line")
    fit.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="for programs")
    for command in (
        rewards,
        scenarios,
        add("doctor", "what this machine has, what is missing, what to do"),
    ):
        command.add_argument("--json", action="store_true", help="for programs")

    arguments, rest = parser.parse_known_args(argv)
    # argparse takes overrides only in one place; after an option, as in `--resume run.seed=1`, they are left over
    if rest and (arguments.command != "train" or any(item.startswith("-") or "=" not in item for item in rest)):
        parser.error(f"not understood: {' '.join(rest)}")
    if arguments.command == "train":
        arguments.overrides += rest
    return arguments


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of things")
    return int(text)


def _run_directory(run: str) -> Path:
    for path in (Path(run), Path("runs") / run):
        if path.is_dir():
            return path
    raise UsageError(f"no run directory {run}, nor runs/{run}")


def _is_input_error(error: BaseException) -> bool:
    """The floors' own kinds of ValueError say that the input is wrong, also when Ray hands them on in a class of its
    own. Any other ValueError is a fault of the program.
    """
    return isinstance(error, ValueError) and any(_is_ours(kind) for kind in type(error).__mro__)


def _message(error: BaseException) -> str:
    if any(_is_ours(kind) for kind in type(error).__mro__):
        return f"error: {error}"
    return f"error: {type(error).__name__}: {error}\n(--debug shows where)"


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in FLOORS


def _print_json(value: object) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False))


def _print_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Left-aligned; the last column is as long as it likes."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]))

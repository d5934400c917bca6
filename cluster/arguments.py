"""The arguments of the `zero2one` command: what there is to type, and what `--help` says of it."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

PURPOSES = ("train", "eval")
ROLES = ("assistant", "user", "proposer")
STATUSES = ("ok", "truncated", "failed", "stale")
RATING_KINDS = ("thumbs", "stars", "pair", "text")
SORTS = ("newest", "oldest", "best", "worst")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="zero2one", description="Reinforcement learning for dialog models.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--debug", action="store_true", help="errors with their traceback (or ZERO2ONE_DEBUG=1)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")

    def add(name: str, text: str, example: str = "") -> argparse.ArgumentParser:
        epilog = f"Example: zero2one {example}" if example else None
        return commands.add_parser(name, help=text, description=text, epilog=epilog, parents=[common])

    train = add("train", "run a recipe, here or in a cluster")
    train.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")

    submit = add("submit", "run a recipe as a job of a Ray cluster", "submit r1_zero --address http://127.0.0.1:8265")
    submit.add_argument("--resume", action="store_true", help="go on from the run's last checkpoint")
    submit.add_argument("--follow", action="store_true", help="then show what it prints until it ends")

    sweep = add(
        "sweep",
        "train variants of a recipe, each with every seed, then compare them; called again, it goes on",
        "sweep r1_zero --seeds 1,2,3 --variant narrow ppo.clip_ratio=0.1 --variant wide ppo.clip_ratio=0.3",
    )
    sweep.add_argument("--seeds", type=_seeds, required=True, metavar="N,N", help="for example 1,2,3")
    sweep.add_argument(
        "--variant",
        dest="variants",
        action="append",
        nargs="+",
        required=True,
        metavar=("NAME", "section.field=value"),
        help="a name and what is special about it, if anything; the first one is the baseline",
    )
    for command in (train, sweep, submit):
        command.add_argument("recipe", metavar="RECIPE", help="a built-in recipe (`zero2one recipes`) or a .yaml file")
        command.add_argument(
            "overrides", metavar="section.field=value", nargs="*", help="for example ppo.clip_ratio=0.1"
        )
    for command in (train, sweep):
        command.add_argument("--address", metavar="A", help="of a running Ray cluster; without it, Ray starts here")

    jobs = add("jobs", "list the jobs of a cluster")
    logs = add("logs", "what a job has printed")
    logs.add_argument("run", metavar="JOB", help="its id, see `zero2one jobs`")
    logs.add_argument("--follow", action="store_true", help="until it ends")
    status = add("status", "where a run or a job stands, and its workers")
    stop = add("stop", "let a run or a job finish its update, write a checkpoint and leave")
    scale = add("scale", "more or fewer workers while a run trains", "scale r1_zero --rollout 4")
    scale.add_argument("--rollout", type=_positive, metavar="N", help="rollout workers")
    scale.add_argument("--reward", type=_positive, metavar="M", help="reward workers")
    for command in (status, stop, scale):
        command.add_argument("run", metavar="RUN", help="a run directory, its name inside runs/; with --address, a job")
    for command in (submit, jobs, logs, status, stop, scale):
        command.add_argument("--address", metavar="URL", help="of the cluster's dashboard (RAY_API_SERVER_ADDRESS)")

    compare = add(
        "compare",
        "put runs, pipelines or models side by side; the first label is the baseline",
        "compare narrow=a-seed1,a-seed2 wide=b-seed1,b-seed2 --target 0.5",
    )
    compare.add_argument(
        "runs",
        metavar="[LABEL=]RUN[,RUN]",
        nargs="+",
        help="run directories, or their names inside runs/, that differ in their seeds; without a label, it is the "
        "first run's name but for -seedN",
    )
    compare.add_argument("--json", action="store_true", help="for programs")
    compare.add_argument(
        "--eval",
        dest="suite",
        type=_names,
        default=(),
        metavar="SUITE,SUITE",
        help="run these first where results are missing",
    )
    _add_suite_options(compare)
    for command in (sweep, compare):
        command.add_argument(
            "--target",
            type=_share,
            metavar="A",
            help="accuracy whose cost is compared, from 0 to 1 (90 %% of the lowest median final accuracy)",
        )
        command.add_argument(
            "--out",
            type=Path,
            metavar="FOLDER",
            help="for compare.md, .html, .png and .json (compare-LABELS beside the runs)",
        )

    evaluate = add(
        "eval",
        "put benchmarks to the policy of a run or to a model; results go into its folder eval/",
        "eval runs/r1 --suite mmlu,gsm8k,knowledge --data benchmarks --limit 100 rollout.num_threads=2",
    )
    evaluate.add_argument("run", metavar="RUN_OR_MODEL", help="a run or pipeline directory, or a model folder")
    evaluate.add_argument(
        "overrides",
        metavar="section.field=value",
        nargs="*",
        help="of model, rollout and suites; see rl/suites/config.py",
    )
    evaluate.add_argument(
        "--suite", type=_names, required=True, metavar="NAME,NAME", help="which; a wrong name lists them"
    )
    evaluate.add_argument("--out", type=Path, metavar="FOLDER", help="for the results (eval/ in the run or model)")
    evaluate.add_argument("--address", metavar="A", help="of a running Ray cluster; without it, Ray starts here")
    evaluate.add_argument("--json", action="store_true", help="for programs")
    _add_suite_options(evaluate)

    show = add("show", "read the stored dialogs of a run")
    show.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
    show.add_argument("--first", type=int, default=0, metavar="N", help="from iteration N on")
    show.add_argument("--last", type=int, metavar="N", help="up to iteration N")
    show.add_argument("--id", default="", help="one episode, such as train-12-0-3")
    show.add_argument("--task", default="", help="a task id or its beginning, such as arithmetic/en")
    show.add_argument("--purpose", choices=PURPOSES)
    show.add_argument("--role", choices=ROLES, help="whose words the policy says")
    show.add_argument("--status", choices=STATUSES)
    show.add_argument("--min-reward", type=float, metavar="R")
    show.add_argument("--max-reward", type=float, metavar="R")
    show.add_argument("--sort", choices=SORTS, default="newest")
    show.add_argument("--limit", type=_count, default=10, metavar="N", help="at most N dialogs (10)")

    _add_rating(add, common)

    add("recipes", "list the built-in recipes")
    rewards = add("rewards", "list the reward dimensions, or report on those of a run")
    report = rewards.add_subparsers(dest="subcommand", metavar="report").add_parser(
        "report", help="what the reward of a run was made of, and whether it was gamed", parents=[common]
    )
    report.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
    report.add_argument("--role", choices=ROLES, default="assistant", help="whose turns (assistant)")
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

    _add_modules(add("modules", "list, merge, route and measure the modules that a pipeline has made"), common)

    arguments, rest = parser.parse_known_args(argv)
    # argparse takes overrides only in one place; after an option, as in `--resume run.seed=1`, they are left over
    takes_overrides = hasattr(arguments, "overrides")
    if rest and (not takes_overrides or any(item.startswith("-") or "=" not in item for item in rest)):
        parser.error(f"not understood: {' '.join(rest)}")
    if arguments.command == "scale" and arguments.rollout is None and arguments.reward is None:
        parser.error("scale: say --rollout N, --reward M, or both")
    if takes_overrides:
        arguments.overrides += rest
    return arguments


def _add_modules(modules: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    commands = modules.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text, parents=[common])
        command.add_argument("folder", metavar="FOLDER", type=Path, help="with a folder for each module")
        return command

    listing = add("list", "what there is, after a check of every file")
    merge = add("merge", "make a module that is the weighted sum of others")
    merge.add_argument("name", metavar="NAME", help="of the new one")
    merge.add_argument("parts", metavar="MODULE=WEIGHT", nargs="+", type=_part, help="for example math=0.7")
    route = add("route", "train a router that chooses among modules by the text of a question")
    route.add_argument("modules", metavar="MODULE", nargs="+", help="each is for what it was trained on")
    route.add_argument(
        "--min-confidence", type=_share, default=0.6, metavar="P", help="below it the base answers (0.6)"
    )
    measure = add("eval", "answer tasks of each domain with the base, each module and the router, in one engine")
    measure.add_argument("--tasks", type=_count, default=200, metavar="N", help="held-out dialogs per domain (200)")
    measure.add_argument("--address", metavar="A", help="of a running Ray cluster; without it, Ray starts here")
    measure.add_argument(
        "overrides", metavar="section.field=value", nargs="*", help="for example rollout.max_response_length=16"
    )
    for command in (listing, measure):
        command.add_argument("--json", action="store_true", help="for programs")


def _part(text: str) -> tuple[str, float]:
    name, _, weight = text.partition("=")
    try:
        return name, float(weight)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like math=0.7") from None


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return int(text)


def _add_rating(add: Callable[..., argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """What people think of a run's dialogs: `rate` collects it, `ratings` does the rest."""
    rate = add("rate", "say what you think of a run's dialogs; saved at once, q quits", "rate r1_zero --kind pair")
    rate.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
    rate.add_argument("--kind", choices=RATING_KINDS, default="pair", help="what to say of them (pair)")
    rate.add_argument("--rater", default="", metavar="NAME", help="who you are (the name you are logged in with)")
    rate.add_argument("--purpose", choices=PURPOSES)
    rate.add_argument("--task", default="", help="a task id or its beginning, such as arithmetic/en")
    rate.add_argument("--first", type=int, default=0, metavar="N", help="from iteration N on")
    rate.add_argument("--limit", type=_count, metavar="N", help="at most N ratings")
    commands = add("ratings", "import, export, report and fit ratings").add_subparsers(
        dest="subcommand", required=True, metavar="COMMAND", title="commands"
    )
    for name, text in (
        ("import", "add ratings from a .jsonl or .parquet file"),
        ("export", "write all ratings, or pairs for a reward model, to a .jsonl or .parquet file"),
        ("report", "how many there are, how far raters agree, what became of the reward"),
        ("fit", "correct the weights of the reward where that agrees better with people"),
    ):
        command = commands.add_parser(name, help=text, description=text, parents=[common])
        command.add_argument("run", metavar="RUN", help="a run directory, or its name inside runs/")
        if name in ("import", "export"):
            command.add_argument("file", type=Path, metavar="FILE")
        if name == "import":
            command.add_argument("--max-broken", type=_count, default=0, metavar="N", help="rows to skip at most (0)")
        if name == "export":
            command.add_argument("--pairs", action="store_true", help="messages, chosen, rejected, language, rater")
        if name == "report":
            command.add_argument("--json", action="store_true", help="for programs")


def _add_suite_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", metavar="FOLDER", help="with a folder for each benchmark that is read from files")
    command.add_argument("--limit", type=_count, metavar="N", help="items of a suite, at most (200)")
    command.add_argument("--samples", type=_count, metavar="N", help="answers drawn per item, for pass@k and maj@k (0)")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of things")
    return int(text)


def _seeds(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.isdecimal() for part in parts):
        raise argparse.ArgumentTypeError(f"{text!r} is not like 1,2,3")
    return tuple(map(int, parts))


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is not above 0 and at most 1")
    return value

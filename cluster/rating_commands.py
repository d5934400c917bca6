"""`zero2one rate` and `zero2one ratings ...`: from arguments to `rl/rate.py` and its neighbours."""

import argparse
import getpass
import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from rl.feedback import fit_ratings, fitting_of
from rl.feedback_report import json_feedback, report_feedback, sentences, weight_lines
from rl.load_config import load_config
from rl.rate import rate
from rl.rating_files import export_pairs, export_ratings, import_ratings
from rl.store import Query


def rate_dialogs(arguments: argparse.Namespace, run_dir: Path) -> int:
    console, rater = Console(), arguments.rater or getpass.getuser()
    session = rate(
        run_dir,
        rater=rater,
        kind=arguments.kind,
        query=Query(purpose=arguments.purpose, first=arguments.first, task=arguments.task, role="assistant"),
        limit=arguments.limit,
        console=console,
        ask=lambda prompt: console.input(prompt, markup=False),
    )
    print(f"{session.num_rated:,} ratings of {rater} saved, {session.num_left:,} dialogs or pairs left")
    return 0


def _import(arguments: argparse.Namespace, run_dir: Path) -> str:
    done = import_ratings(run_dir, arguments.file, max_broken=arguments.max_broken)
    return f"{done.num_new:,} ratings added, {done.num_known:,} were there already; {done.broken}"


def _export(arguments: argparse.Namespace, run_dir: Path) -> str:
    if not arguments.pairs:
        return f"{export_ratings(run_dir, arguments.file):,} ratings in {arguments.file}"
    num_pairs, num_left_out = export_pairs(run_dir, arguments.file)
    left_out = f"{num_left_out:,} left out: ties, or not about two answers to the same messages"
    return f"{num_pairs:,} pairs in {arguments.file}; {left_out}"


def _report(arguments: argparse.Namespace, run_dir: Path) -> str:
    report = report_feedback(run_dir)
    if arguments.json:
        return json.dumps(json_feedback(report), indent=1)
    shown = report.last if report.last is not None and report.last.version else report.used
    return "\n".join([*sentences(report), *(weight_lines(shown) if shown else ())])


def _fit(arguments: argparse.Namespace, run_dir: Path) -> str:
    config = load_config(str(run_dir / "config.yaml"))
    fitted = fit_ratings(run_dir, fitting_of(config, run_dir))
    if not fitted.version:
        return str(fitted)
    heard = "the run uses it from its next iteration on"
    if not config.feedback.enabled:
        heard = "the run pays no heed to it: resume it with feedback.enabled=true"
    return "\n".join([str(fitted), *weight_lines(fitted), heard])


COMMANDS: dict[str, Callable[[argparse.Namespace, Path], str]] = {
    "import": _import,
    "export": _export,
    "report": _report,
    "fit": _fit,
}

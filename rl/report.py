"""What a run did, when it ends: `report.json` for machines, `report.md` with curves and dialogs for people."""

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from rl.feedback_report import json_feedback, report_feedback, sentences, weight_rows
from rl.files import write_whole
from rl.gaming import Alarm
from rl.metrics import MetricsLine, read_metrics, series
from rl.plots import LEVEL, draw
from rl.results import EvalResult
from rl.show import printable
from rl.store import Query, Record, opening_questions, parts, read
from rl.trajectory import Status

PLOTS = "plots"
PHASES = ("rollout", "reward", "learner", "sync", "other")


@dataclass(frozen=True, slots=True)
class RunSummary:
    """What only the loop knows at the end; everything else is read from the run directory.

    Attributes:
        step: updates that are done.
        engine: that wrote the answers, as in `rollout.engine`.
        max_logprob_gap: largest difference of log-probs between sampler and learner, in nats.
        episodes: how many ended in which status, over the whole run.
        peak_rss_bytes: by role, such as "driver", "rollout", "reward", "learner".
    """

    name: str
    step: int
    final_weights_sha256: str
    max_logprob_gap: float
    tokens_generated: int
    num_rollout_workers: int
    episodes: Mapping[Status, int]
    peak_rss_bytes: Mapping[str, int]
    evals: tuple[EvalResult, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    engine: str = "vllm"


def write_report(run_dir: Path, summary: RunSummary) -> None:
    lines = read_metrics(run_dir)
    seconds = phase_seconds(lines)
    share = seen_share(run_dir)
    machine = {
        "name": summary.name,
        "step": summary.step,
        "engine": summary.engine,
        "eval": [asdict(result) for result in summary.evals],
        "alarms": [asdict(alarm) for alarm in summary.alarms],
        "final_weights_sha256": summary.final_weights_sha256,
        "max_logprob_gap": summary.max_logprob_gap,
        "tokens_generated": summary.tokens_generated,
        "seconds": seconds,
        "num_rollout_workers": summary.num_rollout_workers,
        "peak_rss_bytes": dict(summary.peak_rss_bytes),
        "episodes": dict(summary.episodes),
        "held_out_seen_share": share,
        "feedback": json_feedback(report_feedback(run_dir)),
    }
    plots = draw(run_dir / PLOTS, lines, summary.evals)
    sections = [
        _overview(summary, share),
        *(f"![{name.removesuffix('.png').replace('_', ' ')}]({PLOTS}/{name})" for name in plots),
        _evaluations(summary.evals),
        *_breakdowns(summary.evals),
        _selfplay(lines),
        _curriculum(lines),
        _alarms(summary.alarms),
        *_feedback(run_dir),
        _dialogs(run_dir),
        markdown_table("Time", ["phase", "seconds", "share"], _time_rows(seconds)),
        markdown_table(
            "Peak memory", ["role", "MiB"], [[k, f"{v / 2**20:,.0f}"] for k, v in summary.peak_rss_bytes.items()]
        ),
        markdown_table("Episodes", ["status", "number"], [[k, f"{v:,}"] for k, v in summary.episodes.items()]),
        _failures(run_dir),
    ]
    write_whole(run_dir / "report.json", (json.dumps(machine, indent=1) + "\n").encode())
    write_whole(run_dir / "report.md", ("\n\n".join(section for section in sections if section) + "\n").encode())


def markdown_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A section with a table; nothing without rows. Cells are taken as they are."""
    if not rows:
        return ""
    body = [f"| {' | '.join(cells)} |" for cells in (header, ["---"] * len(header), *rows)]
    return "\n".join([f"## {title}", "", *body])


def phase_seconds(lines: Sequence[MetricsLine]) -> dict[str, float]:
    """Wall time of the recorded iterations, by what the run waited for; resumed runs count every iteration once."""
    return {phase: sum(line.values.get(f"timing_s/{phase}", 0.0) for line in lines) for phase in PHASES}


def seen_share(run_dir: Path) -> float | None:
    """Share of the held-out opening questions that training dialogs asked too; None without an evaluation."""
    held_out = opening_questions(run_dir, "eval")
    return len(held_out & opening_questions(run_dir, "train")) / len(held_out) if held_out else None


def dialog_pairs(run_dir: Path, limit: int) -> list[tuple[Record, Record]]:
    """The same tasks in the first and in the last evaluation, spread evenly over them: a sample, not a selection."""
    evaluated = [part.iteration for part in parts(run_dir, Query(purpose="eval"))]
    if not evaluated or min(evaluated) == max(evaluated):
        return []
    early, late = (
        {record.trajectory.request.task: record for record in read(run_dir, Query("eval", step, step))}
        for step in (min(evaluated), max(evaluated))
    )
    common = sorted((task for task in early if task in late), key=lambda task: task.id)
    stride = max(1, len(common) // limit)
    return [(early[task], late[task]) for task in common[::stride][:limit]]


def _overview(summary: RunSummary, share: float | None) -> str:
    facts = [
        f"{summary.step:,} iterations, {summary.tokens_generated:,} tokens generated",
        f"rollout workers: {summary.num_rollout_workers}",
        f"largest log-prob gap between sampler and learner: {summary.max_logprob_gap:.2g}",
        f"final weights: SHA-256 `{summary.final_weights_sha256}`",
    ]
    if summary.evals:
        first, last = summary.evals[0], summary.evals[-1]
        facts.insert(0, f"held-out accuracy: {first.accuracy:.1%} at the start, **{last.accuracy:.1%}** at the end")
    if summary.engine == "simulated":
        facts.insert(0, "**simulated answers**: no model spoke, and what follows says nothing about one")
    if share is not None:
        facts.append(f"held-out opening questions that were also asked in training: {share:.1%}")
    return "\n".join([f"# {summary.name}", "", *(f"- {fact}" for fact in facts)])


def _evaluations(evals: Sequence[EvalResult]) -> str:
    rows = [
        [str(result.step)]
        + [_percent(value) for value in (result.accuracy, result.first_turn, result.follow_up, result.unseen)]
        for result in evals
    ]
    return markdown_table("Held-out accuracy", ["step", "all", "first turn", "follow-up", "unseen"], rows)


def _breakdowns(evals: Sequence[EvalResult]) -> list[str]:
    """First and last accuracy by domain, scenario and language, where there is more than one of them."""
    if not evals:
        return []
    first, last = evals[0], evals[-1]
    return [
        markdown_table(
            f"Held-out accuracy by {kind}",
            [kind, f"step {first.step}", f"step {last.step}"],
            [[name, _percent(before.get(name)), _percent(after[name])] for name in after],
        )
        for kind, before, after in (
            ("domain", first.by_domain, last.by_domain),
            ("scenario", first.by_scenario, last.by_scenario),
            ("language", first.by_language, last.by_language),
        )
        if len(after) > 1
    ]


def _selfplay(lines: Sequence[MetricsLine], limit: int = 5) -> str:
    """What the policy has proposed to itself, at a few iterations spread evenly over the run."""
    known = [line for line in lines if "selfplay/validity" in line.values]
    places = sorted({round(index * (len(known) - 1) / (limit - 1)) for index in range(limit)}) if known else []
    names = ("validity", "distinct", "new", "difficulty", "learnable")
    rows = [
        [str(known[place].step), *(_percent(known[place].values.get(f"selfplay/{name}")) for name in names)]
        for place in places
    ]
    return markdown_table("Self-play: the policy's own proposals", ["iteration", *names], rows)


def _curriculum(lines: Sequence[MetricsLine]) -> str:
    """Where each scenario began and where it has come to, with a curriculum."""
    names = sorted({name for line in lines for name in line.values if LEVEL.fullmatch(name)})
    rows = []
    for name in names:
        _, levels = series(lines, name)
        scenario = name.removeprefix("curriculum/").removesuffix("/level")
        rows.append([scenario, *(f"{level:g}" for level in (levels[0], max(levels), levels[-1]))])
    return markdown_table("Curriculum: level of most questions", ["scenario", "first", "highest", "last"], rows)


def _alarms(alarms: Sequence[Alarm]) -> str:
    if not alarms:
        return ""
    advice = "Read dialogs that such a dimension praises, then change its weight or gate it (`rewards.gates`)."
    return "\n".join(["## Gaming alarms", "", *(f"- {alarm}" for alarm in alarms), "", advice])


def _feedback(run_dir: Path) -> list[str]:
    report = report_feedback(run_dir)
    if not report.num_ratings:
        return []
    rows = weight_rows(report.used) if report.used else []
    return [
        "\n".join(["## Human feedback", "", *(f"- {_quote(line, 500)}" for line in sentences(report))]),
        markdown_table("Weights before and after human feedback", ["dimension", "recipe", "corrected"], rows),
    ]


def _dialogs(run_dir: Path, limit: int = 6) -> str:
    pairs = dialog_pairs(run_dir, limit)
    if not pairs:
        return ""
    before, after = (record.trajectory.request.iteration for record in pairs[0])
    rows = [[_cell(early), _cell(late)] for early, late in pairs]
    return markdown_table("The same questions, early and late", [f"step {before}", f"step {after}"], rows)


def _cell(record: Record) -> str:
    lines = []
    for index, turn in enumerate(record.trajectory.turns):
        verdict = ""
        if record.scored.score is not None:
            verdict = f" *(success {record.scored.score.success[index]:g})*"
        lines += [_quote(turn.question.text), f"**{_quote(turn.answer) or '(nothing)'}**{verdict}"]
    return "<br>".join(lines) or f"{record.trajectory.status}: {_quote(record.trajectory.error)}"


def _quote(text: str, limit: int = 200) -> str:
    """Model-written text that a Markdown table shows as it is."""
    shown = printable(text if len(text) <= limit else text[:limit] + "…").replace("\n", " ")
    return "".join(f"&#{ord(letter)};" if letter in "|*_`[]~\\#$!" else html.escape(letter) for letter in shown)


def _failures(run_dir: Path, limit: int = 10) -> str:
    """The first dialogs that failed, and why: those that took workers down among them."""
    failed = islice(read(run_dir, Query(status="failed")), limit)
    rows = [[record.trajectory.request.id, _quote(record.trajectory.error)] for record in failed]
    return markdown_table("Failed dialogs", ["dialog", "cause"], rows)


def _time_rows(seconds: Mapping[str, float]) -> list[list[str]]:
    total = sum(seconds.values())
    return [[phase, f"{value:,.1f}", _percent(value / total if total else None)] for phase, value in seconds.items()]


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"

"""Trajectories in the terminal: what was asked, what the policy said, and how each turn was judged."""

import unicodedata
from itertools import islice
from pathlib import Path
from typing import Literal

import numpy as np
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from envs.task import Outcome, Turn
from rl.columns import OTHER_SIDE
from rl.store import EVERYTHING, Query, Record, parts, read, read_extreme
from rl.trajectory import Role, Trajectory

Sort = Literal["newest", "oldest", "best", "worst"]
HARMLESS = "\n\u200c\u200d"  # the joiners are part of the spelling of Persian, Hindi and others
STATUS_STYLE = {"ok": "green", "truncated": "yellow", "stale": "magenta", "failed": "red"}


def show(run_dir: Path, query: Query = EVERYTHING, *, sort: Sort = "newest", limit: int = 10, console: Console) -> int:
    """Print up to `limit` stored dialogs; returns how many. Raises StoreError if `run_dir` holds no trajectories."""
    match sort:
        case "newest" | "oldest":
            records = list(islice(read(run_dir, query, newest_first=sort == "newest"), limit))
        case "best" | "worst":
            records = read_extreme(run_dir, query, limit, worst=sort == "worst")
    for record in records:
        console.print(render(record))
    if not records:
        console.print(f"No trajectory matches. {run_dir} has {_contents(run_dir)}.", markup=False)
    return len(records)


def render(record: Record) -> Panel:
    """One dialog as a framed block, its status in words and not only in colour."""
    trajectory = record.trajectory
    lines: list[Text] = []
    for index, turn in enumerate(trajectory.turns):
        lines += [*dialog_lines(turn, trajectory.request.role), _judgement(record, index)]
        if dimensions := _dimensions(record, index):
            lines.append(dimensions)
    if trajectory.outcome is not None:
        lines.append(Text(f"outcome    {_outcome(trajectory.outcome)}"))
    if trajectory.error:
        lines.append(Text.assemble(("error      ", "bold red"), printable(trajectory.error)))
    request = trajectory.request
    title = Text.assemble(
        (request.id, "bold"),
        f"  {request.task.id}  ",
        (trajectory.status, STATUS_STYLE[trajectory.status]),
    )
    footer = (
        f"iteration {request.iteration}, {_speaker(trajectory)}, "
        f"{trajectory.num_action_tokens} of {len(trajectory.tokens)} tokens its own, {trajectory.seconds:.2f} s, "
        f"{trajectory.worker}"
    )
    return Panel(Group(*lines), title=title, title_align="left", subtitle=Text(footer), subtitle_align="left")


def printable(text: str) -> str:
    """Model-written text without what could steer a terminal or a page: control characters become visible."""
    return "".join(f"\\x{ord(letter):02x}" if _steers(letter) else letter for letter in text)


def _steers(letter: str) -> bool:
    return unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and letter not in HARMLESS


def dialog_lines(turn: Turn, role: Role) -> list[Text]:
    """What was asked and answered, without any judgement of it."""
    question, expected = turn.question, turn.question.answer
    wanted = f"  [{question.kind}]" if expected is None else f"  [{question.kind}: {printable(expected)}]"
    cut = "  [cut off by the length limit]" if turn.finish == "length" else ""
    return [
        Text.assemble((f"{OTHER_SIDE[role]:11}", "bold blue"), printable(question.text), (wanted, "dim")),
        Text.assemble((f"{role:11}", "bold"), printable(turn.text), (cut, "yellow")),
    ]


def _judgement(record: Record, index: int) -> Text:
    facts = [f"{record.trajectory.turns[index].num_tokens} tokens"]
    if record.scored.score is not None:
        score = record.scored.score
        facts.insert(0, f"reward {score.scalar[index]:+.3f}, success {score.success[index]:g}")
    if record.advantages is not None:
        facts.append(f"advantage {record.advantages[index]:+.3f}")
    return Text(f"           {', '.join(facts)}", style="cyan")


def _dimensions(record: Record, index: int) -> Text | None:
    if record.scored.score is None or not record.dimensions:
        return None
    values = record.scored.score.vector[index]
    speaking = [
        f"{name} {value:g}" for name, value in zip(record.dimensions, values, strict=True) if value and value == value
    ]
    zeros, abstained = int((values == 0).sum()), int(np.isnan(values).sum())
    return Text(f"           {', '.join([*speaking, f'{zeros} at zero', f'{abstained} abstained'])}", style="dim")


def _outcome(outcome: Outcome) -> str:
    if not outcome.valid:
        return "nothing that somebody else could deal with"
    known = "" if outcome.new else "known before, "
    return f"{known}nobody dealt with it" if outcome.success is None else f"{known}others' success {outcome.success:g}"


def _speaker(trajectory: Trajectory) -> str:
    """Whose words these are: the weights of the run, or an opponent."""
    if trajectory.request.is_by_opponent:
        return f"opponent {trajectory.request.opponent}"
    versions = trajectory.versions[trajectory.action_mask]
    if not len(versions):
        return "weights none"
    oldest, newest = int(versions.min()), int(versions.max())
    return f"weights {oldest}" if oldest == newest else f"weights {oldest} to {newest}"


def _contents(run_dir: Path) -> str:
    iterations: dict[str, list[int]] = {}
    for part in parts(run_dir):
        iterations.setdefault(part.purpose, []).append(part.iteration)
    spans = [f"{purpose} iterations {min(found)} to {max(found)}" for purpose, found in sorted(iterations.items())]
    return " and ".join(spans) or "no trajectories yet"

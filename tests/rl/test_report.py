import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from envs.task import Task
from rl.metrics import MetricsLine, MetricsLog
from rl.plots import draw
from rl.report import RunSummary, dialog_pairs, seen_share, write_report
from rl.results import EvalResult
from rl.store import TrajectoryStore
from rl.trajectory import Scored, failed
from tests.rl.builders import DIMENSIONS, request, scored, trajectory

PNG = b"\x89PNG\r\n\x1a\n"


def evaluated(step: int, group: int, answer: str) -> Scored:
    task = Task("arithmetic", "en", 0, group)
    right = float(answer == str(group))
    return scored(trajectory(request(step, group, task=task, purpose="eval"), (answer,)), [right])


def summary(*evals: EvalResult) -> RunSummary:
    return RunSummary(
        name="one-minute",
        step=20,
        final_weights_sha256="ab" * 32,
        max_logprob_gap=2.5e-6,
        tokens_generated=123_456,
        num_rollout_workers=2,
        episodes={"ok": 318, "failed": 2},
        peak_rss_bytes={"driver": 3 * 2**29, "learner": 2**30},
        evals=evals,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    log = MetricsLog(tmp_path)
    for step in range(20):
        timing = {"timing_s/rollout": 0.5, "timing_s/reward": 0.25, "timing_s/learner": 1.0, "timing_s/other": 0.125}
        log.write(step, {"reward/mean": step / 20, "actor/entropy": 3 - step / 10, "mismatch/kl": 1e-6} | timing)
    log.close()
    store = TrajectoryStore(tmp_path, DIMENSIONS)
    store.write([evaluated(0, group, "a|<b>") for group in range(4)])
    store.write([evaluated(20, group, str(group)) for group in range(4)])
    store.write(
        [scored(trajectory(request(0, group))) for group in (0, 7, 8)]
    )  # asks one of the four held-out questions
    return tmp_path


EVALS = (
    EvalResult(0, 0.0, 0.0, None, 0.0, 0.25, {"arithmetic": 0.0}, 4),
    EvalResult(20, 0.975, 1.0, 0.5, 1.0, 0.25, {"arithmetic": 0.975}, 4),
)


def test_the_report_for_machines(run: Path) -> None:
    write_report(run, summary(*EVALS))
    report = json.loads((run / "report.json").read_text())
    assert report["eval"][1] == {
        "step": 20,
        "accuracy": 0.975,
        "first_turn": 1.0,
        "follow_up": 0.5,
        "unseen": 1.0,
        "seen_share": 0.25,
        "by_scenario": {"arithmetic": 0.975},
        "num_dialogs": 4,
        "by_domain": {},
        "by_language": {},
    }
    assert report["seconds"] == {"rollout": 10.0, "reward": 5.0, "learner": 20.0, "sync": 0.0, "other": 2.5}
    assert report["final_weights_sha256"] == "ab" * 32
    assert report["max_logprob_gap"] == 2.5e-6
    assert report["tokens_generated"] == 123_456
    assert report["num_rollout_workers"] == 2
    assert report["peak_rss_bytes"] == {"driver": 3 * 2**29, "learner": 2**30}
    assert report["episodes"] == {"ok": 318, "failed": 2}
    assert report["held_out_seen_share"] == 0.25


def test_simulated_answers_are_called_so(run: Path) -> None:
    for engine in ("vllm", "simulated"):
        write_report(run, replace(summary(*EVALS), engine=engine))
        assert json.loads((run / "report.json").read_text())["engine"] == engine
        assert ("simulated answers" in (run / "report.md").read_text()) == (engine == "simulated")


def test_the_report_for_people(run: Path) -> None:
    write_report(run, summary(*EVALS))
    text = (run / "report.md").read_text()
    for part in (
        "held-out accuracy: 0.0% at the start, **97.5%** at the end",
        "opening questions that were also asked in training: 25.0%",
        "![learning curve](plots/learning_curve.png)",
        "![training](plots/training.png)",
        "| 20 | 97.5% | 100.0% | 50.0% | 100.0% |",
        "| 0 | 0.0% | 0.0% |  | 0.0% |",
        "| step 0 | step 20 |",
        "| learner | 20.0 | 53.3% |",
        "| driver | 1,536 |",
        "| failed | 2 |",
    ):
        assert part in text
    for name in ("learning_curve.png", "training.png"):
        assert (run / "plots" / name).read_bytes().startswith(PNG)


def test_accuracy_is_broken_down_where_there_is_more_than_one(run: Path) -> None:
    first, last = (
        EvalResult(step, 0.5, 0.5, None, None, 1.0, {"sums": low, "riddles": 0.75}, 4, {"math": low}, by_language)
        for step, low, by_language in ((0, 0.25, {"en": 0.5}), (20, 1.0, {"de": 0.25, "en": 0.5}))
    )
    write_report(run, summary(first, last))
    text = (run / "report.md").read_text()
    for part in (
        "by scenario\n\n| scenario | step 0 | step 20 |",
        "| sums | 25.0% | 100.0% |",
        "by language\n\n| language | step 0 | step 20 |",
        "| de |  | 25.0% |",
    ):
        assert part in text
    assert "by domain" not in text
    assert json.loads((run / "report.json").read_text())["eval"][1]["by_language"] == {"de": 0.25, "en": 0.5}


def test_levels_of_a_curriculum_are_drawn(tmp_path: Path) -> None:
    levels = [{"curriculum/sums/level": float(step // 2), "curriculum/words/level": 1.0} for step in range(6)]
    lines = [MetricsLine(step, 0.0, values) for step, values in enumerate(levels)]
    assert draw(tmp_path, lines, ()) == ["curriculum.png"]
    assert (tmp_path / "curriculum.png").read_bytes().startswith(PNG)


def test_proposals_of_self_play_are_drawn_and_told(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    for step in range(9):
        tried = {"selfplay/difficulty": 1 - step / 8, "selfplay/learnable": 0.5} if step else {}
        log.write(step, {"selfplay/validity": step / 8, "selfplay/distinct": step / 16, "selfplay/new": 0.0, **tried})
    log.close()
    TrajectoryStore(tmp_path, DIMENSIONS)
    write_report(tmp_path, summary())
    assert (tmp_path / "plots" / "selfplay.png").read_bytes().startswith(PNG)
    text = (tmp_path / "report.md").read_text()
    assert "](plots/selfplay.png)" in text
    table = text[text.index("## Self-play") :].splitlines()[4:9]
    assert table[0] == "| 0 | 0.0% | 0.0% | 0.0% |  |  |"
    assert [row.split(" | ")[0] for row in table] == ["| 0", "| 2", "| 4", "| 6", "| 8"]
    assert table[4] == "| 8 | 100.0% | 50.0% | 0.0% | 0.0% | 50.0% |"


def test_what_the_model_wrote_cannot_break_the_page(run: Path) -> None:
    write_report(run, summary(*EVALS))
    row = next(line for line in (run / "report.md").read_text().splitlines() if "&lt;b&gt;" in line)
    assert row.count("|") == 3
    assert "<b>" not in row


def test_failed_dialogs_are_listed_with_their_causes(run: Path) -> None:
    write_report(run, summary(*EVALS))
    assert "## Failed dialogs" not in (run / "report.md").read_text()
    lost = failed(request(1, 3), error="3 workers went down with it alone: died | died", worker="rollout-4")
    TrajectoryStore(run, DIMENSIONS).write([Scored(lost, None)])
    write_report(run, summary(*EVALS))
    section = (run / "report.md").read_text().partition("## Failed dialogs")[2]
    assert "| train-1-3-0 | 3 workers went down with it alone: died &#124; died |" in section


def test_a_run_without_evaluations_has_a_report_too(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path)
    log.write(0, {})
    log.close()
    TrajectoryStore(tmp_path, DIMENSIONS)
    write_report(tmp_path, summary())
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["eval"], report["held_out_seen_share"]) == ([], None)
    assert "plots" not in (tmp_path / "report.md").read_text()


def test_dialogs_are_paired_by_their_task(run: Path) -> None:
    pairs = dialog_pairs(run, 2)
    assert [(e.trajectory.request.id, late.trajectory.request.id) for e, late in pairs] == [
        ("eval-0-0-0", "eval-20-0-0"),
        ("eval-0-2-0", "eval-20-2-0"),
    ]


def test_seen_share_counts_questions_not_dialogs(run: Path) -> None:
    TrajectoryStore(run, DIMENSIONS).write([scored(trajectory(request(1, 0, sample))) for sample in range(5)])
    assert seen_share(run) == 0.25


def test_a_question_that_another_scenario_asks_has_been_seen_too(run: Path) -> None:
    """As those that self-play proposes, in the words of the scenario that is evaluated."""
    proposed = request(1, 2, task=Task("proposed-sum", "en", 0, 5, given="2+0"))
    TrajectoryStore(run, DIMENSIONS).write([scored(trajectory(proposed))])
    assert seen_share(run) == 0.5


def test_importing_loads_nothing_heavy() -> None:
    program = (
        "import sys, rl.report, rl.show, rl.checkpoint\n"
        "heavy = {'matplotlib', 'torch', 'tensorboard', 'wandb', 'ray'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60, cwd=Path(__file__).parents[2])

"""Proposer and solver: the rules by hand, and a run in memory whose policy answers by a script."""

import re
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs.library import Library, ScenarioError
from envs.mix import MixLine, is_held_out
from envs.task import Dialog, Outcome, Question, Task, Transcript
from envs.users import SimulatedUser
from rl.config import Config
from rl.load_config import ConfigError
from rl.report import RunSummary
from rl.selfplay import (
    Proposal,
    Proposals,
    key_of,
    make_tasks,
    proposal_line,
    proposal_metrics,
    remembered,
    with_outcomes,
    with_proposals,
)
from rl.tasks import rehearse
from rl.trajectory import Score, Scored, Trajectory
from tests.envs.test_selfplay import seed_for
from tests.rl.builders import request, scored, trajectory
from tests.rl.fakes import Run, Trap, small_config
from tests.rl.test_loop import numbers, stop, stored

SELFPLAY = (
    "tasks.mix=[{scenario: arithmetic-dialog, languages: [en]}]",
    "rollout.rollout_batch_size=8",
    "rollout.n_samples_per_prompt=4",
    "rollout.max_turns=2",
    "ppo.advantage_estimator=dr_grpo",
    "ppo.turn_gamma=0.0",
    "rewards.weights={answer.correct: 1.0, selfplay.valid_task: 0.25, selfplay.learnable: 1.0}",
    "selfplay={enabled: true, languages: [en], num_proposals: 5, share: 0.7, remember: 4, role_half_life: 10}",
)
NUM_SOLVERS = 8 * 4


def selfplay_config(*overrides: str) -> Config:
    return small_config(*SELFPLAY, *overrides)


def proposer(answer: str, *, after: str = "7+", number: int = 0) -> Trajectory:
    """Completes the sum that begins with `after`; `number` tells equal ones apart by their seed."""
    task = Task("propose-sum", "en", 0, seed_for(after, number=number))
    return trajectory(replace(request(group=8, task=task), role="proposer"), [answer])


# -- the rules, by hand ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def proposals() -> Proposals:
    return Proposals(selfplay_config("tasks.held_out_fraction=0.0"), Library())


def key(given: str) -> str:
    return f"proposed-sum/en/0/{given}"


def test_only_the_first_of_its_kind_is_new(proposals: Proposals) -> None:
    dialogs = [
        proposer("5"),
        proposer("five"),
        proposer("5", number=1),
        proposer("7", after="5+"),
        proposer("3", after="3-"),
        proposer(""),
    ]
    made = proposals.read(dialogs, [key("3-3")])
    assert [p.task.given if p.task else None for p in made] == ["7+5", None, "7+5", "5+7", "3-3", None]
    assert [p.new for p in made] == [True, False, False, True, False, False]
    assert made[0].task == Task("proposed-sum", "en", 0, dialogs[0].request.task.seed, given="7+5")


def test_what_evaluation_asks_is_set_aside() -> None:
    library, rules = Library(), Proposals(selfplay_config("tasks.held_out_fraction=0.3"), Library())
    dialogs = [proposer(str(b), after=f"{a}+") for a in range(10) for b in range(10)]
    made = rules.read(dialogs, [])
    asked = [library.opening(p.task) for p in made if p.task]
    assert [p.new for p in made] == [not is_held_out(text, 0.3) for text in asked]
    assert 10 < sum(p.new for p in made) < 90


def test_new_tasks_take_the_last_prompts(proposals: Proposals) -> None:
    made = proposals.read([proposer("5"), proposer("x"), proposer("9", after="2-")], [])
    asked = [request(group=group, sample=sample) for group in range(4) for sample in range(2)]
    tasks = [r.task for r in with_proposals(asked, made)]
    assert [task.given for task in tasks] == ["", "", "", "", "7+5", "7+5", "2-9", "2-9"]
    assert tasks[:4] == [r.task for r in asked[:4]]
    assert [r.id for r in with_proposals(asked, made)] == [r.id for r in asked]
    assert with_proposals(asked, made[1:2]) == asked


def test_a_proposer_learns_how_the_first_answers_to_its_task_fared(proposals: Proposals) -> None:
    made = proposals.read([proposer("5"), proposer("5"), proposer("x"), proposer("5", after="8+")], [])
    task = made[0].task
    assert task is not None
    right, wrong = (scored(trajectory(request(task=task), ["12", "9"]), scalars) for scalars in ([1, 0], [0, 1]))
    library = scored(trajectory(request(), ["12"]), [1])
    user = scored(trajectory(replace(request(task=task), role="user"), ["12"]), [0])
    silent = scored(trajectory(request(task=task), [""]), [0])
    assert silent.score is not None
    nothing = Score(silent.score.vector[:0], silent.score.scalar[:0], silent.score.success[:0])
    unheard = Scored(replace(silent.trajectory, turns=(), turn_ends=silent.trajectory.turn_ends[:0]), nothing)
    solved = [right, wrong, right, library, right, user, unheard]
    outcomes = [t.outcome for t in with_outcomes(made, solved)]
    assert outcomes == [
        Outcome(success=0.75, proposed=True),
        Outcome(new=False, proposed=True),
        Outcome(valid=False, new=False, proposed=True),
        Outcome(proposed=True),  # nobody's solver could be judged
    ]
    lost = [replace(made[0], dialog=made[0].dialog.with_status("failed", "gone"))]
    assert with_outcomes(lost, [right])[0].outcome is None


def judged(made: list[Proposal], success: dict[str, float]) -> list[Scored]:
    told = [
        replace(
            p.dialog,
            outcome=Outcome(
                p.task is not None, p.new, success[p.task.given] if p.task and p.new else None, proposed=True
            ),
        )
        for p in made
    ]
    return [scored(dialog, [0.25] * len(dialog.turns)) for dialog in told]


def test_the_memory_holds_the_newest_tasks_once(proposals: Proposals) -> None:
    made = proposals.read([proposer("5"), proposer("5"), proposer("2", after="2+")], [])
    known = (key("1+1"), key("1+2"))
    assert remembered(known, made, 3) == (key("1+2"), key("7+5"), key("2+2"))
    assert remembered(known, made, 0) == ()
    assert remembered(known, [], 3) == known


def test_metrics_speak_of_the_current_policys_proposals(proposals: Proposals) -> None:
    dialogs = [proposer("5"), proposer("5"), proposer("2", after="2+"), proposer("x")]
    past = proposer("9", after="9+")
    past = replace(past, request=replace(past.request, opponent="somewhere"))
    made = proposals.read([*dialogs, past], [])
    said = judged(made, {"7+5": 0.5, "2+2": 1.0, "9+9": 0.0})
    assert proposal_metrics(said, made, proposals) == pytest.approx(
        {
            "selfplay/validity": 0.75,
            "selfplay/distinct": 0.5,
            "selfplay/new": 0.5,
            "selfplay/held_out": 0.0,
            "selfplay/reward_proposer": 0.25,
            "selfplay/difficulty": 0.25,
            "selfplay/learnable": 0.5,
        }
    )
    assert proposal_metrics([], [], proposals) == {}


def test_past_policies_propose_last() -> None:
    rules = Proposals(selfplay_config("selfplay.past_share=0.4"), Library())
    asked = rules.requests(3, "runs/x/opponents/step-000002")
    assert [r.group for r in asked] == [8, 9, 10, 11, 12]
    assert [bool(r.opponent) for r in asked] == [False, False, False, True, True]
    assert {r.role for r in asked} == {"proposer"}
    assert len({r.task.seed for r in asked}) == 5
    assert not any(r.opponent for r in rules.requests(3, ""))


# -- what cannot be run ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("selfplay.num_proposals=6", r"selfplay\.num_proposals = 6: selfplay\.share leaves room for 5"),
        ("selfplay={enabled: true, past_share: 0.5, pool_size: 0, num_proposals: 1}", r"selfplay\.pool_size = 0"),
        ("ppo.advantage_estimator=reinforce++", r"ppo\.advantage_estimator = 'reinforce\+\+': whitens"),
        ("ppo.advantage_combine=per_dimension", r"ppo\.advantage_combine = 'per_dimension': must be scalar"),
    ],
)
def test_settings_that_do_not_fit(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        selfplay_config(override)


@pytest.mark.parametrize("override", ["ppo.advantage_estimator=reinforce++", "ppo.advantage_combine=per_dimension"])
def test_users_who_are_models_have_a_role_too(override: str) -> None:
    played = ("tasks.mix=[{scenario: shared-goal}]", "rollout.model_users=true", "ppo.advantage_estimator=dr_grpo")
    with pytest.raises(ConfigError, match=r"with selfplay\.enabled or rollout\.model_users"):
        small_config(*played, override)


def test_scenarios_that_propose_nothing() -> None:
    with pytest.raises(ScenarioError, match="'arithmetic' makes no tasks for others; these do: propose-sum"):
        rehearse(selfplay_config("selfplay.scenario=arithmetic"))
    with pytest.raises(ScenarioError, match="no level 9"):
        rehearse(selfplay_config("selfplay.levels=[9]"))


class Proposer:
    """A scenario of the user's own, which proposes the same whatever was said."""

    name, domain, languages, num_levels = "mine", "test", ("en",), 1

    def __init__(self, made: Any) -> None:
        self._made = made

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        return SimulatedUser([Question("What shall I ask?", "3+4")])

    def verify(self, transcript: Transcript) -> float:
        return 1.0

    def proposed(self, transcript: Transcript) -> Task | None:
        if isinstance(self._made, Exception):
            raise self._made
        return self._made


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (LookupError("no idea"), r"`proposed` raised LookupError: no idea \(test_selfplay\.py, line \d+\)"),
        ("3+4", r"`proposed` returned '3\+4'; it must be None, or an envs\.task\.Task"),
        (Task("mine", "en", 0, 1), r"`proposed` returned Task\(.*; it must be .* as its `given`"),
        (Task("nobody's", "en", 0, 1, "3+4"), 'unknown scenario "nobody\'s"'),
        (None, r"makes no task within rollout\.max_turns = 2"),
    ],
)
def test_a_scenario_that_proposes_nonsense_is_named(made: object, cause: str) -> None:
    library, line = Library((Proposer(made),)), MixLine("mine", 1.0, ("en",), (0,))
    with pytest.raises(ScenarioError, match=cause):
        make_tasks(library, line, max_turns=2, timeout_seconds=10.0)


class Slow(Proposer):
    def proposed(self, transcript: Transcript) -> Task | None:
        time.sleep(5.0)
        return None


def test_a_scenario_that_hangs_over_a_proposal_is_named() -> None:
    library, line = Library((Slow(None),)), MixLine("mine", 1.0, ("en",), (0,))
    start, limit = time.monotonic(), r"rollout\.episode_timeout_seconds = 0\.05"
    with pytest.raises(ScenarioError, match=rf"mine/en/0/0: `proposed` did not return within {limit}"):
        make_tasks(library, line, max_turns=2, timeout_seconds=0.05)
    assert time.monotonic() - start < 3.0


@pytest.mark.parametrize("scenario", ["propose-sum", "propose-formula"])
def test_every_language_and_level_can_be_rehearsed(scenario: str) -> None:
    line = proposal_line(selfplay_config(f"selfplay.scenario={scenario}", "selfplay.languages=[]"))
    made = make_tasks(Library(), replace(line, levels=(0, 1)), max_turns=4, timeout_seconds=10.0)
    assert len(made) == 2 * 8 and all(task.given for task in made)
    assert len({key_of(task) for task in made}) == len(made)


# -- a run in memory ------------------------------------------------------------------------------------------------

LAST_QUESTION = re.compile(r"(\d+)([-+])(\d+)=\?|is (\d+) (plus|minus) (\d+)\?")


def script(dialog: str, seed: int) -> str:
    """A proposer says small numbers, and a letter now and then. A solver knows sums up to four, guesses others up to
    seven, and never anything larger.
    """
    question = dialog.rpartition("<|user|>")[2]
    if "umber" in question:
        return "x" if seed % 11 == 0 else str(seed % 7)
    found = LAST_QUESTION.search(question)
    if found is None:
        return "0"
    a, sign, b = (found[1], found[2], found[3]) if found[1] else (found[4], found[5], found[6])
    value = int(a) + int(b) if sign in ("+", "plus") else int(a) - int(b)
    knows = abs(value) <= 4 or (abs(value) <= 7 and seed % 2 == 0)
    return str(value) if knows else "0"


def selfplay_run(folder: Path, *overrides: str, trap: Trap | None = None, num_workers: int = 2) -> Run:
    overrides = ("run.num_iterations=5", "selfplay.past_share=0.4", "selfplay.snapshot_every=1", *overrides)
    return Run(folder, selfplay_config(*overrides), trap=trap, num_workers=num_workers, replies=script)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunSummary]:
    run = selfplay_run(tmp_path_factory.mktemp("whole"))
    return run, run.train()


def dialogs_of(run: Run, iteration: int) -> list[Trajectory]:
    """The dialogs that were judged for an iteration, by group and sample."""
    mine = [t for t in run.rewards.judged if t.request.purpose == "train" and t.request.iteration == iteration]
    return sorted(mine, key=lambda t: (t.request.group, t.request.sample))


def test_proposals_are_checked_solved_and_paid_for(whole: tuple[Run, RunSummary]) -> None:
    """Worked out here once more, from what was said."""
    run, _ = whole
    known: list[str] = []
    kinds = Counter[str]()
    for iteration in range(5):
        dialogs = dialogs_of(run, iteration)
        solvers, proposers = dialogs[:NUM_SOLVERS], dialogs[NUM_SOLVERS:]
        assert len(proposers) == 5
        givens = []
        for dialog in proposers:
            (turn,) = dialog.turns
            valid = turn.answer != "x"
            given = turn.question.text.partition("?")[0] + turn.answer if valid else ""
            text = run.library.opening(Task("proposed-sum", "en", 0, dialog.request.task.seed, given)) if valid else ""
            new = valid and given not in known[-4:] + givens and not is_held_out(text, 0.1)
            if new:
                givens.append(given)
            answers = [s.turns[0] for s in solvers if s.request.task.given == given and new]
            right = [turn.answer == turn.question.answer for turn in answers]
            assert len(answers) == (4 if new else 0)
            success = float(np.mean(right)) if new else None
            assert dialog.outcome == Outcome(valid, new, success, proposed=True)
            kinds.update(["new" if new else "old" if valid else "invalid"])
            if success is not None:
                kinds.update({0.0: ["hopeless"], 1.0: ["trivial"]}.get(success, ["learnable"]))
        asked = [s.request.task for s in solvers[::4]]
        assert [task.given for task in asked] == [""] * (8 - len(givens)) + givens
        known += givens
    assert set(kinds) == {"new", "old", "invalid", "hopeless", "trivial", "learnable"}


def test_the_reward_of_a_proposer(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    signal_names = run.scorer.names
    for dialog in (d for i in range(5) for d in dialogs_of(run, i) if d.request.role == "proposer"):
        assert dialog.outcome is not None
        vector = dict(zip(signal_names, run.scorer.score(dialog.transcript).vector[-1], strict=True))
        p = dialog.outcome.success or 0.0
        assert vector["selfplay.learnable"] == pytest.approx(4 * p * (1 - p))
        assert vector["selfplay.valid_task"] == dialog.outcome.valid


def test_past_policies_propose_and_never_train(whole: tuple[Run, RunSummary]) -> None:
    run, summary = whole
    for iteration, batch in run.learner.batches.items():
        proposers = [d for d in dialogs_of(run, iteration) if d.request.role == "proposer"]
        past = {d.request.opponent for d in proposers} - {""}
        assert bool(past) == (iteration > 0)
        num_own = 3 if past else 5
        assert batch.roles.tolist() == [0] * NUM_SOLVERS + [2] * num_own
        assert batch.groups.tolist() == [g for g in range(8) for _ in range(4)] + [8 + i for i in range(num_own)]
        assert all(Path(folder).name in {f"step-{i + 1:06d}" for i in range(iteration)} for folder in past)
    assert summary.episodes["ok"] + summary.episodes.get("truncated", 0) == 5 * (NUM_SOLVERS + 5)


def test_the_assistants_metrics_are_its_own(whole: tuple[Run, RunSummary]) -> None:
    run, _ = whole
    lines = dict(numbers(run.run_dir))
    for iteration in range(5):
        solvers = dialogs_of(run, iteration)[:NUM_SOLVERS]
        right = [turn.answer == turn.question.answer for s in solvers for turn in s.turns]
        assert lines[iteration]["success/mean"] == pytest.approx(np.mean(right))
        assert lines[iteration]["selfplay/pool_size"] == min(4, iteration)
        assert 0 < lines[iteration]["selfplay/validity"] <= 1


def test_the_number_of_workers_changes_nothing(whole: tuple[Run, RunSummary], tmp_path: Path) -> None:
    run = selfplay_run(tmp_path, num_workers=3)
    assert run.train() == whole[1]
    assert numbers(tmp_path) == numbers(whole[0].run_dir)


@pytest.mark.parametrize(("phase", "visit"), [("collect train", 9), ("snapshot", 2), ("snapshot", 4), ("save", 1)])
def test_a_run_killed_and_resumed_is_the_same(
    phase: str, visit: int, whole: tuple[Run, RunSummary], tmp_path: Path
) -> None:
    stop(selfplay_run(tmp_path, trap=Trap(phase, visit)))
    resumed = selfplay_run(tmp_path)
    assert resumed.train() == whole[1]
    assert numbers(tmp_path) == numbers(whole[0].run_dir)
    here, there = ({p.name for p in (d / "opponents").iterdir()} for d in (tmp_path, whole[0].run_dir))
    assert here == there


@pytest.mark.parametrize(("phase", "visit"), [("annotate", 3), ("collect train", 9)])
def test_what_was_proposed_and_solved_is_read_back(
    phase: str, visit: int, whole: tuple[Run, RunSummary], tmp_path: Path
) -> None:
    sparse = "checkpoint.every=100"
    stop(selfplay_run(tmp_path, sparse, trap=Trap(phase, visit)))
    kept = set(stored(tmp_path))
    resumed = selfplay_run(tmp_path, sparse)
    assert resumed.train() == whole[1]
    assert not kept & set(resumed.rollouts.asked)
    assert stored(tmp_path).keys() == stored(whole[0].run_dir).keys()
    assert numbers(tmp_path) == numbers(whole[0].run_dir)


def test_dialogs_in_flight_know_of_self_play_too(tmp_path: Path) -> None:
    run = selfplay_run(tmp_path, "rollout.max_staleness=1")
    run.train()
    assert sorted(run.learner.batches) == [0, 1, 2, 3, 4]
    assert all((batch.roles == 2).any() for batch in run.learner.batches.values())


def test_a_transcript_keeps_its_outcome_at_every_turn() -> None:
    outcome = Outcome(success=0.5, proposed=True)
    dialog = replace(proposer("5"), outcome=outcome)
    assert isinstance(dialog.transcript, Transcript)
    assert dialog.transcript.upto(0).outcome == outcome

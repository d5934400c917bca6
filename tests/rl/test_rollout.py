"""The rollout worker on an engine whose tokens are a hash: exact trajectories, whoever makes them and beside whom."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from envs.library import Library
from envs.task import Dialog, Question, Task
from models.lora import ModuleError
from rl.rollout import Budget, RolloutWorker
from rl.router import train_router
from rl.trajectory import EpisodeRequest, Purpose, Trajectory
from tests.rl.fakes import FIRST_WEIGHTS, FakeEngine, Scripted, chat, logprob, manifest

THREE_TURNS = Scripted(("What is {seed} + 1?", "And plus 2?", "Thanks, and now?"))
TWO_TURNS = Scripted(("What is {seed} + 1?", "And plus 2?"))
WIDE = Budget(max_prompt_length=100, max_response_length=8, max_length=200, max_turns=4, timeout_seconds=60.0)


def worker(
    engine: FakeEngine,
    scenario: Scripted = THREE_TURNS,
    budget: Budget = WIDE,
    *,
    clock: Callable[[], float] = lambda: 0.0,
    name: str = "rollout-0",
) -> RolloutWorker:
    made = RolloutWorker(engine, chat(), Library((scenario,)), budget, name=name, clock=clock)
    made.load(manifest(0), [])
    return made


def requests(count: int, purpose: Purpose = "train") -> list[EpisodeRequest]:
    return [EpisodeRequest(Task("scripted", "en", 0, seed), 0, seed, 0, 42, purpose) for seed in range(count)]


def finish(made: RolloutWorker) -> dict[str, Trajectory]:
    """Step, with a limit that only a hang can reach, until every dialog has ended."""
    ended: list[Trajectory] = []
    for _ in range(200):
        ended += made.advance(max_seconds=0.0)
        if not made.num_unfinished:
            break
    assert made.num_unfinished == 0
    assert len({t.request.id for t in ended}) == len(ended)
    return {t.request.id: t for t in ended}


def only(made: RolloutWorker, asked: EpisodeRequest | None = None) -> Trajectory:
    made.admit([asked or requests(1)[0]])
    (trajectory,) = finish(made).values()
    return trajectory


def substance(trajectory: Trajectory) -> tuple:
    """All of a trajectory that must not depend on who made it."""
    arrays = (trajectory.tokens, trajectory.action_mask, trajectory.logprobs, trajectory.versions, trajectory.turn_ends)
    return tuple(array.tobytes() for array in arrays), trajectory.turns, trajectory.status, trajectory.error


class Clock:
    """Moves `per_step` seconds at every step of the engine."""

    def __init__(self, per_step: float = 1.0) -> None:
        self.now, self.per_step = 0.0, per_step

    def __call__(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += self.per_step


# -- what a trajectory holds ----------------------------------------------------------------------------------------


def test_a_trajectory_is_exactly_what_was_read_and_written() -> None:
    engine = FakeEngine()
    trajectory = only(worker(engine))
    questions = ("What is 0 + 1?", "And plus 2?", "Thanks, and now?")
    first, second, third = engine.samples
    pieces: list[tuple[Sequence[int], bool]] = [
        (chat().open(questions[0]), False),
        (first.tokens.tolist(), True),
        (chat().reply(questions[1], answer_ended=first.finish == "stop"), False),
        (second.tokens.tolist(), True),
        (chat().reply(questions[2], answer_ended=second.finish == "stop"), False),
        (third.tokens.tolist(), True),
    ]
    tokens = [token for piece, _ in pieces for token in piece]
    mask = [written for piece, written in pieces for _ in piece]
    ends = np.cumsum([len(piece) for piece, _ in pieces])[1::2] - 1
    assert trajectory.tokens.tolist() == tokens
    assert trajectory.action_mask.tolist() == mask
    assert trajectory.turn_ends.tolist() == ends.tolist()
    assert trajectory.versions.tolist() == [0 if written else -1 for written in mask]
    wanted = [logprob(FIRST_WEIGHTS, tokens[:i], tokens[i]) if written else 0.0 for i, written in enumerate(mask)]
    np.testing.assert_array_equal(trajectory.logprobs, np.array(wanted, np.float32))
    assert [turn.question.text for turn in trajectory.turns] == list(questions)
    assert [turn.answer for turn in trajectory.turns] == [chat().decode(s.tokens.tolist()) for s in engine.samples]
    assert [turn.num_tokens for turn in trajectory.turns] == [len(s.tokens) for s in engine.samples]
    assert (trajectory.status, trajectory.worker, trajectory.error) == ("ok", "rollout-0", "")


def test_each_turn_is_sampled_with_its_own_seed_after_the_whole_dialog() -> None:
    engine, asked = FakeEngine(), requests(1)[0]
    trajectory = only(worker(engine), asked)
    assert [request.seed for request in engine.requests] == [asked.turn_seed(turn) for turn in range(3)]
    assert not any(request.greedy for request in engine.requests)
    for request, end in zip(engine.requests[1:], trajectory.turn_ends, strict=False):
        assert list(request.prompt)[: end + 1] == trajectory.tokens[: end + 1].tolist()


def test_evaluations_are_greedy() -> None:
    engine = FakeEngine()
    only(worker(engine), requests(1, purpose="eval")[0])
    assert all(request.greedy for request in engine.requests)


def test_a_trajectory_depends_on_its_request_alone() -> None:
    asked = requests(12)
    together = worker(FakeEngine())
    together.admit(asked)
    wanted = {i: substance(t) for i, t in finish(together).items()}
    assert len(set(wanted.values())) == len(asked)

    alone = {request.id: substance(only(worker(FakeEngine(), name="rollout-9"), request)) for request in asked}
    assert alone == wanted

    late = worker(FakeEngine())
    ended: dict[str, Trajectory] = {}
    for request in reversed(asked):  # each one joins dialogs that are under way
        late.admit([request])
        ended |= {t.request.id: t for t in late.advance(max_seconds=0.0)}
    assert {i: substance(t) for i, t in (ended | finish(late)).items()} == wanted


def test_dialogs_run_side_by_side() -> None:
    engine = FakeEngine(answer_length=3)
    made = worker(engine)
    made.admit(requests(12))
    assert (made.num_unfinished, engine.num_unfinished) == (12, 12)
    finish(made)
    assert engine.max_concurrency == 12


def test_new_weights_in_mid_dialog_show_on_every_token() -> None:
    engine = FakeEngine(answer_length=4)
    made = worker(engine, TWO_TURNS)
    made.admit(requests(1))
    made.advance(max_seconds=0.0)
    made.load(manifest(1, "other weights"), [])
    (trajectory,) = finish(made).values()
    assert trajectory.versions[trajectory.action_mask].tolist() == [0, 1, 1, 1, 1, 1, 1, 1]
    assert trajectory.oldest_version == 0
    tokens, weights = trajectory.tokens.tolist(), {0: FIRST_WEIGHTS, 1: "other weights"}
    for i in np.flatnonzero(trajectory.action_mask):
        wanted = logprob(weights[trajectory.versions[i]], tokens[:i], tokens[i])
        assert trajectory.logprobs[i] == np.float32(wanted)


# -- budgets --------------------------------------------------------------------------------------------------------


def test_a_last_answer_that_was_cut_off_truncates_the_dialog() -> None:
    short = replace(WIDE, max_response_length=2)
    engine = FakeEngine(answer_length=3)
    trajectory = only(worker(engine, TWO_TURNS, short))
    assert trajectory.status == "truncated"
    assert [turn.finish for turn in trajectory.turns] == ["length", "length"]
    assert [turn.answer for turn in trajectory.turns] == ["77", "77"]
    # the format closes the answer that the policy left open; that token is not the policy's
    stop = chat().stop_token_ids[0]
    end = trajectory.turn_ends[0]
    assert (trajectory.tokens[end + 1], trajectory.action_mask[end + 1]) == (stop, False)


def test_an_answer_cut_off_in_the_middle_does_not_truncate_a_dialog_that_ends_well() -> None:
    short = replace(WIDE, max_response_length=2)
    made = worker(FakeEngine(), TWO_TURNS, short)
    made.admit(requests(40))
    ended = [(tuple(turn.finish for turn in t.turns), t.status) for t in finish(made).values()]
    assert (("length", "stop"), "ok") in ended
    assert all(status == ("ok" if finishes[-1] == "stop" else "truncated") for finishes, status in ended)


def test_the_budget_on_turns() -> None:
    two, three = replace(WIDE, max_turns=2), replace(WIDE, max_turns=3)
    trajectory = only(worker(FakeEngine(answer_length=2), THREE_TURNS, two))
    assert (trajectory.status, len(trajectory.turns)) == ("truncated", 2)
    assert trajectory.turn_ends[-1] == len(trajectory.tokens) - 1  # nobody asks a third time
    assert only(worker(FakeEngine(answer_length=2), THREE_TURNS, three)).status == "ok"


def test_the_budget_on_tokens() -> None:
    """Two answers of 3 tokens, and a second question of n: at the exact length all fits, one token less does not."""
    opening, follow = len(chat().open("What is 0 + 1?")), len(chat().reply("And plus 2?", answer_ended=True))
    whole = opening + 3 + follow + 3

    def at(max_length: int) -> Trajectory:
        return only(worker(FakeEngine(answer_length=3), TWO_TURNS, replace(WIDE, max_length=max_length)))

    assert (at(whole).status, len(at(whole).tokens)) == ("ok", whole)
    cut = at(whole - 1)
    assert (cut.status, cut.turns[1].finish, len(cut.tokens)) == ("truncated", "length", whole - 1)
    no_room = at(whole - 3)  # the follow-up would fill the dialog to the brim, and leave nothing to answer with
    assert (no_room.status, len(no_room.turns), len(no_room.tokens)) == ("truncated", 1, opening + 3)


def test_an_opening_question_that_is_too_long_fails() -> None:
    opening = len(chat().open("What is 0 + 1?"))
    for tight in (replace(WIDE, max_prompt_length=opening - 1), replace(WIDE, max_length=opening)):
        engine = FakeEngine()
        trajectory = only(worker(engine, budget=tight))
        assert (trajectory.status, len(trajectory.tokens), engine.requests) == ("failed", 0, [])
        reason = f"the opening question has {opening} tokens, more than {opening - 1}"
        assert trajectory.error == f"scripted/en/0/0: {reason}"
    fitting = replace(WIDE, max_prompt_length=opening, max_length=opening + 1)
    assert only(worker(FakeEngine(), budget=fitting)).num_action_tokens == 1


def test_out_of_time_after_an_answer_is_truncated_and_before_one_is_failed() -> None:
    five_seconds = replace(WIDE, max_response_length=20, timeout_seconds=5.0)
    for answer_length, status, num_turns in ((4, "truncated", 1), (10, "failed", 0)):
        clock = Clock()
        engine = FakeEngine(answer_length=answer_length, on_step=clock.tick)
        trajectory = only(worker(engine, TWO_TURNS, five_seconds, clock=clock))
        assert (trajectory.status, len(trajectory.turns)) == (status, num_turns)
        assert trajectory.seconds == 6.0
        assert engine.num_unfinished == 0
        if status == "truncated":
            assert trajectory.turn_ends.tolist() == [len(trajectory.tokens) - 1]
        else:
            assert trajectory.error == "scripted/en/0/0: no answer within 5 seconds"


def test_time_runs_from_admission() -> None:
    clock = Clock()
    five_seconds = replace(WIDE, max_response_length=20, timeout_seconds=5.0)
    made = worker(FakeEngine(answer_length=4, on_step=clock.tick), Scripted(), five_seconds, clock=clock)
    first, second = requests(2)
    made.admit([first])
    made.advance(max_seconds=2.0)
    made.admit([second])
    ended = finish(made)
    assert [(t.status, t.seconds) for t in (ended[first.id], ended[second.id])] == [("ok", 4.0), ("ok", 4.0)]


# -- scenarios that misbehave ---------------------------------------------------------------------------------------


class Silent:
    """A user's scenario whose dialogs return what is no question."""

    def __init__(self, opening: object, follow_up: object) -> None:
        self._opening, self._follow_up = opening, follow_up

    def open(self) -> Question:
        return self._opening  # type: ignore[return-value]

    def reply(self, answer: str) -> Question | None:
        return self._follow_up  # type: ignore[return-value]


class Careless(Scripted):
    """Seed 1 asks nothing, seed 2 follows up with a plain text, seed 3 with half a letter."""

    def dialog(self, task: Task) -> Dialog:
        good = Question("What is it?", "7")
        match task.seed:
            case 1:
                return Silent(None, None)
            case 2:
                return Silent(good, "And then?")
            case 3:
                return Silent(good, Question("\ud800"))
        return super().dialog(task)


@pytest.mark.parametrize("place", ["open", "reply"])
def test_a_scenario_that_raises_fails_one_episode(place: Literal["open", "reply"]) -> None:
    fragile = Scripted(THREE_TURNS.questions, fails=lambda task: task.seed == 2, fails_in=place)
    made = worker(FakeEngine(), fragile)
    asked = requests(5)
    made.admit(asked)
    ended = finish(made)
    assert {i: t.status for i, t in ended.items() if t.status != "ok"} == {asked[2].id: "failed"}
    lost = ended[asked[2].id]
    assert lost.error.startswith(f"scripted/en/0/2: the scenario raised LookupError: no {place} today (fakes.py, line ")
    assert (len(lost.tokens), lost.turns) == (0, ())
    healthy = worker(FakeEngine())
    healthy.admit(asked)
    wanted = finish(healthy)
    for request in (*asked[:2], *asked[3:]):
        assert substance(ended[request.id]) == substance(wanted[request.id])


def test_a_scenario_that_asks_no_question_fails_one_episode() -> None:
    made = worker(FakeEngine(), Careless())
    asked = requests(5)
    made.admit(asked)
    ended = finish(made)
    assert [ended[request.id].status for request in asked] == ["ok", "failed", "failed", "failed", "ok"]
    assert "'str' object has no attribute 'text'" in ended[asked[2].id].error


def test_an_unknown_scenario_fails_one_episode() -> None:
    trajectory = only(worker(FakeEngine()), EpisodeRequest(Task("chess", "en", 0, 1), 0, 0, 0, 42))
    assert trajectory.status == "failed"
    assert "unknown scenario 'chess'" in trajectory.error


# -- advance --------------------------------------------------------------------------------------------------------


def test_advance_returns_what_finished_within_its_time() -> None:
    clock = Clock()
    made = worker(FakeEngine(answer_length=3, on_step=clock.tick), Scripted(), clock=clock)
    early, late = requests(2)
    made.admit([early])
    assert made.advance(max_seconds=2.0) == []
    assert clock.now == 2.0
    made.admit([late])
    assert [t.request for t in made.advance(max_seconds=2.0)] == [early]
    assert clock.now == 4.0
    assert [t.request for t in made.advance(max_seconds=60.0)] == [late]  # and returns when there is nothing to do
    assert clock.now == 5.0
    assert made.advance(max_seconds=60.0) == []


def test_advance_steps_at_least_once_even_with_failures_to_report() -> None:
    clock = Clock()
    made = worker(FakeEngine(answer_length=1, on_step=clock.tick), Careless(), clock=clock)
    made.admit(requests(2))
    assert sorted(t.status for t in made.advance(max_seconds=0.0)) == ["failed", "ok"]


# -- modules ---------------------------------------------------------------------------------------------------------


def routed(path: Path, scenario: Scripted) -> RolloutWorker:
    """A worker with a router that knows sums from thanks."""
    texts = {"math": ["What is 3 + 1?", "And plus 2?", "7 + 5?"], "manners": ["Thanks, bye", "Thanks a lot", "Thanks!"]}
    train_router(texts, min_confidence=0.8).save(path)
    made = worker(FakeEngine(), scenario)
    made.serve_modules([], str(path))
    return made


def modules_asked(engine: FakeEngine) -> list[str]:
    return [request.module for request in engine.requests]


def test_a_request_is_answered_by_its_module_in_every_turn() -> None:
    engine = FakeEngine()
    asked = [replace(requests(1)[0], module=module) for module in ("", "math")]
    made = worker(engine)
    made.admit(asked)
    trajectories = finish(made)
    assert trajectories["train-0-0-0"].modules == ()
    assert trajectories["train-0-0-0-math"].modules == ("math",) * 3
    assert sorted(modules_asked(engine)) == [""] * 3 + ["math"] * 3


def test_a_router_chooses_by_dialog_or_by_turn_and_in_doubt_goes_on_as_before(tmp_path: Path) -> None:
    script = Scripted(("What is {seed} + 1?", "Thanks a lot", "xyzzy"))
    made = routed(tmp_path / "router.safetensors", script)
    assert only(made, replace(requests(1)[0], routing="dialog")).modules == ("math", "math", "math")
    assert only(made, replace(requests(1)[0], routing="turn")).modules == ("math", "manners", "manners")
    doubtful = Scripted(("xyzzy", "Thanks a lot"))
    made = routed(tmp_path / "router.safetensors", doubtful)
    assert only(made, replace(requests(1)[0], routing="dialog")).modules == ()
    assert only(made, replace(requests(1)[0], routing="turn")).modules == ("", "manners")


def test_an_engine_without_room_for_modules_says_so() -> None:
    with pytest.raises(ModuleError, match=r"set rollout\.num_modules"):
        worker(FakeEngine()).serve_modules(["somewhere/math"], "")

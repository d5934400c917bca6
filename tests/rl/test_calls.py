"""Calls within an answer on an engine that says what it is told: outputs are context, whatever happens."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace

import numpy as np
import pytest
import torch

from envs.library import Library
from envs.task import Task, ToolUse
from models.chat import ChatFormat
from rl.advantages import estimate
from rl.batch import Annotations, pack
from rl.calls import CallRules
from rl.columns import from_table, to_table
from rl.config import PPOConfig
from rl.losses import POLICY_LOSSES, aggregate, kl_estimate, token_logprobs
from rl.rollout import Budget, RolloutWorker
from rl.trajectory import EpisodeRequest, Role, Score, Scored, Trajectory
from tests.rl.fakes import FakeEngine, Scripted, chat, manifest

ANNOUNCED = "Tools: <calc>12*(3+4)</calc><out>84</out>"
ASKED = EpisodeRequest(Task("scripted", "en", 0, 5), 0, 0, 0, 42)
BUDGET = Budget(max_prompt_length=150, max_response_length=60, max_length=400, max_turns=2, timeout_seconds=60.0)
RULES = CallRules(("calculator",), max_calls=2, max_output_tokens=40)


def speaker(answers: Mapping[str, str]) -> Callable[[str, int], str]:
    """Writes, after the last of the `answers`' keys that it has read, what is left of the answer that belongs to it."""

    def reply(dialog: str, seed: int) -> str:
        ends = {dialog.rfind(key) + len(key): key for key in sorted(answers, key=len) if key in dialog}
        end = max(ends)
        answer, written = answers[ends[end]], dialog[end:]
        assert answer.startswith(written)
        return answer[len(written) :]

    return reply


def worker(
    engine: FakeEngine,
    *,
    rules: CallRules | None = RULES,
    budget: Budget = BUDGET,
    questions: Sequence[str] = ("Q?",),
    clock: Callable[[], float] = lambda: 0.0,
) -> RolloutWorker:
    made = RolloutWorker(
        engine, chat(), Library((Scripted(tuple(questions)),)), budget, name="w", calls=rules, clock=clock
    )
    made.load(manifest(0), [])
    return made


def talk(made: RolloutWorker, asked: EpisodeRequest = ASKED) -> Trajectory:
    made.admit([asked])
    ended: list[Trajectory] = []
    for _ in range(400):
        ended += made.advance(max_seconds=0.0)
        if not made.num_unfinished:
            break
    [trajectory] = ended
    return trajectory


def pieces(form: ChatFormat, *parts: tuple[str, bool]) -> tuple[list[int], list[bool]]:
    tokens, mask = form.open("Q?", ANNOUNCED), [False] * len(form.open("Q?", ANNOUNCED))
    for text, is_action in parts:
        ids = form.insert(text) if text else [form.stop_token_ids[0]]
        tokens, mask = [*tokens, *ids], [*mask, *[is_action] * len(ids)]
    return tokens, mask


CALLS_ONCE = {"Q?<|end|><|assistant|>": "So <calc>2*3</calc>", "<out>6</out>": "6"}


def test_the_output_is_context_between_the_tokens_of_one_turn() -> None:
    engine = FakeEngine(replies=speaker(CALLS_ONCE))
    trajectory = talk(worker(engine))
    tokens, mask = pieces(chat(), ("So <calc>2*3</calc>", True), ("<out>6</out>", False), ("6", True), ("", True))
    assert trajectory.tokens.tolist() == tokens
    assert trajectory.action_mask.tolist() == mask
    assert trajectory.versions.tolist() == [0 if written else -1 for written in mask]
    assert ((trajectory.logprobs < 0) == np.array(mask)).all()
    assert trajectory.turn_ends.tolist() == [len(tokens) - 1]
    [turn] = trajectory.turns
    assert (turn.answer, turn.finish, turn.num_tokens) == ("So 6", "stop", sum(mask))
    assert turn.tool_uses == (ToolUse("calc", "2*3", "6", 3),)
    assert turn.text == "So <calc>2*3</calc><out>6</out>6"
    assert (trajectory.status, trajectory.error) == ("ok", "")


def test_all_parts_of_a_turn_are_by_the_module_of_the_turn() -> None:
    engine = FakeEngine(replies=speaker(CALLS_ONCE))
    trajectory = talk(worker(engine), replace(ASKED, module="math"))
    assert trajectory.modules == ("math",)
    assert len(engine.requests) >= 2
    assert {request.module for request in engine.requests} == {"math"}


def test_what_the_user_hears_is_the_answer_alone() -> None:
    said = CALLS_ONCE | {"Next?<|end|><|assistant|>": "8"}
    trajectory = talk(worker(FakeEngine(replies=speaker(said)), questions=("Q?", "Next?")))
    assert [turn.answer for turn in trajectory.turns] == ["So 6", "8"]
    assert [len(turn.tool_uses) for turn in trajectory.turns] == [1, 0]


def test_each_part_of_a_turn_has_a_seed_of_its_own_and_the_first_that_of_the_turn() -> None:
    engine = FakeEngine(replies=speaker(CALLS_ONCE))
    talk(worker(engine))
    seeds = list(dict.fromkeys(request.seed for request in engine.requests))
    assert seeds == [ASKED.turn_seed(0, part) for part in range(len(engine.requests))]
    assert len(seeds) == len(engine.requests) >= 2
    assert ASKED.turn_seed(0, 0) == ASKED.turn_seed(0)


def test_a_stop_that_closes_no_call_changes_nothing_that_was_written() -> None:
    engine = FakeEngine(replies=speaker({"assistant|>": "3 > 2 > 1"}))
    trajectory = talk(worker(engine))
    assert trajectory.turns[0].answer == "3 > 2 > 1"
    assert trajectory.action_mask[len(chat().open("Q?", ANNOUNCED)) :].all()
    assert len(engine.requests) == 3


def test_without_tools_a_call_is_a_text_like_any_other() -> None:
    engine = FakeEngine(replies=speaker(CALLS_ONCE))
    trajectory = talk(worker(engine, rules=None))
    assert trajectory.turns[0].answer == "So <calc>2*3</calc>"
    assert trajectory.turns[0].tool_uses == ()
    assert trajectory.tokens.tolist()[: len(chat().open("Q?"))] == chat().open("Q?")


def test_an_error_is_an_output_too() -> None:
    engine = FakeEngine(replies=speaker({"assistant|>": "<calc>1/0</calc>", "</out>": "none"}))
    [turn] = talk(worker(engine)).turns
    assert turn.tool_uses[0].output == "error: division by zero"
    assert turn.tool_uses[0].is_error
    assert turn.answer == "none"


def test_after_the_last_call_one_more_is_refused_and_then_none_is_seen() -> None:
    engine = FakeEngine(replies=speaker({"assistant|>": "<calc>1</calc>", "</out>": "<calc>1</calc>"}))
    [turn] = talk(worker(engine)).turns
    assert [use.output for use in turn.tool_uses] == ["1", "1", "error: no calls are left"]
    assert turn.answer == "<calc>1</calc>"


def test_what_the_policy_writes_counts_and_outputs_do_not() -> None:
    written = len(chat().insert("<calc>2*3</calc>"))
    said = {"assistant|>": "<calc>2*3</calc>", "</out>": "777777"}
    trajectory = talk(
        worker(FakeEngine(replies=speaker(said)), budget=replace(BUDGET, max_response_length=written + 3))
    )
    assert (trajectory.turns[0].answer, trajectory.turns[0].finish) == ("777", "length")
    assert trajectory.turns[0].num_tokens == written + 3 == trajectory.num_action_tokens
    assert trajectory.status == "truncated"


@pytest.mark.parametrize("what", ["response", "dialog"])
def test_a_turn_ends_at_a_call_whose_output_has_no_room(what: str) -> None:
    written, prompt = len(chat().insert("<calc>2*3</calc>")), len(chat().open("Q?", ANNOUNCED))
    output = len(chat().insert("<out>6</out>"))
    budget = (
        replace(BUDGET, max_response_length=written)
        if what == "response"
        else replace(BUDGET, max_length=prompt + written + output)
    )
    trajectory = talk(worker(FakeEngine(replies=speaker({"assistant|>": "<calc>2*3</calc>"})), budget=budget))
    assert trajectory.turns[0].finish == "length"
    assert trajectory.turns[0].answer == "<calc>2*3</calc>"
    assert trajectory.num_action_tokens == written
    assert len(trajectory.tokens) == prompt + written


def test_a_long_result_is_an_error_and_no_other_number() -> None:
    said = {"assistant|>": "<calc>10**30+1</calc>", "</out>": "?"}
    [turn] = talk(worker(FakeEngine(replies=speaker(said)), rules=replace(RULES, max_output_tokens=20))).turns
    assert turn.tool_uses[0].output.startswith("error: ")
    assert len(chat().insert(turn.tool_uses[0].output)) <= 20


class Slow:
    """A tool that answers when it is told to."""

    def __init__(self) -> None:
        self.output: Future[str] = Future()

    def run(self, tool: str, expression: str) -> Future[str]:
        return self.output


def test_other_dialogs_go_on_while_a_tool_works_and_its_output_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"5?<|end|><|assistant|>": "<calc>2*3</calc>", "6?<|end|><|assistant|>": "7", "</out>": "6"}
    made, slow = worker(FakeEngine(replies=speaker(said)), questions=("Q{seed}?",)), Slow()
    monkeypatch.setattr(made._calls, "_runner", slow)
    made.admit([ASKED, replace(ASKED, task=Task("scripted", "en", 0, 6), group=1)])
    ended: list[Trajectory] = []
    for _ in range(40):
        ended += made.advance(max_seconds=0.0)
    assert [t.request.group for t in ended] == [1]
    assert made.num_unfinished == 1
    made.load(manifest(1), [])  # new weights arrive meanwhile: what follows the output is theirs
    slow.output.set_result("6")
    while made.num_unfinished:
        ended += made.advance(max_seconds=0.0)
    assert ended[1].turns[0].answer == "6"
    assert set(ended[1].versions.tolist()) == {-1, 0, 1}


def test_a_tool_that_never_answers_costs_its_dialog_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    made = worker(FakeEngine(replies=speaker({"assistant|>": "<calc>2*3</calc>"})), clock=lambda: now[0])
    monkeypatch.setattr(made._calls, "_runner", Slow())
    made.admit([ASKED])
    for _ in range(30):
        assert made.advance(max_seconds=0.0) == []
    now[0] = 61.0
    [trajectory] = made.advance(max_seconds=0.0)
    assert (trajectory.status, made.num_unfinished) == ("failed", 0)


def test_a_tool_that_breaks_fails_the_dialog_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    made, broken = worker(FakeEngine(replies=speaker({"assistant|>": "<calc>2*3</calc>"}))), Slow()
    broken.output.set_exception(OSError("SymPy's process did not start"))
    monkeypatch.setattr(made._calls, "_runner", broken)
    trajectory = talk(made)
    assert trajectory.status == "failed"
    assert "the tool calc raised OSError: SymPy's process did not start" in trajectory.error


def test_only_the_assistant_has_tools() -> None:
    said = {"assistant|>": "<calc>2*3</calc>"}
    role: Role = "proposer"
    trajectory = talk(worker(FakeEngine(replies=speaker(said))), replace(ASKED, role=role))
    assert trajectory.turns[0].tool_uses == ()


# -- what training makes of it --------------------------------------------------------------------------------------


def packed() -> tuple[Trajectory, Scored]:
    trajectory = talk(worker(FakeEngine(replies=speaker(CALLS_ONCE))))
    return trajectory, Scored(trajectory, Score(np.zeros((1, 0), np.float32), np.ones(1, np.float32), np.ones(1)))


def test_all_action_tokens_around_the_output_are_of_one_turn_and_its_end_is_paid() -> None:
    trajectory, scored = packed()
    batch = pack([scored], reward_clip=10.0)
    np.testing.assert_array_equal(batch.turn_index[0] == 0, trajectory.action_mask)
    assert np.flatnonzero(batch.rewards[0]).tolist() == [len(trajectory.tokens) - 1]


@pytest.mark.parametrize("policy_loss", POLICY_LOSSES)
def test_no_loss_entropy_or_kl_reaches_the_logits_of_an_output(policy_loss: str) -> None:
    """The gradient of the logits that predict a token: nothing for the output, something for all that was written."""
    _, scored = packed()
    batch = pack([scored], reward_clip=10.0)
    tokens, mask = torch.tensor(batch.tokens).long(), torch.tensor(batch.action_mask)
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(*tokens.shape, 400, generator=generator).requires_grad_()
    logprobs, entropy = token_logprobs(logits, tokens, temperature=1.0, with_entropy=True)
    old = (logprobs + 0.01).detach()
    loss, _ = POLICY_LOSSES[policy_loss](
        logprobs, old, torch.ones(mask.shape), mask, clip_low=0.2, clip_high=0.2, clip_c=3.0
    )
    assert entropy is not None
    per_token = loss - 0.1 * entropy + 0.1 * kl_estimate(logprobs, old, "k3")
    aggregate(per_token, mask, "token-mean", num_tokens=int(mask.sum()), num_sequences=1).backward()
    assert logits.grad is not None
    reached = logits.grad.abs().sum(-1)[0] > 0
    np.testing.assert_array_equal(reached[:-1].numpy(), batch.action_mask[0, 1:])


@pytest.mark.parametrize("estimator", ["gae", "dr_grpo", "reinforce++"])
def test_no_advantage_lies_on_an_output(estimator: str) -> None:
    _, scored = packed()
    batch = pack([scored, scored], reward_clip=10.0)
    notes = Annotations(
        np.full(batch.tokens.shape, -1.0, np.float32),
        np.full(batch.tokens.shape, -3.0, np.float32),  # the KL term would show
        np.ones((len(batch), batch.tokens.shape[1] + 1), np.float32),
    )
    ppo = PPOConfig(advantage_estimator=estimator, kl_coef=0.5, whiten_advantages=False)  # type: ignore[arg-type]
    advantages = estimate(batch, notes, ppo, 0.5)
    assert not advantages.advantages[~batch.action_mask].any()
    assert not advantages.returns[~batch.action_mask].any()


def test_the_store_keeps_the_calls() -> None:
    trajectory, scored = packed()
    [back] = from_table(to_table([scored], ()))
    assert back.trajectory.turns[0].tool_uses == trajectory.turns[0].tool_uses
    assert back.trajectory.turns[0].answer == "So 6"
    assert to_table([scored], ())["text"].to_pylist() == ["user: Q?\nassistant: So <calc>2*3</calc><out>6</out>6"]

"""Who is to blame when a reward worker goes down: the search of `RewardFleet`, on a fleet in memory."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal, cast

import numpy as np
import pytest

from cluster.fleet import Fleet, MemberLostError
from cluster.rewards import MAX_DOWN_IN_A_ROW, MAX_TOGETHER, RewardFleet
from envs.task import Transcript
from rewards.score import SUCCESS, DialogScore, RewardError
from rl.trajectory import Trajectory
from tests.rl.builders import request, trajectory

NAMES = ("style.polite", "style.brief")
Effect = Literal["goes down", "raises"]


@dataclass
class Remote:
    """A method of an actor; `calls` notes its name."""

    method: Callable[..., Any]
    calls: list[str]

    async def remote(self, *arguments: object) -> Any:
        self.calls.append(self.method.__name__)
        return self.method(*arguments)


@dataclass
class Worker:
    """Judges an answer by its length. `effects`: what an answer does to it, in which column."""

    id: int
    slot: int
    effects: Mapping[str, tuple[str, Effect]]
    calls: list[str]
    starts: bool = True

    @property
    def handle(self) -> SimpleNamespace:
        methods = (self.ping, self.columns, self.score, self.judge_turn)
        return SimpleNamespace(**{method.__name__: Remote(method, self.calls) for method in methods})

    def ping(self) -> str:
        if not self.starts:
            raise MemberLostError("no memory")
        return "pong"

    def columns(self) -> tuple[str, ...]:
        return (*NAMES, SUCCESS)

    def score(self, transcripts: list[Transcript]) -> list[DialogScore | RewardError]:
        return [self._try(transcript) for transcript in transcripts]

    def _try(self, transcript: Transcript) -> DialogScore | RewardError:
        turns = range(len(transcript.turns))
        try:
            cells = [[self.judge_turn(transcript.upto(n), name) for name in self.columns()] for n in turns]
        except RewardError as error:
            return error
        table = np.array(cells, np.float32)
        return DialogScore(table[:, :-1], table[:, -1])

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        column, effect = self.effects.get(transcript.last.answer, ("", "raises"))
        if column == name:
            if effect == "goes down":
                raise MemberLostError(f"reward-{self.id} died")
            raise RewardError(name, transcript.task.id, len(transcript.turns) - 1, "nan")
        return float(len(transcript.last.answer) + (*NAMES, SUCCESS).index(name))


@dataclass
class MemoryFleet:
    """As much of `cluster.fleet.Fleet` as `RewardFleet` uses. `effects_of(id)` says what befalls a worker."""

    effects_of: Callable[[int], Mapping[str, tuple[str, Effect]]]
    num_workers: int = 1
    num_bad_starts: int = 0
    calls: list[str] = field(default_factory=list)
    members: list[Worker] = field(default_factory=list)
    num_restarts: int = 0

    def __post_init__(self) -> None:
        self.members = [self._spawn(index, index) for index in range(self.num_workers)]

    async def started(self, member: Worker) -> None:
        await member.handle.ping.remote()

    async def call(self, member: Worker, answer: Awaitable[Any], timeout_seconds: float) -> Any:
        return await answer

    def credit(self, member: Worker) -> None:
        """Nothing is held against anybody here."""

    def has(self, member: Worker) -> bool:
        return True

    async def replace(self, member: Worker, cause: MemberLostError, *, is_excused: bool) -> Worker:
        self.num_restarts += 1
        self.members[member.slot] = self._spawn(self.num_workers + self.num_restarts - 1, member.slot)
        return self.members[member.slot]

    def _spawn(self, number: int, slot: int) -> Worker:
        return Worker(number, slot, self.effects_of(number), self.calls, starts=number >= self.num_bad_starts)


def dialogs(*answers: str) -> list[Trajectory]:
    """A dialog for each; a comma parts turns."""
    return [trajectory(request(0, group), answer.split(",")) for group, answer in enumerate(answers)]


def fleet_of(
    effects: Mapping[str, tuple[str, Effect]],
    *,
    on_error: Literal["stop", "exclude"] = "exclude",
    max_retries: int = 1,
    only_first: bool = False,
    **options: int,
) -> tuple[RewardFleet, MemoryFleet]:
    members = MemoryFleet(lambda number: effects if number == 0 or not only_first else {}, **options)
    rewards = RewardFleet(cast(Fleet, members), timeout_seconds=1.0, max_retries=max_retries, on_error=on_error)
    return rewards, members


def lengths(outcomes: list[DialogScore | RewardError]) -> list[float | None]:
    """The first cell of each judgement, None for an error."""
    return [None if isinstance(o, RewardError) else float(o.vector[0, 0]) for o in outcomes]


async def test_the_culprit_is_found_among_the_dialogs_and_the_cells() -> None:
    rewards, members = fleet_of({"abcd": ("style.brief", "goes down")})
    outcomes = await rewards.score(dialogs("a", "ab", "abc,abcd", "abcde"))
    assert lengths(outcomes) == [1, 2, None, 5]
    error = outcomes[2]
    assert isinstance(error, RewardError)
    assert (error.dimension, error.turn, error.dialog, error.cause) == (
        "style.brief",
        1,
        "train-0-2-0",
        "reward-2 died",
    )
    assert members.num_restarts == 3  # with the others, alone, in its cell
    assert members.calls.count("judge_turn") == 3 + 2


async def test_success_is_a_cell_like_the_others() -> None:
    rewards, _ = fleet_of({"ab": (SUCCESS, "goes down")})
    [error] = await rewards.score(dialogs("ab"))
    assert isinstance(error, RewardError)
    assert error.dimension == "success"


@pytest.mark.parametrize("answers", [("a", "ab", "abc"), ("ab",)])
async def test_a_worker_that_goes_down_by_chance_costs_nothing(answers: tuple[str, ...]) -> None:
    calm, _ = fleet_of({})
    shaken, members = fleet_of({"ab": ("style.brief", "goes down")}, only_first=True)
    wanted = await calm.score(dialogs(*answers))
    assert lengths(await shaken.score(dialogs(*answers))) == lengths(wanted)
    assert members.num_restarts == 1


async def test_what_is_judged_cell_by_cell_is_judged_alike() -> None:
    """Two workers in a row go down by chance: the dialog ends up in cells, and has the same score."""
    calm, _ = fleet_of({})
    members = MemoryFleet(lambda number: {"ab": ("style.brief", "goes down")} if number < 2 else {})
    rewards = RewardFleet(cast(Fleet, members), timeout_seconds=1.0, max_retries=1, on_error="stop")
    [ours], [theirs] = await rewards.score(dialogs("ab,abc")), await calm.score(dialogs("ab,abc"))
    assert isinstance(ours, DialogScore) and isinstance(theirs, DialogScore)
    np.testing.assert_array_equal(ours.vector, theirs.vector)
    np.testing.assert_array_equal(ours.success, theirs.success)
    assert ours.vector.flags.c_contiguous
    assert ours.vector.dtype == ours.success.dtype == np.float32
    assert "judge_turn" in members.calls


@pytest.mark.parametrize("effect", ["goes down", "raises"])
async def test_where_nothing_is_excluded_the_first_error_is_raised(effect: Effect) -> None:
    rewards, _ = fleet_of({"ab": ("style.polite", effect)}, on_error="stop")
    with pytest.raises(RewardError, match=r"style\.polite failed on turn 0 .*\(dialog train-0-1-0\): (reward-2|nan)"):
        await rewards.score(dialogs("a", "ab", "abc"))


@pytest.mark.parametrize(("max_retries", "num_calls"), [(0, 1), (1, 2), (3, 4)])
async def test_what_raises_is_asked_again_so_many_times(max_retries: int, num_calls: int) -> None:
    rewards, members = fleet_of({"ab": ("style.polite", "raises")}, max_retries=max_retries)
    assert lengths(await rewards.score(dialogs("a", "ab", "abc"))) == [1, None, 3]
    assert (members.calls.count("score"), members.num_restarts) == (num_calls, 0)


async def test_nobody_waits_for_hundreds_of_deadlines() -> None:
    rewards, members = fleet_of({"ab": ("style.polite", "goes down")})
    with pytest.raises(RewardError, match=rf"style\.polite .*\(dialog train-0-{MAX_DOWN_IN_A_ROW - 1}-0\)"):
        await rewards.score(dialogs(*["ab"] * 20))
    assert members.num_restarts == 1 + 2 * MAX_DOWN_IN_A_ROW


async def test_dialogs_that_take_workers_down_now_and_then_are_all_set_aside() -> None:
    rewards, _ = fleet_of({"ab": ("style.polite", "goes down")})
    outcomes = await rewards.score(dialogs(*[*["ab"] * 8, "a"] * 3))
    assert lengths(outcomes) == [*[None] * 8, 1.0] * 3


async def test_a_worker_that_does_not_start_is_held_against_no_dialog() -> None:
    rewards, members = fleet_of({}, num_bad_starts=3, on_error="stop")
    assert lengths(await rewards.score(dialogs("a", "ab"))) == [1, 2]
    assert members.calls == ["ping"] * 4 + ["score"]


async def test_no_call_grows_with_the_run() -> None:
    rewards, members = fleet_of({}, num_workers=2)
    answers = ["a" * (1 + i % 7) for i in range(5 * MAX_TOGETHER)]
    assert lengths(await rewards.score(dialogs(*answers))) == [len(answer) for answer in answers]
    assert members.calls.count("score") == 5

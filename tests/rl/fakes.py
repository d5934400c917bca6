"""The world of `rl/interfaces.py` in memory: the real loop, rollout worker, scenarios, rewards and records run on it.

The policy is a hash. A token, and its log-prob, is a function of (weights, tokens before it, sampling seed), and the
weights are a hash folded over every update. So whatever is lost, repeated, reordered or read from the wrong version
changes the final weights.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from envs.library import Library
from envs.mix import MixLine
from envs.task import Dialog, Question, Task, Transcript
from envs.users import SimulatedUser
from models.chat import ChatFormat, chat_format
from models.samples import Sample, SampleRequest
from models.tokenizer import train_tokenizer
from models.weights import Manifest, Probe
from rewards.score import DialogScore, RewardError, Scorer
from rl.batch import Advantages, Annotations, Batch
from rl.config import Config
from rl.interfaces import World
from rl.load_config import load_config
from rl.loop import Trainer
from rl.records import Records
from rl.report import RunSummary
from rl.rollout import Budget, RolloutWorker
from rl.tasks import build_scorer, build_tasks, signal_of
from rl.trajectory import EpisodeRequest, Trajectory

FIRST_WEIGHTS = hashlib.sha256(b"random weights").hexdigest()
IDENTITY = {"preset": "fake"}
SMALL_RUN = (
    "run.num_iterations=5",
    "model.max_length=200",
    "rollout.rollout_batch_size=4",
    "rollout.n_samples_per_prompt=2",
    "rollout.max_prompt_length=100",
    "rollout.max_response_length=3",
    "ppo.kl_coef=0.1",
    "ppo.kl_target=0.05",
    "ppo.kl_horizon=20",
    "eval.every=2",
    "eval.num_tasks=24",
    "checkpoint.every=2",
)


@cache
def chat() -> ChatFormat:
    return chat_format(train_tokenizer(["What is 1 + 2?", "And plus 3?"], vocab_size=300))


# -- the policy -----------------------------------------------------------------------------------------------------


def _number(*parts: object) -> float:
    """In [0, 1), from a hash."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def next_token(weights: str, prefix: Sequence[int], seed: int | None) -> int:
    """A digit, or the end of the answer; `seed` None is greedy."""
    number = _number("token", weights, list(prefix), seed)
    digits = chat().tokenizer.convert_tokens_to_ids(list("0123456789"))
    return chat().stop_token_ids[0] if number < 0.4 else digits[int(number * 1000) % 10]


def logprob(weights: str, prefix: Sequence[int], token: int) -> float:
    return -0.1 - 2 * _number("log-prob", weights, list(prefix), token)


@dataclass
class Running:
    request: SampleRequest
    tokens: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)


class FakeEngine:
    """Implements `rl.rollout.Engine`: one token of every running request per step.

    `answer_length`: tokens of every answer with its end; None: as the policy likes. `on_step` lets a test do something
    between two steps, such as moving a clock. `says(version, number)`: the digit that is the answer at that version of
    the weights, for a number in [0, 1) that depends on the dialog. `replies(dialog, seed)`: the answer to the last
    question of the dialog so far, as text with its role marks.
    """

    def __init__(
        self,
        *,
        answer_length: int | None = None,
        on_step: Callable[[], None] = lambda: None,
        says: Callable[[int, float], str] | None = None,
        replies: Callable[[str, int], str] | None = None,
    ) -> None:
        self._answer_length, self._on_step, self._says, self._replies = answer_length, on_step, says, replies
        self._running: dict[str, Running] = {}
        self.weights, self.version = "", -1
        self.requests: list[SampleRequest] = []
        self.samples: list[Sample] = []
        self.max_concurrency = 0

    @property
    def num_unfinished(self) -> int:
        return len(self._running)

    def add(self, request: SampleRequest) -> None:
        assert self.weights, "no weights yet"
        assert request.id not in self._running
        self._running[request.id] = Running(request)
        self.requests.append(
            replace(request, prompt=tuple(request.prompt), stop_token_ids=tuple(request.stop_token_ids))
        )

    def abort(self, ids: Sequence[str]) -> None:
        for request_id in ids:
            del self._running[request_id]

    def step(self) -> list[Sample]:
        self._on_step()
        self.max_concurrency = max(self.max_concurrency, len(self._running))
        finished = [sample for running in self._running.values() if (sample := self._extend(running)) is not None]
        for sample in finished:
            del self._running[sample.id]
        self.samples += finished
        return finished

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        self.weights, self.version = manifest.sha256, manifest.version
        return 0.0

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        """Weights come by `load` alone."""

    def _extend(self, running: Running) -> Sample | None:
        request, stop = running.request, chat().stop_token_ids[0]
        prefix = [*request.prompt, *running.tokens]
        token = next_token(self.weights, prefix, None if request.greedy else request.seed)
        if self._answer_length is not None:
            is_last = len(running.tokens) == self._answer_length - 1
            token = stop if is_last else chat().tokenizer.convert_tokens_to_ids("7")
        if self._says is not None:
            digit = self._says(self.version, _number(list(request.prompt), request.seed))
            token = stop if running.tokens else chat().tokenizer.convert_tokens_to_ids(digit)
        if self._replies is not None:
            answer = self._replies(chat().tokenizer.decode(request.prompt), request.seed)
            written = chat().tokenizer.encode(answer, add_special_tokens=False)
            token = [*written, stop][len(running.tokens)]
        running.tokens.append(token)
        running.logprobs.append(logprob(self.weights, prefix, token))
        running.versions.append(self.version)
        stops = token in (stop, *request.stop_token_ids)
        if not stops and len(running.tokens) < request.max_tokens:
            return None
        return Sample(
            request.id,
            np.array(running.tokens, np.int32),
            np.array(running.logprobs, np.float32),
            np.array(running.versions, np.int32),
            "stop" if stops else "length",
        )


@dataclass
class FakeOpponents:
    """The second engine of a worker: says what the policy does that `FakeLearner.save_policy` has written."""

    engine: FakeEngine

    def __call__(self, folder: str) -> FakeEngine:
        self.engine.load(manifest(-1, (Path(folder) / "weights").read_text()), [])
        return self.engine


def manifest(version: int, weights: str = FIRST_WEIGHTS) -> Manifest:
    nothing = np.zeros((0, 0), np.int32)
    return Manifest(version, "full", (), weights, Probe(nothing, nothing.astype(np.float32), 0.0))


# -- the other side -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scripted:
    """Always the same questions, told apart by the task's seed. `fails(task)` makes it raise in `fails_in`."""

    questions: tuple[str, ...] = ("What is {seed} + 1?",)
    fails: Callable[[Task], bool] = lambda task: False
    fails_in: Literal["open", "reply", "verify", "nothing"] = "nothing"
    name: str = "scripted"
    domain: str = "test"
    languages: tuple[str, ...] = ("en",)
    num_levels: int = 1

    def size(self, language: str, level: int) -> int | None:
        return None

    def dialog(self, task: Task) -> Dialog:
        plan = [Question(text.format(seed=task.seed % 100), "7", "integer") for text in self.questions]
        return ScriptedUser(plan, self, task)

    def verify(self, transcript: Transcript) -> float:
        self.check("verify", transcript.task)
        return float("7" in transcript.last.answer)

    def check(self, place: str, task: Task) -> None:
        if place == self.fails_in and self.fails(task):
            raise LookupError(f"no {place} today")


class ScriptedUser:
    def __init__(self, plan: Sequence[Question], scenario: Scripted, task: Task) -> None:
        self._user, self._scenario, self._task = SimulatedUser(plan), scenario, task

    def open(self) -> Question:
        self._scenario.check("open", self._task)
        return self._user.open()

    def reply(self, answer: str) -> Question | None:
        self._scenario.check("reply", self._task)
        return self._user.reply(answer)


# -- the world ------------------------------------------------------------------------------------------------------


class KilledError(Exception):
    """Stands for the end of the driver's process."""


class Trap:
    """Raises `error` at `times` visits of one phase, from number `visit` (from 0) on; every other visit passes."""

    def __init__(
        self, phase: str = "none", visit: int = 0, *, error: type[Exception] = KilledError, times: int = 10**6
    ) -> None:
        self._phase, self._error, self._range, self._num_visits = phase, error, range(visit, visit + times), 0

    def visit(self, phase: str) -> None:
        if phase != self._phase:
            return
        self._num_visits += 1
        if self._num_visits - 1 in self._range:
            raise self._error(phase)


class MemoryRollouts:
    """Shares the dialogs out over the workers in turn, and steps all workers whenever anybody waits."""

    def __init__(self, workers: Sequence[RolloutWorker], trap: Trap) -> None:
        self._workers, self._trap = workers, trap
        self._finished: dict[str, Trajectory] = {}
        self.collections: list[str] = []  # "train-0 starts", "train-0 ends", ...
        self.asked: list[str] = []  # ids

    async def sample(self, requests: Sequence[EpisodeRequest]) -> AsyncIterator[list[Trajectory]]:
        name = f"{requests[0].purpose}-{requests[0].iteration}"
        self.collections.append(f"{name} starts")
        self.asked += [request.id for request in requests]
        for index, request in enumerate(requests):
            self._workers[index % len(self._workers)].admit([request])
        missing = [request.id for request in requests]
        try:
            while missing:
                for worker in self._workers:
                    self._finished |= {t.request.id: t for t in worker.advance(max_seconds=0.0)}
                ended = [self._finished.pop(i) for i in missing if i in self._finished]
                missing = [i for i in missing if i not in {t.request.id for t in ended}]
                if ended:
                    yield ended
                    self._trap.visit(f"collect {requests[0].purpose}")
                await asyncio.sleep(0)
        finally:
            for worker in self._workers:
                worker.withdraw(missing)
            self._finished = {i: t for i, t in self._finished.items() if i not in missing}
        self.collections.append(f"{name} ends")


class MemoryRewards:
    def __init__(self, scorer: Scorer, on_error: Literal["stop", "exclude"]) -> None:
        self._scorer, self._on_error = scorer, on_error
        self.judged: list[Trajectory] = []

    async def score(self, trajectories: Sequence[Trajectory]) -> list[DialogScore | RewardError]:
        await asyncio.sleep(0)
        self.judged += trajectories
        judge = self._scorer.score if self._on_error == "stop" else self._scorer.try_score
        return [judge(t.transcript) for t in trajectories]


class FakeLearner:
    """Its weights are a hash over the first weights and every update. `logprob_error` is added to what it computes."""

    def __init__(self, trap: Trap, *, logprob_error: float = 0.0) -> None:
        self._trap, self._logprob_error = trap, logprob_error
        self.weights = self.first_weights = FIRST_WEIGHTS
        self.batches: dict[int, Batch] = {}
        self.kl_coefs: dict[int, float] = {}
        self.num_rebuilds = 0

    async def annotate(self, batch: Batch) -> Annotations:
        self._trap.visit("annotate")
        values = np.linspace(0, 1, batch.tokens.size + len(batch), dtype=np.float32).reshape(len(batch), -1)
        logprobs = self._logprobs(self.weights, batch) + np.float32(self._logprob_error)
        return Annotations(logprobs, self._logprobs(FIRST_WEIGHTS, batch), values)

    async def update(
        self, batch: Batch, annotations: Annotations, advantages: Advantages, *, step: int, kl_coef: float
    ) -> dict[str, float]:
        for _ in range(3):  # meanwhile dialogs go on
            await asyncio.sleep(0)
        self._trap.visit("update")
        assert step not in self.batches, "one update per step"
        self.batches[step], self.kl_coefs[step] = batch, kl_coef
        digest = hashlib.sha256(f"{self.weights} {step} {kl_coef!r}".encode())
        for array in (batch.tokens, batch.action_mask, batch.rewards, annotations.logprobs, advantages.advantages):
            digest.update(np.ascontiguousarray(array).tobytes())
        self.weights = digest.hexdigest()
        return {"actor/entropy": _number(self.weights)}

    async def save(self, folder: Path) -> None:
        (folder / "policy").mkdir()
        (folder / "policy" / "weights").write_text(self.weights)
        await asyncio.sleep(0)
        self._trap.visit("save")
        (folder / "optimizer").write_text("momentum")

    async def save_policy(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "weights").write_text(self.weights)
        await asyncio.sleep(0)
        self._trap.visit("snapshot")

    async def load(self, folder: Path) -> None:
        self.weights = (folder / "policy" / "weights").read_text()

    async def fingerprint(self, version: int) -> str:
        self._trap.visit("fingerprint")
        return self.weights

    async def rebuild(self) -> None:
        self.num_rebuilds += 1
        self._trap.visit("rebuild")
        self.weights, self.batches, self.kl_coefs = self.first_weights, {}, {}

    def _logprobs(self, weights: str, batch: Batch) -> np.ndarray:
        found = np.zeros(batch.tokens.shape, np.float32)
        for row, column in np.argwhere(batch.action_mask):
            tokens = batch.tokens[row].tolist()
            found[row, column] = logprob(weights, tokens[:column], tokens[column])
        return found


class MemoryWeights:
    """Loads into every engine but the `deaf` ones, which keep their first weights."""

    def __init__(self, learner: FakeLearner, workers: Sequence[RolloutWorker], trap: Trap, deaf: Sequence[int]) -> None:
        self._learner, self._workers, self._trap, self._deaf = learner, workers, trap, deaf
        self.published: list[int] = []

    async def publish(self, version: int) -> str:
        self._trap.visit("publish")
        await asyncio.sleep(0)
        for index, worker in enumerate(self._workers):
            if not self.published or index not in self._deaf:
                worker.load(manifest(version, self._learner.weights), [])
        self.published.append(version)
        return self._learner.weights


class MemoryFleet:
    def metrics(self) -> dict[str, float]:
        return {"fleet/rollout_restarts": 0.0}

    def observe(self, timing: Mapping[str, float]) -> None:
        """Nothing scales here."""

    async def peak_rss_bytes(self) -> dict[str, int]:
        return {"driver": 1000}


class Run:
    """A run in memory. Example: `summary = Run(tmp_path, small_config()).train()`; afterwards look at its parts.

    Args:
        scenario: asked instead of the recipe's mixture.
        trap: where the run is to be killed.
        deaf: workers that never get new weights.
        says, replies: what every answer is, see `FakeEngine`.
    """

    def __init__(
        self,
        run_dir: Path,
        config: Config,
        *,
        scenario: Scripted | None = None,
        trap: Trap | None = None,
        num_workers: int = 2,
        deaf: Sequence[int] = (),
        logprob_error: float = 0.0,
        says: Callable[[int, float], str] | None = None,
        replies: Callable[[str, int], str] | None = None,
    ) -> None:
        trap = trap or Trap()
        self.run_dir, self.config, self.said = run_dir, config, list[str]()
        self.library, self.mix = build_tasks(config)
        self.scorer = build_scorer(config)
        if scenario is not None:
            self.library, self.mix = Library((scenario,)), (MixLine(scenario.name),)
            self.scorer = Scorer(self.scorer.dimensions, {scenario.name: scenario})
        self.engines = [FakeEngine(says=says, replies=replies) for _ in range(num_workers)]
        workers = [
            RolloutWorker(
                engine,
                chat(),
                self.library,
                budget(config),
                name=f"rollout-{index}",
                opponents=FakeOpponents(FakeEngine(says=says, replies=replies)),
                model_users=config.rollout.model_users,
            )
            for index, engine in enumerate(self.engines)
        ]
        self.rollouts = MemoryRollouts(workers, trap)
        self.rewards = MemoryRewards(self.scorer, config.rewards.on_error)
        self.learner = FakeLearner(trap, logprob_error=logprob_error)
        self.weights = MemoryWeights(self.learner, workers, trap, deaf)

    def train(self) -> RunSummary:
        records = Records(self.run_dir, self.config, self.scorer.names, IDENTITY, self.said.append)
        world = World(self.rollouts, self.rewards, self.learner, self.weights, MemoryFleet())
        trainer = Trainer(self.config, self.library, self.mix, signal_of(self.config.rewards), world, records)
        try:
            return asyncio.run(trainer.train())
        finally:
            records.close()


def small_config(*overrides: str) -> Config:
    return load_config("r1_zero_smoke", [*SMALL_RUN, *overrides])


def budget(config: Config) -> Budget:
    return Budget(
        max_prompt_length=config.rollout.max_prompt_length,
        max_response_length=config.rollout.max_response_length,
        max_length=config.model.max_length,
        max_turns=config.rollout.max_turns,
        timeout_seconds=config.rollout.episode_timeout_seconds,
    )

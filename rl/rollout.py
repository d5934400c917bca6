"""Many dialogs at once on one engine: admit, step, collect, let the other side answer, admit the next turn.

Nothing in a trajectory depends on which worker made it or on what else was running: the seed of a turn is a function of
the request, and the engine's arithmetic of the tokens alone.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from envs.library import Library
from envs.task import Dialog, Question, Turn
from envs.user_file import cause_of
from models.chat import ChatFormat
from models.sampler import Sample, SampleRequest
from models.weights import Manifest
from rl.trajectory import EpisodeRequest, Status, Trajectory, failed


class Engine(Protocol):
    """What a rollout needs of `models.sampler.Sampler`; tests have a small deterministic one."""

    @property
    def num_unfinished(self) -> int: ...

    def add(self, request: SampleRequest) -> None: ...

    def abort(self, ids: Sequence[str]) -> None: ...

    def step(self) -> list[Sample]: ...

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float: ...

    def join_transfer(self, init_info: Mapping[str, Any]) -> None: ...


@dataclass(frozen=True, slots=True)
class Budget:
    """Where a dialog ends whatever happens. Lengths in tokens."""

    max_prompt_length: int
    max_response_length: int
    max_length: int
    max_turns: int
    timeout_seconds: float


@dataclass
class Episode:
    """One dialog in the making: everything that was read and written so far."""

    request: EpisodeRequest
    dialog: Dialog
    question: Question
    tokens: list[int]
    started: float
    action_mask: list[bool] = field(default_factory=list)
    logprobs: list[np.ndarray] = field(default_factory=list)
    versions: list[np.ndarray] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    turn_ends: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pad(len(self.tokens))

    def read(self, question: Question, prompt: list[int]) -> None:
        """Append what the other side said next."""
        self.question = question
        self.tokens += prompt
        self._pad(len(prompt))

    def write(self, sample: Sample, answer: str) -> None:
        """Append what the policy said."""
        self.tokens += sample.tokens.tolist()
        self.action_mask += [True] * len(sample.tokens)
        self.logprobs.append(sample.logprobs)
        self.versions.append(sample.versions)
        self.turns.append(Turn(self.question, answer, sample.finish, len(sample.tokens)))
        self.turn_ends.append(len(self.tokens) - 1 if len(sample.tokens) else -1)

    def finish(self, status: Status, *, worker: str, now: float) -> Trajectory:
        """The dialog up to its last answer; a question that nobody answered is left out."""
        end = max(self.turn_ends) + 1
        return Trajectory(
            request=self.request,
            tokens=np.asarray(self.tokens[:end], np.int32),
            action_mask=np.asarray(self.action_mask[:end], bool),
            logprobs=np.concatenate(self.logprobs)[:end],
            versions=np.concatenate(self.versions)[:end],
            turns=tuple(self.turns),
            turn_ends=np.asarray(self.turn_ends, np.int32),
            status=status,
            worker=worker,
            seconds=now - self.started,
        )

    def _pad(self, count: int) -> None:
        self.action_mask += [False] * count
        self.logprobs.append(np.zeros(count, np.float32))
        self.versions.append(np.full(count, -1, np.int32))


class RolloutWorker:
    """Talks through dialogs with the policy in its engine.

    Example: `worker.admit(requests); trajectories = worker.advance(max_seconds=0.2)`
    """

    def __init__(
        self,
        engine: Engine,
        chat: ChatFormat,
        library: Library,
        budget: Budget,
        *,
        name: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._chat, self._library, self._budget = engine, chat, library, budget
        self._name, self._clock = name, clock
        self._episodes: dict[str, Episode] = {}
        self._finished: list[Trajectory] = []

    @property
    def num_unfinished(self) -> int:
        return len(self._episodes)

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Take new weights between two steps; unfinished dialogs go on with them. See `Sampler.load`."""
        return self._engine.load(manifest, buckets)

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        """Enter the NCCL group through which `load` will receive; see `Sampler.join_transfer`."""
        self._engine.join_transfer(init_info)

    def admit(self, requests: Sequence[EpisodeRequest]) -> None:
        """Start a dialog for every request. One that cannot start is finished at once, as failed."""
        for request in requests:
            try:
                dialog = self._library.find(request.task.scenario).dialog(request.task)
                question = dialog.open()
                prompt = self._chat.open(question.text)
            except Exception as error:  # a user's scenario may do anything, and must cost one episode only
                self._fail(request, f"the scenario raised {cause_of(error)}")
                continue
            limit = min(self._budget.max_prompt_length, self._budget.max_length - 1)
            if len(prompt) > limit:
                self._fail(request, f"the opening question has {len(prompt)} tokens, more than {limit}")
                continue
            self._episodes[request.id] = Episode(request, dialog, question, prompt, self._clock())
            self._ask(self._episodes[request.id])

    def advance(self, max_seconds: float) -> list[Trajectory]:
        """Step the engine, once at least, until all dialogs have ended or `max_seconds` are over.

        Returns what has ended since the last call.
        """
        start = self._clock()
        while self._episodes:
            for sample in self._engine.step():
                self._take(self._episodes[sample.id], sample)
            self._end_overdue()
            if self._clock() - start >= max_seconds:
                break
        finished, self._finished = self._finished, []
        return finished

    def _ask(self, episode: Episode) -> None:
        room = self._budget.max_length - len(episode.tokens)
        self._engine.add(
            SampleRequest(
                id=episode.request.id,
                prompt=episode.tokens,
                max_tokens=min(self._budget.max_response_length, room),
                seed=episode.request.turn_seed(len(episode.turns)),
                greedy=episode.request.purpose == "eval",
            )
        )

    def _take(self, episode: Episode, sample: Sample) -> None:
        answer = self._chat.decode(sample.tokens.tolist())
        episode.write(sample, answer)
        ended = sample.finish == "stop"
        try:
            question = episode.dialog.reply(answer)
            prompt = [] if question is None else self._chat.reply(question.text, answer_ended=ended)
        except Exception as error:
            self._lose(episode, f"the scenario raised {cause_of(error)}")
            return
        if question is None:
            # a last answer that was cut off has a future that nobody saw
            self._end(episode, "ok" if ended else "truncated")
            return
        too_long = len(episode.tokens) + len(prompt) >= self._budget.max_length
        if too_long or len(episode.turns) >= self._budget.max_turns:
            self._end(episode, "truncated")
            return
        episode.read(question, prompt)
        self._ask(episode)

    def _end(self, episode: Episode, status: Status) -> None:
        del self._episodes[episode.request.id]
        self._finished.append(episode.finish(status, worker=self._name, now=self._clock()))

    def _lose(self, episode: Episode, error: str) -> None:
        del self._episodes[episode.request.id]
        self._fail(episode.request, error, seconds=self._clock() - episode.started)

    def _fail(self, request: EpisodeRequest, error: str, *, seconds: float = 0.0) -> None:
        error = f"{request.task.id}: {error}"
        self._finished.append(failed(request, error=error, worker=self._name, seconds=seconds))

    def _end_overdue(self) -> None:
        now, limit = self._clock(), self._budget.timeout_seconds
        overdue = [e for e in self._episodes.values() if now - e.started > limit]
        self._engine.abort([e.request.id for e in overdue])
        for episode in overdue:
            if episode.turns:
                self._end(episode, "truncated")
            else:
                self._lose(episode, f"no answer within {limit:g} seconds")

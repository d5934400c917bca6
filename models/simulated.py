"""An engine without a model, for runs whose subject is all that is around it: hundreds of workers, kills, leaks.

Its answers mean nothing and behave well: lengths and times are drawn from those of a real run, and the tokens are a
function of weights, seed and prompt, never of the worker or the clock. So the final weights of a run depend on every
answer, and equal ones prove as much as with vLLM. Left out: all that takes a network, which is scores of texts, times
of single tokens, the probe of a publication, modules and opponents.
"""

import hashlib
import heapq
import json
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from models.samples import Sample, SampleRequest
from models.scoring import ScoreRequest
from models.weights import Manifest, WeightSyncError, unpack_weights

WAIT_SECONDS = 0.05  # that a step waits for an answer, at most


class SimulationError(RuntimeError):
    """Something that only an engine with a model can do."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How a real engine behaved: an answer of n tokens takes (prompt_seconds + n * token_seconds) * spread.

    Lengths and spreads are quantiles at even distances, from the smallest to the largest. The defaults are what
    tests/benchmarks/fit_profile.py finds in a run of r1_zero on one core: 512 dialogs at once, so each one is slow.

    Attributes:
        answer_lengths: tokens of an answer, its end included.
    """

    answer_lengths: tuple[float, ...] = (1.0, 3.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0)
    prompt_seconds: float = 0.0
    token_seconds: float = 0.2414
    spread: tuple[float, ...] = (0.467, 0.531, 0.560, 0.589, 0.636, 0.903, 1.147, 1.368, 1.505, 1.618, 5.635)


def read_profile(path: Path) -> Profile:
    """Raises SimulationError where the file is no profile."""
    try:
        found = json.loads(path.read_text())
        return Profile(**{f.name: _plain(found[f.name]) for f in fields(Profile)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SimulationError(f"{path} is no profile of an engine: {type(error).__name__}: {error}") from error


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """What the engine needs to know.

    Attributes:
        tokens: ids to choose from; those that end an answer are not among them.
        time_scale: seconds that pass for one of the profile; 0: everything is answered at once.
    """

    profile: Profile
    tokens: tuple[int, ...]
    stop_token_ids: tuple[int, ...]
    max_num_seqs: int
    time_scale: float = 0.0


@dataclass(slots=True)
class _Running:
    """An answer in the making: what earlier weights wrote of it, and all that the present ones will have written."""

    request: SampleRequest
    written: list[tuple[np.ndarray, int]] = field(default_factory=list)  # tokens and version of the weights
    tokens: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int32))
    version: int = 0  # of the present weights
    start: float = 0.0
    due: float = 0.0

    @property
    def prompt(self) -> np.ndarray:
        return np.concatenate([np.asarray(self.request.prompt, np.int32), *(tokens for tokens, _ in self.written)])

    @property
    def room(self) -> int:
        return self.request.max_tokens - sum(len(tokens) for tokens, _ in self.written)


class SimulatedEngine:
    """Implements `rl.rollout.Engine`. As many answers as the settings allow are under way at once; others wait."""

    def __init__(
        self,
        settings: SimulationSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._clock, self._sleep = settings, clock, sleep
        self._tokens = np.asarray(settings.tokens, np.int32)
        self._version: int | None = None
        self._sha256 = ""
        self._waiting: deque[_Running] = deque()
        self._running: dict[str, _Running] = {}
        self._due: list[tuple[float, str]] = []  # a heap; may name what has been aborted

    @property
    def num_unfinished(self) -> int:
        return len(self._running) + len(self._waiting)

    def add(self, request: SampleRequest) -> None:
        """Raises WeightSyncError before there are weights, SimulationError for a module."""
        if self._version is None:
            raise WeightSyncError("the engine holds no verified weights: load a published version first")
        if request.module:
            raise SimulationError(f"a simulated engine has no modules: {request.module!r}")
        self._waiting.append(_Running(request))
        self._start_waiting(self._clock())

    def add_score(self, request: ScoreRequest) -> None:
        raise SimulationError("a simulated engine finds no text more probable than another: use rollout.engine = vllm")

    def abort(self, ids: Sequence[str]) -> None:
        for request_id in ids:
            self._running.pop(request_id, None)
        self._waiting = deque(running for running in self._waiting if running.request.id not in ids)
        self._start_waiting(self._clock())

    def step(self) -> list[Sample]:
        """The answers that are due; where none is, wait a little for the first one."""
        now = self._clock()
        if self._due and self._due[0][0] > now:
            self._sleep(min(self._due[0][0] - now, WAIT_SECONDS))
            now = self._clock()
        finished = []
        while self._due and self._due[0][0] <= now:
            due, request_id = heapq.heappop(self._due)
            if request_id in self._running and self._running[request_id].due == due:
                finished.append(self._sample(self._running.pop(request_id)))
                self._start_waiting(due)
        return finished

    def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]:
        raise SimulationError("a simulated engine takes the time of another one: use rollout.engine = vllm")

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Check every tensor of published weights, and from now on answer by their SHA-256. What has been written so
        far stays. Returns 0, for there is no network to answer the probe.

        Raises:
            WeightSyncError: what arrived is not what was published.
        """
        now, self._version = self._clock(), None
        for _ in unpack_weights(manifest, buckets):  # each is checked as it comes
            pass
        for running in self._running.values():
            share = (now - running.start) / (running.due - running.start) if running.due > now else 1.0
            if count := min(int(share * len(running.tokens)), len(running.tokens) - 1):
                running.written.append((running.tokens[:count], running.version))
        self._version, self._sha256, self._due = manifest.version, manifest.sha256, []
        for running in self._running.values():
            self._write(running, now)
        return 0.0

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        raise SimulationError("a simulated engine has no GPU: use rollout.weight_transfer = object_store")

    def _start_waiting(self, now: float) -> None:
        while self._waiting and len(self._running) < self._settings.max_num_seqs:
            running = self._waiting.popleft()
            self._running[running.request.id] = running
            self._write(running, now)

    def _write(self, running: _Running, now: float) -> None:
        """Decide what comes next, and how long it takes."""
        settings, profile, request = self._settings, self._settings.profile, running.request
        what = (self._sha256, None if request.greedy else request.seed)
        key = hashlib.blake2b(repr(what).encode() + running.prompt.tobytes(), digest_size=16).digest()
        numbers = np.random.Generator(np.random.PCG64(int.from_bytes(key)))
        length = max(1, round(_quantile(profile.answer_lengths, numbers.random())))
        tokens = np.append(
            self._tokens[numbers.integers(len(self._tokens), size=length - 1)], settings.stop_token_ids[:1]
        )
        if len(ends := np.flatnonzero(np.isin(tokens, request.stop_token_ids))):
            tokens = tokens[: ends[0] + 1]
        assert self._version is not None
        running.tokens, running.version = tokens[: running.room].astype(np.int32), self._version
        seconds = profile.prompt_seconds + len(running.tokens) * profile.token_seconds
        seconds *= _quantile(profile.spread, numbers.random()) * settings.time_scale
        running.start, running.due = now, now + seconds
        heapq.heappush(self._due, (running.due, request.id))

    def _sample(self, running: _Running) -> Sample:
        parts = [*running.written, (running.tokens, running.version)]
        tokens = np.concatenate([tokens for tokens, _ in parts])
        stops = (*self._settings.stop_token_ids, *running.request.stop_token_ids)
        return Sample(
            id=running.request.id,
            tokens=tokens,
            # as if every token had been as likely as any other
            logprobs=np.full(len(tokens), -math.log(len(self._tokens) + 1), np.float32),
            versions=np.concatenate([np.full(len(tokens), version, np.int32) for tokens, version in parts]),
            finish="stop" if int(tokens[-1]) in stops else "length",
        )


def _quantile(quantiles: Sequence[float], share: float) -> float:
    return float(np.interp(share, np.linspace(0.0, 1.0, len(quantiles)), quantiles))


def _plain(value: float | Sequence[float]) -> float | tuple[float, ...]:
    return tuple(map(float, value)) if isinstance(value, list) else float(value)

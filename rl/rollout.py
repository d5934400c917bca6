"""Many dialogs at once on one engine: admit, step, collect, let the other side answer, admit the next turn.

Nothing in a trajectory depends on which worker made it or on what else was running: the seed of a turn is a function of
the request, and the engine's arithmetic of the tokens alone.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from envs.library import Library
from envs.task import Played, Question
from envs.user_file import cause_of
from models.chat import ChatFormat
from models.lora import ModuleError
from models.modules import EngineModules
from models.sampler import Sample, SampleRequest
from models.weights import Manifest
from rl.episode import Conversation, Episode, OneSided, Side, TwoSided
from rl.router import Router
from rl.trajectory import EpisodeRequest, Trajectory, failed


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


class RolloutWorker:
    """Talks through dialogs with the policy in its engine, and with one opponent at a time in a second engine.

    Args:
        opponents: makes the second engine say the words of the policy in a folder. It is asked again only when no
            dialog with another folder is under way, so it may use one engine for all of them.
        model_users: whether a model plays the user in training, where the scenario can be played.
        modules: those of the engine, where it takes any.

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
        opponents: Callable[[str], Engine] | None = None,
        model_users: bool = False,
        modules: EngineModules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._chat, self._library, self._budget = engine, chat, library, budget
        self._name, self._clock = name, clock
        self._opponents, self._model_users = opponents, model_users
        self._modules = modules
        self._router: Router | None = None
        self._opponent: Engine | None = None
        self._episodes: dict[str, Episode] = {}  # by the id of the side that speaks next
        self._waiting: deque[EpisodeRequest] = deque()  # for their opponent to take the second engine
        self._finished: list[Trajectory] = []

    @property
    def num_unfinished(self) -> int:
        return len(self._episodes) + len(self._waiting)

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Take new weights between two steps; unfinished dialogs go on with them. See `Sampler.load`."""
        return self._engine.load(manifest, buckets)

    def serve_modules(self, folders: Sequence[str], router: str) -> None:
        """Let the engine have the modules in these folders and no others, and a router choose among them that is in a
        file; "" for none. Raises ModuleError, RouterError.
        """
        if self._modules is not None:
            self._modules.serve([Path(folder) for folder in folders])
        elif folders:
            raise ModuleError("this engine takes no modules; set rollout.num_modules")
        self._router = Router.load(Path(router)) if router else None

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        """Enter the NCCL group through which `load` will receive; see `Sampler.join_transfer`."""
        self._engine.join_transfer(init_info)

    def admit(self, requests: Sequence[EpisodeRequest]) -> None:
        """Start a dialog for every request. One that cannot start is finished at once, as failed; one with another
        opponent than those under way waits until they have ended.
        """
        for request in requests:
            if request.opponent:
                self._waiting.append(request)
            else:
                self._start(request)
        self._start_waiting()

    def advance(self, max_seconds: float) -> list[Trajectory]:
        """Step the engines, once at least, until all dialogs have ended or `max_seconds` are over.

        Returns what has ended since the last call.
        """
        start = self._clock()
        while self.num_unfinished:
            for engine in filter(None, (self._engine, self._opponent)):
                if engine.num_unfinished:
                    for sample in engine.step():
                        self._take(self._episodes.pop(sample.id), sample)
            self._end_overdue()
            self._start_waiting()
            if self._clock() - start >= max_seconds:
                break
        finished, self._finished = self._finished, []
        return finished

    def _start_waiting(self) -> None:
        """Give the second engine to the opponent of those who wait longest, once no dialog with another one runs."""
        while self._waiting:
            request = self._waiting[0]
            if {episode.request.opponent for episode in self._episodes.values()} - {"", request.opponent}:
                return
            self._waiting.popleft()
            try:
                self._opponent = self._second_engine(request)
            except Exception as error:  # a folder may hold anything, and must cost its own episodes only
                self._fail(request, f"opponent {request.opponent}: {type(error).__name__}: {error}")
            else:
                self._start(request)

    def _second_engine(self, request: EpisodeRequest) -> Engine:
        if self._opponents is None:
            raise LookupError("this worker was given no way to load one")
        if not request.is_by_opponent and not self._is_played(request):
            raise LookupError("it has no words in this dialog, whose user is a program")
        return self._opponents(request.opponent)

    def _start(self, request: EpisodeRequest) -> None:
        try:
            conversation = self._conversation(request)
            cue = conversation.open()
            prompt = self._chat.open(cue.question.text)
        except Exception as error:  # a user's scenario may do anything, and must cost one episode only
            self._fail(request, f"the scenario raised {cause_of(error)}")
            return
        episode = Episode(request, conversation, self._clock())
        side = episode.side(cue.role)
        if len(prompt) > self._room(side):
            self._fail(request, f"the opening question has {len(prompt)} tokens, more than {self._room(side)}")
            return
        self._ask(episode, side, cue.question, prompt)

    def _conversation(self, request: EpisodeRequest) -> Conversation:
        scenario = self._library.find(request.task.scenario)
        if isinstance(scenario, Played) and self._is_played(request):
            return TwoSided(scenario.played(request.task))
        return OneSided(scenario.dialog(request.task), request.role)

    def _is_played(self, request: EpisodeRequest) -> bool:
        """Whether a model plays the user. Evaluations measure the assistant alone, with users who say what is right."""
        if not self._model_users or request.role != "assistant" or request.purpose == "eval":
            return False
        return isinstance(self._library.find(request.task.scenario), Played)

    def _room(self, side: Side) -> int:
        """The longest prompt that leaves this side a token to answer with."""
        room = self._budget.max_length - 1 - len(side.tokens)
        return room if side.turns else min(self._budget.max_prompt_length, room)

    def _ask(self, episode: Episode, side: Side, question: Question, prompt: list[int]) -> None:
        side.module = self._module(side, question)
        side.read(question, prompt)
        episode.speaker = side
        self._episodes[side.request.id] = episode
        self._engine_of(side).add(
            SampleRequest(
                id=side.request.id,
                prompt=side.tokens,
                max_tokens=min(self._budget.max_response_length, self._budget.max_length - len(side.tokens)),
                seed=side.request.turn_seed(len(side.turns)),
                greedy=side.request.purpose == "eval",
                module=side.module,
            )
        )

    def _module(self, side: Side, question: Question) -> str:
        """Which module answers the question; "" for none."""
        request = side.request
        if request.role != "assistant":
            return ""
        if request.routing == "none" or (request.routing == "dialog" and side.turns):
            return side.module or request.module
        assert self._router is not None, "a request asks for a router, and this worker was given none"
        return self._router.choose(question.text, otherwise=side.module)

    def _engine_of(self, side: Side) -> Engine:
        if not side.request.is_by_opponent:
            return self._engine
        assert self._opponent is not None
        return self._opponent

    def _take(self, episode: Episode, sample: Sample) -> None:
        """Note what was said, and hand it to the other side."""
        speaker = episode.speaker
        answer = self._chat.decode(sample.tokens.tolist())
        speaker.write(sample, answer)
        try:
            cue = episode.conversation.reply(speaker.request.role, answer)
            if cue is None:
                self._end(episode, cut=False)
                return
            side = episode.side(cue.role)
            prompt = self._prompt(side, cue.question.text)
        except Exception as error:
            self._lose(episode, f"the scenario raised {cause_of(error)}")
            return
        if len(prompt) > self._room(side) or len(side.turns) >= self._budget.max_turns:
            self._end(episode, cut=True)
            return
        self._ask(episode, side, cue.question, prompt)

    def _prompt(self, side: Side, text: str) -> list[int]:
        return self._chat.reply(text, answer_ended=not side.is_cut_off) if side.turns else self._chat.open(text)

    def _end(self, episode: Episode, *, cut: bool) -> None:
        self._finished.append(episode.finish(cut=cut, worker=self._name, now=self._clock()))

    def _lose(self, episode: Episode, error: str) -> None:
        self._fail(episode.request, error, seconds=self._clock() - episode.started)

    def _fail(self, request: EpisodeRequest, error: str, *, seconds: float = 0.0) -> None:
        error = f"{request.task.id}: {error}"
        self._finished.append(failed(request, error=error, worker=self._name, seconds=seconds))

    def _end_overdue(self) -> None:
        now, limit = self._clock(), self._budget.timeout_seconds
        overdue = {key: e for key, e in self._episodes.items() if now - e.started > limit}
        for key, episode in overdue.items():
            self._engine_of(episode.speaker).abort([key])
            del self._episodes[key]
            if episode.main.turns:
                self._end(episode, cut=True)
            else:
                self._lose(episode, f"no answer within {limit:g} seconds")

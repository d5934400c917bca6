"""Many dialogs at once on one engine: admit, step, collect, let the other side answer, admit the next turn.

Nothing in a trajectory depends on which worker made it or on what else was running: the seed of a turn is a function of
the request, and the engine's arithmetic of the tokens alone.
"""

import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from envs.library import Library
from envs.task import FinishReason, Played, Question
from envs.user_file import cause_of
from models.chat import ChatFormat
from models.modules import EngineModules
from models.samples import Sample, SampleRequest, Timing, TimingRequest
from models.scoring import ScoreRequest, Scores
from models.weights import Manifest
from rl.calls import CallRules, Calls
from rl.episode import Conversation, Episode, OneSided, Side, TwoSided
from rl.module_choice import ModuleChoice
from rl.trajectory import EpisodeRequest, Trajectory, failed

IDLE_SECONDS = 0.05  # between two looks at the clock while only tools are at work


class Engine(Protocol):
    """What a rollout needs of `models.sampler.Sampler`; tests have a small deterministic one."""

    @property
    def num_unfinished(self) -> int: ...

    def add(self, request: SampleRequest) -> None: ...

    def add_score(self, request: ScoreRequest) -> None: ...

    def abort(self, ids: Sequence[str]) -> None: ...

    def step(self) -> Sequence[Sample | Scores]: ...

    def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]: ...

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float: ...

    def join_transfer(self, init_info: Mapping[str, Any]) -> None: ...


Result = Trajectory | Scores | Timing


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
        calls: the tools that the assistant may call within an answer; none unless given.

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
        calls: CallRules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._chat, self._library, self._budget = engine, chat, library, budget
        self._name, self._clock = name, clock
        self._opponents, self._model_users = opponents, model_users
        self._modules = ModuleChoice(modules)
        self._calls = Calls(chat, calls or CallRules())
        self._opponent: Engine | None = None
        self._episodes: dict[str, Episode] = {}  # by the id of the side that speaks next
        self._waiting: deque[EpisodeRequest] = deque()  # for their opponent to take the second engine
        self._num_scoring = 0
        self._finished: list[Result] = []

    @property
    def num_unfinished(self) -> int:
        return len(self._episodes) + len(self._waiting) + self._num_scoring

    def load(self, manifest: Manifest, buckets: Sequence[np.ndarray]) -> float:
        """Take new weights between two steps; unfinished dialogs go on with them. See `Sampler.load`."""
        return self._engine.load(manifest, buckets)

    def serve_modules(self, folders: Sequence[str], router: str) -> None:
        """See `rl.module_choice.ModuleChoice.serve`."""
        self._modules.serve(folders, router)

    def join_transfer(self, init_info: Mapping[str, Any]) -> None:
        """Enter the NCCL group through which `load` will receive; see `Sampler.join_transfer`."""
        self._engine.join_transfer(init_info)

    def admit(self, requests: Sequence[EpisodeRequest | ScoreRequest | TimingRequest]) -> None:
        """Start a dialog for every request. One that cannot start is finished at once, as failed; one with another
        opponent than those under way waits until they have ended. Continuations are scored, in no dialog;
        tokens are timed at once, before anything else.
        """
        for request in requests:
            if isinstance(request, ScoreRequest):
                self._num_scoring += 1
                self._engine.add_score(request)
            elif isinstance(request, TimingRequest):
                times = self._engine.time_tokens(request.samples, request.concurrency)
                self._finished.append(Timing(request, tuple(map(tuple, times))))
            elif request.opponent:
                self._waiting.append(request)
            else:
                self._start(request)
        self._start_waiting()

    def advance(self, max_seconds: float) -> list[Result]:
        """Step the engines, once at least, until all dialogs have ended or `max_seconds` are over.

        Returns what has ended since the last call.
        """
        start = self._clock()
        while self.num_unfinished:
            for engine in filter(None, (self._engine, self._opponent)):
                if engine.num_unfinished:
                    for result in engine.step():
                        self._note(result)
            self._hand_out_outputs()
            self._end_overdue()
            self._start_waiting()
            if self._clock() - start >= max_seconds:
                break
        finished, self._finished = self._finished, []
        return finished

    def withdraw(self, ids: Collection[str]) -> None:
        """Forget dialogs that nobody waits for any more, as if they had never been asked for."""
        self._waiting = deque(request for request in self._waiting if request.id not in ids)
        self._finished = [result for result in self._finished if result.request.id not in ids]
        for key in [key for key, episode in self._episodes.items() if episode.request.id in ids]:
            self._interrupt(key)

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
            episode = Episode(request, conversation, self._clock())
            side = episode.side(cue.role)
            prompt = self._prompt(side, cue.question.text)
        except Exception as error:  # a user's scenario may do anything, and must cost one episode only
            self._fail(request, f"the scenario raised {cause_of(error)}")
            return
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
        side.module = self._modules.choose(side, question)
        side.read(question, prompt)
        episode.speaker = side
        self._sample(episode)

    def _sample(self, episode: Episode) -> None:
        """Let the speaker write its answer, or the next part of it."""
        side = episode.speaker
        self._episodes[side.request.id] = episode
        self._engine_of(side).add(
            SampleRequest(
                id=side.request.id,
                prompt=side.tokens,
                max_tokens=self._tokens_left(side),
                seed=side.sample_seed,
                greedy=side.request.is_greedy,
                stop_token_ids=self._calls.stop_token_ids(side),
                module=side.module,
            )
        )

    def _tokens_left(self, side: Side) -> int:
        """That this side may still write in this turn."""
        own = self._budget.max_response_length - side.draft.num_tokens
        return min(own, self._budget.max_length - len(side.tokens))

    def _engine_of(self, side: Side) -> Engine:
        if not side.request.is_by_opponent:
            return self._engine
        assert self._opponent is not None
        return self._opponent

    def _note(self, result: Sample | Scores) -> None:
        if isinstance(result, Scores):
            self._num_scoring -= 1
            self._finished.append(result)
        else:
            self._take(self._episodes.pop(result.id), result)

    def _take(self, episode: Episode, sample: Sample) -> None:
        """Note what was written. It may have stopped for a call; else it is an answer."""
        side = episode.speaker
        side.write(sample)
        if sample.finish == "length" or side.tokens[-1] in self._chat.stop_token_ids:
            self._end_turn(episode, sample.finish)
        elif not self._tokens_left(side):
            self._end_turn(episode, "length")
        elif self._calls.start(episode):
            self._episodes[side.request.id] = episode
        else:
            self._sample(episode)

    def _hand_out_outputs(self) -> None:
        """Let those go on whose calls have ended; where nobody else has anything to do, wait for one."""
        is_idle = not any(engine.num_unfinished for engine in (self._engine, self._opponent) if engine)
        for episode, call, output in self._calls.finished(IDLE_SECONDS if is_idle else 0.0):
            side = episode.speaker
            del self._episodes[side.request.id]
            try:
                text, tokens = self._calls.tokens_of(output.result())
            except Exception as error:
                self._lose(episode, f"the tool {call.tool} raised {type(error).__name__}: {error}")
                continue
            if len(tokens) >= self._budget.max_length - len(side.tokens):
                self._end_turn(episode, "length")
            else:
                side.read_output(call, text, tokens)
                self._sample(episode)

    def _end_turn(self, episode: Episode, finish: FinishReason) -> None:
        """Hand the answer to the other side."""
        speaker = episode.speaker
        answer = speaker.end_turn(self._chat.decode(speaker.draft.tail), finish).answer
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
        if side.turns:
            return self._chat.reply(text, answer_ended=not side.is_cut_off)
        return self._chat.open(text, self._calls.system(side))

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
            self._interrupt(key)
            if episode.main.turns:
                self._end(episode, cut=True)
            else:
                self._lose(episode, f"no answer within {limit:g} seconds")

    def _interrupt(self, key: str) -> None:
        """Have its engine, or its tool, do nothing more for a dialog, which is under way no longer."""
        episode = self._episodes.pop(key)
        if key in self._calls:
            self._calls.drop(key)
        else:
            self._engine_of(episode.speaker).abort([key])

"""A policy made of functions: what it says to a question, and what it thinks of a continuation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from envs.library import Library
from envs.task import Question
from models.chat import ChatFormat
from models.samples import SampleRequest
from models.scoring import ScoreRequest, Scores
from rl.suites.suite import Footprint
from rl.suites.table import evaluation_library
from rl.trajectory import EpisodeRequest, Trajectory, failed
from tests.rl.builders import trajectory
from tests.rl.fakes import chat as fake_chat

import numpy as np  # isort: skip


def silent(question: Question, sample: int) -> str:
    return "?"


def right(question: Question, sample: int) -> str:
    return question.demonstration


@dataclass
class Speaker:
    """Implements `rl.suites.suite.Subject`. `likes(prompt, continuation)`: a log-prob, of texts."""

    says: Callable[[Question, int], str] = silent
    likes: Callable[[str, str], float] = lambda prompt, continuation: 0.0
    chat: ChatFormat = None  # type: ignore[assignment]
    library: Library = None  # type: ignore[assignment]
    max_length: int = 100_000
    refuses: tuple[int, ...] = ()  # groups whose dialogs fail

    def __post_init__(self) -> None:
        self.chat, self.library = fake_chat(), evaluation_library()

    async def answer(self, requests: Sequence[EpisodeRequest]) -> list[Trajectory]:
        return [self._hold(request) for request in requests]

    def _hold(self, request: EpisodeRequest) -> Trajectory:
        if request.group in self.refuses:
            return failed(request, error=f"{request.task.id}: the opening question has too many tokens", worker="w")
        dialog = self.library.find(request.task.scenario).dialog(request.task)
        question: Question | None = dialog.open()
        asked, answers = [], []
        while question is not None:
            asked.append(question)
            answers.append(self.says(question, request.sample))
            question = dialog.reply(answers[-1])
        made = trajectory(request, answers, questions=[q.text for q in asked])
        turns = tuple(
            type(turn)(question, turn.answer, turn.finish, turn.num_tokens)
            for turn, question in zip(made.turns, asked, strict=True)
        )
        object.__setattr__(made, "turns", turns)
        return made

    async def score(self, requests: Sequence[ScoreRequest]) -> list[Scores]:
        return [
            Scores(request, np.array([self._like(request, c) for c in request.continuations])) for request in requests
        ]

    def _like(self, request: ScoreRequest, continuation: tuple[int, ...]) -> float:
        decode = self.chat.tokenizer.decode
        return self.likes(decode(request.prompt), decode(continuation))

    async def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]:
        return [[0.5 * concurrency + 0.1 * step for step in range(request.max_tokens)] for request in requests]

    async def footprint(self) -> Footprint:
        return Footprint(weights=2**20, kv_cache=2**22, kv_token=2**10, peak_rss=2**30)

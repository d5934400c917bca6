"""The reward worker's actor, and what the fleet asks of every worker. Light on purpose: no torch gets imported here."""

from collections.abc import Callable, Sequence
from typing import Any

import ray

from envs.task import Transcript
from rl.config import Config
from rl.metrics import peak_rss_bytes
from rl.tasks import build_scorer
from rl.trajectory import Score


class Worker:
    """What the fleet asks of every worker."""

    def ping(self) -> str:
        """Answers once the worker has been built, which is also when it is ready for work."""
        return "pong"

    def apply(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Part of RLlib's contract for managed actors."""
        return function(self, *args, **kwargs)

    def peak_rss_bytes(self) -> int:
        return peak_rss_bytes()


@ray.remote
class RewardActor(Worker):
    def __init__(self, config: Config) -> None:
        self._scorer = build_scorer(config)

    def score(self, transcripts: Sequence[Transcript]) -> list[Score]:
        scores = [self._scorer.score(transcript) for transcript in transcripts]
        return [Score(score.vector, score.scalar, score.success) for score in scores]

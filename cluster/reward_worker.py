"""The reward worker's actor, and what the fleet asks of every worker. Light on purpose: no torch gets imported here."""

from collections.abc import Callable, Sequence
from typing import Any

import ray

from cluster.stacks import offer_stacks
from envs.task import Transcript
from rewards.score import SUCCESS, DialogScore, RewardError
from rl.config import Config
from rl.metrics import peak_rss_bytes
from rl.tasks import build_scorer


class Worker:
    """What the fleet asks of every worker, and its stacks, which it offers from the start."""

    def __init__(self) -> None:
        offer_stacks(ray.get_runtime_context().get_actor_id())

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
        super().__init__()
        self._scorer = build_scorer(config)
        self._scorer.warm_up()

    def columns(self) -> tuple[str, ...]:
        """All that it can be asked about in `judge_turn`."""
        return (*self._scorer.names, SUCCESS)

    def score(self, transcripts: Sequence[Transcript]) -> list[DialogScore | RewardError]:
        return [self._scorer.try_score(transcript) for transcript in transcripts]

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        return self._scorer.judge_turn(transcript, name)

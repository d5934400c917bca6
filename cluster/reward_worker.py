"""The reward worker's actor. Light on purpose: no torch gets imported here."""

from collections.abc import Sequence

import ray

from cluster.worker_base import Worker
from envs.task import Transcript
from rewards.score import SUCCESS, DialogScore, RewardError
from rl.config import Config
from rl.tasks import build_scorer


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

"""Workers that ask a reward model, and the rewards of a run that has one: rules and model, side by side.

These workers hold torch and a model, so they are actors of their own, scaled apart from those that judge by rules. What
goes wrong with them is dealt with as with those: they are a `RewardFleet`, too.
"""

import asyncio
from collections.abc import Sequence

import ray

from cluster.fleet import Fleet
from cluster.placement import Placement
from cluster.rewards import Outcome, RewardFleet
from cluster.session import QUIET
from cluster.witness import Witness
from cluster.worker_base import Worker
from envs.task import Transcript
from models.engine import prepare_cpu
from rewards.score import DialogScore, RewardError
from rl.config import RewardServiceConfig
from rl.model_judge import build_model_judge, with_model_reward
from rl.trajectory import Trajectory


@ray.remote
class RewardModelActor(Worker):
    def __init__(self, service: RewardServiceConfig) -> None:
        super().__init__()
        prepare_cpu(service.num_threads)
        self._judge = build_model_judge(service)
        self._judge.warm_up()

    def columns(self) -> tuple[str, ...]:
        return self._judge.columns

    def score(self, transcripts: Sequence[Transcript]) -> list[DialogScore | RewardError]:
        return self._judge.try_score(transcripts)

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        return self._judge.judge_turn(transcript, name)


def start_reward_models(service: RewardServiceConfig, placement: Placement, *, witness: Witness | None = None) -> Fleet:
    bundle = placement.bundle("reward model")
    actor = RewardModelActor.options(
        num_cpus=bundle.cpus, num_gpus=bundle.gpus, memory=bundle.memory_bytes, runtime_env={"env_vars": QUIET}
    )
    return Fleet("reward model", lambda name: actor.remote(service), service.num_workers, witness=witness)


class RulesAndModel:
    """Implements `rl.interfaces.Rewards`: every dialog is judged by both at once, and `column` is the model's.

    The model was shown assistants only, so it abstains from what other roles say.
    """

    def __init__(self, rules: RewardFleet, model: RewardFleet, column: int) -> None:
        self._rules, self._model, self._column = rules, model, column

    async def score(self, trajectories: Sequence[Trajectory]) -> list[Outcome]:
        asked = [trajectory for trajectory in trajectories if trajectory.request.role == "assistant"]
        rules, model = await asyncio.gather(self._rules.score(trajectories), self._model.score(asked))
        by_id = {t.request.id: outcome for t, outcome in zip(asked, model, strict=True)}
        return [
            self._merge(outcome, by_id.get(trajectory.request.id))
            for trajectory, outcome in zip(trajectories, rules, strict=True)
        ]

    @property
    def num_answers(self) -> int:
        return self._rules.num_answers + self._model.num_answers

    def stop(self) -> None:
        self._rules.stop()
        self._model.stop()

    def _merge(self, rules: Outcome, model: Outcome | None) -> Outcome:
        if isinstance(rules, RewardError):
            return rules
        return model if isinstance(model, RewardError) else with_model_reward(rules, model, self._column)

"""Where a run stands: all that the loop knows besides weights and optimisers, and how a checkpoint keeps it."""

from collections import Counter
from dataclasses import dataclass, field, replace

from rewards.signal import Moments, Signal, Weights
from rl.baselines import Baselines
from rl.checkpoint import RunState
from rl.curriculum import Curriculum
from rl.gaming import GamingWatch
from rl.kl import KLController
from rl.pool import Pool
from rl.results import EvalResult
from rl.trajectory import Status


@dataclass
class Progress:
    """Where the run stands: `step` updates are done, and the weights have that version. See `RunState`."""

    kl: KLController
    curriculum: Curriculum
    moments: Moments
    step: int = 0
    tokens_generated: int = 0
    max_logprob_gap: float = 0.0
    episodes: Counter[Status] = field(default_factory=Counter)
    evals: list[EvalResult] = field(default_factory=list)
    gaming: GamingWatch = field(default_factory=GamingWatch)
    baselines: Baselines = field(default_factory=Baselines)
    pool: Pool = field(default_factory=Pool)
    known_tasks: tuple[str, ...] = ()
    weights: Weights = field(default_factory=Weights)

    def to_state(self, signal: Signal) -> RunState:
        return RunState(
            step=self.step,
            kl_coef=self.kl.coef,
            tokens_generated=self.tokens_generated,
            episodes=dict(self.episodes),
            max_logprob_gap=self.max_logprob_gap,
            evals=tuple(self.evals),
            curriculum=self.curriculum.to_json(),
            moments=self.moments.by_name(signal.names) if signal.normalize else {},
            gaming=self.gaming,
            baselines=self.baselines,
            pool=self.pool,
            known_tasks=self.known_tasks,
            weights=self.weights,
        )

    def restored(self, state: RunState, signal: Signal) -> "Progress":
        """As the checkpoint says. Raises `rl.curriculum.CurriculumError` where its mixture is another one."""
        return replace(
            self,
            kl=self.kl.restore({"coef": state.kl_coef}),
            curriculum=self.curriculum.restore(state.curriculum),
            moments=Moments.from_names(state.moments, signal.names),
            step=state.step,
            tokens_generated=state.tokens_generated,
            max_logprob_gap=state.max_logprob_gap,
            episodes=Counter(state.episodes),
            evals=list(state.evals),
            gaming=state.gaming,
            baselines=state.baselines,
            pool=state.pool,
            known_tasks=state.known_tasks,
            weights=state.weights,
        )

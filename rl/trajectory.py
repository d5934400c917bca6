"""What flows from the rollout workers to the learner: one finished dialog, exactly as it was sampled.

Token in, token out: `tokens` are the ids that the engine read and wrote. Sampled text is decoded for people and judges,
and never encoded again.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from envs.task import Outcome, Task, Transcript, Turn, stable_hash

Status = Literal["ok", "truncated", "failed", "stale"]
Purpose = Literal["train", "eval"]
Role = Literal["assistant", "user", "proposer"]
Routing = Literal["none", "dialog", "turn"]
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class EpisodeRequest:
    """One dialog that is to be sampled. `id` names it uniquely within a run, whichever worker takes it.

    Attributes:
        iteration: the update that it is collected for.
        group: which prompt of the iteration; all samples of one prompt share it.
        sample: which of the samples of that prompt.
        role: whose words the policy says in this dialog. A dialog whose user is played by a model is asked for as the
            assistant's; the user's side then has the same request with its own role.
        opponent: folder of the earlier policy, or other model, that says the words of the user or the proposer in
            the place of the current policy; empty: the current policy does.
        module: name of the module (see `models/modules.py`) that says the assistant's words; empty: the policy alone.
        routing: who chooses the module instead: a router by the opening question ("dialog"), or by every question
            ("turn"), where it keeps the module of the turn before if it is in doubt.
    """

    task: Task
    iteration: int
    group: int
    sample: int
    run_seed: int
    purpose: Purpose = "train"
    role: Role = "assistant"
    opponent: str = ""
    module: str = ""
    routing: Routing = "none"

    @property
    def id(self) -> str:
        role = "" if self.role == "assistant" else f"-{self.role}"
        module = f"-{self.module}" if self.module else "" if self.routing == "none" else f"-by-{self.routing}"
        return f"{self.purpose}-{self.iteration}-{self.group}-{self.sample}{role}{module}"

    @property
    def is_by_opponent(self) -> bool:
        """Whether an opponent says the words of this role, which then train nobody."""
        return bool(self.opponent) and self.role != "assistant"

    @property
    def is_greedy(self) -> bool:
        """Whether the likeliest token is taken every time: for the first answer of an evaluation. Further answers to
        the same task are drawn, at the sampling temperature.
        """
        return self.purpose == "eval" and self.sample == 0

    def turn_seed(self, turn: int, part: int = 0) -> int:
        """Sampling seed of one turn (31 bits): a function of what is sampled, never of who samples it. `part`: which
        sample of the turn, where calls of tools interrupt it.
        """
        role = () if self.role == "assistant" else (self.role,)
        what = (turn, *role, *((f"part {part}",) if part else ()))
        return stable_hash(self.run_seed, self.iteration, self.task.id, self.group, self.sample, *what) & 0x7FFFFFFF


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A finished (or failed) episode of T tokens and N turns.

    Attributes:
        tokens: [T] int32, the whole dialog.
        action_mask: [T] bool, True where the policy wrote the token.
        logprobs: [T] float32, the sampler's log-prob of each action token at the sampling temperature; 0 elsewhere.
        versions: [T] int32, version of the weights that sampled each action token; -1 elsewhere, and for the tokens of
            an opponent.
        turns: N questions and answers.
        turn_ends: [N] int32, position of the last action token of each turn; -1 where the policy wrote none. Between
            the action tokens of a turn may stand what its calls of tools gave, which is context.
        status: "ok"; "truncated" (a budget on turns, tokens or seconds cut the dialog, so its value must be
            bootstrapped); "failed" (never data: `error` says why); "stale" (older than `max_staleness` allows).
        seconds: wall time from admission to the last token.
        user: the same dialog as the user's player saw it, where the user was a model; only until both are judged, see
            `rl/judging.py`.
        outcome: what came of it elsewhere, for the roles of self-play.
        modules: the module of each turn, as in the request; none where all are by the policy alone.
    """

    request: EpisodeRequest
    tokens: np.ndarray
    action_mask: np.ndarray
    logprobs: np.ndarray
    versions: np.ndarray
    turns: tuple[Turn, ...]
    turn_ends: np.ndarray
    status: Status
    worker: str
    seconds: float
    error: str = ""
    user: "Trajectory | None" = None
    outcome: Outcome | None = None
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {len(self.tokens), len(self.action_mask), len(self.logprobs), len(self.versions)}
        if len(lengths) != 1 or len(self.turns) != len(self.turn_ends):
            raise ValueError(f"trajectory {self.request.id}: unequal lengths {lengths} or {len(self.turns)} turns")

    @property
    def transcript(self) -> Transcript:
        return Transcript(self.request.task, self.turns, self.outcome)

    @property
    def num_action_tokens(self) -> int:
        return int(self.action_mask.sum())

    @property
    def oldest_version(self) -> int:
        """The oldest weights that wrote any of its tokens; -1 if the policy wrote none."""
        return int(self.versions[self.action_mask].min(initial=self.newest_version))

    @property
    def newest_version(self) -> int:
        """The newest weights that wrote any of its tokens; -1 if the policy wrote none."""
        return int(self.versions[self.action_mask].max(initial=-1))

    def with_status(self, status: Status, error: str = "") -> "Trajectory":
        return replace(self, status=status, error=error)


def failed(request: EpisodeRequest, *, error: str, worker: str, seconds: float = 0.0) -> Trajectory:
    """An episode that could not be finished. It is stored and counted, and no learner ever sees it."""
    empty = np.zeros(0, np.int32)
    return Trajectory(
        request, empty, empty.astype(bool), empty.astype(np.float32), empty, (), empty, "failed", worker, seconds, error
    )


@dataclass(frozen=True, slots=True)
class Score:
    """The judgement of a trajectory's N turns in D dimensions.

    Attributes:
        vector: [N, D] float32, NaN where a dimension abstained.
        scalar: [N] float32, the reward that trains the policy; `rewards/signal.py` makes it.
        success: [N] float32, the scenario's own verdict in [0, 1].
    """

    vector: np.ndarray
    scalar: np.ndarray
    success: np.ndarray


@dataclass(frozen=True, slots=True)
class Scored:
    """A trajectory with its judgement; a failed one has none."""

    trajectory: Trajectory
    score: Score | None

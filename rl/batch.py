"""Padded arrays for the learner: trajectories of unequal length, packed into [B, T].

One alignment everywhere: position t of `logprobs`, `rewards` and `advantages` belongs to the token at t;
`values[:, t]` is the value of the state *before* that token, the prefix of t tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rl.trajectory import ROLES, Scored


@dataclass(frozen=True, slots=True)
class Batch:
    """B trajectories padded on the right to T tokens.

    Attributes:
        tokens: [B, T] int32, 0 in the padding.
        lengths: [B] int32.
        action_mask: [B, T] bool, True where the policy wrote the token: the one mask of every loss and statistic.
        turn_index: [B, T] int32, 0-based turn of each action token; -1 elsewhere.
        sampler_logprobs: [B, T] float32, what the engine sampled with (the behaviour policy).
        rewards: [B, T] float32, each turn's reward on its last action token.
        truncated: [B] bool, the dialog was cut off: its end has a future and is bootstrapped.
        groups: [B] int32, samples of one prompt in one role share a number, which counts them as they first appear.
        versions: [B, T] int32, version of the weights that wrote each action token; -1 elsewhere.
        roles: [B] int8, whose words the row says: index into the names of `rl.trajectory.Role`.
    """

    tokens: np.ndarray
    lengths: np.ndarray
    action_mask: np.ndarray
    turn_index: np.ndarray
    sampler_logprobs: np.ndarray
    rewards: np.ndarray
    truncated: np.ndarray
    groups: np.ndarray
    versions: np.ndarray
    roles: np.ndarray

    @property
    def num_action_tokens(self) -> int:
        return int(self.action_mask.sum())

    @property
    def oldest_versions(self) -> np.ndarray:
        """[B] int32, of the oldest weights that wrote any token of a row."""
        return np.where(self.action_mask, self.versions, np.iinfo(np.int32).max).min(1).astype(np.int32)

    def without_older(self, oldest: int) -> "Batch":
        """The same dialogs, in which only what weights of version `oldest` or later wrote is an action; the rest of a
        dialog that outlasted updates is context.
        """
        return replace(self, action_mask=self.action_mask & (self.versions >= oldest))

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True, slots=True)
class Annotations:
    """What the learner says of a batch before it changes anything.

    Attributes:
        logprobs: [B, T] float32 under the current policy at the sampling temperature (the proximal policy of PPO).
        ref_logprobs: [B, T] float32 under the reference policy; None where no KL term asks for it.
        values: [B, T+1] float32, column t is the critic's value of the prefix of t tokens; None without a critic.
    """

    logprobs: np.ndarray
    ref_logprobs: np.ndarray | None
    values: np.ndarray | None


@dataclass(frozen=True, slots=True)
class Advantages:
    """What PPO learns from: `advantages` and the critic's targets `returns`, both [B, T] float32, 0 off the actions."""

    advantages: np.ndarray
    returns: np.ndarray


def usable(scored: Sequence[Scored]) -> list[Scored]:
    """Those that may train: judged, neither failed nor stale, with at least one token, which no opponent wrote; in the
    given order.
    """
    fit = [s for s in scored if s.score is not None and s.trajectory.status in ("ok", "truncated")]
    return [s for s in fit if len(s.trajectory.tokens) and not s.trajectory.request.is_by_opponent]


def pack(scored: Sequence[Scored], *, reward_clip: float) -> Batch:
    """Lay out the usable trajectories as one batch, a row each, in order.

    Each turn's scalar reward, clipped to +-`reward_clip`, goes on its last action token. A turn without action tokens
    has nowhere to put a reward, and puts it on nobody else's token.
    """
    rows = usable(scored)
    if not rows:
        raise ValueError("no usable trajectory in this iteration: every episode failed or is stale")
    lengths = np.array([len(s.trajectory.tokens) for s in rows], np.int32)
    shape = (len(rows), int(lengths.max()))
    tokens = np.zeros(shape, np.int32)
    turn_index, versions = np.full(shape, -1, np.int32), np.full(shape, -1, np.int32)
    action_mask = np.zeros(shape, bool)
    logprobs, rewards = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for row, item in enumerate(rows):
        trajectory, end = item.trajectory, lengths[row]
        assert item.score is not None
        tokens[row, :end] = trajectory.tokens
        action_mask[row, :end] = trajectory.action_mask
        logprobs[row, :end] = trajectory.logprobs
        versions[row, :end] = trajectory.versions
        written = np.flatnonzero(trajectory.turn_ends >= 0)
        ends, actions = trajectory.turn_ends[written], np.flatnonzero(trajectory.action_mask)
        rewards[row, ends] = np.clip(item.score.scalar[written], -reward_clip, reward_clip)
        # the turn of an action token is the first one that ends at or after it
        turn_index[row, actions] = written[np.searchsorted(ends, actions)]
    return Batch(
        tokens=tokens,
        lengths=lengths,
        action_mask=action_mask,
        turn_index=turn_index,
        sampler_logprobs=logprobs,
        rewards=rewards,
        truncated=np.array([s.trajectory.status == "truncated" for s in rows]),
        groups=_groups(rows),
        versions=versions,
        roles=np.array([ROLES.index(s.trajectory.request.role) for s in rows], np.int8),
    )


def _groups(rows: Sequence[Scored]) -> np.ndarray:
    """Both sides of a dialog have the same prompt number, and are no samples of the same thing. Nor are late dialogs of
    the iteration before.
    """
    numbers: dict[tuple[str, int, int], int] = {}
    requests = [s.trajectory.request for s in rows]
    keys = [(request.role, request.iteration, request.group) for request in requests]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int32)

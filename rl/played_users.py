"""Who says the users' words where a model plays them: the policy itself, a past one, or a model that stays as it is."""

from collections.abc import Sequence
from dataclasses import replace

from envs.library import Library
from envs.task import Played
from rl.trajectory import EpisodeRequest


def with_users(
    requests: Sequence[EpisodeRequest], library: Library, *, user_model: str, past: str, past_share: float
) -> list[EpisodeRequest]:
    """The requests, with an `opponent` where the current policy does not play the user.

    `user_model`, if there is one, plays all that can be played; else `past` plays `past_share` of the groups of such
    dialogs. Always whole groups, the last ones: samples of a prompt are compared with each other, so they have the same
    user.
    """
    played = {r.group for r in requests if isinstance(library.find(r.task.scenario), Played)}
    share = 1.0 if user_model else past_share if past else 0.0
    others = sorted(played)[len(played) - round(share * len(played)) :]
    return [replace(r, opponent=user_model or past) if r.group in others else r for r in requests]

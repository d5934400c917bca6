"""Any Gymnasium-style environment that speaks text, as a scenario: its observations ask, the policy's answers act.

Example: `GymText("cave", "games", from_id("Cave-v0", {"rooms": 3}, {"rooms": 9}), num_levels=2)`
"""

import weakref
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Protocol

from envs.task import Dialog, Question, Task, Transcript

MAX_SEED = 2**31


class TextEnvironment(Protocol):
    """What Gymnasium's `Env` is when observations and actions are text. `info["oracle"]` may name a good answer.

    `close` is required, and called once. A dialog makes an environment and so does every verdict, so what one holds (a
    process, a file) must not outlive it. Where there is nothing to release, it does nothing.
    """

    def reset(self, *, seed: int | None = None) -> tuple[str, dict[str, Any]]: ...

    def step(self, action: str, /) -> tuple[str, float, bool, bool, dict[str, Any]]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class GymText:
    """Dialogs with an environment. A turn succeeds as far as its reward says, clipped to [0, 1].

    Attributes:
        make: builds a new environment for a level. The seed and the actions must determine what it does.
        num_openings: how many different first observations level 0 shows, or None: too many to list.
    """

    name: str
    domain: str
    make: Callable[[int], TextEnvironment]
    num_levels: int = 1
    languages: tuple[str, ...] = ("en",)
    description: str = "A text environment."
    num_openings: int | None = None

    def size(self, language: str, level: int) -> int | None:
        return self.num_openings if level == 0 else None

    def dialog(self, task: Task) -> Dialog:
        return GymDialog(self.make(task.level), self._seed(task))

    def verify(self, transcript: Transcript) -> float:
        """Plays the answers again in a new environment, so that the verdict depends on the transcript alone."""
        if transcript.last.finish != "stop":
            return 0.0
        reward = 0.0
        with closing(self.make(transcript.task.level)) as environment:
            environment.reset(seed=self._seed(transcript.task))
            for turn in transcript.turns:
                reward = float(environment.step(turn.answer)[1])
        return min(max(reward, 0.0), 1.0)

    def _seed(self, task: Task) -> int:
        return task.seed % (self.size(task.language, task.level) or MAX_SEED)


class GymDialog:
    """One episode as a `Dialog`. Its environment is closed when the episode ends, or when nobody holds the dialog."""

    def __init__(self, environment: TextEnvironment, seed: int) -> None:
        self.environment, self.seed = environment, seed
        self._close = weakref.finalize(self, environment.close)  # a dialog that is cut short has no last call

    def open(self) -> Question:
        observation, info = self.environment.reset(seed=self.seed)
        return Question(observation, oracle=info.get("oracle"))

    def reply(self, answer: str) -> Question | None:
        observation, _, terminated, truncated, info = self.environment.step(answer)
        if terminated or truncated:
            self._close()
            return None
        return Question(observation, oracle=info.get("oracle"))


def from_id(environment_id: str, *levels: Mapping[str, Any]) -> Callable[[int], TextEnvironment]:
    """A factory for `GymText` of an environment registered with Gymnasium; `levels` holds its settings by level."""

    def make(level: int) -> TextEnvironment:
        import gymnasium

        settings = dict(levels[level]) if levels else {}
        return gymnasium.make(environment_id, disable_env_checker=True, **settings)  # type: ignore[return-value]

    return make

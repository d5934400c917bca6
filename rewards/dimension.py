"""One dimension of the reward: a named, documented judgement of one answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from envs.task import Transcript

Cost = Literal["cheap", "moderate", "expensive"]


@dataclass(frozen=True)
class Dimension:
    """A judgement of the last turn of a transcript.

    `score` returns a number in `[low, high]`, or None to abstain (the dimension does not apply to this answer).
    It never hides trouble behind a number: what it cannot handle, it raises.

    Attributes:
        family: group for reading and reporting, such as "format" or "repetition".
        description: one sentence, what a high value means.
        languages: ISO 639-1 codes that the dimension knows; empty means any language.
        passes, fails: a transcript that scores well and one that scores badly (strictly lower); tests run both.
    """

    name: str
    family: str
    description: str
    score: Callable[[Transcript], float | None]
    passes: Transcript
    fails: Transcript
    low: float = 0.0
    high: float = 1.0
    languages: tuple[str, ...] = ()
    cost: Cost = "cheap"

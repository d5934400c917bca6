"""What a benchmark is, and what it meets: a policy that answers, scores continuations and can be timed.

A suite chooses its items, asks, and judges; everything after that (intervals, contamination, files) is the same for
all. `cluster/evaluate.py` makes the `Subject` out of rollout workers; tests make it in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from envs.library import Library
from models.chat import ChatFormat
from models.samples import SampleRequest
from models.scoring import ScoreRequest, Scores
from rl.trajectory import EpisodeRequest, Trajectory


class SuiteError(ValueError):
    """A suite that cannot be run; the message names the file and line, or the setting."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes. `kv_token` is what one token of context takes in the KV-cache, of which there is `kv_cache`."""

    weights: int
    kv_cache: int
    kv_token: int
    peak_rss: int


class Subject(Protocol):
    """The policy under evaluation."""

    @property
    def chat(self) -> ChatFormat: ...

    @property
    def library(self) -> Library: ...

    @property
    def max_length(self) -> int:
        """Tokens of a whole dialog."""
        ...

    async def answer(self, requests: Sequence[EpisodeRequest]) -> list[Trajectory]:
        """The dialogs, in the order of the requests; failed ones too."""
        ...

    async def score(self, requests: Sequence[ScoreRequest]) -> list[Scores]:
        """In the order of the requests."""
        ...

    async def time_tokens(self, requests: Sequence[SampleRequest], concurrency: int) -> list[list[float]]:
        """Seconds from the admission of each request to each of its tokens."""
        ...

    async def footprint(self) -> Footprint: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One answer to one item, as it is stored.

    Attributes:
        group: what the suite breaks its numbers down by: a subject, a language, a benchmark.
        sample: 0 is the greedy answer, the one that scores count; the others were drawn.
        question: the item's own words, without examples and instructions.
        due: the right answer, where there is one.
        score: 0 to 1.
        final: what of the answer is compared with `due`, such as its last number; "" where nothing is.
        finish: how the answer ended: "stop", "length", or "" where nothing was written.
        detail: more about the judgement, such as an error, or the log-probs of the choices.
    """

    item: str
    group: str
    sample: int
    question: str
    answer: str
    due: str
    score: float
    final: str = ""
    finish: str = ""
    num_tokens: int = 0
    seconds: float = 0.0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """What a suite found.

    Attributes:
        rows: sorted by item and sample.
        skipped: why items were left out -> how many.
        extras: numbers that are no mean over rows, such as seconds and bytes.
        notes: how it was asked, for whoever reads the numbers.
    """

    rows: tuple[Row, ...]
    skipped: dict[str, int] = field(default_factory=dict)
    extras: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Suite(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def headline(self) -> str:
        """What the mean score is called, such as "accuracy" or "pass@1"; a name in `extras` where there are no rows."""
        ...

    @property
    def lower_is_better(self) -> bool: ...

    async def examine(self, subject: Subject) -> Examination: ...

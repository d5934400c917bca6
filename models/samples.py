"""What an engine is asked to continue, and what it gives back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """One continuation to sample: at most `max_tokens` after `prompt`.

    Attributes:
        greedy: ignore temperature and seed.
        stop_token_ids: these end it too, besides those of the settings.
        module: the name of the one that writes it, which must be loaded; empty: the policy.
    """

    id: str
    prompt: Sequence[int]
    max_tokens: int
    seed: int
    greedy: bool = False
    stop_token_ids: Sequence[int] = ()
    module: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """A finished continuation of n tokens, the stop token included.

    Attributes:
        tokens: [n] int32. logprobs: [n] float32 at the sampling temperature. versions: [n] int32.
        finish: "stop" when a stop token ended it, "length" when a limit did.
    """

    id: str
    tokens: np.ndarray
    logprobs: np.ndarray
    versions: np.ndarray
    finish: Literal["stop", "length"]


@dataclass(frozen=True, slots=True)
class TimingRequest:
    """Samples whose tokens are to be timed, `concurrency` at once and nothing else beside them."""

    id: str
    samples: tuple[SampleRequest, ...]
    concurrency: int


@dataclass(frozen=True, slots=True)
class Timing:
    """`seconds`: of each sample, from its admission to each of its tokens."""

    request: TimingRequest
    seconds: tuple[tuple[float, ...], ...]

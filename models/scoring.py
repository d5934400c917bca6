"""How probable texts are to a policy: what multiple-choice questions are scored by.

Two ways lead to the log-probs of several continuations of one prompt, and which one is taken depends on the tokens:

- continuations of one token each, such as " A" to " D": one step after the prompt, whose log-probs at these tokens are
  read off. One pass instead of one for each choice, and vLLM may take the prompt's beginning from its prefix cache,
  which makes few-shot prompts cheap: only the last question is computed.
- longer ones: the log-probs of the prompt itself, once for each continuation; vLLM then reads no cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Token ids of a prompt and of what may follow it; no continuation is empty."""

    id: str
    prompt: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]

    @property
    def is_choice_of_tokens(self) -> bool:
        """Whether every continuation is one token."""
        return all(len(continuation) == 1 for continuation in self.continuations)


@dataclass(frozen=True, slots=True)
class Scores:
    """`logprobs`: [C] float64, ln p(continuation | prompt) of each continuation, summed over its tokens."""

    request: ScoreRequest
    logprobs: np.ndarray


@dataclass
class Scoring:
    """A request inside the engine, and what is known of it."""

    request: ScoreRequest
    logprobs: dict[int, float] = field(default_factory=dict)

    def engine_requests(self) -> list[tuple[str, list[int], Any]]:
        """Id, prompt and sampling parameters of each request that answers it."""
        prompt = list(self.request.prompt)
        if self.request.is_choice_of_tokens:
            tokens = [token for (token,) in self.request.continuations]
            return [(f"{self.request.id}#0", prompt, _params(logprob_token_ids=tokens))]
        return [
            (f"{self.request.id}#{index}", [*prompt, *continuation], _params(prompt_logprobs=0))
            for index, continuation in enumerate(self.request.continuations)
        ]

    def take(self, output: Any) -> Scores | None:
        """Note a finished output of the engine; the scores once there is nothing more to come."""
        if self.request.is_choice_of_tokens:
            [step] = output.outputs[0].logprobs
            found = {index: step[token].logprob for index, (token,) in enumerate(self.request.continuations)}
        else:
            index = int(output.request_id.rpartition("#")[2])
            length = len(self.request.continuations[index])
            found = {index: float(np.sum(_own(output)[-length:], dtype=np.float64))}
        self.logprobs |= found
        if len(self.logprobs) < len(self.request.continuations):
            return None
        return Scores(self.request, np.array([self.logprobs[i] for i in range(len(self.logprobs))]))


def _own(output: Any) -> Sequence[float]:
    """Log-prob of each token of the prompt but the first."""
    tokens = output.prompt_token_ids[1:]
    return [step[token].logprob for token, step in zip(tokens, output.prompt_logprobs[1:], strict=True)]


def _params(**wanted: Any) -> Any:
    from vllm.sampling_params import RequestOutputKind, SamplingParams

    return SamplingParams(
        temperature=0.0, max_tokens=1, detokenize=False, output_kind=RequestOutputKind.FINAL_ONLY, **wanted
    )

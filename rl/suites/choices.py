"""Multiple choice by log-probs: the choice that the policy finds likeliest, out of those that it is given.

Nothing is generated, so a policy that does not know the form of an answer still shows what it knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from models.scoring import ScoreRequest
from rl.suites.suite import Examination, Row, Subject, SuiteError


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with its options, one of which is right.

    Attributes:
        labels: what the options are called in the stored log-probs.
        correct: index of the right one.
        tokens: number of examples -> the prompt with each of the options behind it, as token ids.
        num_shots: examples that there are.
    """

    item: str
    group: str
    question: str
    labels: tuple[str, ...]
    correct: int
    tokens: Callable[[int], list[list[int]]]
    num_shots: int


async def examine_choices(subject: Subject, choices: Sequence[Choice], *, note: str) -> Examination:
    """Score all options of all questions. Where prompt and examples are too long for the policy, the last examples go,
    as in the reference code of MMLU; a question that is too long without any is skipped.

    Raises SuiteError where the policy's tokenizer cannot tell options apart.
    """
    requests: list[ScoreRequest] = []
    shots: list[int] = []
    asked: list[Choice] = []
    for choice in choices:
        fitted = _fit(choice, subject.max_length)
        if fitted is not None:
            num_shots, wholes = fitted
            requests.append(_request(choice, wholes))
            shots.append(num_shots)
            asked.append(choice)
    rows = [
        _row(choice, num_shots, scores.logprobs)
        for choice, num_shots, scores in zip(asked, shots, await subject.score(requests), strict=True)
    ]
    too_long = len(choices) - len(asked)
    return Examination(
        rows=tuple(rows),
        skipped={f"longer than the policy's {subject.max_length} tokens": too_long} if too_long else {},
        extras={"examples": float(np.mean(shots))} if shots else {},
        notes=(note,),
    )


def _fit(choice: Choice, max_length: int) -> tuple[int, list[list[int]]] | None:
    for num_shots in range(choice.num_shots, -1, -1):
        wholes = choice.tokens(num_shots)
        if max(map(len, wholes)) < max_length:  # one more is sampled
            return num_shots, wholes
    return None


def _request(choice: Choice, wholes: list[list[int]]) -> ScoreRequest:
    """What all have in common is the prompt: the space before a letter too, where a tokenizer keeps it apart."""
    columns = zip(*wholes, strict=False)
    shared = next((place for place, ids in enumerate(columns) if len(set(ids)) > 1), min(map(len, wholes)))
    rest = tuple(tuple(whole[shared:]) for whole in wholes)
    if not shared or not all(rest) or len(set(rest)) < len(rest):
        options = ", ".join(choice.labels)
        raise SuiteError(f"{choice.item}: the policy's tokenizer does not tell the options {options} apart")
    return ScoreRequest(choice.item, tuple(wholes[0][:shared]), rest)


def _row(choice: Choice, num_shots: int, logprobs: np.ndarray) -> Row:
    best = int(logprobs.argmax())
    listed = ", ".join(f"{label} {value:.6f}" for label, value in zip(choice.labels, logprobs, strict=True))
    return Row(
        item=choice.item,
        group=choice.group,
        sample=0,
        question=choice.question,
        answer=choice.labels[best],
        due=choice.labels[choice.correct],
        score=float(best == choice.correct),
        finish="stop",
        detail=f"{num_shots} examples; ln p: {listed}",
    )

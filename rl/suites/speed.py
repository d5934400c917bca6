"""What a policy costs to serve: how soon its tokens come, and what it takes in memory. No quality is measured here."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from envs.mix import MixLine, evaluation_tasks
from models.samples import SampleRequest
from rl.suites.config import SuitesConfig
from rl.suites.suite import Examination, Subject

CONCURRENCIES = (1, 16)
NUM_REQUESTS = {1: 16, 16: 64}  # enough for a p95 that is no maximum at 16
WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Latency:
    """Time to the first token, and from one token to the next, in the worker's own process: no network, no queue
    before the engine. Prompts are questions of the library, all different.
    """

    config: SuitesConfig
    name: str = "latency"
    headline: str = "first token p50 at 1, seconds"
    lower_is_better: bool = True

    async def examine(self, subject: Subject) -> Examination:
        prompts = self._prompts(subject, WARM_UP + sum(NUM_REQUESTS.values()))
        await subject.time_tokens(prompts[:WARM_UP], 1)
        extras: dict[str, float] = {}
        place = WARM_UP
        for concurrency in CONCURRENCIES:
            requests = prompts[place : place + NUM_REQUESTS[concurrency]]
            place += len(requests)
            extras |= percentiles(await subject.time_tokens(requests, concurrency), concurrency)
        note = f"{self.config.latency_tokens} tokens per request; {NUM_REQUESTS[1]} and {NUM_REQUESTS[16]} requests"
        return Examination(rows=(), extras=extras, notes=(note,))

    def _prompts(self, subject: Subject, count: int) -> list[SampleRequest]:
        """Longest possible answers: timing one that ended at once would time nothing."""
        tasks = evaluation_tasks(subject.library, [MixLine("word-sums")], count, self.config.seed)
        texts = [subject.library.opening(task) for task in tasks]
        room = subject.max_length - self.config.latency_tokens
        return [
            SampleRequest(
                f"timed-{index}",
                subject.chat.open(texts[index % len(texts)] + " " * (index // len(texts)))[:room],
                self.config.latency_tokens,
                seed=index,
                greedy=True,
            )
            for index in range(count)
        ]


def percentiles(times: Sequence[Sequence[float]], concurrency: int) -> dict[str, float]:
    """p50 and p95 of the first token over requests, and of the steps between tokens over all of them, in seconds."""
    first = [row[0] for row in times if row]
    between = np.concatenate([np.diff(row) for row in times]) if times else np.zeros(0)
    found = {}
    for what, values in (("first token", np.asarray(first)), ("per token", between)):
        for share in (50, 95):
            if len(values):
                found[f"{what} p{share} at {concurrency}, seconds"] = float(np.percentile(values, share))
    return found


@dataclass(frozen=True, slots=True)
class Memory:
    """Weights and KV-cache as they are sized, and the most that a worker's process ever held."""

    name: str = "memory"
    headline: str = "peak RSS, MiB"
    lower_is_better: bool = True

    async def examine(self, subject: Subject) -> Examination:
        found = await subject.footprint()
        mib = 2**20
        return Examination(
            rows=(),
            extras={
                self.headline: found.peak_rss / mib,
                "weights, MiB": found.weights / mib,
                "KV-cache, MiB": found.kv_cache / mib,
                "KV-cache, tokens": found.kv_cache // found.kv_token,
                "KV-cache per token, KiB": found.kv_token / 1024,
            },
            notes=("one rollout worker, with Python, torch and vLLM",),
        )


def latency(config: SuitesConfig) -> Latency:
    return Latency(config)


def memory(config: SuitesConfig) -> Memory:
    return Memory()

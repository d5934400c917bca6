"""Groups of gloo ranks: processes that join once, then run one function after another, together.

A collective with a missing member waits for ever, so every call has a deadline. A group in which a rank raised, died or
was late is killed, and the next call starts a new one. Ranks are forked from a server that has imported the slow
packages once, never from the process of the tests, whose threads and process group (vLLM's) they must not inherit.
"""

import faulthandler
import multiprocessing
import socket
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any

import torch
from transformers import LlamaConfig

from models.engine import EngineSettings, init_group
from models.presets import build_config

HEAVY = ["deepspeed.runtime.zero.muon.original_muon", "peft", "transformers.models.llama.modeling_llama"]


class Ranks(AbstractContextManager):
    """Example: `with Ranks(2) as ranks: first, second = ranks.run(train, zero_stage)`"""

    def __init__(self, num_ranks: int) -> None:
        self._num_ranks = num_ranks
        self._processes: list[Any] = []
        self._pipes: list[Connection] = []

    def run(self, function: Callable[..., Any], *args: Any, timeout_seconds: float = 60.0) -> list[Any]:
        """`function(*args)` on every rank at once; what they return, by rank. Module-level functions, no tensors.

        Raises:
            AssertionError: with a rank's own traceback, or naming the ranks that were late.
        """
        if not self._processes:
            self._start(deadline=monotonic() + 120.0)
        return self._call(function, args, deadline=monotonic() + timeout_seconds)

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()
        self._processes, self._pipes = [], []

    def _start(self, *, deadline: float) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(HEAVY)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        for rank in range(self._num_ranks):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs, rank, self._num_ranks, port), daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)
        self._collect(deadline)

    def _call(self, function: Callable[..., Any], args: tuple[Any, ...], *, deadline: float) -> list[Any]:
        for pipe in self._pipes:
            pipe.send((function, args))
        return self._collect(deadline)

    def _collect(self, deadline: float) -> list[Any]:
        answers: dict[int, Any] = {}
        while len(answers) < self._num_ranks:
            late = [rank for rank in range(self._num_ranks) if rank not in answers]
            ready = wait([self._pipes[rank] for rank in late], timeout=max(0.0, deadline - monotonic()))
            if not ready:
                self._fail(f"ranks {late} did not answer in time")
            for rank in late:
                if self._pipes[rank] in ready:
                    answers[rank] = self._receive(rank)
        return [answers[rank] for rank in range(self._num_ranks)]

    def _receive(self, rank: int) -> Any:
        try:
            succeeded, answer = self._pipes[rank].recv()
        except EOFError:
            succeeded, answer = False, "it died"
        if not succeeded:
            self._fail(f"rank {rank}: {answer}")
        return answer

    def _fail(self, cause: str) -> None:
        self.__exit__()
        raise AssertionError(cause)


def _serve(pipe: Connection, rank: int, num_ranks: int, port: int) -> None:
    faulthandler.enable()
    torch.set_num_threads(1)
    init_group(backend="gloo", rank=rank, world_size=num_ranks, address="127.0.0.1", port=port, compile_ops=False)
    pipe.send((True, None))
    while True:
        function, args = pipe.recv()
        try:
            pipe.send((True, function(*args)))
        except Exception:
            pipe.send((False, traceback.format_exc()))


def tiny_config(*, vocab_size: int = 64, max_length: int = 64) -> LlamaConfig:
    """Two narrow layers: an optimiser step takes milliseconds, and no kind of weight is missing."""
    config = build_config(
        "r1-zero-6l-tiny", vocab_size=vocab_size, pad_token_id=0, eos_token_id=5, max_length=max_length, init_std=0.1
    )
    config.update(
        {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 48, "layer_types": None}
        | {"num_attention_heads": 2, "num_key_value_heads": 1}
    )
    return config


def settings(zero_stage: int, **changes: Any) -> EngineSettings:
    """Clipping bites, decay decays, and eps keeps the rounding noise of tiny gradients from becoming a full step."""
    defaults = {
        "zero_stage": zero_stage,
        "lr": 1e-3,
        "adam_betas": (0.9, 0.95),
        "adam_eps": 1e-5,
        "weight_decay": 0.1,
        "max_grad_norm": 0.3,
    }
    return EngineSettings(**(defaults | changes))

"""A queue in the place of NCCL, inside vLLM's own two ends. Where NCCL would wait for ever, it raises after seconds."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
import torch

PATIENCE_SECONDS = 20.0

Tensors = list[tuple[str, torch.Tensor]]


@dataclass
class Group:
    """`world_size` ranks that meet twice: when they enter, and whenever rank 0 sends."""

    world_size: int
    ranks: list[int] = field(default_factory=list)
    closed: list[int] = field(default_factory=list)
    sent: Tensors = field(default_factory=list)

    def __post_init__(self) -> None:
        self.meeting = threading.Barrier(self.world_size)


@dataclass
class Communicator:
    group: Group
    rank: int

    def meet(self) -> None:
        assert self.rank not in self.group.closed, "used after it was closed"
        self.group.meeting.wait(PATIENCE_SECONDS)

    def destroy(self) -> None:
        self.group.closed.append(self.rank)


@dataclass
class Wire:
    """All groups that were ever opened, in order."""

    groups: dict[tuple[str, int], Group] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def sizes(self) -> list[int]:
        return [group.world_size for group in self.groups.values()]

    def install(self, patch: pytest.MonkeyPatch) -> None:
        from vllm.distributed.weight_transfer import nccl_engine

        patch.setattr(nccl_engine, "open_trainer_endpoint", self._open)
        patch.setattr(nccl_engine, "worker_init_process_group", self._join)
        patch.setattr(nccl_engine, "packed_nccl_broadcast_producer", _produce)
        patch.setattr(nccl_engine, "packed_nccl_broadcast_consumer", _consume)
        patch.setattr(torch.accelerator, "synchronize", lambda: None)  # there is no accelerator

    def _open(self, init_info: Any) -> Communicator:
        return self._enter(init_info, rank=0)

    def _join(self, init_info: Any, parallel_config: Any) -> Communicator:
        return self._enter(init_info, rank=init_info.rank_offset + parallel_config.rank)

    def _enter(self, init_info: Any, *, rank: int) -> Communicator:
        address = (init_info.master_address, init_info.master_port)
        with self._lock:
            group = self.groups.setdefault(address, Group(init_info.world_size))
            group.ranks.append(rank)
        assert group.world_size == init_info.world_size
        communicator = Communicator(group, rank)
        communicator.meet()
        return communicator


def _produce(iterator: Iterator[tuple[str, torch.Tensor]], group: Communicator, **_: Any) -> None:
    group.group.sent = [(name, tensor.detach().clone()) for name, tensor in iterator]
    group.meet()


def _consume(
    iterator: Iterator[tuple[str, tuple[list[int], torch.dtype]]],
    group: Communicator,
    post_unpack_func: Callable[[Tensors], Any],
    **_: Any,
) -> None:
    expected = [(name, tuple(shape), dtype) for name, (shape, dtype) in iterator]
    group.meet()
    assert expected == [(name, tuple(tensor.shape), tensor.dtype) for name, tensor in group.group.sent]
    post_unpack_func(group.group.sent)


class FakeModel:
    """Remembers what was loaded."""

    def __init__(self) -> None:
        self.loaded: dict[str, torch.Tensor] = {}

    def load_weights(self, tensors: Tensors) -> None:
        self.loaded.update(tensors)


def receiving_end(rank_in_engine: int) -> Any:
    """vLLM's end on one GPU of an engine, around a `FakeModel`."""
    from vllm.distributed.weight_transfer.nccl_engine import NCCLWeightTransferEngine

    parallel = SimpleNamespace(data_parallel_index=0, rank=rank_in_engine)
    config: Any = SimpleNamespace(parallel_config=parallel, model_config=None)
    model: Any = FakeModel()
    return NCCLWeightTransferEngine(SimpleNamespace(), config, torch.device("cpu"), model)  # type: ignore[arg-type]

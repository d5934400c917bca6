"""The one place that knows how a CPU and a GPU differ. Nobody else asks which of the two it runs on.

A plan is a pure function of numbers, so the choices for eight GPUs are tested on a laptop. The same for both, and thus
not here: attention ("sdpa" in the learner, vLLM's own choice in the engine), and how weights are checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GIB = 1024**3
GPU_MEMORY_UTILIZATION = 0.85  # a worker has its GPUs to itself; the rest is for CUDA graphs and weight buckets


class DeviceError(ValueError):
    """A configuration that this hardware cannot run."""


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """What differs between devices, decided once per run.

    Attributes:
        device: where the learner's tensors live.
        backend: of torch.distributed.
        dtype: of weights in the learner, in the engine and on the wire.
        gpus_per_rank, gpus_per_rollout_worker: what the actors reserve.
        weight_transfer: how weights reach the engines; object_store (Ray's), or nccl (vLLM's own, between GPUs).
        torch_adam, shm_comm: DeepSpeed with torch's Adam, and with its own shared-memory collectives (CPU only).
        engine_args: of vLLM's EngineArgs.
        engine_env: environment variables that the engine's process must start with.

    Example: `plan_device(0, dtype="float32", num_ranks=1, num_rollout_workers=1, kv_cache_gib=0.5).backend == "gloo"`
    """

    device: Literal["cpu", "cuda"]
    backend: Literal["gloo", "nccl"]
    dtype: str
    gpus_per_rank: int
    gpus_per_rollout_worker: int
    torch_adam: bool
    shm_comm: bool
    weight_transfer: str
    engine_args: Mapping[str, Any]
    engine_env: Mapping[str, str]


def plan_device(
    num_gpus: int,
    *,
    dtype: str,
    num_ranks: int,
    num_rollout_workers: int,
    kv_cache_gib: float,
    num_engine_threads: int = 1,
    num_engines: int = 1,
    tensor_parallel_size: int = 1,
    weight_transfer: str = "object_store",
    lora_rank: int = 0,
    compile_ops: bool = False,
) -> DevicePlan:
    """The plan for `num_gpus` GPUs in the whole cluster; 0: everything on CPUs.

    `kv_cache_gib` sizes an engine's cache on CPUs; a GPU's cache takes what the weights leave. `num_engines` of one
    rollout worker share its GPUs evenly; two on a GPU have not been run yet.
    Raises DeviceError where the hardware cannot do what is asked.
    """
    engine_args = {"dtype": dtype, "tensor_parallel_size": tensor_parallel_size}
    # the engine core lives in the actor that steps it: a process of its own would import vLLM again (15 s)
    engine_env = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0", "VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    if num_gpus == 0:
        _require_cpu_can(tensor_parallel_size=tensor_parallel_size, weight_transfer=weight_transfer)
        return DevicePlan(
            device="cpu",
            backend="gloo",
            dtype=dtype,
            gpus_per_rank=0,
            gpus_per_rollout_worker=0,
            torch_adam=not compile_ops,
            shm_comm=compile_ops,
            weight_transfer=weight_transfer,
            engine_args={
                **engine_args,
                "distributed_executor_backend": "uni",
                "enforce_eager": True,  # inductor costs 45 s at the start and gains nothing for small models
                "kv_cache_memory_bytes": int(kv_cache_gib * GIB),
            },
            engine_env={
                **engine_env,
                # unset, every engine starts as many threads as the machine has cores, and they fight
                "OMP_NUM_THREADS": str(num_engine_threads),
                # inductor would compile a helper of the sampler at its first call: half a minute, and a C++ compiler
                "TORCHDYNAMO_DISABLE": "1",
            },
        )
    _require_gpus(num_gpus, num_ranks, num_rollout_workers, tensor_parallel_size)
    if weight_transfer == "nccl" and lora_rank:
        raise DeviceError(
            f"rollout.weight_transfer = nccl: carries whole policies, and model.lora_rank = {lora_rank} trains an "
            "adapter; use object_store, which sends the adapter alone"
        )
    return DevicePlan(
        device="cuda",
        backend="nccl",
        dtype=dtype,
        gpus_per_rank=1,
        gpus_per_rollout_worker=tensor_parallel_size,
        torch_adam=not compile_ops,
        shm_comm=False,
        weight_transfer=weight_transfer,
        engine_args={
            **engine_args,
            "distributed_executor_backend": "uni" if tensor_parallel_size == 1 else "mp",
            "enforce_eager": False,
            "gpu_memory_utilization": GPU_MEMORY_UTILIZATION / num_engines,
        },
        engine_env=engine_env,
    )


def detect_num_gpus() -> int:
    """How many CUDA devices this process sees."""
    import torch

    return torch.cuda.device_count()


def _require_cpu_can(*, tensor_parallel_size: int, weight_transfer: str) -> None:
    if weight_transfer == "nccl":
        raise DeviceError("rollout.weight_transfer = nccl: needs GPUs and there are none; use object_store")
    if tensor_parallel_size > 1:
        raise DeviceError(
            f"rollout.tensor_parallel_size = {tensor_parallel_size}: needs GPUs and there are none; use 1, "
            "and rollout.num_threads for more cores"
        )


def _require_gpus(num_gpus: int, num_ranks: int, num_rollout_workers: int, tensor_parallel_size: int) -> None:
    needed = num_ranks + num_rollout_workers * tensor_parallel_size
    if needed > num_gpus:
        raise DeviceError(
            f"{needed} GPUs are needed, and there are {num_gpus}: learner.num_ranks = {num_ranks}, plus "
            f"rollout.num_rollout_workers = {num_rollout_workers} with rollout.tensor_parallel_size = "
            f"{tensor_parallel_size} GPUs each"
        )

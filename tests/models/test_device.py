"""What is decided for machines that this one need not be."""

import pytest

from models.device import DeviceError, DevicePlan, plan_device


def plan(num_gpus: int, **changes: object) -> DevicePlan:
    values: dict = {"dtype": "float32", "num_ranks": 1, "num_rollout_workers": 2, "kv_cache_gib": 0.5, **changes}
    return plan_device(num_gpus, **values)


def test_cpu() -> None:
    found = plan(0, num_engine_threads=3)
    assert (found.device, found.backend, found.gpus_per_rank, found.gpus_per_rollout_worker) == ("cpu", "gloo", 0, 0)
    assert found.engine_args == {
        "dtype": "float32",
        "tensor_parallel_size": 1,
        "distributed_executor_backend": "uni",
        "enforce_eager": True,
        "kv_cache_memory_bytes": 2**29,
    }
    assert found.engine_env["OMP_NUM_THREADS"] == "3"
    assert found.engine_env["TORCHDYNAMO_DISABLE"] == "1"


def test_gpus() -> None:
    found = plan(6, dtype="bfloat16", num_ranks=2, tensor_parallel_size=2, weight_transfer="nccl")
    assert (found.device, found.backend, found.dtype, found.weight_transfer) == ("cuda", "nccl", "bfloat16", "nccl")
    assert (found.gpus_per_rank, found.gpus_per_rollout_worker) == (1, 2)
    assert found.engine_args["distributed_executor_backend"] == "mp"
    assert found.engine_args["gpu_memory_utilization"] < 1
    assert "kv_cache_memory_bytes" not in found.engine_args
    assert "OMP_NUM_THREADS" not in found.engine_env


def test_two_engines_of_a_worker_share_its_gpus() -> None:
    alone, pair = (plan(3, num_engines=n).engine_args["gpu_memory_utilization"] for n in (1, 2))
    assert 2 * pair == alone
    assert "gpu_memory_utilization" not in plan(0, num_engines=2).engine_args


@pytest.mark.parametrize(
    ("num_gpus", "compile_ops", "torch_adam", "shm_comm"),
    [(0, False, True, False), (0, True, False, True), (4, False, True, False), (4, True, False, False)],
)
def test_deepspeed_builds_nothing_unless_told(
    num_gpus: int, compile_ops: bool, torch_adam: bool, shm_comm: bool
) -> None:
    found = plan(num_gpus, compile_ops=compile_ops)
    assert (found.torch_adam, found.shm_comm) == (torch_adam, shm_comm)


@pytest.mark.parametrize(
    ("num_gpus", "changes", "message"),
    [
        (0, {"weight_transfer": "nccl"}, r"rollout\.weight_transfer = nccl: .* use object_store"),
        (0, {"tensor_parallel_size": 2}, r"rollout\.tensor_parallel_size = 2: needs GPUs"),
        (2, {}, r"3 GPUs are needed, and there are 2: learner\.num_ranks = 1"),
        (4, {"tensor_parallel_size": 2}, r"5 GPUs are needed, and there are 4"),
    ],
)
def test_what_the_hardware_cannot_do_is_refused(num_gpus: int, changes: dict, message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        plan(num_gpus, **changes)


def test_just_enough_gpus() -> None:
    assert plan(3).device == "cuda"


def test_vllm_knows_every_engine_argument() -> None:
    arg_utils = pytest.importorskip("vllm.engine.arg_utils")
    known = set(arg_utils.EngineArgs.__dataclass_fields__)
    assert {*plan(0).engine_args, *plan(8).engine_args} <= known

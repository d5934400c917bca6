"""DeepSpeed as an optimiser of one network, on one rank of a group: ZeRO 0-3 behind five verbs.

What callers rely on: gradients of `backward` calls add up until `step` (losses carry their own global denominators, so
the sum over micro-batches and ranks *is* the gradient), and a step with a non-finite gradient on any rank is skipped on
all of them.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.disk import writing
from models.reshard import WEIGHT, Cut, fill, plain_moments, read_state
from models.shards import restricted_loading
from models.tokenizer import ModelError


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How to optimise: ZeRO stage, Adam, clipping. `lr` is only the first value, see `Engine.step`."""

    zero_stage: int
    lr: float
    adam_betas: tuple[float, float]
    adam_eps: float
    weight_decay: float
    max_grad_norm: float
    bfloat16: bool = False
    torch_adam: bool = True


@dataclass(frozen=True, slots=True)
class StepResult:
    """`grad_norm` before clipping; NaN where the step was skipped."""

    applied: bool
    grad_norm: float


def prepare_cpu(num_threads: int) -> None:
    """Set the number of threads, and let denormal numbers be 0: gradients are full of them, and they are ten times
    slower. Call it before any other work with tensors, for threads inherit the setting when they start.
    """
    torch.set_num_threads(num_threads)
    torch.set_flush_denormal(True)


def init_group(*, backend: str, rank: int, world_size: int, address: str, port: int, compile_ops: bool) -> None:
    """Join the process group of the learner. Blocks until all ranks are there.

    Without `compile_ops`, DeepSpeed's shared-memory collectives are switched off: it would build them from C++ at first
    use, which takes minutes and needs a compiler.
    """
    os.environ.update(
        RANK=str(rank), LOCAL_RANK="0", WORLD_SIZE=str(world_size), MASTER_ADDR=address, MASTER_PORT=str(port)
    )
    import deepspeed

    if not compile_ops:
        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
    deepspeed.init_distributed(dist_backend=backend, rank=rank, world_size=world_size, auto_mpi_discovery=False)


def close_group() -> None:
    """Leave the process group, if there is one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


class Engine:
    """A network with its optimiser state, sharded over the group as the ZeRO stage says."""

    def __init__(self, module: nn.Module, device: str, settings: EngineSettings) -> None:
        import deepspeed

        if settings.bfloat16 and settings.zero_stage == 0:
            raise ValueError("learner.zero_stage = 0 trains in float32 only; with model.dtype = bfloat16 use 1, 2 or 3")
        module.to(device)
        self.settings, self._device = settings, device
        trainable = [p for p in module.parameters() if p.requires_grad]
        self._engine, *_ = deepspeed.initialize(
            model=module, model_parameters=trainable, config=_deepspeed_config(settings), dist_init_required=False
        )
        if settings.zero_stage in (1, 2):
            self._engine.optimizer.check_grad_overflow = True  # off by default unless fp16: a NaN would be applied
        elif settings.zero_stage == 0:
            self._plain_norm = float("nan")
            self._engine.optimizer.register_step_pre_hook(self._clip)
        self._world_size = torch.distributed.get_world_size()

    @property
    def module(self) -> nn.Module:
        """The network; call it inside `torch.no_grad()` to evaluate it."""
        return self._engine.module

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The network's forward pass, with gradients, under DeepSpeed's hooks."""
        return self._engine(*args, **kwargs)

    def backward(self, loss: torch.Tensor) -> None:
        """Add this rank's share of the gradient. DeepSpeed averages over ranks; the factor turns that into a sum."""
        self._engine.backward(loss * self._world_size)

    def step(self, lr: float) -> StepResult:
        """Clip, update with learning rate `lr`, forget the gradients."""
        for group in self._engine.optimizer.param_groups:
            group["lr"] = lr
        if self.settings.zero_stage == 0:
            return self._plain_step()
        self._engine.step()
        applied = self._engine.was_step_applied()
        return StepResult(applied, float(self._engine.get_global_grad_norm()) if applied else float("nan"))

    def sum_over_ranks(self, value: float) -> float:
        """`value` added up over the group; every rank must call it."""
        total = torch.tensor([value], dtype=torch.float64, device=self._device)
        torch.distributed.all_reduce(total)
        return float(total)

    def full_weights(self, *, trainable_only: bool = False) -> Iterator[tuple[str, torch.Tensor]]:
        """Every parameter, whole, under its name in the network. All ranks must iterate together under ZeRO-3."""
        parameters = [(n, p) for n, p in self.module.named_parameters() if p.requires_grad or not trainable_only]
        with self.gathered([p for _, p in parameters]):
            for name, parameter in parameters:
                yield name, parameter.detach().clone()

    @contextlib.contextmanager
    def gathered(self, parameters: list[nn.Parameter]) -> Iterator[None]:
        """Within it, ZeRO-3 parameters are whole on every rank."""
        if self.settings.zero_stage < 3:
            yield
            return
        import deepspeed

        with deepspeed.zero.GatheredParameters(parameters):
            yield

    def save(self, folder: Path) -> None:
        """Write this rank's share of weights and optimiser state below `folder`; all ranks together."""
        with writing(folder):
            self._engine.save_checkpoint(str(folder), tag=self._layout, exclude_frozen_parameters=True)

    def load(self, folder: Path) -> None:
        """The state that an engine of the same network has saved, of any ZeRO stage and number of ranks; all together.

        Its optimiser's settings are those of this engine, whatever the other one had.

        Raises FileNotFoundError where `folder` holds no state, and ModelError where that is more than numbers, or more
        than one state.
        """
        layouts = sorted({path.parent.name for path in folder.glob("zero*-ranks*/*_model_states.pt")})
        if not layouts:
            raise FileNotFoundError(f"{folder}: no optimiser state")
        if len(layouts) > 1:
            raise ModelError(f"{folder} holds several states, of which one can be right: {', '.join(layouts)}")
        [layout] = layouts
        with restricted_loading(folder):
            if layout == self._layout:
                self._engine.load_checkpoint(str(folder), tag=self._layout, load_module_strict=False)
                self._restore_settings()
            else:
                self._load_resharded(folder / layout)

    def _restore_settings(self) -> None:
        """DeepSpeed and PyTorch bring back those that the state was saved under. The learning rate is set by `step`."""
        settings, optimizer = self.settings, self._engine.optimizer
        for group in optimizer.param_groups:
            group |= {"betas": settings.adam_betas, "eps": settings.adam_eps, "weight_decay": settings.weight_decay}
        if settings.zero_stage:
            optimizer.clip_grad = settings.max_grad_norm

    def _load_resharded(self, source: Path) -> None:
        stage, optimizer = self.settings.zero_stage, self._engine.optimizer
        trainable = {name: p for name, p in self.module.named_parameters() if p.requires_grad}
        saved = read_state(source, int(source.name[len("zero")]), list(trainable))
        if stage < 3:  # else it is the optimiser that gives each rank its part of the weights
            with torch.no_grad():
                for name, parameter in trainable.items():
                    parameter.copy_(saved.whole(name, WEIGHT, parameter.shape).view_as(parameter))
        if stage == 0:
            moments = plain_moments(saved, {name: parameter.shape for name, parameter in trainable.items()})
            optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
            return
        state = optimizer.state_dict()
        if stage == 3:  # whose list of weights is the optimiser's own
            state["fp32_flat_groups"] = list(state["fp32_flat_groups"])
        own = optimizer.fp32_partitioned_groups_flat if stage == 3 else optimizer.single_partition_of_fp32_groups
        sizes = [part.numel() for part in own]
        groups = self._engine._get_zero_param_shapes()  # what it writes beside the state of all ranks
        fill(state, saved, Cut(stage, torch.distributed.get_rank(), self._world_size, groups, sizes))
        if stage == 3:
            optimizer.checkpoint_event_prologue()
        # it wants the states of all ranks, and reads that of its own
        optimizer.load_state_dict([state] * self._world_size, load_from_fp32_weights=True)
        if stage == 3:
            optimizer.checkpoint_event_epilogue()

    @property
    def _layout(self) -> str:
        """How the state is cut into files: DeepSpeed fails without a reason on shards of another cut."""
        return f"zero{self.settings.zero_stage}-ranks{self._world_size}"

    def _plain_step(self) -> StepResult:
        """Without ZeRO, DeepSpeed neither reports a norm nor looks for non-finite gradients: both are done here."""
        grads = [p.grad for p in self.module.parameters() if p.grad is not None]
        bad = torch.stack([~torch.isfinite(g).all() for g in grads]).any().float()
        torch.distributed.all_reduce(bad, op=torch.distributed.ReduceOp.MAX)
        if bool(bad.item()):
            self._engine.zero_grad()
            return StepResult(applied=False, grad_norm=float("nan"))
        self._engine.step()
        return StepResult(applied=True, grad_norm=self._plain_norm)

    def _clip(self, *_: Any) -> None:
        """Runs inside the optimiser's step, when the gradients have been reduced over the ranks."""
        parameters = [p for p in self.module.parameters() if p.grad is not None]
        self._plain_norm = float(nn.utils.clip_grad_norm_(parameters, self.settings.max_grad_norm))


def _deepspeed_config(settings: EngineSettings) -> Mapping[str, Any]:
    return {
        "train_micro_batch_size_per_gpu": 1,
        "gradient_accumulation_steps": 1,
        # `step` is the boundary, however many micro-batches went before it
        "managed_gradient_accumulation": False,
        "gradient_clipping": settings.max_grad_norm if settings.zero_stage else 0.0,
        "steps_per_print": None,
        "bf16": {"enabled": settings.bfloat16},
        "zero_optimization": {
            "stage": settings.zero_stage,
            "overlap_comm": False,
            "stage3_gather_16bit_weights_on_model_save": True,
        },
        "optimizer": {
            "type": "AdamW",
            "params": {
                "lr": settings.lr,
                "betas": list(settings.adam_betas),
                "eps": settings.adam_eps,
                "weight_decay": settings.weight_decay,
                "torch_adam": settings.torch_adam,
            },
        },
    }

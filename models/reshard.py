"""Optimiser state that another ZeRO stage or another number of ranks has saved, cut anew for this one.

DeepSpeed loads only what was cut as it would cut it. So an engine writes its own state first, whatever that is, and
each rank then puts into its file of it what the saved files hold. How they are laid out:

- without ZeRO, Adam's moments stand under the number of their parameter, and the weights in the module;
- ZeRO 1 and 2 lay all parameters of a group end to end and cut that vector into equal parts, padded at its end;
- ZeRO 3 cuts each parameter into equal parts, padded at its end, and lays a rank's parts end to end.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

WEIGHT, MOMENTS = "weight", ("exp_avg", "exp_avg_sq")
PARTS = (WEIGHT, *MOMENTS)

Shapes = Mapping[str, torch.Size]


@dataclass(frozen=True, slots=True)
class Saved:
    """What a folder of one engine holds.

    Attributes:
        step: optimiser steps that were taken; None where there was none, and no moments then.
        parameters: name -> weight and moments, float32, in the parameter's shape.
    """

    step: Tensor | None
    parameters: Mapping[str, Mapping[str, Tensor]]


def read_saved(folder: Path, zero_stage: int, names: Sequence[str]) -> Saved:
    """`names`: of the parameters that train, in order. To be called within `models.shards.restricted_loading`."""
    if zero_stage == 0:
        return _read_plain(folder, names)
    ranks = [_groups(_load(path), zero_stage) for path in _optimizer_files(folder)]
    groups: Sequence[Shapes] = _load(_model_file(folder))["param_shapes"]
    join = _join_parameters if zero_stage == 3 else _join_vector
    parameters: dict[str, dict[str, Tensor]] = {}
    step = None
    for number, shapes in enumerate(groups):
        vectors = [{WEIGHT: weights[number], **moments.get(number, {})} for weights, moments in ranks]
        step = vectors[0].get("step", step)
        for part in PARTS:
            if all(part in vector for vector in vectors):
                for name, whole in join([vector[part] for vector in vectors], shapes):
                    parameters.setdefault(name, {})[part] = whole
    return Saved(step, parameters)


def rewrite(folder: Path, saved: Saved, zero_stage: int, rank: int, sizes: Sequence[int]) -> None:
    """Put `saved` into the file of this rank below `folder`, where the engine has just written its state, on all ranks.
    `sizes`: numbers in this rank's part of each group, padding included. Takes 4 bytes for each parameter of a group.
    """
    if zero_stage == 0:
        if rank == 0:
            _rewrite_plain(folder, saved)
        return
    files = _optimizer_files(folder)
    content = _load(files[rank])
    weights, moments = _groups(content, zero_stage)
    for number, (shapes, size) in enumerate(zip(_load(_model_file(folder))["param_shapes"], sizes, strict=True)):
        parts = {}
        for part in PARTS if saved.step is not None else (WEIGHT,):
            wholes = [saved.parameters[name][part].flatten().float() for name in shapes]
            if zero_stage == 3:
                parts[part] = _cut_parameters(wholes, rank, len(files))
            else:
                parts[part] = torch.cat(wholes)[rank * size : (rank + 1) * size]
        # DeepSpeed keeps moments with their padding, and weights of ZeRO 1 and 2 without
        weights[number] = _padded(parts.pop(WEIGHT), weights[number].numel())
        if saved.step is not None:
            moments[number] = {"step": saved.step, **{part: _padded(values, size) for part, values in parts.items()}}
    _replace(files[rank], content)


def _read_plain(folder: Path, names: Sequence[str]) -> Saved:
    content = _load(_model_file(folder))
    states = content["optimizer"]["state"]
    parameters = {
        name: {WEIGHT: content["module"][name], **{part: states[i][part] for part in MOMENTS if i in states}}
        for i, name in enumerate(names)
    }
    return Saved(states[0]["step"] if states else None, parameters)


def _rewrite_plain(folder: Path, saved: Saved) -> None:
    content = _load(_model_file(folder))
    if saved.step is not None:
        content["optimizer"]["state"] = {  # a step of its own for each, which counts it up
            number: {"step": saved.step.clone(), **{part: state[part] for part in MOMENTS}}
            for number, state in enumerate(saved.parameters.values())
        }
    _replace(_model_file(folder), content)


def _groups(content: Mapping[str, Any], zero_stage: int) -> tuple[list[Tensor], dict[int, dict[str, Tensor]]]:
    """A rank's weights by group, and the moments and step of each."""
    state = content["optimizer_state_dict"]
    if zero_stage == 3:
        return state["fp32_flat_groups"], state["optimizer_state_dict"]["state"]
    return state["single_partition_of_fp32_groups"], state["base_optimizer_state"]["state"]


def _join_vector(parts: Sequence[Tensor], shapes: Shapes) -> Iterator[tuple[str, Tensor]]:
    start = 0
    size = parts[0].numel()
    for name, shape in shapes.items():
        end = start + shape.numel()
        pieces = [part[max(start - r * size, 0) : max(end - r * size, 0)] for r, part in enumerate(parts)]
        yield name, torch.cat(pieces).view(shape)
        start = end


def _join_parameters(parts: Sequence[Tensor], shapes: Shapes) -> Iterator[tuple[str, Tensor]]:
    start = 0
    for name, shape in shapes.items():
        size = -(-shape.numel() // len(parts))
        yield name, torch.cat([part[start : start + size] for part in parts])[: shape.numel()].view(shape)
        start += size


def _cut_parameters(wholes: Sequence[Tensor], rank: int, num_ranks: int) -> Tensor:
    sizes = [-(-whole.numel() // num_ranks) for whole in wholes]
    return torch.cat(
        [_padded(whole[rank * size : (rank + 1) * size], size) for whole, size in zip(wholes, sizes, strict=True)]
    )


def _padded(vector: Tensor, size: int) -> Tensor:
    return pad(vector, (0, size - vector.numel()))


def _optimizer_files(folder: Path) -> list[Path]:
    """One for each rank, in their order."""
    return sorted(folder.glob("*zero_pp_rank_*_optim_states.pt"), key=_rank)


def _model_file(folder: Path) -> Path:
    """Of the first rank; under ZeRO 3 each has one."""
    return min(folder.glob("*_model_states.pt"), key=_rank)


def _rank(path: Path) -> int:
    found = re.search(r"zero_pp_rank_(\d+)_", path.name)
    return int(found[1]) if found else 0


def _load(path: Path) -> dict[str, Any]:
    """Its tensors stay in the file until they are used."""
    return torch.load(path, map_location="cpu", mmap=True)


def _replace(path: Path, content: Mapping[str, Any]) -> None:
    """Not written into: what it holds may still be in use, here or by another rank."""
    new = path.with_suffix(".new")
    torch.save(content, new)
    new.replace(path)

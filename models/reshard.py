"""Optimiser state that another ZeRO stage or another number of ranks has saved, cut anew for this one.

DeepSpeed loads only what was cut as it would cut it. Files of its layouts hold, for each rank:

- without ZeRO, the weights in the module, and Adam's moments under the number of their parameter;
- ZeRO 1 and 2, of all parameters of a group end to end, an equal part; the end is padded, in moments alone;
- ZeRO 3, of each parameter of a group an equal part, padded at its end, one after the other.

Files are mapped into memory, and one parameter at a time is put together.
"""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

WEIGHT, MOMENTS = "weight", ("exp_avg", "exp_avg_sq")
PARTS = (WEIGHT, *MOMENTS)

Shapes = Mapping[str, torch.Size]
Pieces = Sequence[Tensor]  # that are a whole parameter, flat and one after the other, and perhaps some padding


@dataclass(frozen=True, slots=True)
class SavedState:
    """What a folder of one engine holds. `step`: of Adam; None, and no moments, where none was taken."""

    step: Tensor | int | None
    pieces: Mapping[tuple[str, str], Pieces]  # by names of parameter and part

    def whole(self, name: str, part: str, shape: torch.Size) -> Tensor:
        """Flat; float32. Moments of a parameter that never had a gradient are 0."""
        pieces = self.pieces.get((name, part))
        if pieces is None:
            return torch.zeros(shape.numel())
        return torch.cat([piece.flatten() for piece in pieces])[: shape.numel()].float()


@dataclass(frozen=True, slots=True)
class Cut:
    """How an engine's rank keeps parameters: those of each group in order, and how many numbers of them it has."""

    zero_stage: int
    rank: int
    num_ranks: int
    groups: Sequence[Shapes]
    sizes: Sequence[int]


def read_state(folder: Path, zero_stage: int, names: Sequence[str]) -> SavedState:
    """`names`: of the parameters that train, in order. To be called within `models.shards.restricted_loading`."""
    files = sorted(folder.glob("*zero_pp_rank_*_optim_states.pt"), key=_rank)
    model = _load(min(folder.glob("*_model_states.pt"), key=_rank))
    if zero_stage == 0:
        return _read_plain(model, names)
    ranks = [parts_of(_load(file)["optimizer_state_dict"], zero_stage) for file in files]
    pieces: dict[tuple[str, str], Pieces] = {}
    steps = []
    for group, shapes in enumerate(model["param_shapes"]):
        vectors = [{WEIGHT: weights[group], **moments.get(group, {})} for weights, moments in ranks]
        steps += [vector["step"] for vector in vectors if "step" in vector]
        for part in PARTS:
            if all(part in vector for vector in vectors):
                whole = [vector[part] for vector in vectors]
                found = _by_parameter(whole, shapes) if zero_stage == 3 else _by_vector(whole, shapes)
                pieces |= {(name, part): cut for name, cut in found.items()}
    return SavedState(max(steps, default=None), pieces)


def parts_of(state: Mapping[str, Any], zero_stage: int) -> tuple[list[Tensor], dict[int, dict[str, Any]]]:
    """Out of a ZeRO optimiser's `state_dict`: a rank's weights by group, and the moments and step of each."""
    if zero_stage == 3:
        return state["fp32_flat_groups"], state["optimizer_state_dict"]["state"]
    return state["single_partition_of_fp32_groups"], state["base_optimizer_state"]["state"]


def fill(state: dict[str, Any], saved: SavedState, cut: Cut) -> None:
    """Put a rank's share of `saved` into the `state_dict` of its ZeRO optimiser, in place of what is there."""
    weights, moments = parts_of(state, cut.zero_stage)
    for group in range(len(weights)):
        weights[group] = _share(saved, WEIGHT, cut, group)
        if saved.step is not None:  # one of its own for each group, which counts it up
            moments[group] = {"step": deepcopy(saved.step)} | {p: _share(saved, p, cut, group) for p in MOMENTS}


def plain_moments(saved: SavedState, shapes: Shapes) -> dict[int, dict[str, Any]]:
    """The state of an optimiser without ZeRO, by number of the parameter."""
    if saved.step is None:
        return {}
    return {
        number: {"step": deepcopy(saved.step)} | {part: saved.whole(name, part, shape).view(shape) for part in MOMENTS}
        for number, (name, shape) in enumerate(shapes.items())
    }


def _read_plain(model: Mapping[str, Any], names: Sequence[str]) -> SavedState:
    states = model["optimizer"]["state"]
    pieces: dict[tuple[str, str], Pieces] = {(name, WEIGHT): [model["module"][name]] for name in names}
    pieces |= {(names[n], part): [state[part]] for n, state in states.items() for part in MOMENTS}
    return SavedState(max((state["step"] for state in states.values()), default=None), pieces)


def _by_vector(parts: Sequence[Tensor], shapes: Shapes) -> dict[str, Pieces]:
    start, size, found = 0, parts[0].numel(), {}
    for name, shape in shapes.items():
        end = start + shape.numel()
        found[name] = [part[max(start - r * size, 0) : max(end - r * size, 0)] for r, part in enumerate(parts)]
        start = end
    return found


def _by_parameter(parts: Sequence[Tensor], shapes: Shapes) -> dict[str, Pieces]:
    start, found = 0, {}
    for name, shape in shapes.items():
        size = -(-shape.numel() // len(parts))
        found[name] = [part[start : start + size] for part in parts]
        start += size
    return found


def _share(saved: SavedState, part: str, cut: Cut, group: int) -> Tensor:
    """A rank's numbers of one part of a group."""
    mine = torch.zeros(cut.sizes[group])
    start = 0 if cut.zero_stage == 3 else -cut.rank * len(mine)  # of a parameter, in `mine`
    for name, shape in cut.groups[group].items():
        if cut.zero_stage == 3:
            size = -(-shape.numel() // cut.num_ranks)
            piece = saved.whole(name, part, shape)[cut.rank * size :][:size]
            mine[start : start + len(piece)] = piece
            start += size
            continue
        end = start + shape.numel()
        if end > 0 and start < len(mine):
            mine[max(start, 0) : max(end, 0)] = saved.whole(name, part, shape)[max(-start, 0) : len(mine) - start]
        start = end
    return mine


def _rank(path: Path) -> int:
    """Whose file it is. Without ZeRO, and for weights under ZeRO 1 and 2, there is one of the first rank."""
    found = re.search(r"zero_pp_rank_(\d+)_", path.name)
    return int(found[1]) if found else 0


def _load(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", mmap=True, weights_only=True)

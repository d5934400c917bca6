"""Cutting optimiser state anew, without DeepSpeed: whatever cut was saved, any other can be made of it."""

from itertools import product
from pathlib import Path

import pytest
import torch

from models.reshard import MOMENTS, PARTS, WEIGHT, Cut, SavedState, fill, parts_of, plain_moments, read_state

# no number of ranks divides all sizes; and the second group is smaller than three parts of it with padding
GROUPS = ({"a": torch.Size([5, 3]), "b": torch.Size([7])}, {"c": torch.Size([2])})
SHAPES = {name: shape for group in GROUPS for name, shape in group.items()}
LAYOUTS = [(0, 1), *product((1, 3), (1, 2, 3))]


def state_of_all() -> SavedState:
    random = torch.Generator().manual_seed(1)
    pieces = {(name, part): [torch.rand(shape, generator=random)] for name, shape in SHAPES.items() for part in PARTS}
    return SavedState(torch.tensor(4.0), pieces)


def empty_state(zero_stage: int) -> dict:
    """As a ZeRO optimiser's `state_dict`."""
    weights, moments = [torch.zeros(0)] * len(GROUPS), {}
    if zero_stage == 3:
        return {"fp32_flat_groups": weights, "optimizer_state_dict": {"state": moments}}
    return {"single_partition_of_fp32_groups": weights, "base_optimizer_state": {"state": moments}}


def part_size(zero_stage: int, num_ranks: int, shapes: dict[str, torch.Size]) -> int:
    """With some padding at the end, as for an alignment."""
    sizes = [shape.numel() for shape in shapes.values()]
    return sum(-(-size // num_ranks) for size in sizes) if zero_stage == 3 else -(-sum(sizes) // num_ranks) + 1


def write(folder: Path, saved: SavedState, zero_stage: int, num_ranks: int) -> None:
    """As DeepSpeed does."""
    folder.mkdir()
    if zero_stage == 0:
        module = {name: saved.whole(name, WEIGHT, shape).view(shape) for name, shape in SHAPES.items()}
        content = {"module": module, "optimizer": {"state": plain_moments(saved, SHAPES)}}
        torch.save(content, folder / "mp_rank_00_model_states.pt")
        return
    sizes = [part_size(zero_stage, num_ranks, shapes) for shapes in GROUPS]
    for rank in range(num_ranks):
        state = empty_state(zero_stage)
        fill(state, saved, Cut(zero_stage, rank, num_ranks, GROUPS, sizes))
        torch.save({"optimizer_state_dict": state}, folder / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
    torch.save({"param_shapes": GROUPS}, folder / "mp_rank_00_model_states.pt")


@pytest.mark.parametrize("second", LAYOUTS)
@pytest.mark.parametrize("first", LAYOUTS)
def test_any_cut_can_be_made_of_any_other(first: tuple[int, int], second: tuple[int, int], tmp_path: Path) -> None:
    whole = state_of_all()
    write(tmp_path / "first", whole, *first)
    write(tmp_path / "second", read_state(tmp_path / "first", first[0], list(SHAPES)), *second)
    found = read_state(tmp_path / "second", second[0], list(SHAPES))
    assert found.step == whole.step
    for (name, shape), part in product(SHAPES.items(), PARTS):
        assert torch.equal(found.whole(name, part, shape), whole.whole(name, part, shape))


@pytest.mark.parametrize("zero_stage", [1, 3])
def test_each_group_counts_its_own_steps(zero_stage: int) -> None:
    state = empty_state(zero_stage)
    fill(state, state_of_all(), Cut(zero_stage, 0, 1, GROUPS, [part_size(zero_stage, 1, group) for group in GROUPS]))
    _, moments = parts_of(state, zero_stage)
    moments[0]["step"] += 1
    assert moments[1]["step"] == 4
    plain = plain_moments(state_of_all(), SHAPES)
    plain[0]["step"] += 1
    assert plain[1]["step"] == 4


def test_before_the_first_step_there_are_no_moments() -> None:
    saved = SavedState(None, {key: pieces for key, pieces in state_of_all().pieces.items() if key[1] == WEIGHT})
    state = empty_state(1)
    fill(state, saved, Cut(1, 0, 1, GROUPS, [part_size(1, 1, group) for group in GROUPS]))
    weights, moments = parts_of(state, 1)
    assert (weights[0].any(), moments, plain_moments(saved, SHAPES)) == (True, {}, {})


def test_moments_of_what_never_had_a_gradient_are_zero() -> None:
    pieces = {key: value for key, value in state_of_all().pieces.items() if key[0] != "b" or key[1] == WEIGHT}
    moments = plain_moments(SavedState(torch.tensor(4.0), pieces), SHAPES)
    assert [[bool(moments[number][part].any()) for part in MOMENTS] for number in range(3)] == [
        [True, True],
        [False, False],
        [True, True],
    ]

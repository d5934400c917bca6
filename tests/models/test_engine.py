"""The engine: whatever the ZeRO stage, the ranks and the micro-batches, it is AdamW with clipping; NaN is skipped."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.engine import Engine
from models.policy import forward_logits, random_policy
from models.reshard import PARTS, read_state
from models.shards import restricted_loading
from models.tokenizer import ModelError
from tests.models.ranks import Ranks, settings, tiny_config

pytestmark = pytest.mark.e2e

STAGES = [0, 1, 2, 3]
LEARNING_RATES = [1e-3, 5e-3, 2e-3]
NUM_ROWS = 8
FROZEN = "model.embed_tokens.weight"

Weights = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def alone() -> Iterator[Ranks]:
    with Ranks(1) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def pair() -> Iterator[Ranks]:
    with Ranks(2) as ranks:
        yield ranks


@pytest.fixture(scope="module")
def three() -> Iterator[Ranks]:
    """As many as no parameter's size can be divided by."""
    with Ranks(3) as ranks:
        yield ranks


@pytest.fixture(params=["alone", "pair"])
def ranks(request: pytest.FixtureRequest) -> Ranks:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="module")
def by_torch() -> tuple[Weights, list[float]]:
    """The same training in plain PyTorch: weights, and norms before clipping."""
    model = policy()
    optimiser = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95), eps=1e-5, weight_decay=0.1)
    norms = []
    for step, lr in enumerate(LEARNING_RATES):
        optimiser.param_groups[0]["lr"] = lr
        optimiser.zero_grad()
        loss(model, tokens(step)).backward()
        norms.append(float(nn.utils.clip_grad_norm_(model.parameters(), 0.3)))
        optimiser.step()
    return {name: parameter.detach().numpy() for name, parameter in model.named_parameters()}, norms


# -- what the ranks run ---------------------------------------------------------------------------------------------


def policy(seed: int = 1) -> nn.Module:
    return random_policy(tiny_config(), seed=seed)


def tokens(step: int) -> Tensor:
    return torch.randint(0, 64, (NUM_ROWS, 12), generator=torch.Generator().manual_seed(step))


def loss(forward, ids: Tensor) -> Tensor:
    """Share of `ids` in the mean over all NUM_ROWS rows: shares add up."""
    logprobs = forward_logits(forward, ids)[:, :-1].log_softmax(-1)
    return -logprobs.gather(-1, ids[:, 1:, None]).sum() / NUM_ROWS


def one_step(engine: Engine, step: int, *, lr: float, num_micro_batches: int = 1, poison: float = 1.0):
    """Each rank trains on its rows; the last rank multiplies its first loss by `poison`."""
    rank, num_ranks = torch.distributed.get_rank(), torch.distributed.get_world_size()
    for number, ids in enumerate(tokens(step)[rank::num_ranks].chunk(num_micro_batches)):
        factor = poison if number == 0 and rank == num_ranks - 1 else 1.0
        engine.backward(loss(engine.forward, ids) * factor)
    return engine.step(lr)


def weights_of(engine: Engine, **which: bool) -> Weights:
    return {name: tensor.numpy() for name, tensor in engine.full_weights(**which)}


def train(zero_stage: int, num_micro_batches: int) -> tuple[Weights, list[float]]:
    engine = Engine(policy(), "cpu", settings(zero_stage))
    results = [
        one_step(engine, step, lr=lr, num_micro_batches=num_micro_batches) for step, lr in enumerate(LEARNING_RATES)
    ]
    assert all(result.applied for result in results)
    return weights_of(engine), [result.grad_norm for result in results]


def train_through(zero_stage: int, poisons: list[float], num_micro_batches: int):
    """Train as ever, with poisoned steps between the first and the second."""
    engine = Engine(policy(), "cpu", settings(zero_stage))
    one_step(engine, 0, lr=1e-3)
    before = weights_of(engine)
    skipped = [one_step(engine, 9, lr=1.0, poison=p, num_micro_batches=num_micro_batches) for p in poisons]
    after = weights_of(engine)
    last = [one_step(engine, step, lr=1e-3) for step in (1, 2)]
    return skipped, before, after, last, weights_of(engine)


def save_and_go_on(zero_stage: int, folder: Path) -> Weights:
    engine = Engine(policy(), "cpu", settings(zero_stage))
    for step in (0, 1):
        one_step(engine, step, lr=1e-3)
    engine.save(folder)
    for step in (2, 3):
        one_step(engine, step, lr=2e-3)
    return weights_of(engine)


def load_and_go_on(zero_stage: int, folder: Path, **changes: Any) -> Weights:
    engine = Engine(policy(seed=2), "cpu", settings(zero_stage, **changes))
    one_step(engine, 5, lr=1e-2)  # moments of its own, to be replaced
    engine.load(folder)
    for step in (2, 3):
        one_step(engine, step, lr=2e-3)
    return weights_of(engine)


def save(zero_stage: int, folder: Path) -> None:
    Engine(policy(), "cpu", settings(zero_stage)).save(folder)


def load_and_step(zero_stage: int, folder: Path) -> Weights:
    engine = Engine(policy(seed=2), "cpu", settings(zero_stage))
    engine.load(folder)
    one_step(engine, 0, lr=1e-3)
    return weights_of(engine)


def load_error(zero_stage: int, folder: Path, kind: type[Exception] = FileNotFoundError) -> str:
    engine = Engine(policy(), "cpu", settings(zero_stage))
    with pytest.raises(kind) as caught:
        engine.load(folder)
    return str(caught.value)


def train_in_bfloat16(zero_stage: int):
    model = random_policy(tiny_config(), seed=1, dtype=torch.bfloat16)
    engine = Engine(model, "cpu", settings(zero_stage, bfloat16=True))
    results = [one_step(engine, step, lr=1e-3, poison=poison) for step, poison in enumerate((1.0, np.nan, 1.0))]
    finite = all(
        bool(tensor.isfinite().all()) and tensor.dtype == torch.bfloat16 for _, tensor in engine.full_weights()
    )
    return [result.applied for result in results], finite


def partly_frozen(zero_stage: int, seed: int, bfloat16: bool) -> Engine:
    model = random_policy(tiny_config(), seed=seed, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    model.get_input_embeddings().requires_grad_(False)
    return Engine(model, "cpu", settings(zero_stage, bfloat16=bfloat16))


def save_partly_frozen(zero_stage: int, folder: Path, bfloat16: bool) -> None:
    engine = partly_frozen(zero_stage, 1, bfloat16)
    for step in (0, 1):
        one_step(engine, step, lr=1e-3)
    engine.save(folder)


def load_and_save(zero_stage: int, folder: Path, again: Path, bfloat16: bool) -> None:
    engine = partly_frozen(zero_stage, 2, bfloat16)
    engine.load(folder)
    engine.save(again)


def untrained_weights(zero_stage: int) -> tuple[Weights, Weights]:
    model = policy()
    model.get_input_embeddings().requires_grad_(False)
    engine = Engine(model, "cpu", settings(zero_stage))
    return weights_of(engine), weights_of(engine, trainable_only=True)


def step_at_rate(zero_stage: int, lr: float) -> Weights:
    engine = Engine(policy(), "cpu", settings(zero_stage, lr=123.0))
    one_step(engine, 0, lr=lr)
    return weights_of(engine)


def add_up() -> float:
    engine = Engine(policy(), "cpu", settings(0))
    return engine.sum_over_ranks(10.0 ** torch.distributed.get_rank())


# -- what is asserted of it -----------------------------------------------------------------------------------------


def gap(left: Weights, right: Weights) -> float:
    assert left.keys() == right.keys()
    return max(float(np.abs(left[name] - right[name]).max()) for name in left)


@pytest.mark.parametrize("zero_stage", STAGES)
@pytest.mark.parametrize("num_micro_batches", [1, 4])
def test_every_stage_on_any_ranks_is_adamw_with_clipping(ranks, by_torch, zero_stage, num_micro_batches):
    expected, expected_norms = by_torch
    assert min(expected_norms) > 0.3  # the clip is tested too
    for weights, norms in ranks.run(train, zero_stage, num_micro_batches):
        assert gap(weights, expected) <= 1e-6
        assert norms == pytest.approx(expected_norms, rel=1e-5)


@pytest.mark.parametrize("zero_stage", STAGES)
@pytest.mark.parametrize(("poisons", "num_micro_batches"), [([np.nan], 1), ([np.inf, np.nan], 2)])
def test_a_nan_on_one_rank_skips_the_step_on_all(ranks, zero_stage, poisons, num_micro_batches):
    clean = ranks.run(train_through, zero_stage, [], 1)[0][-1]
    for skipped, before, after, last, weights in ranks.run(train_through, zero_stage, poisons, num_micro_batches):
        assert [(result.applied, np.isnan(result.grad_norm)) for result in skipped] == [(False, True)] * len(poisons)
        assert gap(before, after) == 0.0
        assert all(result.applied and result.grad_norm > 0 for result in last)
        assert gap(weights, clean) == 0.0  # so Adam's moments and step count were left alone too


@pytest.mark.parametrize("zero_stage", STAGES)
def test_a_loaded_engine_goes_on_to_the_bit(ranks, zero_stage, tmp_path):
    saved = ranks.run(save_and_go_on, zero_stage, tmp_path)
    loaded = ranks.run(load_and_go_on, zero_stage, tmp_path)
    assert gap(saved[0], loaded[0]) == 0.0
    assert all(gap(saved[0], other) == 0.0 for other in saved + loaded)


@pytest.mark.parametrize("zero_stage", STAGES)
def test_loading_nothing_is_an_error_that_names_the_folder(alone, zero_stage, tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "absent"):
        assert str(folder) in alone.run(load_error, zero_stage, folder)[0]


def test_several_states_are_refused(alone, pair, tmp_path):
    alone.run(save, 1, tmp_path)
    pair.run(save, 2, tmp_path)
    assert "zero1-ranks1, zero2-ranks2" in alone.run(load_error, 1, tmp_path, ModelError)[0]


@pytest.mark.parametrize("zero_stage", STAGES)
def test_settings_are_those_of_the_engine_that_loads(alone, pair, zero_stage, tmp_path):
    """On the layout that was saved, which DeepSpeed reads, as on another, which is cut anew."""
    alone.run(save_and_go_on, zero_stage, tmp_path)
    go_on = partial(
        load_and_go_on, weight_decay=0.9, adam_betas=(0.5, 0.6), adam_eps=1e-2, max_grad_norm=0.05
    )  # each of them alone changes the weights by more than what is compared
    [same_layout] = alone.run(go_on, zero_stage, tmp_path)
    assert gap(same_layout, pair.run(go_on, zero_stage, tmp_path)[0]) < 1e-6


@pytest.mark.parametrize("loading", STAGES)
@pytest.mark.parametrize("saving", STAGES)
def test_what_another_stage_or_number_of_ranks_saved_is_cut_anew(alone, pair, three, saving, loading, tmp_path):
    for name, savers, loaders in (("1-3", alone, three), ("3-1", three, alone), ("2-3", pair, three)):
        expected = savers.run(save_and_go_on, saving, tmp_path / name)[0]
        for weights in loaders.run(load_and_go_on, loading, tmp_path / name):
            assert gap(weights, expected) < 1e-6  # ranks add up in another order


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("loading", [1, 2, 3])
@pytest.mark.parametrize("saving", [1, 2, 3])
def test_state_that_is_cut_anew_is_the_same_to_the_bit(alone, pair, saving, loading, bfloat16, tmp_path):
    pair.run(save_partly_frozen, saving, tmp_path / "saved", bfloat16)
    alone.run(load_and_save, loading, tmp_path / "saved", tmp_path / "again", bfloat16)
    names = [name for name, _ in policy().named_parameters() if name != FROZEN]
    with restricted_loading(tmp_path):
        saved = read_state(tmp_path / "saved" / f"zero{saving}-ranks2", saving, names)
        again = read_state(tmp_path / "again" / f"zero{loading}-ranks1", loading, names)
    assert saved.step == again.step == 2
    for name, parameter in policy().named_parameters():
        for part in PARTS if name != FROZEN else ():
            before, after = (state.whole(name, part, parameter.shape) for state in (saved, again))
            assert torch.equal(before, after)
            assert before.any()


@pytest.mark.parametrize("loading", STAGES)
def test_state_before_the_first_step_is_cut_anew(alone, pair, loading, tmp_path):
    for saving in STAGES:
        alone.run(save, saving, tmp_path / str(saving))
        weights = pair.run(load_and_step, loading, tmp_path / str(saving))
        assert gap(weights[0], alone.run(load_and_step, saving, tmp_path / str(saving))[0]) < 1e-6


@pytest.mark.parametrize("zero_stage", [1, 2, 3])
def test_bfloat16(pair, zero_stage):
    assert pair.run(train_in_bfloat16, zero_stage) == [([True, False, True], True)] * 2


def test_bfloat16_without_zero_is_refused():
    with pytest.raises(ValueError, match=r"learner.zero_stage = 0 trains in float32 only"):
        Engine(policy(), "cpu", settings(0, bfloat16=True))


@pytest.mark.parametrize("zero_stage", STAGES)
def test_full_weights_are_whole_under_the_networks_own_names(ranks, zero_stage):
    expected = {name: parameter.detach().numpy() for name, parameter in policy().named_parameters()}
    for weights, trainable in ranks.run(untrained_weights, zero_stage):
        assert list(weights) == list(expected)
        assert gap(weights, expected) == 0.0
        assert weights.keys() - trainable.keys() == {FROZEN}


@pytest.mark.parametrize("zero_stage", STAGES)
def test_the_rate_of_a_step_is_the_one_given_to_it(alone, zero_stage):
    start = {name: parameter.detach().numpy() for name, parameter in policy().named_parameters()}
    moved = [gap(alone.run(step_at_rate, zero_stage, lr)[0], start) for lr in (0.0, 1e-3, 1e-2)]
    assert moved[0] == 0.0
    # Adam's first step moves the weights with the largest gradients by the rate itself, and decay by a little
    assert moved[1] == pytest.approx(1e-3, rel=0.1)
    assert moved[2] == pytest.approx(10 * moved[1], rel=1e-3)


def test_a_sum_over_ranks(pair):
    assert pair.run(add_up) == [11.0, 11.0]

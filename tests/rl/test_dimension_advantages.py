"""Advantages dimension by dimension, against numbers worked by hand and against the scalar where both must agree."""

import math

import numpy as np
import pytest
import torch

from rewards.signal import Gate, Moments, build_signal
from rewards.table import by_name
from rl.advantages import dr_grpo, estimate, grpo
from rl.batch import Annotations, pack
from rl.config import PPOConfig
from rl.dimension_advantages import combine, estimate_by_dimension
from rl.trajectory import Score, Scored
from tests.rl.builders import request, trajectory

NAN = math.nan
NAMES = ("answer.correct", "length.concise", "format.nonempty")
WEIGHTS = {"answer.correct": 1.0, "length.concise": -0.5}
SIGNAL = build_signal([by_name()[name] for name in NAMES], WEIGHTS)
NONE = Moments.none(3)
NOTES = Annotations(np.zeros((1, 1), np.float32), None, None)


def dialog(group: int, sample: int, *vectors: list[float]) -> Scored:
    """One turn for each vector."""
    vector = np.array(vectors, np.float32)
    success = np.nan_to_num(vector[:, 0])
    asked = trajectory(request(0, group, sample), ["ab"] * len(vectors))
    return Scored(asked, Score(vector, SIGNAL.scalar(vector, success, NONE), success))


def advantages(rows: list[Scored], **ppo: object) -> np.ndarray:
    """[B, N]: that of each turn, after checking that all tokens of a turn share it."""
    config = PPOConfig.model_validate({"advantage_combine": "per_dimension", "kl_in": "loss", **ppo})
    batch = pack(rows, reward_clip=10.0)
    found = estimate_by_dimension(batch, NOTES, rows, SIGNAL, NONE, config, 0.0).advantages
    assert not found[~batch.action_mask].any()
    turns = np.full((len(rows), batch.turn_index.max() + 1), NAN)
    for row, turn in np.argwhere(~np.isnan(turns) | np.isnan(turns)):
        values = np.unique(found[row][batch.turn_index[row] == turn])
        assert len(values) <= 1
        turns[row, turn] = values[0] if len(values) else NAN
    return turns


def compared(values: list[list[float]], weights: list[float], compare: object = grpo) -> list[float]:
    """One turn, one group: [B, D] -> [B]."""
    tensor = torch.tensor(values, dtype=torch.float64)[:, None, :]
    written = torch.ones(len(values), 1, dtype=torch.bool)
    groups = torch.zeros(len(values), dtype=torch.int32)
    return combine(
        tensor, written, groups, torch.tensor(weights, dtype=torch.float64), compare=compare, turn_gamma=0.0
    )[:, 0].tolist()  # type: ignore[arg-type]


def test_each_dimension_counts_by_its_weight_however_widely_it_varies() -> None:
    """Values -1 and 1 in units of their sample deviation are -+0.7071; 100 and 0 are no more than that."""
    z = 1 / math.sqrt(2)
    assert compared([[1.0, 0.0], [0.0, 100.0]], [1.0, 0.25]) == pytest.approx([0.75 * z, -0.75 * z], abs=1e-5)


def test_vectors_of_the_same_sum_are_told_apart() -> None:
    """Deviations 1/2, -3/2, 1/2, 1/2 in the first dimension and -+sqrt(3)/2 in the second."""
    rows = [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    by_sum = grpo(torch.tensor(rows).sum(1, keepdim=True), torch.ones(4, 1, dtype=torch.bool), torch.zeros(4))[:, 0]
    assert by_sum[0] == by_sum[1]
    root = math.sqrt(3) / 2
    wanted = [0.5 - root, -1.5 + root, 0.5 + root, 0.5 - root]
    assert compared(rows, [1.0, 1.0]) == pytest.approx(wanted, abs=1e-5)


def test_who_was_not_judged_is_not_compared() -> None:
    """Of 1, 0 and nothing, the mean is one half and not a third."""
    assert compared([[1.0], [0.0], [NAN]], [2.0], dr_grpo) == [1.0, -1.0, 0.0]
    assert compared([[1.0], [NAN], [NAN]], [1.0], grpo) == [0.0, 0.0, 0.0]


def test_returns_of_later_turns_count_by_turn_gamma() -> None:
    values = torch.tensor([[[1.0], [2.0]], [[NAN], [4.0]]], dtype=torch.float64)
    found = combine(
        values,
        torch.ones(2, 2, dtype=torch.bool),
        torch.zeros(2, dtype=torch.int32),
        torch.ones(1, dtype=torch.float64),
        compare=dr_grpo,
        turn_gamma=0.5,
    )
    # returns: 1 + 0.5 * 2 = 2 and 0.5 * 4 = 2 in the first turn, 2 and 4 in the second
    assert found.tolist() == [[0.0, -1.0], [0.0, 1.0]]


@pytest.mark.parametrize("estimator", ["dr_grpo", "rloo"])
def test_what_only_centres_agrees_with_the_scalar_where_nobody_abstains(estimator: str) -> None:
    numbers = np.random.default_rng(0)
    rows = [
        dialog(group, sample, *numbers.random((1 + group, 3)).tolist()) for group in range(3) for sample in range(4)
    ]
    config = PPOConfig.model_validate({"advantage_estimator": estimator, "turn_gamma": 0.5})
    batch = pack(rows, reward_clip=10.0)
    scalar = estimate(batch, NOTES, config, 0.0)
    config = config.model_copy(update={"advantage_combine": "per_dimension"})
    by_dimension = estimate_by_dimension(batch, NOTES, rows, SIGNAL, NONE, config, 0.0)
    np.testing.assert_allclose(by_dimension.advantages, scalar.advantages, atol=1e-6)
    np.testing.assert_array_equal(by_dimension.returns, scalar.returns)


def test_grpo_has_the_scale_of_one_reward_and_ignores_what_has_no_weight() -> None:
    rows = [dialog(0, 0, [1, 0, 0]), dialog(0, 1, [0, 1, 1]), dialog(1, 0, [1, 1, 0]), dialog(1, 1, [1, 1, 1])]
    found = advantages(rows, advantage_estimator="grpo")[:, 0]
    # in group 0 both dimensions say the same, in group 1 nobody differs: +-a, 0, 0 with a mean square of 1
    np.testing.assert_allclose(found, [math.sqrt(2), -math.sqrt(2), 0.0, 0.0], atol=1e-5)
    only_good = advantages(rows, advantage_estimator="grpo", negative_advantage_scale=0.0)[:, 0]
    np.testing.assert_allclose(only_good, [math.sqrt(2), 0.0, 0.0, 0.0], atol=1e-5)


def test_dialogs_of_unequal_length_and_failed_ones() -> None:
    rows = [
        dialog(0, 0, [1, 0, 0], [1, 0, 0]),
        Scored(trajectory(request(0, 0, 1)).with_status("failed", "no judgement"), None),
        dialog(0, 2, [0, 0, 0]),
        dialog(0, 3, [0, 0, 0], [0, 0, 0]),
    ]
    found = advantages(rows[:1] + rows[2:], advantage_estimator="dr_grpo", turn_gamma=0.0)
    np.testing.assert_allclose(found, [[2 / 3, 0.5], [-1 / 3, NAN], [-1 / 3, -0.5]], atol=1e-6)
    config = PPOConfig(advantage_estimator="dr_grpo", advantage_combine="per_dimension", turn_gamma=0.0)
    with_failed = estimate_by_dimension(pack(rows, reward_clip=10.0), NOTES, rows, SIGNAL, NONE, config, 0.0)
    assert len(with_failed.advantages) == 3


def test_a_gate_shuts_the_advantage_of_what_it_caps() -> None:
    """Both wrong: the brief answer gains nothing from being brief."""
    gated = build_signal([by_name()[n] for n in NAMES], {"length.concise": 1.0}, None, [Gate("success", ("length",))])
    rows = [dialog(0, 0, [0, 1, 0]), dialog(0, 1, [0, 0, 0])]
    config = PPOConfig(advantage_estimator="dr_grpo", advantage_combine="per_dimension")
    batch = pack(rows, reward_clip=10.0)
    assert not estimate_by_dimension(batch, NOTES, rows, gated, NONE, config, 0.0).advantages.any()


def test_the_order_of_the_dialogs_does_not_matter() -> None:
    numbers = np.random.default_rng(1)
    rows = [dialog(i % 3, i, *numbers.random((2, 3)).tolist()) for i in range(12)]
    forth = advantages(rows, advantage_estimator="rloo")
    back = advantages(rows[::-1], advantage_estimator="rloo")
    np.testing.assert_allclose(forth, back[::-1], atol=1e-6)

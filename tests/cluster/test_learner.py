"""The learner on one rank and on two, with real DeepSpeed: the same numbers, and an end when a rank dies."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import ray
from ray.actor import ActorHandle
from ray.util.placement_group import placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from cluster.learner import LearnerGroup, Ranks
from cluster.learner_actor import LearnerActor
from cluster.workers import Publication
from models.weights import unpack_weights
from rl.advantages import estimate
from rl.batch import Annotations, Batch, pack
from rl.build import build_device_plan, prepare_model
from rl.config import Config
from rl.interfaces import LearnerLostError
from rl.load_config import load_config
from tests.cluster.actors import still_there
from tests.rl.builders import request, scored, trajectory

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("ray_cluster")]

SETTINGS = [
    "learner.num_threads=1",
    "learner.timeout_seconds=300",
    "ppo.mini_batch_size=6",
    "ppo.micro_batch_tokens=64",  # a row or two at a time, so that both ranks have work, unequally much
    "ppo.kl_coef=0.1",
    "actor.lr=1.0e-4",
    "critic.lr=1.0e-4",
    "actor.adam_eps=1.0e-4",  # Adam's first step is +-lr even where a gradient is nothing but rounding
    "critic.adam_eps=1.0e-4",
]


@dataclass
class Outcome:
    """What a group made of one batch."""

    notes: Annotations
    metrics: dict[str, float]
    publication: Publication
    weights: dict[str, np.ndarray]


def config(*overrides: str) -> Config:
    return load_config("r1_zero_smoke", [*SETTINGS, *overrides])


def batch() -> Batch:
    """Twelve dialogs of one or two turns with rewards that differ."""
    dialogs = [
        scored(trajectory(request(0, group, sample), ["7" * (1 + group), "xyz" * sample][: 1 + sample % 2 + group % 2]))
        for group in range(4)
        for sample in range(3)
    ]
    for number, item in enumerate(dialogs):
        assert item.score is not None
        item.score.scalar[:] = number % 5 - 2
    return pack(dialogs, reward_clip=10.0)


@dataclass
class Started:
    group: LearnerGroup
    ranks: list[ActorHandle]


def start(config: Config, folder: Path) -> Started:
    num_ranks, plan = config.learner.num_ranks, build_device_plan(config, 0)
    ranks: list[ActorHandle] = []

    def start_ranks() -> Ranks:
        group = placement_group([{"CPU": 1.0}] * num_ranks)
        ranks[:] = [
            LearnerActor.options(
                num_cpus=1,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank),
                runtime_env={"env_vars": {"DS_ACCELERATOR": "cpu"}},
            ).remote(config, folder, plan, rank)
            for rank in range(num_ranks)
        ]
        return Ranks(list(ranks), group)

    return Started(LearnerGroup(start_ranks, timeout_seconds=config.learner.timeout_seconds), ranks)


async def learn(group: LearnerGroup, config: Config, *, joined: bool = False) -> Outcome:
    if not joined:
        await group.join()
    notes = await group.annotate(batch())
    advantages = estimate(batch(), notes, config.ppo, config.ppo.kl_coef)
    metrics = await group.update(batch(), notes, advantages, step=0, kl_coef=config.ppo.kl_coef)
    publication = await group.publish(1)
    [(manifest, refs)] = publication.parts
    weights = {name: tensor.numpy() for name, tensor in unpack_weights(manifest, ray.get(list(refs)))}
    return Outcome(notes, metrics, publication, weights)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("learner") / "model"
    prepare_model(config(), folder)
    return folder


@pytest.fixture(scope="module")
def started(folder: Path, ray_cluster: None) -> Iterator[dict[int, Started]]:
    by_size = {num_ranks: start(config(f"learner.num_ranks={num_ranks}"), folder) for num_ranks in (1, 2)}
    yield by_size
    for each in by_size.values():
        each.group.stop()


@pytest.fixture(scope="module")
def outcomes(started: dict[int, Started]) -> dict[int, Outcome]:
    return {n: asyncio.run(learn(each.group, config(f"learner.num_ranks={n}"))) for n, each in started.items()}


def test_the_ranks_shares_add_up(outcomes: dict[int, Outcome]) -> None:
    one, two = outcomes[1].notes, outcomes[2].notes
    np.testing.assert_allclose(two.logprobs, one.logprobs, atol=1e-5)
    assert one.ref_logprobs is not None and two.ref_logprobs is not None
    np.testing.assert_allclose(two.ref_logprobs, one.ref_logprobs, atol=1e-5)
    assert one.values is not None and two.values is not None
    np.testing.assert_allclose(two.values, one.values, atol=1e-4, rtol=1e-5)


def test_an_untrained_policy_is_its_reference(outcomes: dict[int, Outcome]) -> None:
    mask = batch().action_mask
    for outcome in outcomes.values():
        assert outcome.notes.ref_logprobs is not None
        np.testing.assert_array_equal(outcome.notes.ref_logprobs[mask], outcome.notes.logprobs[mask])
        assert (outcome.notes.logprobs[mask] < 0).all()


def test_two_ranks_learn_what_one_learns(outcomes: dict[int, Outcome], folder: Path) -> None:
    """Not to the bit, because floating-point sums over ranks come in another order."""
    one, two = outcomes[1].weights, outcomes[2].weights
    assert one.keys() == two.keys()
    for name in one:
        np.testing.assert_allclose(two[name], one[name], atol=1e-5, err_msg=name)
    from safetensors.numpy import load_file

    before = load_file(folder / "model.safetensors")
    assert max(float(np.abs(one[name] - before[name]).max()) for name in one) > 5e-5  # it has learnt something


def test_metrics_are_of_the_whole_batch(outcomes: dict[int, Outcome]) -> None:
    one, two = outcomes[1].metrics, outcomes[2].metrics
    assert one.keys() == two.keys()
    assert {"actor/pg_loss", "actor/entropy", "actor/grad_norm", "critic/vf_loss"} <= one.keys()
    assert two == pytest.approx(one, rel=1e-3, abs=1e-5)
    assert one["actor/first_ratio_gap"] <= 1e-5
    assert two["actor/first_ratio_gap"] <= 1e-5


def test_the_same_weights_have_the_same_name(started: dict[int, Started], outcomes: dict[int, Outcome]) -> None:
    again = asyncio.run(started[1].group.publish(2))
    assert again.version == 2
    assert again.sha256 == outcomes[1].publication.sha256


def test_an_adapter_travels_alone(folder: Path) -> None:
    """The base goes into the object store once; every version of the adapter is a small part of its bytes."""
    lora = config(f"model.name_or_path={folder}", "model.lora_rank=4", "ppo.advantage_estimator=grpo")
    group = start(lora, folder).group

    async def publish_twice() -> list[Publication]:
        await group.join()
        return [await group.publish(version) for version in (0, 1)]

    first, second = asyncio.run(publish_twice())
    group.stop()
    (base, base_refs), (adapter, _) = first.parts
    assert (base.kind, adapter.kind) == ("full", "adapter")
    assert adapter.num_bytes < 0.1 * base.num_bytes
    assert second.parts[0][0].sha256 == base.sha256
    assert second.parts[0][1] == base_refs


def test_its_fingerprint_is_that_of_its_publication(started: dict[int, Started], outcomes: dict[int, Outcome]) -> None:
    assert asyncio.run(started[2].group.fingerprint(1)) == outcomes[2].publication.sha256


def test_a_dead_rank_is_noticed_at_once_and_the_group_rebuilt(
    started: dict[int, Started], outcomes: dict[int, Outcome]
) -> None:
    """The last test of these ranks. DeepSpeed's collectives would wait for the dead for minutes."""
    group, ranks = started[2].group, started[2].ranks
    processes = ray.get([rank.__ray_call__.remote(lambda _: os.getpid()) for rank in ranks])
    os.kill(processes[1], signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(LearnerLostError, match="a learner rank died: ") as caught:
        asyncio.run(group.annotate(batch()))
    assert time.monotonic() - start < 10.0
    assert "\n" not in str(caught.value)

    async def again() -> Outcome:
        await group.rebuild()
        return await learn(group, config("learner.num_ranks=2"), joined=True)

    assert asyncio.run(again()).publication.sha256 == outcomes[2].publication.sha256
    assert still_there(processes) == []
    processes = ray.get([rank.__ray_call__.remote(lambda _: os.getpid()) for rank in ranks])
    group.stop()
    assert still_there(processes) == []

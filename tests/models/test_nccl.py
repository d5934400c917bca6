"""NCCL weight transfer without NCCL: vLLM's two ends, a real engine and the checks are real, the wire is a queue."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.device import DeviceError, plan_device
from models.engine import Engine
from models.policy import load_policy, random_policy
from models.presets import build_config
from models.publish import describe_policy, policy_weights, publish_policy
from models.sampler import Sampler, SamplerSettings
from models.samples import SampleRequest
from models.weights import Manifest, Probe, WeightSyncError, describe_weights, pack_weights
from tests.models.engines import PLAN, engine_process, largest_gap, publish, run
from tests.models.nccl_wire import Wire, receiving_end
from tests.models.ranks import Ranks, settings, tiny_config

PROBE = Probe(np.zeros((1, 2), np.int32), np.zeros((1, 2), np.float32), tolerance=1.0)
WEIGHTS = [("embed", torch.arange(6.0).view(3, 2)), ("norm", torch.ones(2, dtype=torch.bfloat16))]
TIMEOUT_SECONDS = 60.0
PORTS = itertools.count(1000)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire()
    wire.install(monkeypatch)
    return wire


def sender(weights: Iterable[tuple[str, torch.Tensor]] = WEIGHTS, *, rank: int = 0, gpus_per_receiver: int = 1) -> Any:
    from models.nccl import NcclSender

    return NcclSender(
        lambda: iter(weights), rank=rank, gpus_per_receiver=gpus_per_receiver, address=lambda: ("10.0.0.1", next(PORTS))
    )


def manifest(version: int = 0) -> Manifest:
    return describe_weights(WEIGHTS, version=version, kind="full", probe=PROBE)


class FakeReceivers:
    """Implements vLLM's `VLLMWeightSyncClient`: engines of `gpus` GPUs each, all working at the same time."""

    def __init__(self, names: Sequence[str], *, gpus: int = 1) -> None:
        self.engines = {name: [receiving_end(rank) for rank in range(gpus)] for name in names}
        self.calls: list[str] = []
        self._gpus = gpus
        self._threads = ThreadPoolExecutor(len(names) * gpus)

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        self.calls.append("init")
        jobs = []
        for number, engine in enumerate(self.engines.values()):
            own = {**init_info, "rank_offset": init_info["rank_offset"] + number * self._gpus}
            jobs += [self._threads.submit(gpu.init_transfer_engine, gpu.parse_init_info(own)) for gpu in engine]
        for job in jobs:
            job.result(TIMEOUT_SECONDS)

    def start_weight_update(self) -> None:
        self.calls.append("start")

    def update_weights(self, update_info: Any) -> None:
        self.calls.append("update")
        jobs = [self._threads.submit(gpu.update_weights, update_info) for gpu in self.gpus]
        for job in jobs:
            job.result(TIMEOUT_SECONDS)

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        self.calls.append("finish")

    @property
    def gpus(self) -> list[Any]:
        return [gpu for engine in self.engines.values() for gpu in engine]


# -- the learner's end ----------------------------------------------------------------------------------------------


def test_every_gpu_of_every_receiver_gets_all_weights(wire: Wire) -> None:
    names = ("rollout-0", "rollout-1", "rollout-2")
    receivers = FakeReceivers(names, gpus=2)
    sender(gpus_per_receiver=2).send(manifest(), receivers, receivers=names)
    assert receivers.calls == ["init", "start", "update", "finish"]
    assert wire.sizes == [1 + 3 * 2]
    assert sorted(*[group.ranks for group in wire.groups.values()]) == list(range(7))
    for gpu in receivers.gpus:
        assert gpu.model.loaded.keys() == dict(WEIGHTS).keys()
        assert all(torch.equal(gpu.model.loaded[name], tensor) for name, tensor in WEIGHTS)


def test_the_group_is_kept_until_its_members_change(wire: Wire) -> None:
    both, other = FakeReceivers(("rollout-0", "rollout-1")), FakeReceivers(("rollout-2",))
    learner = sender()
    for version in (0, 1):
        learner.send(manifest(version), both, receivers=("rollout-0", "rollout-1"))
    assert both.calls == ["init", "start", "update", "finish", "start", "update", "finish"]
    assert wire.sizes == [3]
    learner.send(manifest(2), other, receivers=("rollout-2",))
    assert other.calls == ["init", "start", "update", "finish"]
    assert wire.sizes == [3, 2]
    assert [group.closed for group in wire.groups.values()] == [[0], []]  # the sender has left the first
    learner.send(manifest(3), both, receivers=("rollout-0", "rollout-1"))
    assert wire.sizes == [3, 2, 3]


def test_other_ranks_of_the_learner_only_help_to_gather(wire: Wire) -> None:
    gathered = []

    class Weights:
        def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
            for name, tensor in WEIGHTS:
                gathered.append(name)
                yield name, tensor

    receivers = FakeReceivers(("rollout-0",))
    sender(Weights(), rank=1).send(manifest(), receivers, receivers=("rollout-0",))
    assert gathered == list(dict(WEIGHTS))
    assert receivers.calls == []
    assert wire.groups == {}


def test_weights_that_changed_their_shape_since_the_manifest_are_not_sent(wire: Wire) -> None:
    receivers = FakeReceivers(("rollout-0",))
    with pytest.raises(ValueError, match="metadata"):
        sender([("embed", torch.zeros(9)), WEIGHTS[1]]).send(manifest(), receivers, receivers=("rollout-0",))
    [group] = wire.groups.values()
    group.meeting.abort()  # lets the receiver go, which NCCL would not


def test_a_description_has_the_checksums_of_what_is_packed() -> None:
    packed, _ = pack_weights(WEIGHTS, version=4, kind="full", probe=PROBE)
    described = describe_weights(WEIGHTS, version=4, kind="full", probe=PROBE)
    assert described.sha256 == packed.sha256
    assert [entry.sha256 for entry in described.entries] == [entry.sha256 for entry in packed.entries]


def test_adapters_take_the_object_store() -> None:
    gpus: dict[str, Any] = {"dtype": "bfloat16", "num_ranks": 1, "num_rollout_workers": 1, "kv_cache_gib": 1.0}
    with pytest.raises(DeviceError, match=r"model\.lora_rank = 8 .* use object_store"):
        plan_device(2, **gpus, weight_transfer="nccl", lora_rank=8)
    assert plan_device(2, **gpus, weight_transfer="nccl").weight_transfer == "nccl"
    assert plan_device(2, **gpus, lora_rank=8).weight_transfer == "object_store"


def send_sharded() -> tuple[str, str, list[str]]:
    """On a rank of the learner under ZeRO-3: what it describes, what it would pack, and what its receiver got."""
    engine = Engine(random_policy(tiny_config(), seed=1), "cpu", settings(zero_stage=3))
    published = describe_policy(engine, version=0, max_length=20)
    packed, _ = publish_policy(engine, version=0, max_length=20)
    receivers = FakeReceivers(("rollout-0",))
    with pytest.MonkeyPatch.context() as patch:
        Wire().install(patch)
        rank = torch.distributed.get_rank()
        sender(PolicyWeights(engine), rank=rank).send(published, receivers, receivers=("rollout-0",))
    loaded = receivers.gpus[0].model.loaded.items()
    received = [describe_weights(loaded, version=0, kind="full", probe=published.probe).sha256] if loaded else []
    return published.sha256, packed.sha256, received


@dataclass
class PolicyWeights:
    engine: Engine

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        return policy_weights(self.engine)


@pytest.mark.e2e
def test_ranks_gather_together_and_the_first_sends() -> None:
    with Ranks(2) as ranks:
        first, second = ranks.run(send_sharded, timeout_seconds=240.0)
    sha256 = first[0]
    assert first == (sha256, sha256, [sha256])
    assert second == (sha256, sha256, [])


# -- a real engine at the other end -----------------------------------------------------------------------------------

VOCAB, MAX_LENGTH, END = 300, 128, 5


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> list[PreTrainedModel]:
    """Two versions of a policy, all weights different."""
    config = build_config(
        "r1-zero-6l-tiny", vocab_size=VOCAB, pad_token_id=0, eos_token_id=END, max_length=MAX_LENGTH, init_std=0.08
    )
    folder: Path = tmp_path_factory.mktemp("policy")
    random_policy(config, seed=0).save_pretrained(folder)
    first = load_policy(folder)
    second = deepcopy(first)
    for parameter in second.parameters():
        parameter.data += 0.02 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1))
    return [first, second]


@pytest.fixture(scope="module")
def engine(policies: list[PreTrainedModel]) -> Iterator[Sampler]:
    settings = SamplerSettings(
        model_folder=policies[0].config.name_or_path,
        max_length=MAX_LENGTH,
        max_num_seqs=8,
        temperature=1.0,
        top_p=1.0,
        top_k=-1,
        stop_token_ids=(END,),
        engine_args=PLAN.engine_args,
        weight_transfer="nccl",
    )
    with engine_process():
        yield Sampler(settings)


class OneEngine:
    """Implements `VLLMWeightSyncClient` as cluster/nccl.py does, for one sampler in this process."""

    def __init__(self, sampler: Sampler, published: Manifest) -> None:
        self._sampler, self._published = sampler, published

    def init_weight_transfer_engine(self, init_info: Mapping[str, Any]) -> None:
        self._sampler.join_transfer(init_info)

    def start_weight_update(self) -> None: ...

    def update_weights(self, update_info: Any) -> None:
        self._sampler.load(self._published, ())

    def finish_weight_update(self, weight_version: str | None = None) -> None: ...


def described(model: PreTrainedModel, version: int) -> Manifest:
    return publish(model, version, max_length=MAX_LENGTH)[0]


class Learner:
    """Has a policy, and sends it to one engine."""

    def __init__(self, policy: PreTrainedModel) -> None:
        self.policy = policy
        self._sender = sender(self)

    def __iter__(self) -> Iterator[tuple[str, torch.Tensor]]:
        return self.policy.named_parameters()

    def send(self, sampler: Sampler, published: Manifest) -> None:
        self._sender.send(published, OneEngine(sampler, published), receivers=("rollout-0",))


@pytest.mark.e2e
def test_an_engine_goes_on_under_new_weights(engine: Sampler, policies: list[PreTrainedModel], wire: Wire) -> None:
    requests = [SampleRequest(str(i), list(range(10, 20 + i)), 40, seed=i) for i in range(4)]
    learner = Learner(policies[0])
    learner.send(engine, described(policies[0], 0))
    assert engine.version == 0
    for request in requests:
        engine.add(request)
    for _ in range(2):
        engine.step()
    learner.policy = policies[1]
    learner.send(engine, described(policies[1], 1))
    running = run(engine)
    assert wire.sizes == [2]
    assert {tuple(np.unique(sample.versions)) for sample in running.values()} == {(0, 1)}
    fresh = [replace(request, id=f"fresh-{request.id}") for request in requests]
    assert largest_gap(policies[1], fresh, run(engine, fresh)) < 1e-4


@pytest.mark.e2e
def test_a_new_group_takes_the_place_of_the_old(engine: Sampler, policies: list[PreTrainedModel], wire: Wire) -> None:
    Learner(policies[0]).send(engine, described(policies[0], 0))
    Learner(policies[1]).send(engine, described(policies[1], 1))
    assert engine.version == 1
    assert [group.closed for group in wire.groups.values()] == [[1], []]  # the engine has left the first


@pytest.mark.e2e
def test_other_weights_than_the_published_ones_are_noticed(
    engine: Sampler, policies: list[PreTrainedModel], wire: Wire
) -> None:
    learner = Learner(policies[0])
    learner.send(engine, described(policies[0], 0))
    with pytest.raises(WeightSyncError, match="is not the published one"):
        learner.send(engine, described(policies[1], 1))
    assert engine.version is None
    with pytest.raises(WeightSyncError, match="no verified weights"):
        engine.add(SampleRequest("0", [10, 11], 4, seed=0))


@pytest.mark.e2e
def test_the_probe_is_the_last_word(engine: Sampler, policies: list[PreTrainedModel], wire: Wire) -> None:
    published = described(policies[0], 0)
    with pytest.raises(WeightSyncError, match="log-probs differ"):
        Learner(policies[0]).send(engine, replace(published, probe=described(policies[1], 0).probe))
    assert engine.version is None

"""The sampler on real vLLM engines: no token from weights that are not the published ones, exact log-probs, and the
same samples whatever else runs.

Two engines serve all tests. The folder of the first ties its embeddings, as many do: vLLM then keeps a stale output
layer, so every test of it also tests the cure. The second has LoRA.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, PreTrainedModel

from models.lora import apply_lora, export_adapter, trainable_parameters
from models.policy import load_policy, random_policy
from models.presets import build_config
from models.sampler import Sampler, SamplerSettings
from models.samples import Sample, SampleRequest
from models.weights import Manifest, WeightSyncError, probe_tokens
from tests.models.engines import PLAN, engine_process, expected_logprobs, forward_logprobs, largest_gap, publish, run

pytestmark = pytest.mark.e2e

VOCAB, MAX_LENGTH, END = 300, 512, 5
BLOCK = 128  # tokens; the prefix cache of vLLM on CPUs keeps whole blocks
CONFIG = build_config(
    "r1-zero-6l-tiny", vocab_size=VOCAB, pad_token_id=0, eos_token_id=END, max_length=MAX_LENGTH, init_std=0.08
)
SETTINGS = SamplerSettings(
    model_folder="",
    max_length=MAX_LENGTH,
    max_num_seqs=64,
    temperature=1.0,
    top_p=1.0,
    top_k=-1,
    stop_token_ids=(END,),
    engine_args=PLAN.engine_args,
)
TOLERANCE = 1e-4

Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module", autouse=True)
def process() -> Iterator[None]:
    with engine_process():
        yield


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> list[PreTrainedModel]:
    """Three versions of a policy out of a folder that ties its embeddings. All their weights differ."""
    folder = tmp_path_factory.mktemp("tied")
    tied = LlamaConfig.from_dict(CONFIG.to_dict() | {"tie_word_embeddings": True})
    random_policy(tied, seed=0).save_pretrained(folder)
    versions = [load_policy(folder)]
    for seed in (1, 2):
        changed = deepcopy(versions[0])
        generator = torch.Generator().manual_seed(seed)
        for parameter in changed.parameters():
            parameter.data += 0.02 * torch.randn(parameter.shape, generator=generator)
        versions.append(changed)
    return versions


@pytest.fixture(scope="module")
def engine(policies: list[PreTrainedModel]) -> Sampler:
    return Sampler(replace(SETTINGS, model_folder=policies[0].config.name_or_path))


@pytest.fixture
def sampler(engine: Sampler, policies: list[PreTrainedModel]) -> Iterator[Sampler]:
    """It serves version 0, and nothing runs."""
    engine.load(*publish(policies[0], 0, max_length=MAX_LENGTH))
    yield engine
    assert engine.num_unfinished == 0


def prompt(length: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(END + 1, VOCAB, length).tolist()


def requests(count: int, *, length: int = 10, max_tokens: int = 12) -> list[SampleRequest]:
    return [SampleRequest(str(i), prompt(length + i % 7, seed=i), max_tokens, seed=1000 + i) for i in range(count)]


def assert_refuses(sampler: Sampler) -> None:
    assert sampler.version is None
    with pytest.raises(WeightSyncError, match="load a published version first"):
        sampler.add(SampleRequest("refused", [7, 8], 4, seed=0))
    with pytest.raises(WeightSyncError, match="load a published version first"):
        sampler.step()


# -- weights: must stay the first test, it needs an engine that was never loaded ---------------------------------


def test_nothing_is_sampled_before_the_first_weights(engine: Sampler, policies: list[PreTrainedModel]) -> None:
    assert_refuses(engine)
    assert engine.load(*publish(policies[0], 4, max_length=MAX_LENGTH)) <= TOLERANCE
    assert engine.version == 4
    sample = run(engine, [SampleRequest("first", [7, 8], 4, seed=0)])["first"]
    assert set(sample.versions.tolist()) == {4}


def test_updates_reach_every_layer_of_a_tied_folder(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    for version, policy in enumerate([policies[1], policies[2], policies[0], policies[1]], start=1):
        assert sampler.load(*publish(policy, version, max_length=MAX_LENGTH)) <= TOLERANCE
        asked = requests(8)
        assert largest_gap(policy, asked, run(sampler, asked)) <= TOLERANCE


# What a publication of the right policy may get wrong while its checksums are right, as they are made afterwards.
LAYER = "model.layers.3."
SEEN, *_ = SEEN_BY_PROBE = sorted(set(probe_tokens(VOCAB, MAX_LENGTH)[:, :-1].flatten().tolist()))


def spoil(name: str, *index: int) -> Callable[[Tensors], object]:
    return lambda tensors: tensors[name][index].add_(0.5)


def forget(name: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.pop(name)


def swap(one: str, other: str) -> Callable[[Tensors], object]:
    return lambda tensors: tensors.update({one: tensors[other], other: tensors[one]})


FAULTS = {
    "one value of a linear layer": spoil(LAYER + "mlp.up_proj.weight", 5, 7),
    "one value of the embedding": spoil("model.embed_tokens.weight", SEEN, 7),
    "one value of the output layer": spoil("lm_head.weight", 9, 7),
    "not a number": lambda tensors: tensors[LAYER + "mlp.down_proj.weight"][5, 7].fill_(torch.nan),
    "one value of a norm": spoil(LAYER + "input_layernorm.weight", 7),
    "no keys": forget(LAYER + "self_attn.k_proj.weight"),
    "no norm": forget("model.norm.weight"),
    "no embedding": forget("model.embed_tokens.weight"),
    "no output layer": forget("lm_head.weight"),
    "gate and up swapped": swap(LAYER + "mlp.gate_proj.weight", LAYER + "mlp.up_proj.weight"),
    "layers swapped": swap(LAYER + "self_attn.o_proj.weight", "model.layers.4.self_attn.o_proj.weight"),
    "ends swapped": swap("model.embed_tokens.weight", "lm_head.weight"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_wrong_weights_are_stopped(fault: str, sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    tensors = {name: tensor.detach().clone() for name, tensor in policies[1].named_parameters()}
    FAULTS[fault](tensors)
    with pytest.raises(WeightSyncError):
        sampler.load(*publish(policies[1], 1, max_length=MAX_LENGTH, tensors=tensors.items()))
    assert_refuses(sampler)
    assert sampler.load(*publish(policies[1], 1, max_length=MAX_LENGTH)) <= TOLERANCE
    asked = requests(2)
    assert largest_gap(policies[1], asked, run(sampler, asked)) <= TOLERANCE


def test_damage_on_the_way_is_stopped(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    manifest, buckets = publish(policies[1], 1, max_length=MAX_LENGTH)
    flipped = buckets[0].copy()
    flipped[len(flipped) // 2] ^= 1
    for arrived, cause in (([flipped], "arrived damaged"), ([buckets[0][:-4]], "did not arrive"), ([], "did not")):
        with pytest.raises(WeightSyncError, match=cause):
            sampler.load(manifest, arrived)
        assert_refuses(sampler)
    assert sampler.load(manifest, buckets) <= TOLERANCE


@pytest.mark.parametrize("name", ["model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"])
def test_one_bit_in_the_engine_is_seen_where_the_probe_is_blind(
    name: str, sampler: Sampler, policies: list[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    from models.vllm_transfer import BucketTransferEngine

    finish = BucketTransferEngine.finish_weight_update
    unseen = next(token for token in range(VOCAB) if token not in SEEN_BY_PROBE)

    def finish_and_flip(self: BucketTransferEngine) -> None:
        finish(self)
        row = self.model.get_parameter(name).data.view(torch.int32)[unseen % 128]
        row.view(-1)[0] ^= 1

    monkeypatch.setattr(BucketTransferEngine, "finish_weight_update", finish_and_flip)
    with pytest.raises(WeightSyncError, match=f"{name} in the engine is not the published one"):
        sampler.load(*publish(policies[1], 1, max_length=MAX_LENGTH))
    assert_refuses(sampler)


def test_running_requests_survive_wrong_weights(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    asked = requests(4)
    for request in asked:
        sampler.add(request)
    for _ in range(5):
        assert sampler.step() == []
    wrong, buckets = publish(policies[1], 1, max_length=MAX_LENGTH, tensors=policies[2].named_parameters())
    for _ in range(2):
        with pytest.raises(WeightSyncError, match="log-probs differ"):
            sampler.load(wrong, buckets)
        assert_refuses(sampler)
    sampler.load(*publish(policies[2], 2, max_length=MAX_LENGTH))
    assert_each_version_is_exact({0: policies[0], 2: policies[2]}, asked, run(sampler))


# -- weights change while requests run -----------------------------------------------------------------------------


def assert_each_version_is_exact(
    policies: dict[int, PreTrainedModel], asked: list[SampleRequest], samples: dict[str, Sample]
) -> None:
    """Every token has the log-prob that its version gives to it after the whole dialog, whoever wrote that."""
    assert samples.keys() == {request.id for request in asked}
    for request in asked:
        sample = samples[request.id]
        assert len(sample.tokens) == len(sample.logprobs) == len(sample.versions) <= request.max_tokens
        assert sample.finish == ("stop" if sample.tokens[-1] == END else "length")
        assert sample.finish == "stop" or len(sample.tokens) == request.max_tokens
        assert (np.diff(sample.versions) >= 0).all()
        for version, policy in policies.items():
            wrote = sample.versions == version
            gap = np.abs(expected_logprobs(policy, request, sample) - sample.logprobs)[wrote]
            assert gap.max(initial=0.0) <= TOLERANCE
    assert {v for sample in samples.values() for v in sample.versions.tolist()} == policies.keys()


def test_requests_go_on_under_new_weights(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    asked = [*requests(6), *requests(12, length=2 * BLOCK, max_tokens=20)[6:]]
    for request in asked:
        sampler.add(request)
    for version, num_steps in ((1, 4), (2, 5)):
        for _ in range(num_steps):
            sampler.step()
        assert sampler.load(*publish(policies[version], version, max_length=MAX_LENGTH)) <= TOLERANCE
    samples = run(sampler)
    assert_each_version_is_exact(dict(enumerate(policies)), asked, samples)
    complete = [s for s in samples.values() if len(s.tokens) == 20]
    assert complete
    for sample in complete:
        assert sample.versions.tolist() == [0] * 4 + [1] * 5 + [2] * 11


def test_a_continuation_draws_new_random_numbers(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    uniform = deepcopy(policies[0])
    uniform.lm_head.weight.data.zero_()  # now a token depends on the random number alone
    sampler.load(*publish(uniform, 1, max_length=MAX_LENGTH))
    for request in requests(16, max_tokens=16):
        sampler.add(request)
    for _ in range(8):
        sampler.step()
    sampler.load(*publish(uniform, 2, max_length=MAX_LENGTH))
    complete = [sample.tokens for sample in run(sampler).values() if len(sample.tokens) == 16]
    assert complete
    assert not any(np.array_equal(tokens[:8], tokens[8:]) for tokens in complete)


def test_nobody_reads_the_prefix_cache_of_old_weights(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    asked = [SampleRequest(str(i), prompt(3 * BLOCK), 4, seed=i) for i in range(4)]
    for version in (0, 1, 2):
        sampler.load(*publish(policies[version], version, max_length=MAX_LENGTH))
        assert largest_gap(policies[version], asked, run(sampler, asked)) <= TOLERANCE


# -- samples ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1.0, 0.7])
def test_logprobs_are_those_of_a_float32_forward(
    temperature: float, sampler: Sampler, policies: list[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "settings", replace(sampler.settings, temperature=temperature))
    asked = [*requests(16), *requests(20, length=BLOCK)[16:]]
    samples = run(sampler, asked)
    gaps = [
        np.abs(expected_logprobs(policies[0], request, samples[request.id], temperature) - samples[request.id].logprobs)
        for request in asked
    ]
    assert max(gap.max() for gap in gaps) <= TOLERANCE


def test_a_sample_depends_on_its_request_alone(
    sampler: Sampler, policies: list[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The determinism of a whole run rests on this: bit-equal tokens and log-probs in any company."""
    stems = [prompt(length) for length in (3, BLOCK + 2, 2 * BLOCK, 2 * BLOCK + 70)]
    asked = [
        SampleRequest(str(i), [*stems[i % 4], *prompt(1 + i % 5, seed=i)], max_tokens=8, seed=1000 + i)
        for i in range(64)
    ]
    others = [SampleRequest(f"other-{i}", [*stems[i % 4], 7, 8, 9], max_tokens=3, seed=i) for i in range(40)]
    num_cached = count_cached_tokens(sampler, monkeypatch)

    def sample(order: list[SampleRequest], at_once: int) -> dict[str, Sample]:
        return {k: v for i in range(0, len(order), at_once) for k, v in run(sampler, order[i : i + at_once]).items()}

    together = sample(asked, 64)
    assert len({tuple(s.tokens.tolist()) for s in together.values()}) > 60
    sampler.load(*publish(policies[0], 0, max_length=MAX_LENGTH))  # drops the cache
    run(sampler, others)
    by_eights = sample(asked[::-1], 8)
    assert num_cached["1"] == BLOCK
    assert num_cached["3"] == 2 * BLOCK
    shuffled = [asked[i] for i in np.random.default_rng(0).permutation(64)]
    one_by_one = sample(shuffled, 1)
    for request in asked:
        for other in (by_eights, one_by_one):
            assert np.array_equal(together[request.id].tokens, other[request.id].tokens)
            assert np.array_equal(together[request.id].logprobs, other[request.id].logprobs)


def count_cached_tokens(sampler: Sampler, monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Filled as requests finish: how much of the prompt came out of the prefix cache."""
    counts: dict[str, int] = {}
    step = sampler._engine.step

    def step_and_count() -> list:
        outputs = step()
        counts.update((output.request_id, output.num_cached_tokens) for output in outputs)
        return outputs

    monkeypatch.setattr(sampler._engine, "step", step_and_count)
    return counts


def test_seeds_and_greedy(sampler: Sampler, policies: list[PreTrainedModel]) -> None:
    question = prompt(9)
    asked = [
        SampleRequest("a", question, 8, seed=1),
        SampleRequest("again", question, 8, seed=1),
        SampleRequest("b", question, 8, seed=2),
        SampleRequest("greedy", question, 8, seed=1, greedy=True),
        SampleRequest("greedy too", question, 8, seed=2, greedy=True),
    ]
    samples = run(sampler, asked)
    tokens = {name: sample.tokens.tolist() for name, sample in samples.items()}
    assert tokens["a"] == tokens["again"]
    assert tokens["a"] != tokens["b"]
    assert tokens["greedy"] == tokens["greedy too"]
    so_far = list(question)
    for token in tokens["greedy"]:
        scores = [forward_logprobs(policies[0], [*so_far, other])[-1] for other in (token, *prompt(20))]
        assert max(scores) == scores[0]
        so_far.append(token)
    assert largest_gap(policies[0], asked, samples) <= TOLERANCE


def test_limits_and_stop_tokens(
    sampler: Sampler, policies: list[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampler, "settings", replace(sampler.settings, stop_token_ids=()))
    free = SampleRequest("free", prompt(9), 8, seed=0, greedy=True)
    tokens = run(sampler, [free])["free"].tokens.tolist()
    assert len(tokens) == 8
    stops = (tokens[2], tokens[5])
    monkeypatch.setattr(sampler, "settings", replace(sampler.settings, stop_token_ids=stops))
    at_the_end = replace(free, id="at the end", max_tokens=tokens.index(stops[0]) + 1)
    full = SampleRequest("full", prompt(MAX_LENGTH - 3), 8, seed=0)
    samples = run(sampler, [free, at_the_end, replace(free, id="short", max_tokens=1), full])
    stopped = samples["free"]
    assert stopped.tokens.tolist() == tokens[: tokens.index(stops[0]) + 1]
    assert len(stopped.logprobs) == len(stopped.tokens)
    assert stopped.finish == samples["at the end"].finish == "stop"
    assert (samples["short"].tokens.tolist(), samples["short"].finish) == (tokens[:1], "length")
    assert (len(samples["full"].tokens), samples["full"].finish) == (3, "length")


def test_only_the_given_tokens_stop(
    sampler: Sampler, policies: list[PreTrainedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's own end token is nothing special to the engine."""
    monkeypatch.setattr(sampler, "settings", replace(sampler.settings, stop_token_ids=(END + 1,)))
    samples = run(sampler, requests(64, max_tokens=60)).values()
    inner = [token for sample in samples for token in sample.tokens[:-1].tolist()]
    assert END in inner
    assert END + 1 not in inner


def test_aborted_requests_vanish_and_the_others_do_not_notice(sampler: Sampler) -> None:
    asked = requests(6)
    expected = run(sampler, asked)
    for request in asked:
        sampler.add(request)
    sampler.step()
    sampler.abort([])
    sampler.abort(["1", "4", "unknown"])
    assert sampler.num_unfinished == 4
    left = run(sampler)
    assert left.keys() == {"0", "2", "3", "5"}
    for name, sample in left.items():
        assert sample.tokens.tolist() == expected[name].tokens.tolist()


def test_a_request_that_cannot_be_admitted_leaves_nothing_behind(sampler: Sampler) -> None:
    from vllm.exceptions import VLLMValidationError

    with pytest.raises(VLLMValidationError, match="512"):
        sampler.add(SampleRequest("too long", prompt(MAX_LENGTH + 1), 4, seed=0))
    assert sampler.num_unfinished == 0


# -- LoRA ------------------------------------------------------------------------------------------------------------

RANK, ALPHA = 8, 16.0
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


@pytest.fixture(scope="module")
def adapted() -> list[torch.nn.Module]:
    """Two policies that differ in their adapters only."""
    policies = []
    for seed in (1, 2):
        policy = apply_lora(
            random_policy(CONFIG, seed=1),
            rank=RANK,
            alpha=ALPHA,
            target_modules=TARGETS,
            seed=seed,
        )
        generator = torch.Generator().manual_seed(seed)
        for parameter in trainable_parameters(policy).values():
            parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
        policies.append(policy)
    return policies


@pytest.fixture(scope="module")
def lora_engine(tmp_path_factory: pytest.TempPathFactory) -> Sampler:
    folder = tmp_path_factory.mktemp("base")
    random_policy(CONFIG, seed=0).save_pretrained(folder)
    return Sampler(
        replace(SETTINGS, model_folder=str(folder), lora_rank=RANK, lora_alpha=ALPHA, lora_target_modules=TARGETS)
    )


def publish_base(seed: int, version: int = 0) -> tuple[Manifest, list[np.ndarray]]:
    return publish(random_policy(CONFIG, seed=seed), version, max_length=MAX_LENGTH)


def publish_adapter(policy: torch.nn.Module, version: int, *, scale: float = 1.0) -> tuple[Manifest, list[np.ndarray]]:
    tensors = [(name, tensor * scale) for name, tensor in sorted(export_adapter(policy).items())]
    return publish(policy, version, max_length=MAX_LENGTH, tensors=tensors, kind="adapter")


@pytest.fixture
def lora_sampler(lora_engine: Sampler) -> Iterator[Sampler]:
    """It serves version 0 of the base, without adapter."""
    lora_engine.load(*publish_base(seed=1))
    yield lora_engine
    assert lora_engine.num_unfinished == 0


# must stay the first test of LoRA, it needs an engine that was never loaded
def test_an_adapter_needs_its_base(lora_engine: Sampler, adapted: list[torch.nn.Module]) -> None:
    with pytest.raises(WeightSyncError, match="no base weights yet"):
        lora_engine.load(*publish_adapter(adapted[0], 1))
    assert_refuses(lora_engine)


def test_adapters_are_exact_and_change_what_is_sampled(lora_sampler: Sampler, adapted: list[torch.nn.Module]) -> None:
    asked = requests(8)
    base = random_policy(CONFIG, seed=1)
    assert largest_gap(base, asked, run(lora_sampler, asked)) <= TOLERANCE
    for version, policy in enumerate(adapted, start=1):
        assert lora_sampler.load(*publish_adapter(policy, version)) <= TOLERANCE
        samples = run(lora_sampler, asked)
        assert largest_gap(policy, asked, samples) <= TOLERANCE
        for other in (base, *adapted):
            assert other is policy or largest_gap(other, asked, samples) > 0.1


def test_a_wrong_adapter_is_stopped(lora_sampler: Sampler, adapted: list[torch.nn.Module]) -> None:
    lora_sampler.load(*publish_adapter(adapted[0], 1))
    for _ in range(2):
        with pytest.raises(WeightSyncError, match="log-probs differ"):
            lora_sampler.load(*publish_adapter(adapted[1], 2, scale=1.1))
        assert_refuses(lora_sampler)
    assert lora_sampler.load(*publish_adapter(adapted[1], 2)) <= TOLERANCE
    asked = requests(2)
    assert largest_gap(adapted[1], asked, run(lora_sampler, asked)) <= TOLERANCE


def test_a_new_base_ends_the_adapter(lora_sampler: Sampler, adapted: list[torch.nn.Module]) -> None:
    lora_sampler.load(*publish_adapter(adapted[0], 1))
    assert lora_sampler.load(*publish_base(seed=2, version=2)) <= TOLERANCE
    with pytest.raises(WeightSyncError, match="log-probs differ"):
        lora_sampler.load(*publish_adapter(adapted[0], 3))
    assert lora_sampler.load(*publish_base(seed=1, version=3)) <= TOLERANCE
    assert lora_sampler.load(*publish_adapter(adapted[0], 3)) <= TOLERANCE


def test_requests_go_on_under_a_new_adapter(lora_sampler: Sampler, adapted: list[torch.nn.Module]) -> None:
    lora_sampler.load(*publish_adapter(adapted[0], 1))
    asked = requests(4, length=BLOCK)
    for request in asked:
        lora_sampler.add(request)
    for _ in range(4):
        lora_sampler.step()
    lora_sampler.load(*publish_adapter(adapted[1], 2))
    assert_each_version_is_exact({1: adapted[0], 2: adapted[1]}, asked, run(lora_sampler))

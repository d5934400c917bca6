"""Modules as folders, and in one real engine: several at once, loaded, swapped and unloaded while it serves."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from models.lora import ModuleError, adapter_of, apply_lora, export_adapter, load_lora, trainable_parameters
from models.module_folder import About, Module, common_base, list_modules, merge_modules, read_module, write_module
from models.modules import EngineModules
from models.policy import load_policy, random_policy
from models.presets import build_config
from models.sampler import Sampler, SamplerSettings
from models.samples import SampleRequest
from models.weights import WeightSyncError, weights_sha256
from tests.models.engines import PLAN, engine_process, largest_gap, publish, run

VOCAB, MAX_LENGTH, END, ALPHA = 300, 256, 5, 8.0
CONFIG = build_config(
    "r1-zero-6l-tiny", vocab_size=VOCAB, pad_token_id=0, eos_token_id=END, max_length=MAX_LENGTH, init_std=0.08
)
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
TOLERANCE = 1e-4


def make_module(folder: Path, base: Path, seed: int, rank: int = 4) -> Module:
    policy = apply_lora(load_policy(base), rank=rank, alpha=ALPHA, target_modules=TARGETS, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    for parameter in trainable_parameters(policy).values():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=generator)
    about = About(name=folder.name, domains=(folder.name,), scenarios=(f"{folder.name}-1",), rewards={"x": 1.0})
    return write_module(folder, adapter_of(export_adapter(policy), ALPHA), base=base, dtype=torch.float32, about=about)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("base") for _ in range(2)]
    for seed, folder in enumerate(folders):
        random_policy(CONFIG, seed=seed).save_pretrained(folder)
    return folders


@pytest.fixture(scope="module")
def shelf(bases: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Modules `math` and `writing` over the first base."""
    folder = tmp_path_factory.mktemp("modules")
    make_module(folder / "math", bases[0], seed=1)
    make_module(folder / "writing", bases[0], seed=2)
    return folder


def network(base: Path, folder: Path) -> PreTrainedModel:
    """What transformers and peft make of a module."""
    return load_lora(load_policy(base), folder)


# -- folders ---------------------------------------------------------------------------------------------------------


def test_a_module_says_what_it_is(shelf: Path, bases: list[Path]) -> None:
    maths, writing = list_modules(shelf)
    assert (maths.manifest.name, maths.manifest.rank, maths.manifest.alpha) == ("math", 4, ALPHA)
    assert (writing.manifest.domains, writing.manifest.rewards) == (("writing",), {"x": 1.0})
    assert maths.base == bases[0].resolve() == common_base([maths, writing])
    assert maths.manifest.base_sha256 == weights_sha256(load_policy(bases[0]).named_parameters())
    assert maths.manifest.base_sha256 == publish(load_policy(bases[0]), 3, max_length=MAX_LENGTH)[0].sha256
    assert maths.manifest.files != writing.manifest.files


@pytest.mark.parametrize("name", ["adapter_config.json", "adapter_model.safetensors", "probe.safetensors"])
def test_a_damaged_module_is_refused_by_the_name_of_its_file(bases: list[Path], tmp_path: Path, name: str) -> None:
    make_module(tmp_path / "math", bases[0], seed=1)
    file = tmp_path / "math" / name
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModuleError, match=f"module 'math': .*{name} has changed since it was written"):
        read_module(tmp_path / "math")
    file.unlink()
    with pytest.raises(ModuleError, match=f"module 'math': .*{name} is missing"):
        list_modules(tmp_path)


def test_what_is_no_module_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="holds no modules"):
        list_modules(tmp_path)
    with pytest.raises(ModuleError, match=r"is no module: module\.json cannot be read"):
        read_module(tmp_path)
    (tmp_path / "module.json").write_text('{"name": 3}')
    with pytest.raises(ModuleError, match=r"module\.json is not that of a module"):
        read_module(tmp_path)


def test_modules_of_two_bases_do_not_go_together(bases: list[Path], tmp_path: Path) -> None:
    for index, name in enumerate(("a", "b")):
        make_module(tmp_path / name, bases[index], seed=1)
    with pytest.raises(ModuleError, match="modules 'a' and 'b' are of two bases"):
        merge_modules({"a": 0.5, "b": 0.5}, tmp_path, "both")


def test_a_base_that_has_changed_is_noticed_before_a_merge(tmp_path: Path) -> None:
    base = tmp_path / "base"
    random_policy(CONFIG, seed=3).save_pretrained(base)
    make_module(tmp_path / "a", base, seed=1)
    random_policy(CONFIG, seed=4).save_pretrained(base)
    with pytest.raises(ModuleError, match=r"module 'a' belongs to the base .* is another one"):
        merge_modules({"a": 1.0}, tmp_path, "again")


@pytest.mark.parametrize(("name", "message"), [("math", "exists already"), ("../x", "cannot be called '../x'")])
def test_a_merged_module_takes_the_place_of_no_other(shelf: Path, name: str, message: str) -> None:
    with pytest.raises(ModuleError, match=message):
        merge_modules({"math": 1.0, "writing": 1.0}, shelf, name)


def test_a_merged_module_is_a_module_again(shelf: Path, bases: list[Path]) -> None:
    """Of rank 8, with the deltas of both; merged with what takes one away again, it is the other."""
    both = merge_modules({"math": 0.5, "writing": 1.0}, shelf, "both")
    less = merge_modules({"both": 1.0, "math": -0.5}, shelf, "less")
    try:
        assert (both.manifest.rank, both.manifest.merged_from) == (8, {"math": 0.5, "writing": 1.0})
        assert both.manifest.domains == ("math", "writing")
        assert [module.manifest.name for module in list_modules(shelf)] == ["both", "less", "math", "writing"]
        probe = {
            name: read_module(shelf / name).publication()[0].probe.logprobs for name in ("less", "writing", "both")
        }
        np.testing.assert_allclose(probe["less"], probe["writing"], atol=1e-4)
        assert np.abs(probe["both"] - probe["writing"]).max() > 0.1
    finally:
        for module in (both, less):
            for file in module.folder.iterdir():
                file.unlink()
            module.folder.rmdir()


# -- in an engine ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(bases: list[Path]) -> Iterator[Sampler]:
    settings = SamplerSettings(
        model_folder=str(bases[0]),
        max_length=MAX_LENGTH,
        max_num_seqs=64,
        temperature=1.0,
        top_p=1.0,
        top_k=-1,
        stop_token_ids=(END,),
        engine_args=PLAN.engine_args,
        lora_rank=8,
        lora_target_modules=TARGETS,
        num_modules=2,
    )
    with engine_process():
        sampler = Sampler(settings)
        sampler.load(*publish(load_policy(bases[0]), 0, max_length=MAX_LENGTH))
        yield sampler


@pytest.fixture
def loaded(engine: Sampler, shelf: Path) -> Iterator[EngineModules]:
    """Both modules are."""
    modules = EngineModules(engine)
    assert modules.load(shelf / "math") <= TOLERANCE
    assert modules.load(shelf / "writing") <= TOLERANCE
    yield modules
    assert engine.num_unfinished == 0
    modules.serve([])


def requests(module: str, *, length: int = 12) -> list[SampleRequest]:
    generator = np.random.default_rng(0)  # the same questions for all
    prompts = [generator.integers(END + 1, VOCAB, length).tolist() for _ in range(6)]
    return [SampleRequest(f"{module}-{i}", prompt, 10, seed=i, module=module) for i, prompt in enumerate(prompts)]


@pytest.mark.e2e
def test_one_batch_is_answered_by_base_and_modules_at_once(
    engine: Sampler, loaded: EngineModules, shelf: Path, bases: list[Path]
) -> None:
    """Each request by its own, with the log-probs that transformers and peft compute."""
    networks = {name: network(bases[0], shelf / name) for name in ("math", "writing")} | {"": load_policy(bases[0])}
    asked = {name: requests(name) for name in networks}
    samples = run(engine, [request for of_one in zip(*asked.values(), strict=True) for request in of_one])
    for name, policy in networks.items():
        assert largest_gap(policy, asked[name], samples) <= TOLERANCE
        for other, others in networks.items():
            assert other == name or largest_gap(others, asked[name], samples) > 0.1
    answers = [[samples[request.id].tokens.tolist() for request in asked[name]] for name in networks]
    assert answers[0] != answers[1] != answers[2] != answers[0]
    assert [manifest.name for manifest in loaded.list()] == ["math", "writing"]


@pytest.mark.e2e
def test_a_module_is_swapped_while_its_requests_and_others_run(
    engine: Sampler, loaded: EngineModules, shelf: Path, bases: list[Path], tmp_path: Path
) -> None:
    """The prompts fill a block of the prefix cache, and what one module has cached is none of the next one's."""
    make_module(tmp_path / "math", bases[0], seed=9)
    mine, others = requests("math", length=130), requests("writing", length=130)
    for request in (*mine, *others):
        engine.add(request)
    for _ in range(4):
        engine.step()
    assert loaded.load(tmp_path / "math") <= TOLERANCE
    samples = run(engine)
    assert largest_gap(network(bases[0], shelf / "writing"), others, samples) <= TOLERANCE
    old, new = network(bases[0], shelf / "math"), network(bases[0], tmp_path / "math")
    for request in mine:
        assert largest_gap(new, [request], samples) > TOLERANCE  # its beginning is by the old one
        assert largest_gap(old, [request], samples) > TOLERANCE
    again = requests("math", length=130)
    assert largest_gap(new, again, run(engine, again)) <= TOLERANCE


@pytest.mark.e2e
def test_what_cannot_be_served_is_refused_and_changes_nothing(
    engine: Sampler, loaded: EngineModules, shelf: Path, bases: list[Path], tmp_path: Path
) -> None:
    with pytest.raises(ModuleError, match=r"the engine takes 2 and has \['math', 'writing'\]"):
        make_module(tmp_path / "third", bases[0], seed=3)
        loaded.load(tmp_path / "third")
    with pytest.raises(ModuleError, match=r"module 'math' belongs to the base .*the base in the engine is another one"):
        make_module(tmp_path / "math", bases[1], seed=3)
        loaded.load(tmp_path / "math")
    manifest, buckets = read_module(shelf / "math").publication()
    with pytest.raises(WeightSyncError, match="log-probs differ"):
        engine.load_module("math", manifest, buckets, alpha=2 * ALPHA)
    with pytest.raises(ModuleError, match=r"has no module 'nope'; it has \['math', 'writing'\]"):
        engine.add(replace(requests("math")[0], module="nope"))
    with pytest.raises(WeightSyncError, match=r"\['math', 'writing'\] are of another base"):
        engine.load(*publish(load_policy(bases[1]), 1, max_length=MAX_LENGTH))
    engine.add(requests("math")[0])
    with pytest.raises(ModuleError, match="module 'math': 1 requests of it are under way"):
        loaded.unload("math")
    run(engine)
    asked = requests("math")
    assert largest_gap(network(bases[0], shelf / "math"), asked, run(engine, asked)) <= TOLERANCE


@pytest.mark.e2e
def test_serving_a_list_loads_what_is_new_and_unloads_the_rest(
    engine: Sampler, loaded: EngineModules, shelf: Path, bases: list[Path], tmp_path: Path
) -> None:
    make_module(tmp_path / "third", bases[0], seed=3)
    count = engine._num_adapters
    loaded.serve([shelf / "writing", tmp_path / "third"])
    assert [manifest.name for manifest in loaded.list()] == ["writing", "third"] == list(engine.modules)
    assert engine._num_adapters == count + 1  # writing stays as it is
    loaded.unload("third")
    with pytest.raises(ModuleError, match="has no module 'third'"):
        loaded.unload("third")


def test_the_manifest_is_written_last_and_holds_the_digests(shelf: Path) -> None:
    document = json.loads((shelf / "math" / "module.json").read_bytes())
    assert set(document["files"]) == {path.name for path in (shelf / "math").iterdir()} - {"module.json"}

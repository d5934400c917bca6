"""From a stage that has ended to its module, and from the modules to a router and to what is asked of all of them.

The stages are faked by the files that they leave: a real small model, and a real adapter.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.lora import ModuleError, adapter_of, apply_lora, export_adapter, trainable_parameters, write_adapter
from models.module_folder import list_modules, merge_modules, read_module
from models.policy import load_policy, random_policy, save_model_folder
from models.tokenizer import train_tokenizer
from rl.checkpoint import Checkpoints, RunState
from rl.load_config import ConfigError
from rl.load_pipeline import load_pipeline
from rl.module_eval import Contestant, contestants, domains_of, eval_config, questions, requests, table
from rl.module_stage import route, tasks_of
from rl.pipeline import Pipeline, Stage, StageError, begin, complete, decide, inputs_of
from rl.router import FILE, Router
from rl.trajectory import Scored
from tests.models.ranks import tiny_config
from tests.rl.builders import scored, trajectory
from tests.rl.saving import saving


def plan(folder: Path, *overrides: str) -> Pipeline:
    return load_pipeline("r1_modules_smoke", [f"run.folder={folder}", "run.name=mine", *overrides])


def fake(pipeline: Pipeline, stage: Stage) -> None:
    """What a stage leaves when its training has ended."""
    directory = pipeline.directory(stage.name)
    with saving(Checkpoints(directory, {}), RunState(step=2)) as folder:
        if not stage.module:
            tokenizer = train_tokenizer([""], vocab_size=262)
            save_model_folder(random_policy(tiny_config(vocab_size=262), seed=1), tokenizer, folder / "policy")
        else:
            config = pipeline.started(stage)
            policy = apply_lora(
                load_policy(config.model.name_or_path), rank=2, alpha=16.0, target_modules=("q_proj",), seed=1
            )
            for parameter in trainable_parameters(policy).values():
                torch.nn.init.constant_(parameter, 0.1)
            (folder / "policy").mkdir()
            write_adapter(folder / "policy", adapter_of(export_adapter(policy), 16.0))
    evals = {"eval": [{"accuracy": 0.25}, {"accuracy": 0.75}], "max_logprob_gap": 1e-6}
    report = evals if stage.kind == "ppo" else {"loss": {"first": 2.0, "last": 1.5}}
    (directory / "report.json").write_text(json.dumps(report))


def advance(pipeline: Pipeline) -> list[str]:
    done = []
    for stage in pipeline.stages:
        inputs = inputs_of(pipeline, stage)
        decision = decide(pipeline, stage, inputs, resume=False)
        done.append(decision.action)
        if decision.action == "run":
            begin(pipeline, stage, inputs)
            fake(pipeline, stage)
            complete(pipeline, stage)
    return done


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    pipeline = plan(tmp_path_factory.mktemp("runs"))
    assert advance(pipeline) == ["run", "run", "run"]
    return pipeline


def test_a_stage_leaves_a_module_that_says_where_it_comes_from(made: Pipeline) -> None:
    maths, reasoning = (module.manifest for module in list_modules(made.modules))
    assert (reasoning.name, reasoning.domains, reasoning.scenarios) == ("reasoning", ("logic",), ("truth-values",))
    assert reasoning.rewards == {"termination.ended": 0.5, "task.success": 1.0}
    assert reasoning.metrics == {"accuracy": 0.75, "max_logprob_gap": 1e-6}
    assert (maths.domains, maths.rewards, maths.metrics) == (("math",), {}, {"loss": 1.5})
    assert maths.recipe["run"]["seed"] == 42
    assert maths.base_sha256 == reasoning.base_sha256
    assert read_module(made.modules / "math").base == (made.directory("base") / "policy").resolve()
    assert not (made.directory("math") / "policy").exists()


def test_modules_are_made_once_and_missed_when_they_are_gone(made: Pipeline) -> None:
    assert advance(made) == ["skip", "skip", "skip"]
    away = made.modules / "away"
    (made.modules / "math").rename(away)
    with pytest.raises(StageError, match=r"its output .*modules/math is missing"):
        advance(made)
    away.rename(made.modules / "math")
    manifest = made.modules / "math" / "module.json"
    content = manifest.read_text()
    manifest.write_text(content.replace("1.5", "0.5"))
    with pytest.raises(StageError, match=r"its output .*modules/math has changed"):
        advance(made)
    manifest.write_text(content)


def test_a_renamed_module_is_made_anew(made: Pipeline) -> None:
    renamed = plan(made.folder.parent, "stages.math.module=maths", "router=null")
    decisions = [decide(renamed, stage, inputs_of(renamed, stage), resume=False) for stage in renamed.stages]
    assert [decision.action for decision in decisions] == ["skip", "skip", "run"]
    assert decisions[2].reason == "changed since it ran: module"


def test_a_router_finds_the_module_of_openings_it_has_not_seen(made: Pipeline) -> None:
    said: list[str] = []
    assert made.router is not None
    router = route(made.modules, made.router, said.append)
    assert min(router.held_out.values()) >= 0.9  # of truth-values all openings are trained on
    assert said[0].startswith("router: right module for held-out openings: reasoning 1")
    assert Router.load(made.modules / FILE).held_out == router.held_out


def test_all_are_asked_the_same_in_one_engine(made: Pipeline) -> None:
    assert made.router is not None
    router = route(made.modules, made.router, lambda _: None)
    manifests = [module.manifest for module in list_modules(made.modules)]
    domains = domains_of(manifests, router)
    config = eval_config(manifests, domains, "somewhere", ["rollout.max_num_seqs=7"])
    assert (config.rollout.num_modules, config.model.lora_rank, config.rollout.max_num_seqs) == (2, 2, 7)
    assert [line.scenario for line in config.tasks.mix] == ["gifts", "truth-values"]
    with pytest.raises(ConfigError, match=r"rollout\.max_num_sex: unknown key"):
        eval_config(manifests, domains, "somewhere", ["rollout.max_num_sex=7"])
    tasks = questions(domains, 3)
    labels = [contestant.label for contestant in contestants(manifests, router)]
    assert labels == ["base", "math", "reasoning", "router", "router per turn"]
    asked = {contestant.label: requests(contestant, tasks) for contestant in contestants(manifests, router)}
    ids = [request.id for of_one in asked.values() for request in of_one]
    assert len(set(ids)) == len(ids) == 5 * sum(map(len, tasks.values()))


def test_a_cell_is_the_mean_of_its_dialogs_by_hand(made: Pipeline) -> None:
    manifests = [module.manifest for module in list_modules(made.modules)]
    tasks = {"math": questions(manifests[:1], 4)["math"]}
    asked = {"math": requests(Contestant("math", "math"), tasks)}
    results: dict[str, Scored] = {}
    for request, scalar in zip(asked["math"], (1.0, 1.0, 0.0, 1.0), strict=True):
        results[request.id] = scored(trajectory(request), [scalar])
    [cell] = table(tasks, asked, results)
    assert (cell.success, cell.num_dialogs) == (0.75, 4)
    assert cell.standard_error == pytest.approx(np.sqrt(0.75 * 0.25) / 2)
    assert cell.answered_by == {"base": 1.0}


def test_a_merged_module_is_for_no_tasks_of_its_own(made: Pipeline, tmp_path: Path) -> None:
    merged = merge_modules({"math": 1.0, "reasoning": 1.0}, made.modules, "both")
    try:
        with pytest.raises(ModuleError, match="'both' was trained on no dialogs"):
            tasks_of(merged.manifest)
        assert [manifest.name for manifest in domains_of([merged.manifest], None)] == []
    finally:
        merged.folder.rename(tmp_path / "both")

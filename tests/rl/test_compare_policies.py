"""Policies side by side, from folders made by hand to the pages."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from rl.compare_pages import html_comparison, json_comparison, markdown, write_comparison
from rl.compare_policies import Benchmark, PolicyComparison, benchmark_rows
from rl.compare_reading import read_comparison
from rl.suites.policies import PolicyError, evaluation_config, find_policy, policy_sha256
from rl.suites.results import SuiteResult, write_result
from rl.suites.statistics import Estimate
from rl.suites.suite import Row
from tests.rl.hand_made_runs import make_run

CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": 6,
    "hidden_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "hidden_act": "silu",
    "vocab_size": 512,
    "max_position_embeddings": 64,
}


def make_model(folder: Path, width: int = 8, **config: int) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    save_file({"weight": np.ones((width, 3), np.float32)}, folder / "model.safetensors")
    return folder


def found(suite: str, value: float, policy: str, **changes: object) -> SuiteResult:
    made = SuiteResult(
        suite=suite,
        headline="accuracy",
        lower_is_better=False,
        metrics={"accuracy": Estimate(value, value - 0.1, value + 0.1)},
        groups={},
        num_items=10,
        num_tokens=300,
        skipped={},
        extras={},
        notes=(),
        contamination=None,
        policy=policy,
        seconds=20.0,
        settings={"suites.limit": "10"},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def evaluate(folder: Path, suite: str, value: float, answer: str = "five", **changes: object) -> None:
    policy = find_policy(folder)
    rows = [Row(f"item-{n}", "all", 0, f"What is {n}?", answer, str(n), value) for n in range(3)]
    write_result(policy.results, found(suite, value, policy_sha256(policy), **changes), rows)


@pytest.fixture
def models(tmp_path: Path) -> dict[str, list[Path]]:
    zero, one = make_model(tmp_path / "zero"), make_model(tmp_path / "r1", width=16, num_hidden_layers=24)
    evaluate(zero, "math", 0.2)
    evaluate(one, "math", 0.6, answer="<script>|x|\n2")
    evaluate(one, "code", 0.5)
    return {"zero": [zero], "r1": [one]}


def compared(models: dict[str, list[Path]]) -> PolicyComparison:
    trained, policies = read_comparison(models, None)
    assert trained is None
    assert policies is not None
    return policies


def test_models_without_a_past(models: dict[str, list[Path]]) -> None:
    policies = compared(models)
    math, code = policies.benchmarks
    assert (math.suite, math.ratios) == ("math", (1.0, pytest.approx(3.0)))
    assert (code.cells[0], code.ratios) == (None, (None, None))
    # 300 tokens for 0.2 x 10 and 0.6 x 10 solved items
    assert policies.costs[0].tokens == pytest.approx((150.0, 50.0))
    assert policies.costs[1].seconds == (None, 4.0)
    assert [one.architecture.parameters for one in policies.contenders] == [24, 48]
    assert policies.recommendation[0].startswith("Prefer r1 to zero: better in math (0.2 -> 0.6, x 3.00)")
    assert "Thin evidence" in policies.recommendation[1]
    assert policies.warnings == ()


def test_pages_say_it_in_every_form(models: dict[str, list[Path]], tmp_path: Path) -> None:
    policies = compared(models)
    write_comparison(None, tmp_path / "out", policies)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["compare.html", "compare.json", "compare.md"]
    page, text = (tmp_path / "out" / "compare.html").read_text(), markdown(None, policies)
    for part in ("0.600 (0.500 to 0.700), x 3.00", "layers", "Prefer r1 to zero", "What is 0?"):
        assert part in page
        assert part.replace("|", "\\|") in text
    assert "<script>" not in page + text
    assert set(re.findall(r'src="([^"]{0,10})', page)) == {"data:image"}
    assert re.search(r'(href|src)="(?!data:)', page) is None
    values = json_comparison(None, policies)
    assert json.loads(json.dumps(values))["evaluation"]["benchmarks"][0]["ratios"] == pytest.approx([1.0, 3.0])
    assert html_comparison(None, policies, None) == page


def test_stale_and_unequal_results_are_said(models: dict[str, list[Path]]) -> None:
    evaluate(models["r1"][0], "math", 0.6, settings={"suites.limit": "99"})
    save_file({"weight": np.zeros((8, 3), np.float32)}, models["zero"][0] / "model.safetensors")
    warnings = compared(models).warnings
    assert "zero/eval/math.json is of an older policy; run the suite again" in warnings[0]
    assert "r1/eval/math.json was asked otherwise: suites.limit differ" in warnings[1]


def test_seeds_make_medians() -> None:
    three = [found("math", value, "") for value in (0.1, 0.5, 0.4)]
    [row] = benchmark_rows("math", [three, [found("math", 0.8, "")]])
    assert isinstance(row, Benchmark)
    first, second = row.cells
    assert first is not None
    assert second is not None
    assert (first.value, first.low, first.high, first.num_runs) == pytest.approx((0.4, 0.0, 0.6, 3))
    assert row.ratios == pytest.approx((1.0, 2.0))


def test_runs_and_pipelines_and_models_together(tmp_path: Path, models: dict[str, list[Path]]) -> None:
    run = make_run(tmp_path / "run", {0: 0.0, 4: 0.5})
    make_model(run / "checkpoints" / "step-000004" / "policy")
    pipeline = tmp_path / "pipeline"
    (pipeline / "stages").mkdir(parents=True)
    make_model(pipeline / "stages" / "sft" / "policy")
    (pipeline / "stages" / "sft" / "config.yaml").write_text("run: {}")
    stage = make_run(pipeline / "stages" / "ppo", {0: 0.0, 2: 0.5})
    make_model(stage / "policy")
    (stage / "trajectories").mkdir()
    assert find_policy(pipeline).weights == stage / "policy"
    trained, policies = read_comparison({"run": [run], "pipe": [pipeline], **models}, None)
    assert trained is not None
    assert policies is not None
    assert [summary.label for summary in trained.summaries] == ["run", "pipe"]
    assert [one.label for one in policies.contenders] == ["run", "pipe", "zero", "r1"]
    assert next(cost.ratio for cost in trained.summaries[1].costs if cost.unit == "updates") == pytest.approx(0.5)


def test_the_policy_of_a_run_with_lora_is_its_adapter_over_the_model_it_began_with(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {0: 0.0, 4: 0.5})
    base, adapter = make_model(run / "model"), run / "checkpoints" / "step-000004" / "policy"
    adapter.mkdir(parents=True, exist_ok=True)
    (adapter / "adapter_config.json").write_text("{}")
    policy = find_policy(run)
    assert (policy.weights, policy.adapter) == (base, adapter)
    before = policy_sha256(policy)
    assert before != policy_sha256(replace(policy, adapter=None))
    (adapter / "adapter_model.safetensors").write_bytes(b"other")
    assert policy_sha256(policy) != before


def test_a_run_is_evaluated_with_the_numbers_and_the_tools_that_it_had(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", {0: 0.0, 4: 0.5})
    make_model(run / "checkpoints" / "step-000004" / "policy")
    made = {"model": {"dtype": "bfloat16"}, "rollout": {"tools": ["calculator"], "tool_calls": {"max_calls": 2}}}
    (run / "config.yaml").write_text(json.dumps(made))
    config = evaluation_config(find_policy(run), {"names": ["math"]}, ["suites.limit=5"])
    assert (config.model.dtype, config.rollout.tools, config.suites.limit) == ("bfloat16", ("calculator",), 5)
    assert config.rollout.tool_calls.max_calls == 2
    (run / "config.yaml").write_text("run: {}")
    plain = evaluation_config(find_policy(run), {"names": ["math"]}, [])
    assert (plain.model.dtype, plain.rollout.tools) == ("float32", ())


def test_a_fine_tuned_policy_is_asked_with_the_tools_of_its_demonstrations(tmp_path: Path) -> None:
    stage = tmp_path / "sft"
    make_model(stage / "policy")
    made = {"demonstrations": {"tools": ["calculator"]}, "rollout": {"tools": [], "tool_calls": {"max_calls": 2}}}
    (stage / "config.yaml").write_text(json.dumps(made))
    rollout = evaluation_config(find_policy(stage), {"names": ["math"]}, []).rollout
    assert (rollout.tools, rollout.tool_calls.max_calls) == (("calculator",), 2)
    by_hand = evaluation_config(find_policy(stage), {"names": ["math"]}, ["rollout.tools=[]"]).rollout
    assert by_hand.tools == ()


def test_folders_that_hold_no_policy(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PolicyError, match=r"empty: neither a run directory nor a model folder"):
        find_policy(tmp_path / "empty")
    with pytest.raises(PolicyError, match="no such run directory"):
        find_policy(tmp_path / "nowhere")
    with pytest.raises(PolicyError, match="has no checkpoint yet"):
        find_policy(make_run(tmp_path / "young", {0: 0.0}))

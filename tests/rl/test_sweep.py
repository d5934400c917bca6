"""Which runs an experiment means, and which of them are still due."""

from pathlib import Path

import pytest

from rl.load_config import ConfigError
from rl.sweep import SweepError, plan, standing
from tests.rl.hand_made_runs import make_run

TWO = (("plain",), ("wide", "ppo.clip_ratio=0.3"))


def test_every_variant_with_every_seed() -> None:
    planned = plan("r1_zero", ["eval.every=5"], TWO, [3, 1])
    assert list(planned) == ["plain", "wide"]
    assert [(c.run.name, c.run.seed, c.ppo.clip_ratio, c.eval.every) for c in planned["wide"]] == [
        ("r1_zero-wide-seed3", 3, 0.3, 5),
        ("r1_zero-wide-seed1", 1, 0.3, 5),
    ]
    assert [(c.run.name, c.run.seed, c.ppo.clip_ratio) for c in planned["plain"]] == [
        ("r1_zero-plain-seed3", 3, 0.2),
        ("r1_zero-plain-seed1", 1, 0.2),
    ]


def test_a_name_and_a_folder_for_all_runs() -> None:
    planned = plan("r1_zero", ["run.name=night", "run.folder=elsewhere"], [("plain",)], [1])
    assert [config.run.directory for config in planned["plain"]] == [Path("elsewhere/night-plain-seed1")]


@pytest.mark.parametrize(
    ("overrides", "variants", "seeds", "message"),
    [
        ([], [("a",), ("a", "ppo.clip_ratio=0.3")], [1], "two variants 'a'"),
        ([], [("ppo.clip_ratio=0.3",)], [1], "--variant ppo.clip_ratio=0.3: a name comes first"),
        ([], [("a", "run.seed=3")], [1], "variant a cannot set run.seed"),
        ([], [("a", "run.name=b")], [1], "variant a cannot set run.name"),
        (["run.seed=3"], [("a",)], [1], "the sweep cannot set run.seed"),
        ([], [("a",)], [1, 2, 1], "--seeds 1,2,1: a seed is given twice"),
        ([], [("a",), ("b", "ppo.clip_ratio=0.2")], [1], "variants a and b are the same configuration"),
    ],
)
def test_what_is_refused(overrides: list[str], variants: list[tuple[str, ...]], seeds: list[int], message: str) -> None:
    with pytest.raises(SweepError, match=message):
        plan("r1_zero", overrides, variants, seeds)


def test_a_wrong_key_of_a_variant_is_a_wrong_key() -> None:
    with pytest.raises(ConfigError, match=r"ppo\.clip_ratoi: unknown key, did you mean ppo\.clip_ratio\?"):
        plan("r1_zero", [], [("a", "ppo.clip_ratoi=0.3")], [1])


def test_how_far_a_run_is(tmp_path: Path) -> None:
    folder, four = f"run.folder={tmp_path}", "run.num_iterations=4"
    [config] = plan("r1_zero_smoke", [folder, four], [("a",)], [1])["a"]
    name, seed = config.run.name, "run.seed=1"
    assert standing(config) == "new"
    run = make_run(tmp_path / name, {0: 0.0, 2: 0.5}, four, seed)
    assert standing(config) == "interrupted", "its report is of an earlier, shorter run"
    (run / "report.json").unlink()
    assert standing(config) == "interrupted"
    run.rename(tmp_path / "other")
    make_run(tmp_path / name, {0: 0.0, 4: 0.5}, seed)
    assert standing(config) == "finished"


def test_a_run_of_another_configuration_is_refused(tmp_path: Path) -> None:
    [config] = plan("r1_zero_smoke", [f"run.folder={tmp_path}"], [("a",)], [1])["a"]
    make_run(tmp_path / config.run.name, {0: 0.0, 2: 0.5}, "run.seed=1", "ppo.clip_ratio=0.3")
    with pytest.raises(SweepError, match=r"holds a run of another configuration: ppo\.clip_ratio differ"):
        standing(config)

"""`zero2one compare` and `zero2one sweep` as a user meets them; training is played by a stand-in."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from cluster import cli
from rl.config import Config
from tests.rl.hand_made_runs import make_run

SWEEP = ["sweep", "r1_zero_smoke", "run.num_iterations=4", "--seeds", "1,2", "--target", "0.5"]
VARIANTS = ["--variant", "plain", "--variant", "wide", "ppo.clip_ratio=0.3"]
OVERRIDES = {"plain": (), "wide": ("ppo.clip_ratio=0.3",)}


class FakeLocal(ModuleType):
    """Stands in for `cluster.local`: leaves a finished run behind, or stops before the run called `stops_at`."""

    def __init__(self, folder: Path) -> None:
        super().__init__("cluster.local")
        self.folder, self.stops_at = folder, ""
        self.calls: list[tuple[str, bool, str | None]] = []

    def train(self, config: Config, *, resume: bool, address: str | None) -> int:
        if config.run.name == self.stops_at:
            raise KeyboardInterrupt
        self.calls.append((config.run.name, resume, address))
        if resume:
            (self.folder / config.run.name).rename(self.folder / "interrupted")
        made(self.folder, config.run.name, {0: 0.0, 4: 1.0 if config.ppo.clip_ratio > 0.25 else 0.5})
        return 0


def made(folder: Path, name: str, accuracies: dict[int, float], *, finished: bool = True) -> Path:
    """A run of the sweep, by hand."""
    _, variant, seed = name.split("-")
    seed_override = f"run.seed={seed.removeprefix('seed')}"
    overrides = ("run.num_iterations=4", seed_override, *OVERRIDES[variant])
    return make_run(folder / name, accuracies, *overrides, finished=finished)


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    return tmp_path / "runs"


@pytest.fixture
def local(runs: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLocal:
    fake = FakeLocal(runs)
    monkeypatch.setitem(sys.modules, "cluster.local", fake)
    return fake


# -- compare ------------------------------------------------------------------------------------------------------


def test_compare(runs: Path, capsys: pytest.CaptureFixture) -> None:
    for name, end in (("slow-seed1", 0.5), ("slow-seed2", 0.5), ("fast-seed1", 1.0)):
        make_run(runs / name, {0: 0.0, 4: end})
    assert cli.main(["compare", "slow-seed1,slow-seed2", "quick=runs/fast-seed1", "--target", "0.5"]) == 0
    printed = capsys.readouterr().out
    ratios = next(line.split() for line in printed.splitlines() if "ratio to slow" in line)
    assert ratios == ["ratio", "to", "slow", "1.00", "0.50"]
    assert printed.endswith("see runs/compare-slow-quick/compare.md and runs/compare-slow-quick/compare.html\n")
    folder = runs / "compare-slow-quick"
    assert sorted(path.name for path in folder.iterdir()) == [
        "compare.html",
        "compare.json",
        "compare.md",
        "compare.png",
    ]


def test_compare_for_programs(runs: Path, capsys: pytest.CaptureFixture) -> None:
    make_run(runs / "a", {0: 0.0, 4: 0.5})
    assert cli.main(["compare", "a", "--json", "--out", "elsewhere"]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads(Path("elsewhere/compare.json").read_text())
    assert json.loads(printed)["target"] == pytest.approx(0.45)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "error: no run directory nowhere, nor runs/nowhere"),
        (["fresh"], "error: runs/fresh has no evaluations: neither its report nor its checkpoints hold any"),
        (["a=old", "a=old"], "error: two labels 'a': join the seeds of one as a=RUN,RUN, or name them apart"),
        (["old,old"], "error: old: the same run is given twice"),
        (["."], "error: '.': '' is no label; give one of letters, digits, '.', '_' and '-'"),
    ],
)
def test_compare_refuses(arguments: list[str], message: str, runs: Path, capsys: pytest.CaptureFixture) -> None:
    make_run(runs / "old", {0: 0.0, 4: 0.5})
    make_run(runs / "fresh", {}, finished=False)
    assert cli.main(["compare", *arguments]) == 2
    assert capsys.readouterr().err == f"{message}\n"
    assert not list(runs.glob("compare-*"))


# -- sweep --------------------------------------------------------------------------------------------------------


def test_sweep_trains_seed_by_seed_and_compares(runs: Path, local: FakeLocal, capsys: pytest.CaptureFixture) -> None:
    assert cli.main([*SWEEP, "--address", "auto", *VARIANTS]) == 0
    assert local.calls == [
        (f"r1_zero_smoke-{variant}-seed{seed}", False, "auto") for seed in (1, 2) for variant in ("plain", "wide")
    ]
    printed = capsys.readouterr().out
    assert "run 2 of 4, new: runs/r1_zero_smoke-wide-seed1\n" in printed
    assert next(line.split() for line in printed.splitlines() if "ratio to plain" in line)[-2:] == ["1.00", "0.50"]
    assert (runs / "compare-plain-wide" / "compare.md").is_file()


def test_a_sweep_that_was_stopped_goes_on(runs: Path, local: FakeLocal, capsys: pytest.CaptureFixture) -> None:
    local.stops_at = "r1_zero_smoke-plain-seed2"
    assert cli.main([*SWEEP, *VARIANTS]) == 130
    made(runs, "r1_zero_smoke-plain-seed2", {0: 0.0, 2: 0.25}, finished=False)
    local.stops_at, local.calls = "", []
    assert cli.main([*SWEEP, *VARIANTS]) == 0
    assert local.calls == [("r1_zero_smoke-plain-seed2", True, None), ("r1_zero_smoke-wide-seed2", False, None)]
    printed = capsys.readouterr().out
    for part in ("run 1 of 4, finished: ", "run 3 of 4, interrupted: ", "run 4 of 4, new: "):
        assert part in printed


def test_overrides_after_an_option(runs: Path, local: FakeLocal) -> None:
    assert cli.main(["sweep", "r1_zero_smoke", "--seeds", "1", "run.num_iterations=4", *VARIANTS]) == 0
    assert len(local.calls) == 2
    with pytest.raises(SystemExit):  # the recipe, too, is taken for a part of the variant
        cli.main(["sweep", "--seeds", "1", "--variant", "plain", "r1_zero_smoke"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--variant", "a", "ppo.clip_ratoi=1"], "error: override: ppo.clip_ratoi: unknown key, did you mean ppo.clip"),
        (["--variant", "a", "--variant", "a"], "error: two variants 'a'"),
        (["--variant", "plain", "ppo.clip_ratio=0.4"], "error: runs/r1_zero_smoke-plain-seed2 holds a run of another"),
    ],
)
def test_sweep_refuses_before_it_trains(
    arguments: list[str], message: str, runs: Path, local: FakeLocal, capsys: pytest.CaptureFixture
) -> None:
    made(runs, "r1_zero_smoke-plain-seed2", {0: 0.0, 4: 0.5})
    assert cli.main([*SWEEP, *arguments]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(message)
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not local.calls


@pytest.mark.parametrize(
    "arguments",
    [
        ["compare"],
        ["compare", "a", "--target", "0"],
        ["compare", "a", "--target", "2"],
        ["sweep", "r1_zero", "--variant", "a"],
        ["sweep", "r1_zero", "--seeds", "1"],
        ["sweep", "r1_zero", "--seeds", "1,x", "--variant", "a"],
        ["sweep", "r1_zero", "--seeds", "", "--variant", "a"],
    ],
    ids=" ".join,
)
def test_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2

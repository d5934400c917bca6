"""What travels with a job, and what is refused before anything is sent."""

from pathlib import Path

import pytest

from cluster.package import FLOORS, MIB, PackageError, own_files, pack, require_shared
from rl.load_config import load_config
from rl.rows import DataFileError

ROOT = Path(__file__).parents[2]


def test_this_installation_is_small_and_whole(tmp_path: Path) -> None:
    package = pack({})
    sources = {path.relative_to(ROOT).as_posix() for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
    assert sources <= package.files.keys()
    assert "rl/recipes/r1_zero.yaml" in package.files
    assert not any("__pycache__" in name or name.endswith(".png") for name in package.files)
    assert package.num_bytes < 8 * MIB
    assert package.describe().startswith(f"package: {len(package.files)} files, ")
    package.write(tmp_path)
    assert (tmp_path / "cluster" / "cli.py").read_bytes() == (ROOT / "cluster" / "cli.py").read_bytes()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    for name in ("cluster/cli.py", "rl/loop.py", "rl/__pycache__/loop.pyc", "rl/.secret", "rl/curve.png", "other/x.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bytes(100))
    return tmp_path


def test_what_is_left_out_is_said(small: Path) -> None:
    package = pack({}, root=small)
    assert sorted(package.files) == ["cluster/cli.py", "rl/loop.py"]
    assert package.describe() == "package: 2 files, 0.0 MiB; left out: 1 __pycache__, 1 *.png, 1 .*"


def test_too_much_is_refused_with_the_largest_files(small: Path) -> None:
    (small / "huge.jsonl").write_bytes(bytes(3 * MIB))
    with pytest.raises(PackageError, match=r"may take 2 MiB .* would be 3.0 MiB \(the largest: huge.jsonl 3.0 MiB"):
        pack({"huge.jsonl": small / "huge.jsonl"}, root=small, max_bytes=2 * MIB)


def test_own_files_travel_where_they_are_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine").mkdir()
    Path("mine/env.py").touch()
    config = load_config("r1_zero_smoke", ["tasks.files=[mine/env.py]", "rewards.files=[/shared/reward.py]"])
    assert own_files([config]) == {"mine/env.py": Path("mine/env.py")}
    with pytest.raises(DataFileError, match=r"none\.py: no such file"):
        own_files([load_config("r1_zero_smoke", ["tasks.files=[none.py]"])])
    with pytest.raises(PackageError, match="must lie below this folder"):
        own_files([load_config("r1_zero_smoke", ["tasks.files=[../env.py]"])])


def test_folders_that_a_job_would_look_for_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    shared = "run.folder=/shared/runs"
    require_shared(load_config("r1_zero_smoke", [shared]), "/shared/runs/r1")
    require_shared(load_config("r1_zero_smoke", [shared, "model.name_or_path=owner/a-hub-id"]), "/shared/runs/r1")
    require_shared(load_config("r1_zero_smoke"), "s3://bucket/runs/r1")
    with pytest.raises(PackageError, match=r"run.folder = runs: .* name an absolute one"):
        require_shared(load_config("r1_zero_smoke"), "runs/r1_zero_smoke")
    with pytest.raises(PackageError, match=r"model\.name_or_path = model: models do not travel"):
        require_shared(load_config("r1_zero_smoke", [shared, "model.name_or_path=model"]), "/shared/runs/r1")

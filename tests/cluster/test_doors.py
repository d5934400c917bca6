"""Doors that must be shut: tokens, dashboards, names that lead elsewhere, files that would run something.

More of them are tried where the door is: tests/cluster/test_tokens.py, test_session.py, test_package.py,
tests/models/test_shards.py, tests/envs/test_sandbox.py, tests/rl/test_mirror.py, test_show.py and test_report.py; a
cluster that refuses a wrong token, in tests/e2e/test_cluster.py.
"""

import ast
import http.server
import os
import pickle
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch
import yaml

from cluster import doors, jobs
from cluster.doctor import _token, render
from cluster.doors import Doors, find_doors
from cluster.package import PackageError, own_files, require_shared
from cluster.run_directory import open_run_directory
from cluster.session import ray_session
from cluster.tokens import SecurityError, has_token, keep_token
from envs.user_file import load_list
from models.lora import ModuleError
from models.module_folder import merge_modules
from models.policy import load_policy
from models.tokenizer import ModelError
from rl.checkpoint import Checkpoints
from rl.html import page, table
from rl.load_config import ConfigError, load_config
from rl.load_pipeline import load_pipeline
from rl.store import PART_NAME
from tests.rl.saving import saving

ROOT = Path(__file__).parents[2]
FLOORS = ("cluster", "rl", "models", "rewards", "envs")
TREES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_bytes()) for f in FLOORS for path in (ROOT / f).rglob("*.py")
}
ESCAPES = ["../x", "..", "/etc/x", "a/b", ".hidden", "a\n", "~", "a b", "%2e%2e"]
SECRET = "5ecre7-" * 6


# -- the token --------------------------------------------------------------------------------------------------------


def modes(home: Path) -> list[int]:
    return [stat.S_IMODE(path.stat().st_mode) for path in (home / ".ray", home / ".ray" / "auth_token")]


def test_a_token_is_made_that_nobody_else_can_read(tmp_path: Path) -> None:
    keep_token({}, tmp_path)
    assert modes(tmp_path) == [0o700, 0o600]
    made = (tmp_path / ".ray" / "auth_token").read_text()
    assert len(made) == 64
    keep_token({}, tmp_path)
    assert (tmp_path / ".ray" / "auth_token").read_text() == made
    assert has_token({}, tmp_path)


def test_one_that_ray_has_left_open_is_closed(tmp_path: Path) -> None:
    (tmp_path / ".ray").mkdir(mode=0o755)
    (tmp_path / ".ray" / "auth_token").write_text(SECRET)
    keep_token({}, tmp_path)
    assert modes(tmp_path) == [0o700, 0o600]
    assert (tmp_path / ".ray" / "auth_token").read_text() == SECRET


@pytest.mark.parametrize("name", ["RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"])
def test_no_second_token_is_made(name: str, tmp_path: Path) -> None:
    keep_token({name: SECRET}, tmp_path)
    assert not (tmp_path / ".ray" / "auth_token").exists()


@pytest.mark.parametrize("mode", ["disabled", ""])
def test_a_cluster_of_ours_that_asks_for_no_token_is_not_started(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", mode)
    with (
        pytest.raises(SecurityError, match="RAY_AUTH_MODE"),
        ray_session(num_cpus=1, object_store_bytes=0, logs=tmp_path),
    ):
        pytest.fail("it has started")


def test_doctor_names_a_token_that_others_can_read_and_shows_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doors, "_dashboards", list)
    assert find_doors({}, tmp_path).token is False
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(SECRET)
    for mode, status in ((0o644, "warn"), (0o600, "ok")):
        (tmp_path / ".ray" / "auth_token").chmod(mode)
        found = _token(find_doors({}, tmp_path))
        assert found.status == status
        assert SECRET not in render([found])
    assert SECRET not in render([_token(find_doors({"RAY_AUTH_TOKEN": SECRET}, tmp_path))])


def test_no_token_goes_along_with_a_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in its package, nor in its environment or metadata, which the dashboard shows."""
    sent: list[str] = []

    class Client:
        def submit_job(self, **job: object) -> None:
            folder = Path(job["runtime_env"]["working_dir"])
            sent.append(repr(job))
            sent.extend(path.read_text("utf-8", "ignore") for path in folder.rglob("*") if path.is_file())

    monkeypatch.setenv("RAY_AUTH_TOKEN", SECRET)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setattr(jobs, "connect", lambda address: Client())
    jobs.submit_run("r1_zero_smoke", [f"run.folder={tmp_path}"], address="http://127.0.0.1:1", resume=False)
    assert len(sent) > 100
    assert not any(SECRET in text for text in sent)


# -- the dashboard ----------------------------------------------------------------------------------------------------


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """One that listens on all interfaces, as far as anybody can tell here; it answers with the status in the list."""
    status = [200]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    listening = SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(ip="0.0.0.0", port=server.server_port))
    monkeypatch.setattr(doors, "DEFAULT_PORT", server.server_port)
    monkeypatch.setattr(psutil, "net_connections", lambda kind: [listening])
    yield status
    server.shutdown()
    server.server_close()


def test_a_dashboard_that_lets_anybody_in_is_named(dashboard: list[int], tmp_path: Path) -> None:
    [address] = find_doors({}, tmp_path).open_dashboards
    assert address.startswith("http://0.0.0.0:")
    dashboard[0] = 401
    assert find_doors({}, tmp_path).open_dashboards == ()


def test_ports_that_are_no_dashboard_of_others_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(ip="127.0.0.1", port=8265))
    away = SimpleNamespace(status=psutil.CONN_LISTEN, laddr=SimpleNamespace(ip="0.0.0.0", port=22))
    monkeypatch.setattr(psutil, "net_connections", lambda kind: [here, away])
    assert find_doors({}, tmp_path) == Doors(False, ())


# -- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ESCAPES)
def test_no_name_of_a_run_or_a_stage_leads_out_of_its_folder(name: str) -> None:
    with pytest.raises(ConfigError, match=r"run\.name"):
        load_config("r1_zero_smoke", [f"run.name={name!r}"])
    with pytest.raises(ConfigError, match="name"):
        load_pipeline("r1_smoke", [f"stages.0.name={name!r}"])


@pytest.mark.parametrize("name", ESCAPES)
def test_no_module_is_made_elsewhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="cannot be called"):
        merge_modules({}, tmp_path, name)


@pytest.mark.parametrize("name", [*ESCAPES, "../train-000001-part000.parquet", "train-1-part0.parquet/../x"])
def test_no_other_file_is_a_part_of_the_store(name: str) -> None:
    assert PART_NAME.fullmatch(name) is None


def test_a_run_directory_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "r1").symlink_to(tmp_path / "elsewhere")
    config = load_config("r1_zero_smoke", [f"run.folder={tmp_path}", "run.name=r1"])
    with pytest.raises(ConfigError, match="is a link"):
        open_run_directory(config, resume=False)


@pytest.mark.parametrize(
    "field", ["tasks.files=[../x.py]", "rewards.files=[a/../../x.py]", "tasks.questions=../x.jsonl"]
)
def test_no_file_outside_travels_with_a_job(field: str) -> None:
    with pytest.raises(PackageError, match="must lie below this folder"):
        own_files([load_config("r1_zero_smoke", [field])])


def test_no_password_travels_in_a_url() -> None:
    config = load_config("r1_zero_smoke", [f"run.folder=s3://me:{SECRET}@bucket/runs"])
    with pytest.raises(PackageError, match="its password") as caught:
        require_shared(config, config.run.place)
    assert SECRET not in str(caught.value)


# -- files that would run something -----------------------------------------------------------------------------------


class Malice:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self._mark),)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pkl"])
def test_a_model_that_is_no_safetensors_is_refused_by_name_and_not_opened(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    torch.save({"weight": Malice(tmp_path / "mark")}, folder / name)
    with pytest.raises(ModelError, match=r"has no \*\.safetensors"):
        load_policy(folder)
    assert not (tmp_path / "mark").exists()


def test_a_pickle_in_the_place_of_a_state_is_no_state(tmp_path: Path) -> None:
    from rl.checkpoint import RunState

    with saving(Checkpoints(tmp_path, {}), RunState(step=2)) as folder:
        (folder / "model.safetensors").touch()
    (tmp_path / "checkpoints" / "step-000002" / "state.json").write_bytes(pickle.dumps(Malice(tmp_path / "mark")))
    with pytest.raises(RuntimeError, match=r"state\.json"):
        Checkpoints(tmp_path, {}).latest()
    assert not (tmp_path / "mark").exists()


def test_a_recipe_makes_values_and_no_objects(tmp_path: Path) -> None:
    recipe = tmp_path / "evil.yaml"
    recipe.write_text(f"run:\n  name: !!python/object/apply:os.mkdir ['{tmp_path / 'mark'}']\n")
    with pytest.raises(ConfigError, match="python/object"):
        load_config(str(recipe))
    assert not (tmp_path / "mark").exists()


def test_a_file_of_the_users_own_is_code_and_runs(tmp_path: Path) -> None:
    """By design: `tasks.files` and `rewards.files` are programs, and whoever writes a recipe runs them."""
    (tmp_path / "mine.py").write_text(f"import os\nos.mkdir({str(tmp_path / 'mark')!r})\nREWARDS = [1]\n")
    assert load_list(str(tmp_path / "mine.py"), "REWARDS") == [1]
    assert (tmp_path / "mark").exists()


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
            yield node


def test_no_model_brings_code() -> None:
    loads = [call for tree in TREES.values() for call in calls(tree, ".from_pretrained")]
    loads = [call for call in loads if ast.unparse(call.func) != "PeftModel.from_pretrained"]  # an adapter has none
    asked = [{k.arg: ast.unparse(k.value) for k in call.keywords}.get("trust_remote_code") for call in loads]
    assert len(asked) >= 4
    assert set(asked) == {"False"}
    assert not any("trust_remote_code=True" in ast.unparse(tree) for tree in TREES.values())


@pytest.mark.parametrize("name", ["pickle.load", "pickle.loads", "torch.load", "yaml.unsafe_load", "eval", "exec"])
def test_nothing_is_read_that_could_run(name: str) -> None:
    """Babel's own data, from its package, is a pickle; model-written code runs inside the sandbox alone. PyTorch's
    restricted unpickler calls nothing.
    """
    homes = {
        home
        for home, tree in TREES.items()
        for call in calls(tree, name)
        if ast.unparse(call.func) == name and "weights_only=True" not in map(ast.unparse, call.keywords)
    }
    assert homes <= {"envs/families/cldr.py", "envs/sandbox_inside.py"}


def test_yaml_is_loaded_safely() -> None:
    from rl.load_config import _Loader

    loaders = {ast.unparse(call.args[1]) for tree in TREES.values() for call in calls(tree, "yaml.load")}
    assert loaders == {"_Loader"}
    assert issubclass(_Loader, yaml.SafeLoader)


# -- what a model wrote -----------------------------------------------------------------------------------------------


def test_a_page_shows_what_was_written_and_runs_none_of_it() -> None:
    evil = "<script>alert(1)</script>\x1b[2J\u202e\"' onload=x"
    text = page(evil, [table(evil, [evil], [[evil]])])
    assert "<script>" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("&lt;script&gt;") >= 4

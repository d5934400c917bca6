"""The command as a user meets it: what it prints, where, and its exit code."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from cluster import cli
from cluster.command_line import UsageError
from rl.config import Config
from rl.load_config import load_config, save_config
from rl.store import TrajectoryStore
from tests.rl.builders import DIMENSIONS, request, scored, trajectory

ROOT = Path(__file__).parents[2]
HEAVY = ("ray", "torch", "vllm", "transformers", "deepspeed", "pyarrow", "numpy", "pydantic", "rich", "yaml")


class FakeLocal(ModuleType):
    """Stands in for `cluster.local`: notes what it was asked to train, and raises `error` if there is one."""

    def __init__(self, error: BaseException | None = None) -> None:
        super().__init__("cluster.local")
        self.error = error
        self.calls: list[tuple[Config, bool, str | None]] = []

    def train(self, config: Config, *, resume: bool, address: str | None) -> int:
        self.calls.append((config, resume, address))
        if self.error is not None:
            raise self.error
        return 0


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch) -> FakeLocal:
    fake = FakeLocal()
    monkeypatch.setitem(sys.modules, "cluster.local", fake)
    monkeypatch.delenv("ZERO2ONE_DEBUG", raising=False)
    return fake


def run(*arguments: str) -> subprocess.CompletedProcess:
    code = "import sys; from cluster.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_help_answers_at_once() -> None:
    run("--help")  # compiles
    start = time.perf_counter()
    done = run("--help")
    assert time.perf_counter() - start < 1.0
    assert done.returncode == 0
    assert all(command in done.stdout for command in cli.COMMANDS)


def test_import_is_light() -> None:
    code = f"import sys, cluster.cli; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_train_hands_over_the_resolved_config(local: FakeLocal) -> None:
    assert cli.main(["train", "r1_zero", "ppo.clip_ratio=0.125", "--resume", "run.seed=7", "--address", "auto"]) == 0
    [(config, resume, address)] = local.calls
    assert (config.run.name, config.run.seed, config.ppo.clip_ratio) == ("r1_zero", 7, 0.125)
    assert (resume, address) == (True, "auto")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "r1_zreo"], "did you mean r1_zero?"),
        (["train", "r1_zero", "ppo.clip_ratoi=1"], "did you mean ppo.clip_ratio?"),
        (["show", "no-such-run"], "no-such-run"),
        (["rewards", "report", "no-such-run"], "no-such-run"),
        (["modules", "list", "no-such-folder"], "no-such-folder holds no modules"),
        (["modules", "merge", "no-such-folder", "both", "a=0.5", "b=1"], "no-such-folder/a is no module"),
        (["modules", "route", "no-such-folder", "a"], "two modules at least"),
    ],
)
def test_bad_input_is_one_message_and_code_2(
    arguments: list[str], message: str, local: FakeLocal, capsys: pytest.CaptureFixture
) -> None:
    assert cli.main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("error: ")
    assert message in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert not local.calls


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["train"],
        ["recipes", "x"],
        ["train", "r1_zero", "--fast"],
        ["show", "x", "--limit", "-1"],
        ["rewards", "fly"],
        ["modules"],
        ["modules", "merge", "x", "both", "a"],
        ["modules", "eval", "x", "--fast"],
    ],
    ids=" ".join,
)
def test_usage_errors_are_code_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(arguments)
    assert exit_.value.code == 2


class WrappedUsageError(UsageError, RuntimeError):
    """As Ray wraps what a task raised: a class of its own below ours."""


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("no such thing"), 2, "error: no such thing\n"),
        (WrappedUsageError("no such thing"), 2, "error: no such thing\n"),
        (RuntimeError("engine died"), 1, "error: RuntimeError: engine died\n(--debug shows where)\n"),
        (ValueError("shapes differ"), 1, "error: ValueError: shapes differ\n(--debug shows where)\n"),
        (KeyboardInterrupt(), 130, "stopped by Ctrl-C\n"),
    ],
)
def test_exit_codes(
    error: BaseException, code: int, message: str, local: FakeLocal, capsys: pytest.CaptureFixture
) -> None:
    local.error = error
    assert cli.main(["train", "r1_zero"]) == code
    assert capsys.readouterr().err == message


@pytest.mark.parametrize("way", ["option", "environment"])
def test_debug_shows_where(
    way: str, local: FakeLocal, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    local.error = RuntimeError("engine died")
    if way == "environment":
        monkeypatch.setenv("ZERO2ONE_DEBUG", "1")
    assert cli.main(["train", "r1_zero", *(["--debug"] if way == "option" else [])]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "entry"), [("rewards", "answer.correct"), ("scenarios", "arithmetic-dialog")])
def test_listings(command: str, entry: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.main([command]) == 0
    assert entry in capsys.readouterr().out
    assert cli.main([command, "--json"]) == 0
    assert entry in {row["name"] for row in json.loads(capsys.readouterr().out)}


@pytest.fixture
def log(tmp_path: Path) -> str:
    topics = ("arithmetic", "arithmetic", "weather")
    lines = [json.dumps({"time": 60 * i, "user": "ada", "topic": topic}) for i, topic in enumerate(topics)]
    (tmp_path / "log.jsonl").write_text("\n".join(lines))
    return str(tmp_path / "log.jsonl")


def test_a_log_is_fitted(log: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["scenarios", "fit", log]) == 0
    printed = capsys.readouterr().out
    for part in ("3 queries by 1 users", "arithmetic 66.7%", "not in the library", '- {"scenario": "arithmetic"}'):
        assert part in printed


@pytest.mark.parametrize("options", [["fit", "--json"], ["--json", "fit"]], ids=" ".join)
def test_a_log_is_fitted_for_programs(options: list[str], log: str, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["scenarios", *options, log]) == 0
    fitted = json.loads(capsys.readouterr().out)
    assert fitted["mean_session_length"] == 3.0
    assert fitted["recipe"].startswith("tasks:")


def test_a_log_with_a_wrong_line_is_refused_by_its_number(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    (tmp_path / "log.jsonl").write_text('{"time": 0, "user": "ada", "topic": "weather"}\n{"time": 0}\n')
    assert cli.main(["scenarios", "fit", str(tmp_path / "log.jsonl")]) == 2
    assert "log.jsonl:2: 'user' is None" in capsys.readouterr().err


def test_show_passes_its_filters_on(
    tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_dir = tmp_path / "runs" / "mine"
    store = TrajectoryStore(run_dir, DIMENSIONS)
    for iteration, reward in ((1, 0.5), (2, 1.5), (2, -1.5), (3, 1.5)):
        store.write([scored(trajectory(request(iteration, int(reward > 0))), [reward])])
    monkeypatch.chdir(tmp_path)
    filters = ["--first", "2", "--last", "2", "--min-reward", "0", "--status", "ok", "--sort", "best", "--limit", "5"]
    filters += ["--role", "assistant"]
    assert cli.main(["show", "mine", *filters]) == 0
    printed = capsys.readouterr().out
    assert "train-2-1-0" in printed
    assert printed.count("train-") == 1


@pytest.fixture
def judged_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    run_dir = tmp_path / "runs" / "mine"
    weights = "rewards.weights={answer.correct: 1.0, format.nonempty: 0.5, length.concise: 0.5}"
    store = TrajectoryStore(run_dir, ("answer.correct", "format.nonempty", "length.concise"))
    for iteration in range(3):
        store.write([scored(trajectory(request(iteration, group)), [group % 2]) for group in range(8)])
    save_config(load_config("r1_zero_smoke", [weights, "run.name=mine"]), run_dir / "config.yaml")
    monkeypatch.chdir(tmp_path)
    return run_dir


def test_rewards_report(judged_run: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["rewards", "report", "mine", "--html", "page.html"]) == 0
    printed = capsys.readouterr().out
    assert "24 turns of the assistant in 3 iterations between 0 and 2" in printed
    assert "length.concise: never judged" in printed
    assert Path("page.html").read_text().startswith("<!doctype html>")
    assert cli.main(["rewards", "report", "mine", "--role", "user"]) == 2
    assert "no training dialog of the user has been judged yet" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["report", "mine", "--json"], ["--json", "report", "mine"]], ids=" ".join)
def test_rewards_report_for_programs(arguments: list[str], judged_run: Path, capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["rewards", *arguments]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {line["name"]: line["dead"] for line in report["dimensions"]} == {
        "answer.correct": "",
        "format.nonempty": "always 0",
        "length.concise": "never judged",
    }


def test_recipes(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["recipes"]) == 0
    names = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert {"r1_zero", "r1_zero_smoke", "ppo_pretrained"} <= names


@pytest.mark.parametrize("command", ["rewards --json", "recipes", "rewards report mine"])
def test_a_reader_that_stops_early_is_no_error(command: str, judged_run: Path) -> None:
    """With more and with less than a pipe holds, and with tables."""
    code = f"import sys; from cluster.cli import main; sys.exit(main({command.split()}))"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""}
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=judged_run.parents[1],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.parametrize(("end", "code"), [("return 7", 7), ("raise BrokenPipeError('a connection')", 3)])
def test_training_goes_on_without_a_reader(end: str, code: int) -> None:
    """As of `zero2one train ... 2>&1 | head -1`: the exit code is that of the run."""
    program = (
        "import sys, types; local = types.ModuleType('cluster.local')\n"
        "from cluster.run_directory import say\n"
        f"def train(*_, **__): say('on'); sys.stdin.read(); say('on'); say('on'); {end}\n"
        "local.train = train; sys.modules['cluster.local'] = local\n"
        "from cluster.cli import main; sys.exit(main(['train', 'r1_zero']))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline().endswith(b"] on\n")
    process.stdout.close()
    process.stdin.close()
    assert process.wait(timeout=60) == code


def test_ctrl_c_leaves_no_traceback() -> None:
    code = (
        "import signal, sys, types, time; local = types.ModuleType('cluster.local')\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a shell's background jobs ignore it
        "def train(*_, **__): print('on', flush=True); time.sleep(60)\n"
        "local.train = train; sys.modules['cluster.local'] = local\n"
        "from cluster.cli import main; sys.exit(main(['train', 'r1_zero']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"on\n"
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, b"stopped by Ctrl-C\n")


def test_a_run_at_a_url_is_mirrored_and_read_there(
    local: FakeLocal, tmp_path: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(config: Config, *, resume: bool, address: str | None) -> int:
        store = TrajectoryStore(config.run.directory, DIMENSIONS)
        store.write([scored(trajectory(request(int(resume), 0)), [0.5])])
        return 0

    local.train = train
    folder = f"run.folder=file://{tmp_path}/there"
    for machine, more in (("a", []), ("b", ["--resume"])):
        (tmp_path / machine).mkdir()
        monkeypatch.chdir(tmp_path / machine)
        assert cli.main(["train", "r1_zero_smoke", folder, *more]) == 0
    parts = sorted(path.name for path in (tmp_path / "there" / "r1_zero_smoke" / "trajectories").iterdir())
    assert parts == ["train-000000-part000.parquet", "train-000001-part000.parquet"]
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    assert cli.main(["show", f"file://{tmp_path}/there/r1_zero_smoke"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("train-") == 2
    assert "holds what file://" in printed.err
    assert cli.main(["train", "r1_zero_smoke", folder]) == 2
    assert "holds a run already; add --resume" in capsys.readouterr().err


def test_a_url_out_of_reach_is_an_error_of_the_input(local: FakeLocal, capsys: pytest.CaptureFixture) -> None:
    for arguments in (["show", "nonsense://a/b"], ["train", "r1_zero_smoke", "run.folder=nonsense://a"]):
        assert cli.main(arguments) == 2
        assert capsys.readouterr().err.startswith("error: nonsense://a")
    assert local.calls == []


def test_the_driver_of_a_job_starts_the_command_as_a_module() -> None:
    command = [sys.executable, "-m", "cluster.cli", "train", "no-such-recipe"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "no-such-recipe" in done.stderr

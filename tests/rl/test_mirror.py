"""Run directories at a URL: on another machine, after interruptions anywhere, and when the URL is out of reach.

Machines are folders here; the URL is another folder, or fsspec's filesystem in memory.
"""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rl import mirror, remote_folder
from rl.checkpoint import FOLDER, Checkpoints, Latest, RunState
from rl.fetch import bring, local_copy
from rl.files import RunInUseError, RunLock
from rl.mirror import Mirror, MirrorError, TakenOverError, mirrored
from rl.mirror_plan import HOME, Journal, look
from rl.places import PlaceError
from rl.remote_folder import WRITER, RemoteFile, RemoteFolder
from rl.report import RunSummary
from tests.rl.fakes import KilledError, Run, Trap, small_config
from tests.rl.saving import saving
from tests.rl.test_loop import assert_same_run

MODEL = {"preset": "tiny"}
COUNT = itertools.count()

Say = Callable[[str], None]


@pytest.fixture(params=["file", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "file":
        return f"file://{tmp_path}/there/runs/r1"
    return f"memory://bucket/{next(COUNT)}/runs/r1"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """And unafraid of power cuts."""
    monkeypatch.setattr(mirror, "LAST_DELAY_SECONDS", 0.01)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Interrupted(RemoteFolder):
    """A machine that dies before what it does at the URL for the `left`-th time, or half-way through it."""

    def __init__(self, whole: RemoteFolder, left: int) -> None:
        super().__init__(whole.url, whole._fs, whole._path)
        self._left = left

    def _live(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise KilledError

    def upload(self, path: Path, name: str, size: int, moved: Callable[[], None]) -> RemoteFile:
        self._live()
        sent = super().upload(path, name, size, moved)
        self._live()
        return sent

    def remove(self, name: str) -> None:
        self._live()
        super().remove(name)

    def remove_folder(self, name: str) -> None:
        self._live()
        for file in [file for file in self.files() if file.startswith(f"{name}/")][:1]:
            super().remove(file)
        self._live()
        super().remove_folder(name)


def save(run_dir: Path, step: int, content: str = "") -> None:
    """A checkpoint of two steps, with the store parts that it needs."""
    for name in (f"trajectories/train-{step - 1:06d}-part000.parquet", "metrics.jsonl"):
        (run_dir / name).parent.mkdir(parents=True, exist_ok=True)
        (run_dir / name).write_text(f"{name} up to {step}")
    with saving(Checkpoints(run_dir, MODEL), RunState(step=step)) as folder:
        (folder / "policy").mkdir()
        (folder / "policy" / "model.safetensors").write_text(f"weights {step} {content}" * 9)
        (folder / "rank0.pt").write_text(f"optimizer {step} {content}")


def latest(run_dir: Path) -> Latest:
    checkpoints = Checkpoints(run_dir, MODEL)
    checkpoints.clean()
    return checkpoints.latest()


def start(run_dir: Path, remote: RemoteFolder, journal: Journal | None = None) -> Mirror:
    """One whose thread never runs: a test says when it looks."""
    (run_dir / HOME).mkdir(parents=True, exist_ok=True)
    journal = journal or Journal(writer="a")
    remote.claim(journal.writer)
    return Mirror(run_dir, remote, journal, print)


def same_files(one: Path, other: Path) -> bool:
    here, there = ({name: (folder / name).read_bytes() for name in look(folder)} for folder in (one, other))
    return here == there


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = mirror.time.monotonic() + 20
    while not condition():
        assert mirror.time.monotonic() < deadline
        mirror.time.sleep(0.02)


# -- there and back ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, RunSummary]:
    """The small run, never interrupted, in a plain folder."""
    run = Run(tmp_path_factory.mktemp("whole"), small_config())
    return run, run.train()


@pytest.mark.parametrize("trap", [("update", 3), ("collect train", 12), ("save", 1)])
def test_a_run_goes_on_on_another_machine(
    whole: tuple[Run, RunSummary], tmp_path: Path, place: str, said: list[str], trap: tuple[str, int]
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    with pytest.raises(BaseException), mirrored(place, first, resume=False, say=said.append):  # noqa: B017
        Run(first, small_config(), trap=Trap(*trap)).train()
    shutil.rmtree(first)
    resumed = Run(second, small_config())
    with mirrored(place, second, resume=True, say=said.append):
        summary = resumed.train()
    assert_same_run(resumed, summary, *whole)
    assert "resumed at iteration" in " ".join(resumed.said)
    remote = RemoteFolder.reach(place)
    assert remote.files().keys() == look(second).keys()
    bring(remote, tmp_path / "c", Journal(), said.append)
    assert (tmp_path / "c" / "metrics.jsonl").read_bytes() == (second / "metrics.jsonl").read_bytes()


def test_a_plain_folder_is_no_mirror(tmp_path: Path, said: list[str]) -> None:
    with mirrored(str(tmp_path), tmp_path, resume=False, say=said.append):
        pass
    assert list(tmp_path.iterdir()) == []


def test_what_goes_here_goes_there(tmp_path: Path, place: str) -> None:
    remote = RemoteFolder.reach(place)
    run_dir, copier = tmp_path / "a", start(tmp_path / "a", remote)
    for step in (2, 4, 6):
        save(run_dir, step)
        assert copier.sync()
        Checkpoints(run_dir, MODEL).prune(step, keep=2)
    assert copier.sync()
    assert remote.files().keys() == look(run_dir).keys()
    assert not any("step-000002" in name for name in remote.files())


def test_this_machine_brings_nothing_and_keeps_what_it_could_not_send(tmp_path: Path, place: str) -> None:
    run_dir, said = tmp_path / "a", list[str]()
    with mirrored(place, run_dir, resume=False, say=said.append):
        save(run_dir, 2)
    save(run_dir, 4)
    with mirrored(place, run_dir, resume=True, say=said.append):
        assert latest(run_dir).checkpoint.state.step == 4
    assert said == []
    assert any("step-000004" in name for name in RemoteFolder.reach(place).files())


@pytest.mark.parametrize("resume", [True, False])
def test_who_has_emptied_its_folder_gets_the_run_back(tmp_path: Path, place: str, resume: bool) -> None:
    """Not a deletion of the run: the journal lies in a hidden folder, which `rm -r run/*` leaves."""
    run_dir, said = tmp_path / "a", list[str]()
    with mirrored(place, run_dir, resume=False, say=said.append):
        save(run_dir, 2)
    shutil.copytree(run_dir, tmp_path / "before")
    for path in run_dir.iterdir():
        if not path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not resume:
        with pytest.raises(PlaceError, match="holds a run already"), mirrored(place, run_dir, resume=False, say=print):
            pass
        return
    with mirrored(place, run_dir, resume=True, say=said.append):
        assert same_files(run_dir, tmp_path / "before")
    assert RemoteFolder.reach(place).files().keys() == look(run_dir).keys()


def test_what_was_deleted_there_between_two_starts_is_sent_at_once(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "LOOK_SECONDS", 0.02)
    run_dir = tmp_path / "a"
    with mirrored(place, run_dir, resume=False, say=print):
        save(run_dir, 2)
    remote = RemoteFolder.reach(place)
    for name in (*remote.files(), WRITER):
        remote.remove(name)
    with mirrored(place, run_dir, resume=True, say=print):
        save(run_dir, 4)
        wait_until(lambda: remote.files().keys() == look(run_dir).keys())


def test_a_checkpoint_that_is_saved_anew_keeps_nothing_of_the_old_one(tmp_path: Path, place: str) -> None:
    """Which may have been cut for another number of ranks."""
    remote, run_dir = RemoteFolder.reach(place), tmp_path / "a"
    copier = start(run_dir, remote)
    save(run_dir, 2)
    assert copier.sync()
    save(run_dir, 2, "anew")
    (run_dir / "checkpoints" / "step-000002" / "rank0.pt").rename(run_dir / "checkpoints" / "step-000002" / "rank1.pt")
    assert copier.sync()
    assert remote.files().keys() == look(run_dir).keys()


def test_parts_that_a_dead_driver_sent_and_did_not_note_are_removed(tmp_path: Path, place: str) -> None:
    run_dir = tmp_path / "a"
    with mirrored(place, run_dir, resume=False, say=print):
        save(run_dir, 2)
    RemoteFolder.reach(place).write("trajectories/train-000002-part003.parquet", b"of an iteration that is done again")
    with mirrored(place, run_dir, resume=True, say=print):
        pass
    assert RemoteFolder.reach(place).files().keys() == look(run_dir).keys()


def test_older_checkpoints_are_brought_without_their_weights_and_stay_there(tmp_path: Path, place: str) -> None:
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        for step in (2, 4):
            save(tmp_path / "a", step)
    before = RemoteFolder.reach(place).files().keys()
    with mirrored(place, tmp_path / "b", resume=True, say=print):
        names = sorted(path.name for path in (tmp_path / "b" / FOLDER / "step-000002").iterdir())
        assert names == ["manifest.json", "state.json"]
        assert latest(tmp_path / "b").checkpoint.state.step == 4
    assert RemoteFolder.reach(place).files().keys() == before
    with mirrored(place, tmp_path / "b", resume=True, say=print):
        Checkpoints(tmp_path / "b", MODEL).prune(4, keep=1)
    assert not any("step-000002" in name for name in RemoteFolder.reach(place).files())


# -- who writes -------------------------------------------------------------------------------------------------------


def test_another_run_of_that_name_is_not_written_over(tmp_path: Path, place: str) -> None:
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        save(tmp_path / "a", 2)
    with (
        pytest.raises(PlaceError, match="holds a run already; add --resume"),
        mirrored(place, tmp_path / "b", resume=False, say=print),
    ):
        pytest.fail("it has started")


def test_whoever_was_overtaken_sends_nothing_more(tmp_path: Path, place: str, said: list[str]) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    with (
        pytest.raises(MirrorError, match="another machine has gone on"),
        mirrored(place, first, resume=False, say=said.append),
    ):
        save(first, 2)
        bystander = start(tmp_path / "b", RemoteFolder.reach(place), Journal(writer="b"))
        save(second, 4)
        assert bystander.sync()
        there = RemoteFolder.reach(place).files()
        save(first, 3)
    assert RemoteFolder.reach(place).files() == there
    assert "another machine has resumed this run" in " ".join(said)


def test_whoever_is_overtaken_while_it_sends_stops_at_the_next_file(tmp_path: Path, place: str) -> None:
    class Overtaken(RemoteFolder):
        def upload(self, path: Path, name: str, size: int, moved: Callable[[], None]) -> RemoteFile:
            sent = super().upload(path, name, size, moved)
            self.claim("b")
            return sent

    whole = RemoteFolder.reach(place)
    copier = start(tmp_path / "a", Overtaken(place, whole._fs, whole._path))
    save(tmp_path / "a", 2)
    with pytest.raises(TakenOverError):
        copier.sync()
    assert len(whole.files()) == 1


def test_a_take_over_claims_before_it_reads_and_may_die_there(
    tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> Journal:
        save(second, 6)
        with pytest.raises(TakenOverError):
            Mirror(second, RemoteFolder.reach(place), Journal.read(second), print).sync()
        raise KilledError

    first, second = tmp_path / "a", tmp_path / "b"
    with mirrored(place, first, resume=False, say=print):
        save(first, 2)
    with mirrored(place, second, resume=True, say=print):
        save(second, 4)
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(mirror, "bring", die)
        with mirrored(place, first, resume=True, say=print):
            pytest.fail("it has started")
    with mirrored(place, first, resume=True, say=print):
        assert latest(first).checkpoint.state.step == 4


def test_who_comes_back_after_another_machine_takes_its_run(tmp_path: Path, place: str, said: list[str]) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    with mirrored(place, first, resume=False, say=print):
        save(first, 2)
    save(first, 4, "never sent")
    with mirrored(place, second, resume=True, say=print):
        save(second, 4)
        save(second, 6)
    with mirrored(place, first, resume=True, say=said.append):
        assert latest(first).checkpoint.state.step == 6
        assert look(first).keys() <= RemoteFolder.reach(place).files().keys()
        state = (first / FOLDER / "step-000004" / "manifest.json").read_bytes()
        assert state == (second / FOLDER / "step-000004" / "manifest.json").read_bytes()
    assert "only this machine had" in " ".join(said)


def test_two_processes_do_not_mirror_one_directory(tmp_path: Path, place: str) -> None:
    (tmp_path / "a" / HOME).mkdir(parents=True)
    with (
        RunLock(tmp_path / "a" / HOME),
        pytest.raises(RunInUseError),
        mirrored(place, tmp_path / "a", resume=True, say=print),
    ):
        pytest.fail("it has started")


# -- interruptions and damage -----------------------------------------------------------------------------------------


def deaths(tmp_path: Path, place: str, change: Callable[[Path], None]) -> Iterator[Path]:
    """What another machine finds after the first one died at each step of sending a change."""
    for left in itertools.count():
        run_dir, there = tmp_path / f"a{left}", tmp_path / f"b{left}"
        whole = RemoteFolder.reach(f"{place}-{left}")
        save(run_dir, 2)
        copier = start(run_dir, whole)
        copier.sync()
        change(run_dir)
        copier._remote = Interrupted(whole, left)
        try:
            copier.sync()
            is_done = True
        except KilledError:
            is_done = False
        bring(whole, there, Journal(), print)
        yield there
        copier._remote = whole  # the first machine, started again
        assert copier.sync()
        again = tmp_path / f"c{left}"
        bring(whole, again, Journal(), print)
        assert latest(again).checkpoint.state == latest(run_dir).checkpoint.state
        assert whole.files().keys() == look(run_dir).keys()
        if is_done:
            assert left > 3
            return


def test_a_new_checkpoint_is_there_as_a_whole_or_not_at_all(tmp_path: Path, place: str) -> None:
    steps = []
    for there in deaths(tmp_path, place, lambda run_dir: save(run_dir, 4)):
        found = latest(there)
        assert found.refused == ()
        assert (there / "trajectories" / f"train-{found.checkpoint.state.step - 1:06d}-part000.parquet").exists()
        steps.append(found.checkpoint.state.step)
    assert steps == sorted(steps)
    assert {2, 4} == set(steps)


def test_a_checkpoint_that_is_removed_is_never_there_in_part(tmp_path: Path, place: str) -> None:
    def change(run_dir: Path) -> None:
        save(run_dir, 4)
        Checkpoints(run_dir, MODEL).prune(4, keep=1)

    for there in deaths(tmp_path, place, change):
        assert latest(there).refused == ()


def test_a_checkpoint_that_is_saved_anew_is_whole_or_left_out(tmp_path: Path, place: str) -> None:
    def change(run_dir: Path) -> None:
        save(run_dir, 2, "anew")

    for there in deaths(tmp_path, place, change):
        assert latest(there).refused == ()


def test_a_manifest_waits_for_files_that_changed_while_they_were_sent(tmp_path: Path, place: str) -> None:
    remote = RemoteFolder.reach(place)
    run_dir, copier = tmp_path / "a", start(tmp_path / "a", remote)
    save(run_dir, 2)
    here = look(run_dir)
    for name in sorted(here, key=lambda name: name.endswith("manifest.json")):
        if name.endswith("manifest.json"):
            save(run_dir, 2, "anew")
        assert copier._send(name, here) is not name.endswith("manifest.json")
    assert not any(name.endswith("manifest.json") for name in remote.files())
    assert copier.sync()
    bring(remote, tmp_path / "b", Journal(), print)
    assert same_files(run_dir, tmp_path / "b")


def test_what_is_missing_there_is_an_error_and_what_is_gone_here_another_look(tmp_path: Path, place: str) -> None:
    class Torn(RemoteFolder):
        def _settle(self, name: str) -> RemoteFile:
            if name == "x":
                raise FileNotFoundError("the folder of the temporary file is gone")
            return super()._settle(name)

    whole = RemoteFolder.reach(place)
    copier = start(tmp_path / "a", Torn(place, whole._fs, whole._path))
    for name in ("x", "y", "z"):
        (tmp_path / "a" / name).write_text(name)
    with pytest.raises(FileNotFoundError, match="temporary file is gone"):
        copier.sync()
    here = look(tmp_path / "a")
    (tmp_path / "a" / "y").unlink()
    (tmp_path / "a" / "z").write_text("")
    assert (copier._send("y", here), copier._send("z", here)) == (False, False)


@pytest.mark.parametrize(
    "name", ["metrics.jsonl", f"{FOLDER}/step-000002/rank0.pt", f"{FOLDER}/step-000002/manifest.json"]
)
def test_what_is_deleted_there_while_the_run_lives_is_sent_again_at_its_end(
    tmp_path: Path, place: str, name: str
) -> None:
    remote = RemoteFolder.reach(place)
    copier = start(tmp_path / "a", remote)
    save(tmp_path / "a", 2)
    assert copier.sync()
    remote.remove(name)
    assert copier.sync()  # no look at the other side while the run goes on
    copier.start()
    assert copier.close() == []
    bring(remote, tmp_path / "b", Journal(), print)
    assert same_files(tmp_path / "a", tmp_path / "b")
    assert latest(tmp_path / "b").refused == ()


def test_a_bit_that_flips_there_costs_one_checkpoint(tmp_path: Path, said: list[str]) -> None:
    place, lies = f"file://{tmp_path}/there", tmp_path / "there" / FOLDER / "step-000004" / "policy"
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        for step in (2, 4):
            save(tmp_path / "a", step)
    damaged = bytearray((lies / "model.safetensors").read_bytes())
    damaged[7] ^= 1
    (lies / "model.safetensors").write_bytes(damaged)
    with mirrored(place, tmp_path / "b", resume=True, say=said.append):
        found = latest(tmp_path / "b")
        assert found.checkpoint.state.step == 2
        assert found.refused == (
            "step-000004: policy/model.safetensors has changed: its SHA-256 is not the one that was saved",
        )
        save(tmp_path / "b", 4)  # as the run does it again
    assert "step-000004 is damaged where it was brought from: policy/model.safetensors has changed" in " ".join(said)
    bring(RemoteFolder.reach(place), tmp_path / "c", Journal(), said.append)
    assert latest(tmp_path / "c").checkpoint.state.step == 4


@pytest.mark.parametrize("name", ["trajectories/../../outside", "..", "a/..\\outside"])
def test_no_name_leads_out_of_the_directory(name: str) -> None:
    class Store:
        """An object store, to which such a name is one like any other."""

        type_name = "s3"

        def get_file_info(self, _: object) -> list[remote_folder.fs.FileInfo]:
            return [remote_folder.fs.FileInfo(f"bucket/r1/{name}", remote_folder.fs.FileType.File, size=1)]

    with pytest.raises(PlaceError, match="leads out of it"):
        RemoteFolder("s3://bucket/r1", Store(), "bucket/r1").files()


# -- out of reach -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("s3://bucket/runs/r1?endpoint_override=127.0.0.1:1&scheme=http&region=x", "Could not connect"),
        ("nonsense://bucket/r1", "nonsense"),
        ("file:///proc/version/r1", "cannot be written and read"),
    ],
)
def test_a_url_out_of_reach_is_named_before_anything_starts(place: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match=reason) as caught, mirrored(place, tmp_path / "a", resume=False, say=print):
        pytest.fail("it has started")
    assert str(caught.value).startswith(place)
    assert not (tmp_path / "a").exists()


def test_who_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_folder, "REACH_SECONDS", 0.05)
    monkeypatch.setattr(remote_folder, "_filesystem_of", lambda url: mirror.time.sleep(1))
    with pytest.raises(PlaceError, match=r"no answer within 0\.05 s"):
        RemoteFolder.reach("s3://bucket/r1")


def test_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(PlaceError, match="URL with a password") as caught:
        RemoteFolder.reach("s3://me:hunter2@bucket/runs/r1")
    assert "hunter2" not in str(caught.value)


def test_a_run_is_not_harmed_and_its_end_names_what_was_not_sent(tmp_path: Path, said: list[str]) -> None:
    place, run_dir = f"file://{tmp_path}/there", tmp_path / "a"
    with (
        pytest.raises(MirrorError, match=r"4 files could not be sent .* checkpoints/step-000002/manifest\.json"),
        mirrored(place, run_dir, resume=False, say=said.append),
    ):
        shutil.rmtree(tmp_path / "there")
        (tmp_path / "there").write_text("no folder any more")
        save(run_dir, 2)
        for name in ["metrics.jsonl", *(f"trajectories/{path.name}" for path in (run_dir / "trajectories").iterdir())]:
            (run_dir / name).unlink()
    assert len([line for line in said if line.startswith("warning: cannot send to")]) >= mirror.LAST_TRIES
    (tmp_path / "there").unlink()
    with mirrored(place, run_dir, resume=True, say=print):
        pass
    assert RemoteFolder.reach(place).files().keys() == look(run_dir).keys()


def test_an_error_of_the_run_comes_before_one_of_the_mirror(tmp_path: Path, said: list[str]) -> None:
    with (
        pytest.raises(KilledError),
        mirrored(f"file://{tmp_path}/there", tmp_path / "a", resume=False, say=said.append),
    ):
        shutil.rmtree(tmp_path / "there")
        (tmp_path / "there").write_text("no folder any more")
        save(tmp_path / "a", 2)
        raise KilledError
    assert said[-1].startswith(f"not at file://{tmp_path}/there, only in {tmp_path / 'a'}: ")


def test_it_looks_by_itself_while_the_run_goes_on(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LOOK_SECONDS", 0.02)
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        save(tmp_path / "a", 2)
        wait_until(lambda: any(name.endswith("manifest.json") for name in RemoteFolder.reach(place).files()))


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_run_is_read_from_a_copy(
    tmp_path: Path, place: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        save(tmp_path / "a", 2)
    copy = local_copy(place, said.append)
    assert copy.parent.parent == Path("runs")
    assert same_files(copy, tmp_path / "a")
    assert same_files(local_copy(place, said.append), tmp_path / "a")
    with pytest.raises(PlaceError, match="there is no run"):
        local_copy(f"{place}-other", said.append)


def test_what_a_reader_adds_to_his_copy_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    place = f"file://{tmp_path}/there"
    with mirrored(place, tmp_path / "a", resume=False, say=print):
        save(tmp_path / "a", 2)
        (tmp_path / "a" / "ratings.jsonl").write_text("one\n")
    copy = local_copy(place, print)
    (copy / "ratings.jsonl").write_text("one\ntwo\n")
    (copy / "eval").mkdir()
    (copy / "eval" / "mmlu.json").write_text("{}")
    stray = copy / "trajectories" / "train-000009-part000.parquet"
    stray.touch()
    assert local_copy(place, print) == copy
    assert (copy / "ratings.jsonl").read_text() == "one\ntwo\n"
    assert (copy / "eval" / "mmlu.json").exists()
    assert not stray.exists()


def test_whoever_trains_here_reads_what_is_here(tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder, name = place.rsplit("/", 1)
    run = small_config(f"run.folder={folder}", f"run.name={name}").run
    with mirrored(run.place, run.directory, resume=False, say=print):
        save(run.directory, 2)
        assert local_copy(run.place, print) == run.directory
    save(run.directory, 4)
    assert local_copy(run.place, print) == run.directory
    assert latest(run.directory).checkpoint.state.step == 4


def test_who_wrote_is_not_taken_for_a_file_of_the_run(tmp_path: Path, place: str) -> None:
    remote = RemoteFolder.reach(place)
    assert remote.writer() is None
    copier = start(tmp_path / "a", remote)
    assert (remote.writer(), remote.files()) == ("a", {})
    (tmp_path / "a" / "x").touch()
    remote.claim("b")
    with pytest.raises(TakenOverError):
        copier.sync()

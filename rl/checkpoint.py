"""Checkpoints that are complete or absent: `checkpoints/step-000020/`, named after the updates they contain.

Everything goes into a hidden folder first. The manifest, with the size and SHA-256 of every file, is written last, and
one rename makes the checkpoint exist. So a kill or a full disk in mid save costs the new one only, and a file that
changed later is noticed before it is loaded.
"""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, NonNegativeInt, ValidationError

from rewards.signal import Weights
from rl.baselines import Baselines
from rl.files import sha256_of, sync, write_whole
from rl.gaming import GamingWatch
from rl.pool import Member, Pool
from rl.results import EvalResult
from rl.trajectory import Status

FOLDER = "checkpoints"
MANIFEST = "manifest.json"
STATE = "state.json"
NAME = re.compile(r"step-(\d{6,})")


class CheckpointError(RuntimeError):
    """A checkpoint cannot be saved, is damaged, or does not fit this run."""


class RunState(BaseModel):
    """What a resumed run needs to know besides its weights and optimisers.

    Attributes:
        step: updates that are done; also the version of the weights.
        kl_coef: as the adaptive controller left it.
        curriculum: the curriculum's own account of itself.
        evals: every evaluation so far; the best one is among them.
        moments: of the dimensions by name, where the rewards are normalised; see `rewards.signal.Moments.by_name`.
        gaming: what the gaming alarm has seen.
        baselines: what the roles of self-play usually earn.
        pool: the past policies that self-play plays with.
        known_tasks: what self-play has proposed lately.
        weights: of the reward, as human feedback has left them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="constants")

    step: NonNegativeInt
    kl_coef: float = 0.0
    curriculum: JsonValue = None
    tokens_generated: NonNegativeInt = 0
    episodes: dict[Status, int] = {}
    max_logprob_gap: float = 0.0
    evals: tuple[EvalResult, ...] = ()
    moments: dict[str, tuple[float, float, float]] = {}
    gaming: GamingWatch = GamingWatch()
    baselines: Baselines = Baselines()
    pool: Pool = Pool()
    known_tasks: tuple[str, ...] = ()
    weights: Weights = Weights()


class FileEntry(BaseModel):
    size: int
    sha256: str


class Manifest(BaseModel):
    """What a complete checkpoint holds. `model` is what weights and optimiser shards fit to, field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    step: NonNegativeInt
    model: dict[str, JsonValue]
    metric: float | None
    files: dict[str, FileEntry]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint, each of whose files has just been verified."""

    folder: Path
    state: RunState
    metric: float | None


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest checkpoint that can be used, and why newer ones cannot, as "name: reason"."""

    checkpoint: Checkpoint | None
    refused: tuple[str, ...]


class Checkpoints:
    """The checkpoints of one run. Writing, cleaning and pruning are for the process that holds the run's lock.

    `model` lists what a checkpoint must agree in to be loaded here, such as {"preset": "r1-zero-6l-tiny", ...}.
    """

    def __init__(self, run_dir: Path, model: Mapping[str, JsonValue]) -> None:
        self._folder = run_dir / FOLDER
        self._model: dict[str, JsonValue] = json.loads(json.dumps(dict(model)))  # tuples become lists, as in a file

    @asynccontextmanager
    async def saving(self, state: RunState, *, metric: float | None = None) -> AsyncIterator[Path]:
        """A folder to fill; it becomes the checkpoint of `state.step` when the block ends well, and vanishes otherwise.
        To hash and sync it takes a minute or more for a large model, and is done in a thread: workers that nobody
        listened to for so long would be taken for lost.

        `metric` says how good it is (higher is better). Raises CheckpointError when a file cannot be written.

        Example: `async with checkpoints.saving(state) as folder: await learner.save(folder)`
        """
        target = self._folder / f"step-{state.step:06d}"
        unfinished = self._folder / f".{target.name}.saving"
        try:
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(parents=True)
            yield unfinished
            await _to_its_end(self._complete, unfinished, target, state, metric)
        except OSError as error:
            kept = f"{self.names()[-1]} is still there" if self.names() else "there is none before it"
            raise CheckpointError(
                f"cannot save checkpoint {target}: {error.strerror or error}; {kept}. "
                "Make room or get access, then resume the run"
            ) from error
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def names(self) -> list[str]:
        """Checkpoints that were completed, oldest first; whether they are still intact, `latest` finds out."""
        if not self._folder.is_dir():
            return []
        return sorted((path.name for path in self._folder.iterdir() if NAME.fullmatch(path.name)), key=_step)

    def latest(self) -> Latest:
        """The newest intact checkpoint. Raises CheckpointError if none of them is, or if it is of another model."""
        refused: list[str] = []
        for name in reversed(self.names()):
            folder = self._folder / name
            try:
                manifest = verify(folder)
                state = RunState.model_validate_json((folder / STATE).read_bytes())
            except (CheckpointError, OSError, ValidationError) as error:
                refused.append(f"{name}: {error}")
                continue
            self._refuse_other_model(folder, manifest)
            return Latest(Checkpoint(folder, state, manifest.metric), tuple(refused))
        if refused:
            raise CheckpointError(
                f"no usable checkpoint in {self._folder} ({'; '.join(refused)}); to start over, remove that folder"
            )
        return Latest(None, ())

    def prune(self, step: int, *, keep: int) -> list[str]:
        """Remove all but the `keep` newest up to `step`, which was just saved, and the best. Returns what was removed.

        Later ones go too: the run was resumed before them because they were damaged.
        """
        past = [name for name in self.names() if _step(name) <= step]
        ranked = [(metric, name) for name in past if (metric := self._metric(name)) is not None]
        kept = {*past[-keep:], *(name for _, name in sorted(ranked)[-1:])}
        removed = [name for name in self.names() if name not in kept]
        for name in removed:
            # out of sight first: a kill in mid removal must not leave something that looks like a damaged checkpoint
            hidden = self._folder / f".{name}.removed"
            shutil.rmtree(hidden, ignore_errors=True)
            (self._folder / name).rename(hidden)
            # where a file is open and cannot go, on NFS, `clean` tries again: it shall not end a run
            shutil.rmtree(hidden, ignore_errors=True)
        return removed

    def opponents(self) -> set[Member]:
        """The past policies that the checkpoints which are left would play with; a damaged one has none."""
        states = [_read_state(self._folder / name) for name in self.names()]
        return {member for state in states if state is not None for member in state.pool.members}

    def clean(self) -> None:
        """Clear away what an earlier process left when it died in mid save or in mid removal."""
        if not self._folder.is_dir():
            return
        for leftover in self._folder.glob(".step-*.*"):
            original = self._folder / leftover.name.removeprefix(".").removesuffix(".replaced")
            if leftover.suffix == ".replaced" and not original.exists():
                leftover.rename(original)
            else:
                shutil.rmtree(leftover, ignore_errors=True)

    def _complete(self, unfinished: Path, target: Path, state: RunState, metric: float | None) -> None:
        (unfinished / STATE).write_text(state.model_dump_json(indent=1), encoding="utf-8")
        files = {}
        for path in sorted(path for path in unfinished.rglob("*") if path.is_file()):
            sync(path)
            entry = FileEntry(size=path.stat().st_size, sha256=sha256_of(path))
            files[path.relative_to(unfinished).as_posix()] = entry
        _write_manifest(unfinished, Manifest(step=state.step, model=self._model, metric=metric, files=files))
        self._publish(unfinished, target)

    def _publish(self, unfinished: Path, target: Path) -> None:
        for folder in (path for path in unfinished.rglob("*") if path.is_dir()):
            sync(folder)
        sync(unfinished)
        replaced = self._folder / f".{target.name}.replaced"
        if target.exists():
            target.rename(replaced)
        unfinished.rename(target)
        sync(self._folder)
        shutil.rmtree(replaced, ignore_errors=True)

    def _metric(self, name: str) -> float | None:
        try:
            return _read_manifest(self._folder / name).metric
        except CheckpointError:
            return None

    def _refuse_other_model(self, folder: Path, manifest: Manifest) -> None:
        names = sorted(self._model.keys() | manifest.model.keys())
        pairs = [(name, manifest.model.get(name), self._model.get(name)) for name in names]
        differences = [
            f"{name} is {theirs!r} there and {ours!r} here" for name, theirs, ours in pairs if theirs != ours
        ]
        if differences:
            raise CheckpointError(
                f"{folder} is a checkpoint of another model: {', '.join(differences)}; "
                "resume with the config of that run, or choose another run.name"
            )


def newest_state(run_dir: Path) -> RunState | None:
    """What the newest readable checkpoint says of the run; its weights are not looked at. None: there is none."""
    states = (_read_state(run_dir / FOLDER / name) for name in reversed(Checkpoints(run_dir, {}).names()))
    return next((state for state in states if state is not None), None)


def verify(folder: Path) -> Manifest:
    """Compare every file with the manifest. Raises CheckpointError that names the first file in which they differ."""
    manifest = _read_manifest(folder)
    if folder.name != f"step-{manifest.step:06d}":
        raise CheckpointError(f"{MANIFEST} is of step {manifest.step}")
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.is_file():
            raise CheckpointError(f"{name} is missing")
        if path.stat().st_size != entry.size:
            raise CheckpointError(f"{name} has {path.stat().st_size} bytes instead of {entry.size}")
        if sha256_of(path) != entry.sha256:
            raise CheckpointError(f"{name} has changed: its SHA-256 is not the one that was saved")
    return manifest


async def _to_its_end(function: Callable[..., None], *arguments: Any) -> None:
    """Run it in a thread. That cannot be cancelled, so whoever is cancelled waits, and leaves it its files."""
    thread = asyncio.create_task(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(thread)
    except asyncio.CancelledError:
        await asyncio.wait([thread])
        raise


def _step(name: str) -> int:
    return int(name.removeprefix("step-"))


def _read_state(folder: Path) -> RunState | None:
    """None: it cannot be read. What comes of that is for those to say who want to load it, see `Checkpoints.latest`."""
    try:
        return RunState.model_validate_json((folder / STATE).read_bytes())
    except (OSError, ValidationError):
        return None


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    body = manifest.model_dump_json()
    text = json.dumps({"manifest": json.loads(body), "sha256": sha256(body.encode()).hexdigest()}, indent=1)
    write_whole(folder / MANIFEST, text.encode())


def _read_manifest(folder: Path) -> Manifest:
    try:
        document = json.loads((folder / MANIFEST).read_bytes())
        manifest = Manifest.model_validate(document["manifest"])
    except FileNotFoundError:
        raise CheckpointError(f"{MANIFEST} is missing") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{MANIFEST} cannot be read: {error}") from error
    if sha256(manifest.model_dump_json().encode()).hexdigest() != document.get("sha256"):
        raise CheckpointError(f"{MANIFEST} has changed since it was saved")
    return manifest

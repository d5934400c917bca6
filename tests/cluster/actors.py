"""Small deterministic actors in place of vLLM and the judges, with faults to order."""

import os
import signal
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import psutil
import ray

from cluster.worker_base import Worker
from envs.task import Transcript
from rewards.score import SUCCESS, DialogScore, RewardError
from rl.trajectory import EpisodeRequest, Trajectory
from tests.rl.builders import trajectory

if TYPE_CHECKING:  # else every actor would import what only the driver needs
    from cluster.fleet import Fleet

FOR_EVER = 3600.0


@dataclass(frozen=True)
class Faults:
    """What a worker does wrong. Calls of `advance` or `score` are counted from 0.

    Attributes:
        refuses: how many times it finds the weights that it loads damaged.
        finds_nothing: the first weights that it shall load are lost.
        fails_to_start: it raises in its constructor.
        starts_after, loads_after: files that it waits for.
        dies_of, hangs_of: id of a dialog that takes it down, or in which a scenario never replies.
    """

    dies_at: tuple[int, ...] = ()
    hangs_at: tuple[int, ...] = ()
    raises_at: tuple[int, ...] = ()
    refuses: int = 0
    finds_nothing: bool = False
    fails_to_start: bool = False
    starts_after: Path | None = None
    loads_after: Path | None = None
    dies_of: str = ""
    hangs_of: str = ""

    def befall(self, call: int, error: Exception) -> None:
        if call in self.dies_at:
            os._exit(1)
        if call in self.hangs_at:
            time.sleep(FOR_EVER)
        if call in self.raises_at:
            raise error

    def befall_of(self, dialogs: Collection[str]) -> None:
        if self.dies_of in dialogs:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.hangs_of in dialogs:
            time.sleep(FOR_EVER)


SOUND = Faults()


@dataclass(frozen=True)
class Weights:
    """All that a fleet looks at in a `cluster.workers.Publication`, whose module would import torch in every actor."""

    version: int


@ray.remote(num_cpus=0)
class Player(Worker):
    """A rollout worker. A dialog is over after one to three calls of `advance`, as its seed says."""

    def __init__(self, name: str, faults: Faults = SOUND) -> None:
        super().__init__()
        if faults.fails_to_start:
            raise OSError("no engine on this machine")
        _wait_for(faults.starts_after)
        self._name, self._faults = name, faults
        self._version: int | None = None
        self._num_loads = self._num_calls = 0
        self._playing: dict[str, tuple[EpisodeRequest, int]] = {}

    def pid(self) -> int:
        return os.getpid()

    def load(self, weights: Weights) -> None:
        if self._version is not None:
            _wait_for(self._faults.loads_after)
        self._num_loads += 1
        if self._num_loads == 1 and self._faults.finds_nothing:
            raise ray.exceptions.ObjectLostError("00", None, "")
        if self._num_loads <= self._faults.refuses:
            from models.weights import WeightSyncError  # torch, which only a worker that refuses needs

            raise WeightSyncError(f"weights {weights.version}: a tensor arrived damaged")
        self._version = weights.version

    def withdraw(self, ids: Collection[str]) -> None:
        for name in ids:
            self._playing.pop(name, None)

    def advance(self, requests: Sequence[EpisodeRequest], max_seconds: float) -> list[Trajectory]:
        assert self._version is not None, f"{self._name} was asked to play before it had weights"
        assert not {r.id for r in requests} & self._playing.keys(), f"{self._name} plays it already"
        self._playing |= {r.id: (r, 1 + r.turn_seed(0) % 3) for r in requests}
        self._num_calls += 1
        self._faults.befall(self._num_calls - 1, RuntimeError("the engine broke"))
        self._faults.befall_of(self._playing)
        time.sleep(0.01)
        self._playing = {id: (request, calls - 1) for id, (request, calls) in self._playing.items()}
        over = [request for request, calls in self._playing.values() if not calls]
        for request in over:
            del self._playing[request.id]
        return [play(request, version=self._version, worker=self._name) for request in over]


@ray.remote(num_cpus=0)
class Judge(Worker):
    """A reward worker of one dimension. `hangs_of`: an answer whose success it never finds out."""

    def __init__(self, faults: Faults = SOUND, hangs_of: str = "") -> None:
        super().__init__()
        self._faults, self._hangs_of, self._num_calls = faults, hangs_of, 0

    def pid(self) -> int:
        return os.getpid()

    def columns(self) -> tuple[str, ...]:
        return ("style.polite", SUCCESS)

    def score(self, transcripts: Sequence[Transcript]) -> list[DialogScore | RewardError]:
        self._num_calls += 1
        error = RewardError("style.polite", transcripts[0].task.id, 0, "nan")
        try:
            self._faults.befall(self._num_calls - 1, error)
        except RewardError:
            return [error, *map(judge, transcripts[1:])]
        for transcript in transcripts:
            for name in self.columns():
                self.judge_turn(transcript, name)
        return [judge(transcript) for transcript in transcripts]

    def judge_turn(self, transcript: Transcript, name: str) -> float:
        if name not in self.columns():
            raise RewardError(name, transcript.task.id, len(transcript.turns) - 1, "no such dimension")
        if name == SUCCESS and transcript.last.answer == self._hangs_of:
            time.sleep(FOR_EVER)
        score = judge(transcript)
        return float(score.success[-1] if name == SUCCESS else score.vector[-1, 0])


def play(request: EpisodeRequest, *, version: int, worker: str = "") -> Trajectory:
    """What comes of a request: a function of its seed, like the real thing."""
    answer = str(np.random.default_rng(request.turn_seed(0)).integers(1000))
    return replace(trajectory(request, [answer], version=version), worker=worker)


def judge(transcript: Transcript) -> DialogScore:
    numbers = np.array([float(turn.answer) for turn in transcript.turns], np.float32)
    return DialogScore(numbers[:, None], (numbers > 500).astype(np.float32))


def pids(fleet: "Fleet") -> list[int]:
    """Of members that are of this module and up."""
    return ray.get([member.handle.pid.remote() for member in fleet.members])


def still_there(processes: Sequence[int], seconds: float = 10.0) -> list[int]:
    """Which of the processes run even after so many seconds."""
    _, alive = psutil.wait_procs([psutil.Process(pid) for pid in processes if psutil.pid_exists(pid)], timeout=seconds)
    return [process.pid for process in alive]


def _wait_for(file: Path | None) -> None:
    while file is not None and not file.exists():
        time.sleep(0.02)

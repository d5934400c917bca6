"""What is asked of a run while it trains, and what it says of itself: small files in `RUN/control/`.

Files, because whoever can read a run can then ask it something, from any node that sees its directory and after any
restart, and nothing listens on a port. Each is whole or absent. A request has a file of its own, so no two of them
meet; its answer lies beside it.
"""

import shutil
import time
import uuid
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from rl.files import write_whole

FRESH_SECONDS = 20.0  # a run that has said nothing for so long is not running

WorkerState = Literal["waiting", "starting", "stale", "ready", "draining", "lost", "gone"]

M = TypeVar("M", bound=BaseModel)


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScaleRequest(Message):
    """How many workers there shall be; None: as many as there are."""

    id: str = Field(default_factory=lambda: f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}")
    rollout: PositiveInt | None = None
    reward: PositiveInt | None = None


class Answer(Message):
    """What became of a request. A `refused` one has changed nothing."""

    outcome: Literal["done", "refused"]
    text: str


class WorkerStatus(Message):
    """`version`: of the weights that a rollout worker serves; None: none yet, or those of a learner that is no more.
    `num_dialogs`: that it holds or judges.
    """

    name: str
    state: WorkerState
    version: int | None = None
    num_dialogs: int = 0


class RunStatus(Message):
    """What a run says of itself every few seconds. `time`: seconds since 1970."""

    time: float
    host: str
    pid: int
    rollout: tuple[WorkerStatus, ...] = ()
    reward: tuple[WorkerStatus, ...] = ()

    @property
    def is_fresh(self) -> bool:
        return time.time() - self.time < FRESH_SECONDS


class RunStoppedError(Exception):
    """The run has done as it was asked: it finished its update, wrote a checkpoint, and left."""


class Control:
    """The control folder of a run directory. The run itself calls `clear` first, while it holds the lock."""

    def __init__(self, run_dir: Path) -> None:
        self._folder = run_dir / "control"
        self._stop, self._status = self._folder / "stop", self._folder / "status.json"

    def clear(self) -> None:
        """Forget what was asked of an earlier run in this directory."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)

    def ask_to_stop(self) -> None:
        write_whole(self._stop, b"")

    @property
    def is_stop_asked(self) -> bool:
        return self._stop.exists()

    def ask(self, request: ScaleRequest) -> None:
        write_whole(self._folder / f"{request.id}.request.json", request.model_dump_json().encode())

    def open_requests(self) -> list[ScaleRequest]:
        """Those without an answer, the oldest first."""
        requests = []
        for path in sorted(self._folder.glob("*.request.json")):
            request = _read(path, ScaleRequest)
            if request is not None and not self._answer(request).exists():
                requests.append(request)
        return requests

    def answer(self, request: ScaleRequest, answer: Answer) -> None:
        write_whole(self._answer(request), answer.model_dump_json().encode())

    def answer_to(self, request: ScaleRequest) -> Answer | None:
        return _read(self._answer(request), Answer)

    def publish(self, status: RunStatus) -> None:
        write_whole(self._status, status.model_dump_json(indent=1).encode())

    def status(self) -> RunStatus | None:
        """What the run said last, whether it still runs or not."""
        return _read(self._status, RunStatus)

    def _answer(self, request: ScaleRequest) -> Path:
        return self._folder / f"{request.id}.answer.json"


def _read(path: Path, kind: type[M]) -> M | None:
    """None where there is no such file, or somebody has put something else in its place."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None

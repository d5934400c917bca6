"""The driver of a job, kept alive: a training process that was killed, or lost its cluster, is started again.

    python3 -m cluster.driver RUN_DIRECTORY train RECIPE ... --address auto

It finds its run by `--resume`, and the actors of the process before it have ended with that: none of them is detached.
This process holds nothing that could fail with it: neither Ray nor torch.
"""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from cluster.failures import CLUSTER_LOST

MAX_RESTARTS = 5
FIRST_PAUSE_SECONDS = 5.0  # doubled each time; the cluster needs some to clear away what the dead process held
LASTING_SECONDS = 3600.0  # a process that lived so long starts the count anew
SIGNALS = (signal.SIGINT, signal.SIGTERM)
RESUME = "--resume"
STOPPED = 130  # see `cluster/cli.py`
BEGUN = ("metrics.jsonl", "stages")  # what a run, or a pipeline, has from when on it can be resumed


@dataclass
class Driver:
    """`command` trains in `run_dir`. Example: `code = Driver(["python3", "-m", ...], Path("runs/r1"), print).run()`"""

    command: Sequence[str]
    run_dir: Path
    say: Callable[[str], None]
    pause: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _is_stopping: bool = field(default=False, init=False)

    def run(self) -> int:
        """Until it is done, cannot be helped, or was asked to stop. Returns the exit code of the last process."""
        for number in SIGNALS:
            signal.signal(number, self._note_stop)
        code, num_restarts = self._train(*self.command), 0
        while not self._is_stopping and _is_curable(code):
            if num_restarts == MAX_RESTARTS:
                self.say(f"driver: {_cause(code)}; it was started again {MAX_RESTARTS} times, which is enough")
                break
            seconds = FIRST_PAUSE_SECONDS * 2**num_restarts
            num_restarts += 1
            self.say(f"driver: {_cause(code)}; started again in {seconds:g} s ({num_restarts} of {MAX_RESTARTS})")
            self.pause(seconds)
            if self._is_stopping:
                return STOPPED
            started = self.clock()
            code = self._train(*self.command, *self._resume())
            if self.clock() - started > LASTING_SECONDS:
                num_restarts = 0
        return code if code >= 0 else 128 - code

    def _train(self, *command: str) -> int:
        return subprocess.Popen(command).wait()

    def _resume(self) -> Sequence[str]:
        """Nothing where it was killed before there was a run."""
        has_run = any((self.run_dir / name).exists() for name in BEGUN)
        return [RESUME] if has_run and RESUME not in self.command else []

    def _note_stop(self, number: int, _: FrameType | None) -> None:
        """Ray, like a terminal, sends the signal to the training process as well: to hand it on would be a second one,
        which ends the run at once.
        """
        self._is_stopping = True


def _is_curable(code: int) -> bool:
    return code < 0 or code == CLUSTER_LOST


def _cause(code: int) -> str:
    if code == CLUSTER_LOST:
        return "the training process has lost its cluster"
    return f"the training process was killed by {signal.Signals(-code).name}"


def main(arguments: Sequence[str]) -> int:
    run_dir, *training = arguments
    command = [sys.executable, "-m", "cluster.cli", *training]
    return Driver(command, Path(run_dir), lambda line: print(line, flush=True)).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

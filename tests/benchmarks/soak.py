"""Does a long run grow? Memory and open files of every role, while the smoke recipe trains for hours:

    python tests/benchmarks/soak.py --minutes 120

One run with as many iterations as the time allows, for what leaks does so within a process: fresh runs in a loop
would begin with fresh processes. What was seen every 10 seconds is in `build/soak/samples.csv`. After a warm-up, in
which caches fill, a line is fitted through the memory of each role, and the open files of the last quarter are compared
with those of the first. Exit code 1: a role grows by more than 1 MB a minute, or has more files open in the end.
"""

import argparse
import csv
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "soak"
TITLES = {"ray::LearnerActor": "learner", "ray::RolloutActor": "rollout", "ray::RewardActor": "reward"}
INTERVAL_SECONDS = 10.0
END_SECONDS = 120.0  # for the last update and its checkpoint
MAX_SLOPE = 1.0  # MB per minute
MB = 1e6
RUN = ("run.name=run", "run.num_iterations=10000000", "checkpoint.every=50", "learner.num_threads=1")


@dataclass(frozen=True, slots=True)
class Sample:
    """What the processes of a role held at some time, all together."""

    seconds: float
    role: str
    num_processes: int
    rss_bytes: int
    num_handles: int


@dataclass(frozen=True, slots=True)
class Growth:
    """Of one role after the warm-up."""

    mb_per_minute: float
    handles: float

    @property
    def is_flat(self) -> bool:
        return self.mb_per_minute < MAX_SLOPE and self.handles < 1


def growth(samples: Sequence[Sample], *, warmup_seconds: float) -> Growth:
    """The least-squares slope of memory, and how many more files are open in the last quarter than in the first."""
    warm = [sample for sample in samples if sample.seconds >= warmup_seconds]
    if len(warm) < 8:
        raise ValueError(f"{len(warm)} samples after the warm-up, at least 8 make a slope: run longer")
    minutes = np.array([sample.seconds / 60.0 for sample in warm])
    slope, _ = np.polyfit(minutes, [sample.rss_bytes / MB for sample in warm], 1)
    quarter, handles = len(warm) // 4, [sample.num_handles for sample in warm]
    return Growth(float(slope), statistics.median(handles[-quarter:]) - statistics.median(handles[:quarter]))


def look(driver: psutil.Process, seconds: float) -> Iterator[Sample]:
    """At all roles, once."""
    held: dict[str, list[tuple[int, int]]] = {}
    for process in (driver, *driver.children(recursive=True)):
        try:
            role = "driver" if process == driver else _role(process)
            if role:
                held.setdefault(role, []).append((process.memory_info().rss, process.num_fds()))
        except psutil.NoSuchProcess:
            continue
    for role, figures in held.items():
        memory, handles = zip(*figures, strict=True)
        yield Sample(seconds, role, len(figures), sum(memory), sum(handles))


def _role(process: psutil.Process) -> str:
    title = " ".join(process.cmdline())
    return next((role for prefix, role in TITLES.items() if title.startswith(prefix)), "")


def soak(minutes: float, overrides: Sequence[str]) -> list[Sample]:
    """Run, watch, and end politely. Raises CalledProcessError where the run ends by itself, which is too soon."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    command = [str(Path(sys.executable).with_name("zero2one")), "train", "r1_zero_smoke", f"run.folder={FOLDER}"]
    samples, start = [], time.monotonic()
    with (FOLDER / "samples.csv").open("w", newline="") as table, (FOLDER / "output.txt").open("w") as output:
        rows = csv.writer(table)
        rows.writerow(Sample.__slots__)
        process = subprocess.Popen([*command, *RUN, *overrides], stdout=output, cwd=ROOT, env=os.environ)
        try:
            while (seconds := time.monotonic() - start) < 60.0 * minutes:
                if process.poll() is not None:
                    raise subprocess.CalledProcessError(process.returncode, "zero2one train")
                new = list(look(psutil.Process(process.pid), seconds))
                samples += new
                rows.writerows([getattr(sample, name) for name in Sample.__slots__] for sample in new)
                table.flush()
                time.sleep(INTERVAL_SECONDS)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(END_SECONDS)
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description="Memory and open files of a long run.")
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--warmup-minutes", type=float, help="15, or a quarter of the time if that is less")
    parser.add_argument("overrides", nargs="*", help="of the recipe r1_zero_smoke")
    asked = parser.parse_args()
    warmup = min(15.0, asked.minutes / 4.0) if asked.warmup_minutes is None else asked.warmup_minutes
    samples = soak(asked.minutes, asked.overrides)
    missed = 0
    for role in sorted({sample.role for sample in samples}):
        own = [sample for sample in samples if sample.role == role]
        found = growth(own, warmup_seconds=60.0 * warmup)
        missed += not found.is_flat
        print(
            f"{role:8} {found.mb_per_minute:+.3f} MB/min, {found.handles:+.0f} open files, "
            f"{own[-1].rss_bytes / MB:,.0f} MB in {own[-1].num_processes} processes at the end"
            f"{'' if found.is_flat else '  MISSED'}"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Random kills on real runs of the real command: `make chaos`, or `python -m tests.e2e.chaos --kills 200`.

First comes a run that nobody disturbs. Then runs of the same configuration lose a random process of a random role,
again and again, until there have been so many kills. A run that ends of it is resumed, which only the death of a driver
may ask for. Each must come to its end by itself, with the weights of the undisturbed one, every
episode once, and nothing left behind: neither a process nor a segment of shared memory.

Most kills come shortly after an iteration, somewhere in the next; the others anywhere, such as while actors start.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import psutil

from rl.store import read
from tests.e2e.runs import Finished, Run

TITLES = {"learner": "ray::LearnerActor", "rollout": "ray::RolloutActor", "reward": "ray::RewardActor"}
ROLES = ("driver", *TITLES)
SHARE_AT_WORK = 0.75  # of the kills
PAUSE_SECONDS = 3.0  # from an iteration to a kill, at most
START_SECONDS = 30.0  # from anything to one of the other kills, at most
END_SECONDS = 1800.0  # from the last kill to the end of a run, at most
NUM_ITERATIONS, NUM_PROMPTS, NUM_SAMPLES = 20, 4, 4

RUN = (
    f"run.num_iterations={NUM_ITERATIONS}",
    f"rollout.rollout_batch_size={NUM_PROMPTS}",
    f"rollout.n_samples_per_prompt={NUM_SAMPLES}",
    "rollout.num_rollout_workers=2",
    "rewards.num_reward_workers=2",
    "learner.num_threads=1",
)
SIMULATED = ("rollout.engine=simulated", "rollout.simulation.time_scale=0.3", "rollout.max_logprob_gap=1000")


class ChaosError(AssertionError):
    """A promise that a run did not keep."""


@dataclass
class Killer:
    """Kills `num_left` more processes, and remembers of which roles. What it draws is a function of the seed; what is
    there to be killed when the moment has come is not.
    """

    random: Random
    roles: Sequence[str]
    num_left: int
    kills: Counter[str] = field(default_factory=Counter)

    def disturb(self, run: Run) -> set[str]:
        """Kill until the driver is dead, the run has ended or nothing is left to kill; returns the roles."""
        hit: set[str] = set()
        while self.num_left and "driver" not in hit and self._wait(run):
            hit.add(self._kill(run))
        return hit

    def _wait(self, run: Run) -> bool:
        """For a moment to kill. False: the run has ended before."""
        is_at_work = self.random.random() < SHARE_AT_WORK
        seconds = self.random.uniform(0.0, PAUSE_SECONDS if is_at_work else START_SECONDS)
        done = run.num_iterations
        while is_at_work and run.num_iterations == done:
            if not run.is_running():
                return False
            time.sleep(0.1)
        moment = time.monotonic() + seconds
        while run.is_running():
            if time.monotonic() >= moment:
                return True
            time.sleep(min(0.1, max(0.0, moment - time.monotonic())))
        return False

    def _kill(self, run: Run) -> str:
        there = {role: [run.driver] if role == "driver" else run.processes(TITLES[role]) for role in self.roles}
        role = self.random.choice([role for role, processes in there.items() if processes] or ["driver"])
        victim = self.random.choice(there.get(role) or [run.driver])
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            return role  # it was faster
        self.num_left -= 1
        self.kills[role] += 1
        return role


def finish(folder: Path, arguments: Sequence[str], killer: Killer) -> tuple[Finished, int]:
    """A run, disturbed and resumed until it ends by itself; and how often it was resumed. Raises ChaosError."""
    for num_starts in range(sys.maxsize):
        started = (folder / "run" / "metrics.jsonl").exists()
        with Run(folder, *arguments, *(["--resume"] if started else [])) as run:
            hit = killer.disturb(run)
            done = run.wait(END_SECONDS)
        if done.left_behind:
            raise ChaosError(f"left behind after kills of {sorted(hit)}: {done.left_behind}")
        if done.code == 0:
            return done, num_starts
        if "driver" not in hit:
            raise ChaosError(f"ended with code {done.code} after kills of {sorted(hit)}: {done.errors[-2000:]}")
    raise AssertionError("unreachable")


def violations(done: Finished, calm: Finished) -> Iterator[str]:
    """What the disturbed run did not do as the calm one."""
    ours, theirs = (run.report()["final_weights_sha256"] for run in (done, calm))
    if ours != theirs:
        yield f"final weights {ours}, and undisturbed {theirs}"
    stored = Counter(record.trajectory.request.id for record in read(done.run_dir))
    expected = {record.trajectory.request.id for record in read(calm.run_dir)} | trained_ids()
    if lost := sorted(expected - stored.keys()):
        yield f"{len(lost)} episodes lost: {lost[:5]}"
    if extra := sorted(name for name, count in stored.items() if count > 1 or name not in expected):
        yield f"{len(extra)} episodes stored twice, or never asked for: {extra[:5]}"
    used = sum(done.report()["episodes"].values())
    if used != len(trained_ids()):
        yield f"{used} episodes used, and {len(trained_ids())} asked for"


def trained_ids() -> set[str]:
    """Of all episodes that a run of `RUN` asks for to train on."""
    return {
        f"train-{iteration}-{group}-{sample}"
        for iteration in range(NUM_ITERATIONS)
        for group in range(NUM_PROMPTS)
        for sample in range(NUM_SAMPLES)
    }


def chaos(folder: Path, overrides: Sequence[str], killer: Killer) -> None:
    """The whole thing. Raises ChaosError at the first promise that was not kept."""
    arguments, start = (*RUN, *overrides), time.monotonic()
    with Run(folder / "calm", *arguments) as run:
        calm = run.wait(END_SECONDS)
    if calm.code:
        raise ChaosError(f"the undisturbed run ended with code {calm.code}: {calm.errors[-2000:]}")
    if found := list(violations(calm, calm)):
        raise ChaosError(f"the undisturbed run: {'; '.join(found)}")
    print(f"undisturbed: {time.monotonic() - start:.0f} s, {calm.report()['final_weights_sha256']}", flush=True)
    number = 0
    while killer.num_left:
        number, start, before = number + 1, time.monotonic(), killer.kills.copy()
        done, num_resumed = finish(folder / str(number), arguments, killer)
        if found := list(violations(done, calm)):
            raise ChaosError(f"run {number}, after kills of {dict(killer.kills - before)}: {'; '.join(found)}")
        print(
            f"run {number}: kills {dict(killer.kills - before)}, resumed {num_resumed} times, "
            f"{time.monotonic() - start:.0f} s; same weights, {len(trained_ids())} episodes once, nothing left behind",
            flush=True,
        )
        shutil.rmtree(folder / str(number))


def main() -> int:
    parser = argparse.ArgumentParser(description="Random kills on real runs.")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--roles", default=",".join(ROLES), help="to be killed")
    parser.add_argument("--engine", choices=("simulated", "vllm"), default="simulated")
    parser.add_argument("overrides", nargs="*", help="of the recipe r1_zero_smoke")
    asked = parser.parse_args()
    killer = Killer(Random(asked.seed), asked.roles.split(","), asked.kills)
    folder, start = Path(tempfile.mkdtemp(prefix="chaos-")), time.monotonic()
    try:
        chaos(folder, (*(SIMULATED if asked.engine == "simulated" else ()), *asked.overrides), killer)
    except AssertionError as error:  # the harness's own, too: a run that does not end
        print(f"FAILED after {killer.kills.total()} kills; see {folder}: {error}", flush=True)
        return 1
    shutil.rmtree(folder)
    print(f"{killer.kills.total()} kills {dict(killer.kills)} in {time.monotonic() - start:.0f} s: all promises kept")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What is written down about workers that die or hang: a line in `RUN/deaths.jsonl`, a report in `RUN/hangs/`.

One witness per run, told of every actor. It knows how those of its own node ended; those of other nodes are asked for
their stacks by a task over there.
"""

import asyncio
import io
import logging
import os
import sys
import time
import traceback
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import ray
from ray._private.worker import global_worker
from ray.actor import ActorHandle
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.deaths import Death, describe, last_lines, node_in, pid_in, record
from cluster.exits import Hold, num_oom_kills
from cluster.stacks import offers, stacks

FOLDER = "hangs"
EXIT_SECONDS = 1.0  # Ray learns of a death before the parent has taken notice
NODE_SECONDS = 15.0  # for a node to say what its processes are at

log = logging.getLogger("zero2one")


@dataclass
class Known:
    """An actor. `hold`: on its process, where that is up and on this node."""

    role: str
    name: str
    hold: Hold | None = None
    pid: int = 0


class Witness:
    """Example: `witness.expect("rollout", "rollout-0", handle); cause = await witness.died(handle, said, error)`"""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._known: dict[str, Known] = {}  # by actor id
        self._num_oom_kills = num_oom_kills()
        self._looking: asyncio.Task[str] | None = None

    def expect(self, role: str, name: str, handle: ActorHandle) -> None:
        self._known[actor_id(handle)] = Known(role, name)

    async def up(self) -> None:
        """Somebody has started: hold on to the processes of this node, so that their end can be read."""
        for id, offer in (await asyncio.to_thread(offers)).items():
            known = self._known.get(id)
            if known is not None and known.hold is None:
                with suppress(OSError):  # it has died since
                    known.hold, known.pid = Hold(offer.pid), offer.pid

    async def died(self, handle: ActorHandle, said: str, error: BaseException | None) -> str:
        """Write an end down; returns its cause in one line.

        Args:
            said: what the fleet knows of it.
            error: what Ray raised, where it did; without, it still runs, and the fleet is about to end it.
        """
        known = self._known.get(actor_id(handle))
        if known is None:
            return said
        exit = await asyncio.to_thread(known.hold.exit, EXIT_SECONDS) if error and known.hold else None
        pid = known.pid or pid_in(str(error))
        here = ray.util.get_node_ip_address()
        node = here if known.hold else node_in(str(error))
        lines = last_lines(_logs(), pid) if node == here else ()
        kills = num_oom_kills()
        cause = describe(said, exit, lines, num_oom_kills=kills - self._num_oom_kills)
        self._num_oom_kills = kills
        try:
            record(self._run_dir, Death(time.time(), known.role, known.name, pid, node, cause, lines))
        except OSError as error:  # that it cannot be written down must not end the run
            log.warning("%s: %s", known.name, error)
        return cause

    def forget(self, handle: ActorHandle) -> None:
        """It has left, or somebody takes its place."""
        known = self._known.pop(actor_id(handle), None)
        if known is not None and known.hold is not None:
            known.hold.close()

    async def hung(self, who: str, why: str) -> str:
        """Write down what every process of the run is at, within `NODE_SECONDS` and a little. Returns where that is, or
        why it is nowhere, which must not end the run.
        """
        if self._looking is None or self._looking.done():  # who hangs at the same time shares what is seen
            self._looking = asyncio.create_task(self._look())
        stamp = time.strftime("%Y%m%d-%H%M%S")
        path = self._run_dir / FOLDER / f"{stamp}-{who.replace(' ', '-')}.txt"
        try:
            seen = await asyncio.shield(self._looking)
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"{stamp}: {who}: {why}\n\n{seen}", encoding="utf-8")
        except (OSError, RayError) as error:
            return f"no report: {error}"
        return str(path)

    async def _look(self) -> str:
        """A section for every process, those that cannot be reached included."""
        names = {id: known.name for id, known in self._known.items()}
        sections = {"driver": f"pid {os.getpid()}\n{own_stacks()}"}
        here, there = await asyncio.gather(asyncio.to_thread(stacks, names), _stacks_elsewhere(names))
        seen = here | there
        sections |= {name: seen.get(id, "it is not up, or its node does not answer") for id, name in names.items()}
        return "\n\n".join(f"== {name}: {text}" for name, text in sections.items()) + "\n"


def own_stacks() -> str:
    """What the threads and the coroutines of this process are at. Must be called inside the event loop."""
    text = io.StringIO()
    for frames in sys._current_frames().values():
        text.write("Thread:\n" + "".join(traceback.format_stack(frames)))
    for task in asyncio.all_tasks():
        task.print_stack(file=text)
    return text.getvalue().rstrip()


def actor_id(handle: ActorHandle) -> str:
    return handle._actor_id.hex()


async def _stacks_elsewhere(names: Collection[str]) -> dict[str, str]:
    """By way of a task on every other node. A node that does not answer in time says nothing."""
    here = ray.get_runtime_context().get_node_id()
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"] and node["NodeID"] != here]
    task = ray.remote(num_cpus=0)(stacks)
    answers = [
        task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(list(names))
        for node in nodes
    ]
    if not answers:
        return {}
    done, _ = await asyncio.wait(map(asyncio.ensure_future, answers), timeout=NODE_SECONDS)
    return {id: text for answer in done if answer.exception() is None for id, text in answer.result().items()}


def _logs() -> Path:
    """Of the Ray session, on this node."""
    return Path(global_worker.node.get_logs_dir_path())

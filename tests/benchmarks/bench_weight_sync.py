"""Seconds from updated weights in the learner to verified weights in an engine, against a plain copy of their bytes.

What a synchronisation does beyond a copy: SHA-256 of every tensor on both ends, vLLM's kernel layout undone and made
again, the prefix cache dropped, and a probe answered on both ends. Learner and engine share this process and its one
thread, so Ray's object store (50 MB in 0.11 s) is not in it.
"""

import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from harness import cpu_plan, free_port, in_turn, median_wall, report, restart_with
from harness import small_config as configure

from models.engine import close_group, init_group
from models.weights import Manifest
from rl.build import build_learner, build_rollout_worker, prepare_model

REPETITIONS = 7


def measure() -> dict[str, object]:
    config = configure()
    plan = cpu_plan(config)
    init_group(backend="gloo", rank=0, world_size=1, address="127.0.0.1", port=free_port(), compile_ops=False)
    with tempfile.TemporaryDirectory(prefix="zero2one-bench-") as temporary:
        folder = Path(temporary) / "model"
        prepare_model(config, folder)
        learner = build_learner(config, folder, plan, rank=0)
        worker = build_rollout_worker(config, folder, plan, name="bench")
        published: list[tuple[Manifest, list[np.ndarray]]] = []

        def publish() -> None:
            published[:] = learner.publish(version=0)

        def load() -> None:
            for manifest, buckets in published:
                worker.load(manifest, buckets)

        publish()
        rivals = {"publish": publish, "load": load, "copy": partial(_copy, published)}
        seconds = in_turn(rivals, repetitions=REPETITIONS)
    close_group()
    total, copy = median_wall(seconds["publish"]) + median_wall(seconds["load"]), median_wall(seconds["copy"])
    return {
        "ratio": total / copy,
        "seconds": total,
        "seconds_publish": median_wall(seconds["publish"]),
        "seconds_load": median_wall(seconds["load"]),
        "seconds_copy": copy,
        "num_bytes": sum(manifest.num_bytes for manifest, _ in published),
        "repetitions": REPETITIONS,
    }


def _copy(published: list[tuple[Manifest, list[np.ndarray]]]) -> None:
    for _, buckets in published:
        for bucket in buckets:
            bucket.copy()


if __name__ == "__main__":
    restart_with({**cpu_plan(configure()).engine_env, "DS_ACCELERATOR": "cpu"})
    report("weight_sync", measure)

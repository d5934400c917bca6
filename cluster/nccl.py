"""Control calls of vLLM's NCCL weight transfer, from rank 0 of the learner to rollout workers. See models/nccl.py.

Not run yet on a GPU; tests check the calls and their order.
"""

from collections.abc import Sequence
from typing import Any

import ray
from ray.actor import ActorHandle
from ray.exceptions import GetTimeoutError, RayActorError, RayTaskError

from cluster.workers import Publication
from models.weights import WeightSyncError

CALL_TIMEOUT_SECONDS = 300.0


class ReceiverCalls:
    """Implements vLLM's `VLLMWeightSyncClient` for one publication: each call is made to all workers, and waited for.

    A worker takes an update in one call, `load`, as it does from the object store: no token can fall between its start
    and its check. So `start_weight_update` only asks who is there, and nothing is left to finish.
    """

    def __init__(self, publication: Publication, workers: Sequence[ActorHandle], *, gpus_per_worker: int) -> None:
        self._publication, self._workers, self._gpus_per_worker = publication, workers, gpus_per_worker

    def init_weight_transfer_engine(self, init_info: dict[str, Any]) -> None:
        """Every worker enters the group with ranks of its own: vLLM gives all of them the same first one."""
        first, step = init_info["rank_offset"], self._gpus_per_worker
        infos = [{**init_info, "rank_offset": first + number * step} for number in range(len(self._workers))]
        self._wait([w.join_transfer.remote(info) for w, info in zip(self._workers, infos, strict=True)])

    def start_weight_update(self) -> None:
        """A worker that is gone must be known before the others wait for it inside NCCL."""
        self._wait([w.ping.remote() for w in self._workers])

    def update_weights(self, update_info: dict[str, Any] | list[dict[str, Any]]) -> None:
        del update_info  # the manifest of the publication says the same
        self._wait([w.load.remote(self._publication) for w in self._workers])

    def finish_weight_update(self, weight_version: str | None = None) -> None:
        del weight_version

    def _wait(self, answers: list[ray.ObjectRef]) -> None:
        """The first error of any worker ends the wait."""
        try:
            ray.get(answers, timeout=CALL_TIMEOUT_SECONDS)
        except RayTaskError as error:  # first, for it is of the class of its cause too
            raise error.cause from error
        except (RayActorError, GetTimeoutError) as error:
            raise WeightSyncError(
                f"weights {self._publication.version}: a rollout worker was lost during a transfer over NCCL; continue "
                "with --resume, or use rollout.weight_transfer = object_store"
            ) from error

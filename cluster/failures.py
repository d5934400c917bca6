"""What an error means to whoever typed the command: a message, and an exit code (see `cluster/cli.py`)."""

import select
import sys

CLUSTER_LOST = 3
FLOORS = frozenset({"cluster", "rl", "rewards", "envs", "models"})


def is_stop(error: Exception) -> bool:
    """Without an import of weight, which only a command that has trained has paid for."""
    control = sys.modules.get("rl.control")
    return control is not None and isinstance(error, control.RunStoppedError)


def has_no_reader(error: Exception) -> bool:
    """Whether it comes of a standard output that nobody reads any more, and not of a connection."""
    if not isinstance(error, BrokenPipeError):
        return False
    output = select.poll()
    output.register(1, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in output.poll(0))


def is_lost_cluster(error: BaseException) -> bool:
    """Ray itself, which nobody has imported who has not been in a cluster, has nobody left to talk to."""
    if isinstance(error, BaseExceptionGroup):
        return any(is_lost_cluster(inner) for inner in error.exceptions)
    ray = sys.modules.get("ray.exceptions")
    return ray is not None and isinstance(error, ConnectionError | ray.RpcError)


def is_input_error(error: BaseException) -> bool:
    """The floors' own kinds of ValueError say that the input is wrong, also when Ray hands them on in a class of its
    own. Any other ValueError is a fault of the program.
    """
    return isinstance(error, ValueError) and any(_is_ours(kind) for kind in type(error).__mro__)


def message(error: BaseException) -> str:
    where = "".join(f"{note}: " for note in getattr(error, "__notes__", ()))  # such as the stage of a pipeline
    if any(_is_ours(kind) for kind in type(error).__mro__):
        return f"error: {where}{error}"
    return f"error: {where}{type(error).__name__}: {error}\n(--debug shows where)"


def _is_ours(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in FLOORS

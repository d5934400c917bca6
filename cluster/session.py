"""A Ray cluster of our own on this machine, or a place in one that runs already; gone without a trace afterwards."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import ray

from cluster.tokens import SecurityError, keep_token

PREFIX, RAY = "z2o-", "r"
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}  # of actors that load models


@contextlib.contextmanager
def ray_session(
    *,
    num_cpus: int,
    object_store_bytes: int,
    logs: Path,
    memory_bytes: int | None = None,
    address: str | None = None,
) -> Iterator[None]:
    """Within it, Ray is up. Our own cluster asks every client for a token, and keeps its files in a folder that only
    this user can read; `memory_bytes` is what its actors may reserve (None: Ray decides). When the block ends in an
    error, the logs of its processes are copied to `logs`. Raises SecurityError where it was to ask for none.
    """
    if address is not None:
        with joined(address):
            yield
        return
    if os.environ.get("RAY_AUTH_MODE", "token") != "token":  # which is Ray's default
        mode = os.environ["RAY_AUTH_MODE"]
        raise SecurityError(f"RAY_AUTH_MODE = {mode}: a cluster of ours asks for a token; unset it")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    keep_token(os.environ, Path.home())
    _remove_left_overs()
    # Ray opens its own folder to everybody, so ours, which nobody else may enter, lies around it. Names are short:
    # the paths of Ray's sockets may have 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        ray.init(
            num_cpus=num_cpus,
            object_store_memory=object_store_bytes,
            _memory=memory_bytes,
            include_dashboard=False,
            log_to_driver=False,
            configure_logging=False,
            _temp_dir=str(folder / RAY),
        )
        yield
    except BaseException:
        _keep_logs(folder, logs)
        raise
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def joined(address: str) -> Iterator[None]:
    """A place in a cluster that runs already."""
    ray.init(address=address, log_to_driver=False, configure_logging=False)
    try:
        yield
    finally:
        ray.shutdown()


def _remove_left_overs() -> None:
    """Folders of sessions whose driver was killed; the kernel ended their processes with it, but not their files."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*-*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdecimal() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _keep_logs(folder: Path, logs: Path) -> None:
    with contextlib.suppress(OSError):
        shutil.copytree(
            folder / RAY / "session_latest" / "logs", logs, dirs_exist_ok=True, ignore_dangling_symlinks=True
        )

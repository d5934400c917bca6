"""How a process of this machine ended, for one that is not its parent: the kernel keeps it for who held on in time.

Needs Linux 6.15 (PIDFD_GET_INFO with PIDFD_INFO_EXIT); before that, nobody but the parent, which is Ray, can know.
"""

import contextlib
import fcntl
import os
import signal
import struct
import time
from dataclasses import dataclass
from pathlib import Path

GET_INFO = (3 << 30) | (64 << 16) | (0xFF << 8) | 11  # _IOWR(0xFF, 11, struct pidfd_info of 64 bytes)
INFO_EXIT = 1 << 3
INFO = struct.Struct("=QQ11Ii")  # mask, cgroup, eleven ids, wait status
POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Exit:
    """`status`: as `os.wait` gives it."""

    status: int

    def __str__(self) -> str:
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"exit code {code}"
        with contextlib.suppress(ValueError):  # real-time signals have no name
            return f"signal {-code} ({signal.Signals(-code).name})"
        return f"signal {-code}"

    @property
    def is_kill(self) -> bool:
        return os.waitstatus_to_exitcode(self.status) == -signal.SIGKILL


class Hold:
    """Held on a live process of this machine, so that its end can be read. `close` when that is known or unwanted.

    Raises OSError where there is no such process.
    """

    def __init__(self, pid: int) -> None:
        self._fd = os.pidfd_open(pid)

    def exit(self, timeout_seconds: float) -> Exit | None:
        """How it ended; None where it has not, or the kernel does not tell. Waits until its parent has taken notice."""
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            info = bytearray(INFO.pack(INFO_EXIT, *[0] * 13))
            with contextlib.suppress(OSError):  # it is unknown to older kernels
                fcntl.ioctl(self._fd, GET_INFO, info)
                mask, *_, status = INFO.unpack(info)
                if mask & INFO_EXIT:
                    return Exit(status)
            time.sleep(POLL_SECONDS)
        return None

    def close(self) -> None:
        os.close(self._fd)


def num_oom_kills() -> int:
    """Processes that the kernel of this machine has killed for want of memory, since it was booted."""
    for line in Path("/proc/vmstat").read_text().splitlines():
        if line.startswith("oom_kill "):
            return int(line.split()[1])
    return 0

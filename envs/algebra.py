"""Algebra by SymPy, in a process of its own: whatever an expression does to it, the caller is told within a deadline.

`envs/algebra_inside.py` bounds what may be asked and the processor time that it may take. An outcome thus does not
depend on how busy the machine is, but for expressions at the very limit; the deadline here, many times as long on the
clock, is for what no limit inside could end. The process ends when its input does, and so with its owner.
"""

import json
import os
import selectors
import subprocess
import sys
import time
from pathlib import Path

from envs.tools import ToolError

START_SECONDS = 60.0  # SymPy takes a second to import, on a machine with nothing else to do
PATIENCE = 20.0  # seconds on the clock for a second of processor time
TOO_SLOW = "it takes too long"
INSIDE = Path(__file__).with_name("algebra_inside.py")


class Algebra:
    """Example: `Algebra(cpu_seconds=2.0).run("solve(x**2 = 4, x)") == "-2, 2"`. Starts at the first call."""

    def __init__(self, cpu_seconds: float) -> None:
        self._cpu_seconds = cpu_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, expression: str) -> str:
        """Raises `ToolError`, and OSError where no process can be started at all."""
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(expression).encode() + b"\n")
            line = _read_line(process, PATIENCE * self._cpu_seconds)
        except BrokenPipeError:
            line = b""
        if not line:
            self.close()
            raise ToolError(TOO_SLOW)
        is_result, text = json.loads(line)
        if not is_result:
            raise ToolError(text)
        return text

    def close(self) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _start(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(INSIDE), str(self._cpu_seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,  # or what a dead process did not read would be written once more when the pipe is closed
            env={},
            cwd="/",
            start_new_session=True,
        )
        if _read_line(self._process, START_SECONDS) != b"ready\n":
            self.close()
            raise OSError("SymPy's process did not start: is sympy installed?")
        return self._process


def _read_line(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """A whole line; empty when the process has ended or `seconds` are over."""
    assert process.stdout is not None
    line, deadline = b"", time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not line.endswith(b"\n"):
            if not selector.select(max(0.0, deadline - time.monotonic())):
                return b""
            block = os.read(process.stdout.fileno(), 65536)
            if not block:
                return b""
            line += block
    return line

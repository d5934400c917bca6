"""What runs inside the sandbox: binds the limits, runs the program, then makes the calls that were asked for.

`envs/sandbox.py` starts it as a script. It reports on a pipe, a line at a time, so that what came before an endless
loop is known. The program shares its interpreter and could write to that pipe, too: the sandbox keeps a program in, it
does not keep it honest. So a report proves only what the program could not know.
"""

import os
import resource
import sys

PROGRAM, CALLS = "/program.py", "/calls.txt"
MAX_VALUE_LENGTH = 1024  # characters; no right answer is longer

STARTED, LOADED, VALUE, RAISED, PEAK = "started", "loaded", "value ", "raised ", "peak "


def main(memory: int, cpu: int, processes: int, file: int, files: int, channel: int, seed: int) -> None:
    for limit, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, cpu, cpu + 1),  # first SIGXCPU, which tells a time-out, then SIGKILL
        (resource.RLIMIT_NPROC, processes, processes),
        (resource.RLIMIT_FSIZE, file, file),
        (resource.RLIMIT_NOFILE, files, files),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(limit, (soft, hard))
    os.environ.clear()

    def report(line: str) -> None:
        os.write(channel, line.replace("\n", " ").encode() + b"\n")

    report(STARTED)
    with open(CALLS, encoding="utf-8") as lines:
        calls = [call for call in lines.read().split("\n") if call]
    with open(PROGRAM, encoding="utf-8", newline="") as text:
        source = text.read()
    if "random" in source:  # importing it takes longer than most programs
        import random

        random.seed(seed)
    sys.argv = ["program.py"]
    module = type(sys)("program" if calls else "__main__")  # who is called does not ask to be the main program
    sys.modules[module.__name__] = module
    exec(compile(source, "program.py", "exec"), names := vars(module))
    report(LOADED)
    for call in calls:
        report(outcome_of(call, names))
    report(f"{PEAK}{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}")


def outcome_of(call: str, names: dict[str, object]) -> str:
    try:
        value = ascii(eval(call, names))
    except BaseException as error:  # whatever a program raises, the next call is made
        return RAISED + type(error).__name__
    return VALUE + (value if len(value) <= MAX_VALUE_LENGTH else "...")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

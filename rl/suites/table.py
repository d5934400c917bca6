"""All suites by name. Where a run of `zero2one eval` begins: nothing is started before every file has been read."""

from collections.abc import Callable
from difflib import get_close_matches

from envs.asked import Asked
from envs.library import ADAPTED, BUILT_IN, Library
from rl.suites.code import code
from rl.suites.config import SuitesConfig
from rl.suites.gsm8k import gsm8k
from rl.suites.instruct import instruct
from rl.suites.knowledge import Knowledge
from rl.suites.mmlu import mmlu
from rl.suites.scenarios import context, language, math, programs
from rl.suites.speed import latency, memory
from rl.suites.suite import Suite, SuiteError

SUITES: dict[str, Callable[[SuitesConfig], Suite]] = {
    "mmlu": mmlu,
    "gsm8k": gsm8k,
    "code": code,
    "context": context,
    "knowledge": Knowledge,
    "language": language,
    "instruct": instruct,
    "math": math,
    "programs": programs,
    "latency": latency,
    "memory": memory,
}


def build_suites(config: SuitesConfig) -> list[Suite]:
    """Raises SuiteError and `rl.rows.DataFileError`."""
    if len(set(config.names)) < len(config.names) or not config.names:
        raise SuiteError(f"--suite {','.join(config.names)}: name suites, each once, out of {', '.join(SUITES)}")
    for name in config.names:
        if name not in SUITES:
            close = get_close_matches(name, SUITES, n=1)
            advice = f"; did you mean {close[0]}?" if close else ""
            raise SuiteError(f"no suite {name!r}{advice} There are {', '.join(SUITES)}")
    return [SUITES[name](config) for name in config.names]


def evaluation_library() -> Library:
    """The built-in scenarios, and the one that asks what benchmark files do."""
    return Library((*BUILT_IN, *ADAPTED, Asked()))

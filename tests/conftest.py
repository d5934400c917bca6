"""For all tests: nothing asks the network, and processes share the tests out so that what is costly exists once."""

import os
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

REAL_STACK = ("tests/cluster/", "tests/e2e/")
BY_THEMSELVES = ("tests/cluster/test_cli.py", "tests/cluster/test_session.py", "tests/cluster/test_watchdog.py")


def pytest_configure() -> None:
    """Set before any test imports vLLM, transformers or Ray; the processes that tests start inherit it.

    Ray lets its workers give way to all others (15 of `nice`). With as many test processes as cores, they would get
    next to nothing, and tests of deadlines would fail.
    """
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", RAY_USAGE_STATS_ENABLED="0", RAY_worker_niceness="0")


class ByFile(LoadScopeScheduling):
    """Where several processes share the tests out (`make test`): a file stays whole, for its fixtures, and one process
    has the real stack, whose Ray session and first run shall exist once, but for long files that use neither.
    """

    def _split_scope(self, nodeid: str) -> str:
        shares = nodeid.startswith(REAL_STACK) and not nodeid.startswith(BY_THEMSELVES)
        return "real stack" if shares else nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)

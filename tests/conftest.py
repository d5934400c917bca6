"""For all tests: nothing asks the network, and what starts many processes runs one after the other."""

import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
REAL_STACK = {"cluster", "e2e"}  # their session fixtures, a Ray session and a run, shall exist once


def pytest_configure() -> None:
    """Set before any test imports vLLM, transformers or Ray; the processes that tests start inherit it."""
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", RAY_USAGE_STATS_ENABLED="0")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where several processes share the tests out (`make test`), one has all of the real stack, and a file stays whole,
    for its fixtures.
    """
    for item in items:
        file = item.path.relative_to(HERE)
        item.add_marker(pytest.mark.xdist_group("real stack" if file.parts[0] in REAL_STACK else file.as_posix()))

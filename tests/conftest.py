"""For all tests: nothing asks the network."""

import os


def pytest_configure() -> None:
    """Set before any test imports vLLM, transformers or Ray; the processes that tests start inherit it."""
    os.environ.update(HF_HUB_OFFLINE="1", VLLM_NO_USAGE_STATS="1", RAY_USAGE_STATS_ENABLED="0")

"""For this package: one Ray session, because to start it takes longer than most of the tests; and async tests."""

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from cluster.session import ray_session


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with ray_session(num_cpus=8, object_store_bytes=100 * 1024**2, logs=tmp_path_factory.mktemp("ray")):
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """An `async def` test gets an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))
    return True

"""For this package: one Ray session, because to start it takes longer than most of the tests; and async tests."""

import asyncio
import inspect
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cluster import cli
from cluster.session import ray_session

Refuse = Callable[..., str]


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


@pytest.fixture
def refuse_recipe(tmp_path: Path, capsys: pytest.CaptureFixture) -> Iterator[Refuse]:
    """Train a recipe in a run directory `tmp_path/runs/mine`; returns the message with which that must be refused."""
    handler = signal.getsignal(signal.SIGTERM)

    def refuse(recipe: str, *arguments: str, code: int = 2) -> str:
        before = psutil.Process().children()
        command = ["train", recipe, f"run.folder={tmp_path / 'runs'}", "run.name=mine", *arguments]
        assert cli.main(command) == code
        assert [process for process in psutil.Process().children() if process not in before] == []
        errors = capsys.readouterr().err
        assert "Traceback" not in errors
        return errors[errors.index("error: ") :].rstrip()

    yield refuse
    signal.signal(signal.SIGTERM, handler)

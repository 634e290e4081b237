"""What every test may ask for: an event loop of each kind, and real servers."""

from __future__ import annotations

import asyncio
import importlib
import os
import signal
from collections.abc import Callable, Coroutine, Generator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings

import tasks
from servers import APP_SERVERS, RUNNERS, SCHEMES, Fleet, MissingProgram, Server, Workspace

T = TypeVar("T")
LoopFactory = Callable[[], asyncio.AbstractEventLoop]

# How long an example takes says how busy the machine is; pytest-timeout ends what hangs.
settings.register_profile("deuterium", deadline=None)
settings.load_profile("deuterium")

LOOPS = ("asyncio", "uvloop")
CI = os.environ.get("CI", "").lower() in ("1", "true")


def pytest_configure(config: pytest.Config) -> None:
    """Whoever gives up on a run sends SIGTERM; without this the servers would outlive it."""
    signal.signal(signal.SIGTERM, lambda number, frame: pytest.exit("terminated", returncode=128 + number))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Names the tests that failed in the file ``DEUTERIUM_FAILED``, a line each."""
    file = os.environ.get("DEUTERIUM_FAILED")
    if file:
        stats = terminalreporter.stats
        names = {report.nodeid: None for kind in ("failed", "error") for report in stats.get(kind, ())}
        Path(file).write_text("".join(f"{name}\n" for name in names))


@pytest.fixture(params=LOOPS)
def loop_factory(request: pytest.FixtureRequest) -> LoopFactory:
    """Makes a new event loop; the test runs once for each kind of :data:`LOOPS`."""
    factory: LoopFactory = importlib.import_module(request.param).new_event_loop
    return factory


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests marked ``every_loop`` run on trio as well: they wait by the verbs of :mod:`tasks` alone.

    With the argument "trio as a guest", an asyncio loop runs around it, for peers that need one in the same thread.
    """
    if "arun" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("every_loop")
        loops = LOOPS if mark is None else (*LOOPS, mark.args[0] if mark.args else "trio")
        metafunc.parametrize("arun", loops, indirect=True)


@pytest.fixture
def arun(request: pytest.FixtureRequest) -> Callable[[Coroutine[Any, Any, T]], T]:
    """``arun(coroutine)`` runs it to its end on a new loop of each kind, and returns its result."""
    if request.param.startswith("trio"):
        return tasks.run_trio if request.param == "trio" else tasks.run_guest
    factory: LoopFactory = importlib.import_module(request.param).new_event_loop

    def run(coroutine: Coroutine[Any, Any, T]) -> T:
        with asyncio.Runner(loop_factory=factory) as runner:
            return runner.run(coroutine)

    return run


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    """Certificates and documents that all servers of the session share."""
    with Workspace() as workspace:
        yield workspace


@pytest.fixture(scope="session")
def fleet(workspace: Workspace) -> Iterator[Fleet]:
    """Starts servers on demand; see :class:`servers.Fleet`."""
    fleet = Fleet(workspace)
    yield fleet
    fleet.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A server that is not installed skips its tests on a user's machine, and fails them in CI."""
    report = yield
    if call.excinfo is not None and call.excinfo.errisinstance(MissingProgram) and not CI:
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, line or 0, f"Skipped: {call.excinfo.value}")
    return report


@pytest.fixture(params=[f"{name}-{scheme}" for name in RUNNERS for scheme in SCHEMES])
def server(request: pytest.FixtureRequest, fleet: Fleet) -> Server:
    """Each real server in turn, over TLS and in the clear; shared, so leave it as it was."""
    name, scheme = request.param.split("-")
    return fleet.get(name, tls=scheme == "https")


@pytest.fixture(params=[f"{name}-{scheme}" for name in APP_SERVERS for scheme in SCHEMES])
def app_server(request: pytest.FixtureRequest, fleet: Fleet) -> Server:
    """Each server that runs :mod:`servers.app`, over TLS and in the clear."""
    name, scheme = request.param.split("-")
    return fleet.get(name, tls=scheme == "https")

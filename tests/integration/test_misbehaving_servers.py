"""Servers reloaded, stalled, throttled and killed under load: no wrong body, and only what had to fail fails.

A request may fail only if it was under way while the server could not answer, and only with the errors that fit. When
that was is known from what happened, never from how long it should have taken: a busy machine changes nothing.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from deuterium import (
    AsyncClient,
    Client,
    NetworkError,
    ReadTimeout,
    RemoteProtocolError,
    TimeoutException,
    TransportError,
)
from servers import Fleet, Server
from servers.content import body

SERVERS = ("nginx", "haproxy", "caddy")
WORKERS = 6
PATHS = ("/100", "/64k", "/1k", "/1m")
PHASE_S = 0.3
STALL_S = 0.6
SLICES = 12  # while throttled: the server runs for a fifth of the time
PATIENT_S = 20.0
HASTY_S = 0.2


@dataclass
class Outcome:
    """One request: when it was under way, and how it ended."""

    begin: float
    end: float
    error: Exception | None
    right: bool
    timeout: float
    worker: int


@dataclass
class Load:
    """Requests one after another, until it is over."""

    outcomes: list[Outcome] = field(default_factory=list)
    over: bool = False
    timeout: float = PATIENT_S  # of requests that begin now
    begun: dict[int, float] = field(default_factory=dict)  # the timeout of each worker's request

    async def task(self, client: AsyncClient, server: Server, worker: int) -> None:
        number = worker
        while not self.over:
            path, timeout = PATHS[number % len(PATHS)], self.timeout
            number += 1
            self.begun[worker] = timeout
            begin, error, content = time.monotonic(), None, b""
            try:
                if number % 3:
                    content = (await client.get(server.url(path), timeout=timeout)).content
                else:
                    async with client.stream("GET", server.url(path), timeout=timeout) as response:
                        content = b"".join([bytes(view) async for view in response.aiter_buffers()])
            except TransportError as caught:
                error = caught
                await asyncio.sleep(0.01)
            self._note(begin, error, content, path, timeout, worker)

    def thread(self, client: Client, server: Server, worker: int) -> None:
        number = worker
        while not self.over:
            path, timeout = PATHS[number % len(PATHS)], self.timeout
            number += 1
            self.begun[worker] = timeout
            begin, error, content = time.monotonic(), None, b""
            try:
                if number % 3:
                    content = client.get(server.url(path), timeout=timeout).content
                else:
                    with client.stream("GET", server.url(path), timeout=timeout) as response:
                        content = b"".join([bytes(view) for view in response.iter_buffers()])
            except TransportError as caught:
                error = caught
                time.sleep(0.01)
            self._note(begin, error, content, path, timeout, worker)

    def _note(
        self, begin: float, error: Exception | None, content: bytes, path: str, timeout: float, worker: int
    ) -> None:
        right = error is not None or content == body(path)
        self.outcomes.append(Outcome(begin, time.monotonic(), error, right, timeout, worker))

    def served(self, since: float) -> bool:
        """Whether a request that began after ``since`` was answered."""
        return any(outcome.begin > since and outcome.error is None for outcome in list(self.outcomes))

    def failed(self, since: float) -> set[int]:
        """The workers that had a request fail after ``since``."""
        return {outcome.worker for outcome in list(self.outcomes) if outcome.error is not None and outcome.end > since}


Harm = Callable[[Server, Load], Iterable[float]]


def until(condition: Callable[[], bool]) -> Iterable[float]:
    """Rest until it holds; the load goes on meanwhile."""
    deadline = time.monotonic() + PATIENT_S
    while not condition():
        assert time.monotonic() < deadline, "the load got nowhere"
        yield 0.01


def reloaded(server: Server, load: Load) -> Iterable[float]:
    for _ in range(2):
        yield PHASE_S
        server.reload()
    yield PHASE_S


def stalled(server: Server, load: Load) -> Iterable[float]:
    yield PHASE_S
    server.stall()
    try:
        yield STALL_S
    finally:
        server.resume()
    yield PHASE_S


def throttled(server: Server, load: Load) -> Iterable[float]:
    for _ in range(SLICES):
        server.stall()
        try:
            yield 0.04
        finally:
            server.resume()
        yield 0.01


def run_tasks(server: Server, harm: Harm) -> list[Outcome]:
    """The load in tasks of one AsyncClient, the harm beside it."""
    load = Load()

    async def scenario() -> None:
        async with AsyncClient(verify=str(server.ca_file), http1=False, timeout=PATIENT_S) as client:
            tasks = [asyncio.ensure_future(load.task(client, server, number)) for number in range(WORKERS)]
            await asyncio.to_thread(do, server, harm, load)
            load.over = True
            async with asyncio.timeout(PATIENT_S + 10):
                await asyncio.gather(*tasks)
            assert (await client.get(server.url("/1k"))).content == body("/1k")
            assert client.workshop.streams.stats().outstanding == 0

    asyncio.run(scenario())
    return load.outcomes


def run_threads(server: Server, harm: Harm) -> list[Outcome]:
    """The load in threads of one Client, the harm beside it."""
    load = Load()
    with Client(verify=str(server.ca_file), http1=False, timeout=PATIENT_S) as client:
        threads = [
            threading.Thread(target=load.thread, args=(client, server, number), daemon=True)
            for number in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        do(server, harm, load)
        load.over = True
        for thread in threads:
            thread.join(PATIENT_S + 10)
        assert not any(thread.is_alive() for thread in threads)
        assert client.get(server.url("/1k")).content == body("/1k")
        assert client.workshop.streams.stats().outstanding == 0
    return load.outcomes


def do(server: Server, harm: Harm, load: Load) -> None:
    """Step by step, each followed by its rest; whatever happens, the load ends."""
    try:
        for rest_s in harm(server, load):
            time.sleep(rest_s)
    finally:
        load.over = True


@pytest.fixture(params=[run_tasks, run_threads], ids=["tasks", "threads"])
def run(request: pytest.FixtureRequest) -> Any:
    """``run(server, harm)`` for both clients."""
    return request.param


@pytest.mark.parametrize("name", SERVERS)
@pytest.mark.parametrize("harm", [reloaded, stalled, throttled])
def test_server_that_comes_back_in_time_fails_nothing(fleet: Fleet, run: Any, name: str, harm: Harm) -> None:
    with fleet.run(name) as server:
        outcomes = run(server, harm)
    assert all(outcome.right for outcome in outcomes)
    assert [repr(outcome.error) for outcome in outcomes if outcome.error is not None] == []
    assert len(outcomes) > WORKERS


@pytest.mark.parametrize("name", SERVERS)
def test_server_stalled_beyond_the_timeout_fails_those_that_met_it(fleet: Fleet, run: Any, name: str) -> None:
    def harm(server: Server, load: Load) -> Iterable[float]:
        yield PHASE_S
        load.timeout = HASTY_S
        yield from until(lambda: list(load.begun.values()).count(HASTY_S) == WORKERS)
        server.stall()
        stalled_at = time.monotonic()
        try:
            yield from until(lambda: len(load.failed(stalled_at)) == WORKERS)
            load.timeout = PATIENT_S
            yield from until(lambda: list(load.begun.values()).count(PATIENT_S) == WORKERS)
        finally:
            server.resume()
        resumed_at = time.monotonic()
        yield from until(lambda: load.served(resumed_at))
        yield PHASE_S

    with fleet.run(name) as server:
        outcomes = run(server, harm)
    assert all(outcome.right for outcome in outcomes)
    failed = [outcome for outcome in outcomes if outcome.error is not None]
    assert {outcome.worker for outcome in failed} == set(range(WORKERS))
    for outcome in failed:
        assert isinstance(outcome.error, TimeoutException), repr(outcome.error)
        assert outcome.timeout == HASTY_S, f"a patient request failed: {outcome.error!r}"
        if isinstance(outcome.error, ReadTimeout):  # a connection may have been opened for others before
            assert outcome.end - outcome.begin >= HASTY_S


@pytest.mark.parametrize("name", SERVERS)
def test_server_killed_fails_those_under_way_and_serves_again(fleet: Fleet, run: Any, name: str) -> None:
    window: list[float] = []

    def harm(server: Server, load: Load) -> Iterable[float]:
        yield PHASE_S
        window.append(time.monotonic())
        server.kill()
        yield 0.1
        server.restart()
        back = time.monotonic()
        yield from until(lambda: load.served(back))
        window.append(time.monotonic())
        yield PHASE_S

    with fleet.run(name) as server:
        outcomes = run(server, harm)
    killed, served = window
    assert all(outcome.right for outcome in outcomes)
    for outcome in outcomes:
        if outcome.error is not None:
            # RemoteProtocolError: some say GOAWAY or close in the middle of what they say.
            assert isinstance(outcome.error, NetworkError | RemoteProtocolError), repr(outcome.error)
            assert outcome.end >= killed, f"failed before the server did: {outcome.error!r}"
            assert outcome.begin <= served, f"failed after the server was back: {outcome.error!r}"
    assert max(outcome.end for outcome in outcomes if outcome.error is None) > served
